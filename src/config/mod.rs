//! What an operator may choose: `config/klatchd.toml`, the environment and the command line.
//!
//! [`keys`] declares each key once. From that come [`Config`] with its defaults, the reading of the
//! layers, the advice on what is wrong, and the text of `config/klatchd.toml`.
//!
//! **Layers**, the later ones win: defaults, file, environment (`KLATCHD__SECTION__KEY`), flags
//! (`--set section.key=value`). Whatever the layer, a value may be written as text; in a list of
//! texts, commas stand between the items.
//!
//! **Invariants:** a [`Config`] that [`load`] returns is valid in each value and in the relations
//! between them; what is not is told all at once. Only a `Config` travels further, section by
//! section.

mod define;
mod form;
mod keys;
mod layers;
mod problem;
mod relations;
mod state_dir;
mod text;

#[cfg(test)]
mod tests;

pub use define::Reload;
pub use form::{Engine, Origin, Plain, Registration, Switch};
pub use keys::{
    Accounts, Acme, Bans, Config, History, Limits, Log, Names, Retention, Rooms, Server, Store,
    Timeouts, Tls, Web,
};
pub use layers::{Loaded, Sources, load};
pub use problem::{Problem, Problems};
pub use state_dir::NoStateDir;
pub use text::{Change, changes, example, print, reloaded};
