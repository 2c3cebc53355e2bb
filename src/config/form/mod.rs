//! How values are written: units stand in the value, ranges in the type of the key.
//!
//! A [`Form`] reads what a person wrote into the type that travels, and shows it in the same way.
//! Here stand the forms that are made of others.

mod origin;
mod quantity;
mod text;
mod written;

pub use origin::Origin;
pub(super) use quantity::{Number, Size, Span};
pub(super) use text::{
    Address, Domain, File, Host, Line, Mail, Network, Page, Room, Url, User, Word,
};
pub use text::{Engine, Plain, Registration, Switch};
pub(super) use written::Written;

/// How a `T` is written.
pub(super) trait Form<T> {
    /// What may be written, in words that go on from "write ...".
    fn expected() -> String;
    /// Reads it, or says what is wrong.
    fn read(written: &Written) -> Result<T, String>;
    /// Shows it so that it reads back to the same.
    fn show(value: &T) -> toml::Value;
}

/// `F`, or 0 for none.
pub(super) struct OrZero<F>(F);

impl<T, F: Form<T>> Form<Option<T>> for OrZero<F> {
    fn expected() -> String {
        format!("{}; or 0", F::expected())
    }

    fn read(written: &Written) -> Result<Option<T>, String> {
        let none = *written == Written::Number(0) || written.text() == Ok("0");
        if none { Ok(None) } else { F::read(written).map(Some) }
    }

    fn show(value: &Option<T>) -> toml::Value {
        value.as_ref().map_or(toml::Value::Integer(0), F::show)
    }
}

/// `F`, or the empty text for none.
pub(super) struct OrEmpty<F>(F);

impl<T, F: Form<T>> Form<Option<T>> for OrEmpty<F> {
    fn expected() -> String {
        format!("{}; or \"\"", F::expected())
    }

    fn read(written: &Written) -> Result<Option<T>, String> {
        if written.text() == Ok("") { Ok(None) } else { F::read(written).map(Some) }
    }

    fn show(value: &Option<T>) -> toml::Value {
        value.as_ref().map_or_else(|| toml::Value::String(String::new()), F::show)
    }
}

/// At least `MIN` items of the form `F`, none of them twice. As one text: with commas between.
pub(super) struct List<F, const MIN: usize = 0>(F);

impl<T: PartialEq, F: Form<T>, const MIN: usize> Form<Vec<T>> for List<F, MIN> {
    fn expected() -> String {
        let least = if MIN == 0 { String::new() } else { format!(" of at least {MIN}") };
        format!("a list{least}, each {}", F::expected())
    }

    fn read(written: &Written) -> Result<Vec<T>, String> {
        let written = written.items()?;
        let mut items = Vec::with_capacity(written.len());
        for one in &written {
            let item = F::read(one).map_err(|why| format!("{one}: {why}"))?;
            if items.contains(&item) {
                return Err(format!("{one} stands there twice"));
            }
            items.push(item);
        }
        if items.len() < MIN { Err("the list is too short".into()) } else { Ok(items) }
    }

    fn show(value: &Vec<T>) -> toml::Value {
        toml::Value::Array(value.iter().map(F::show).collect())
    }
}
