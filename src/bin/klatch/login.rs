//! By what right the program takes its name: as a guest, with a password, or with the token that an
//! earlier login of this device was given.
//!
//! Tokens are kept in `~/.local/state/klatch/tokens`, a file for each server and name, for the user
//! alone. A password is never kept, and never stands on the command line.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use klatch::client::{Builder, Client, Error, Events, Password, Token};
use klatch::protocol::status::{Code, Refusal};
use sha2::{Digest, Sha256};

use crate::args::Args;
use crate::exit;

/// A password file that is longer is not one.
const FILE_BYTES: u64 = 4_096;

/// Connects by `name`; a password is asked for where there is a terminal to ask on.
pub(crate) async fn connect(
    args: &Args,
    name: &str,
    trust: impl Fn(Builder) -> Builder,
    may_ask: bool,
) -> Result<(Client, Events), Error> {
    let keeper = Keeper::of_user(&args.server, name);
    let builder = trust(args.builder(name).device(&device()));
    let known = keeper.as_ref().and_then(Keeper::token);
    if args.register {
        let password = password(args, name, may_ask, true)?;
        let connected = builder.register(password, args.invite.as_deref()).connect().await?;
        return Ok(kept(keeper.as_ref(), connected));
    }
    let first = match known {
        Some(token) => builder.clone().token(token).connect().await,
        None if args.password_file.is_some() => Err(Refusal::from(Code::NameRegistered).into()),
        None => builder.clone().connect().await,
    };
    match first {
        Err(error) if matches!(error.code(), Some(Code::BadCredentials | Code::NameRegistered)) => {
            if let (Some(keeper), Some(Code::BadCredentials)) = (&keeper, error.code()) {
                keeper.forget();
            }
            let password = password(args, name, may_ask, false)?;
            let connected = builder.password(password).connect().await?;
            Ok(kept(keeper.as_ref(), connected))
        }
        other => other,
    }
}

/// Forgets the token of an account that is logged out.
pub(crate) fn forget(args: &Args, name: &str) {
    if let Some(keeper) = Keeper::of_user(&args.server, name) {
        keeper.forget();
    }
}

fn kept(keeper: Option<&Keeper>, connected: (Client, Events)) -> (Client, Events) {
    if let Some(keeper) = keeper.filter(|_| !connected.0.is_guest())
        && let Err(error) = keeper.keep(connected.0.token())
    {
        exit::note(&format!("the login is not remembered: {}: {error}", keeper.path.display()));
    }
    connected
}

/// What the list of the account's devices calls this one.
fn device() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name = format!("klatch on {host}");
    // A host's name is ASCII (RFC 1123).
    if name.len() <= 64 { name } else { "klatch".to_owned() }
}

fn password(args: &Args, name: &str, may_ask: bool, anew: bool) -> Result<Password, Error> {
    let weak = |why: String| Error::from(Refusal::new(Code::BadCredentials, why));
    if let Some(file) = &args.password_file {
        let failed = |error: io::Error| weak(format!("{}: {error}", file.display()));
        let mut text = String::new();
        let opened = fs::File::open(file).map_err(failed)?;
        opened.take(FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
        return Ok(Password::from(text.lines().next().unwrap_or_default()));
    }
    if !may_ask {
        let why = format!("the name {name} belongs to an account: give --password-file");
        return Err(Refusal::new(Code::NameRegistered, why).into());
    }
    let ask = |question: String| {
        rpassword::prompt_password(question).map_err(|error| weak(format!("no password: {error}")))
    };
    let first = ask(format!("Password for {name}: "))?;
    if anew && ask("The same again: ".to_owned())? != first {
        return Err(weak("these were two passwords".to_owned()));
    }
    Ok(Password::from(first.as_str()))
}

/// Where one token is kept.
struct Keeper {
    path: PathBuf,
}

impl Keeper {
    fn of_user(server: &str, name: &str) -> Option<Self> {
        use etcetera::base_strategy::{BaseStrategy, Xdg};
        let folder = Xdg::new().ok()?.state_dir()?.join("klatch").join("tokens");
        // A name may hold anything: the file's name tells nothing.
        let digest = Sha256::digest(format!("{server}\n{}", name.to_lowercase()));
        Some(Self { path: folder.join(hex::encode(digest)) })
    }

    fn token(&self) -> Option<Token> {
        let text = fs::read_to_string(&self.path).ok()?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
        Some(Token::from(bytes))
    }

    fn keep(&self, token: &Token) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let fresh = self.path.with_extension("new");
        let mut options = fs::OpenOptions::new();
        let mut file = options.create(true).write(true).truncate(true).mode(0o600).open(&fresh)?;
        writeln!(file, "{}", hex::encode(token.bytes()))?;
        fs::rename(&fresh, &self.path)
    }

    fn forget(&self) {
        // That there is none is as well.
        drop(fs::remove_file(&self.path));
    }
}
