//! How far a session has come: greeted, named, on its way out.
//!
//! **Owns:** the stage. **Never:** sends, waits, reads a clock.
//! **Invariants:** before a name is held nothing but `hello`, `register`, `login`, `ping`, `quit` and
//! `logout` is accepted; an identity, once taken, does not change. This is where the line is drawn between a
//! request that is refused and one that ends the session.

use std::sync::Arc;

use crate::account::wish::{Claim, Wish};
use crate::base::limits::{FRAME_BYTES, FRAME_BYTES_BEFORE_LOGIN};
use crate::base::name::{Identity, UserName};
use crate::protocol::request::{Class, DeviceName, Hello, Login, Logout, Name, Register, Request};
use crate::protocol::status::{Code, Refusal};
use crate::protocol::{VERSION, VERSION_MIN};

/// The stages of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Stage {
    /// Connected; `hello` must come.
    #[default]
    Connected,
    /// Greeted; `login` must come.
    Greeted,
    /// A name was asked for.
    Entering,
    /// A name is held.
    Named(Arc<Identity>),
}

/// What is to be done with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Answer `hello` with this version.
    Greet(u16),
    /// Answer `ping`.
    Pong,
    /// Ask for this name.
    Enter(Wish),
    /// Hand it in, in this class.
    Schedule(Class),
    /// End the session politely.
    Leave(Extent),
    /// Refuse it; the session goes on.
    Refuse(Refusal),
    /// End the session.
    End(Refusal),
}

/// How much ends with a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The session, and a guest's name.
    Session,
    /// The login of its device too.
    Device,
    /// The logins of all devices of the account.
    All,
}

/// The state of one session.
#[derive(Debug, Default)]
pub struct State {
    stage: Stage,
}

impl State {
    /// Longest body that is accepted now.
    #[must_use]
    pub fn frame_bytes(&self) -> usize {
        match self.stage {
            Stage::Connected | Stage::Greeted | Stage::Entering => FRAME_BYTES_BEFORE_LOGIN,
            Stage::Named(_) => FRAME_BYTES,
        }
    }

    /// Whether a name was asked for, and the answer is awaited: what follows waits for it too.
    #[must_use]
    pub fn is_entering(&self) -> bool {
        matches!(self.stage, Stage::Entering)
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        match &self.stage {
            Stage::Named(who) => Some(who),
            Stage::Connected | Stage::Greeted | Stage::Entering => None,
        }
    }

    /// Decides on a request.
    pub fn receive(&mut self, request: &Request) -> Verdict {
        match (request, &self.stage) {
            (Request::Ping(_), _) => Verdict::Pong,
            (Request::Quit(_), _) => Verdict::Leave(Extent::Session),
            (Request::Logout(Logout { all: Some(true), .. }), _) => Verdict::Leave(Extent::All),
            (Request::Logout(_), _) => Verdict::Leave(Extent::Device),
            (Request::Hello(hello), Stage::Connected) => self.greet(hello),
            (Request::Hello(_), _) => unexpected("`hello` was said already"),
            (_, Stage::Connected) => unexpected("the first request must be `hello`"),
            (Request::Login(login), Stage::Greeted) => self.log_in(login),
            (Request::Register(register), Stage::Greeted) => self.register(register),
            (Request::Login(_) | Request::Register(_), Stage::Entering | Stage::Named(_)) => {
                unexpected("this session has a name, or has asked for one")
            }
            (_, Stage::Greeted | Stage::Entering) => Verdict::Refuse(Code::AuthRequired.into()),
            (request, Stage::Named(_)) => Verdict::Schedule(request.class()),
        }
    }

    fn greet(&mut self, hello: &Hello) -> Verdict {
        let lowest = hello.version_min.unwrap_or(hello.version);
        let common = hello.version.min(VERSION);
        if common < lowest || common < VERSION_MIN {
            let text = format!("the server speaks versions {VERSION_MIN} to {VERSION}");
            return Verdict::End(Refusal::new(Code::Version, text));
        }
        self.stage = Stage::Greeted;
        Verdict::Greet(common)
    }

    fn log_in(&mut self, login: &Login) -> Verdict {
        let claim = match (&login.token, &login.password) {
            (Some(token), None) => Claim::Token(token.clone()),
            (None, Some(password)) => Claim::Password(password.clone()),
            (None, None) => Claim::Guest,
            (Some(_), Some(_)) => {
                let text = "give a password or a token, not both";
                return Verdict::Refuse(Refusal::new(Code::BadParams, text));
            }
        };
        self.enter(&login.name, claim, login.device.as_ref())
    }

    fn register(&mut self, register: &Register) -> Verdict {
        let invite = register.invite.as_ref().map(|code| Arc::clone(&code.0));
        let claim = Claim::Register(register.password.clone(), invite);
        self.enter(&register.name, claim, register.device.as_ref())
    }

    fn enter(&mut self, name: &Name, claim: Claim, device: Option<&DeviceName>) -> Verdict {
        match UserName::parse(&name.0) {
            Ok(name) => {
                self.stage = Stage::Entering;
                let device = device.map_or_else(|| Arc::from(""), |device| Arc::clone(&device.0));
                Verdict::Enter(Wish { name, claim, device })
            }
            Err(error) => Verdict::Refuse(Refusal::new(Code::NameInvalid, error.to_string())),
        }
    }

    /// The name was given.
    pub fn entered(&mut self, who: Arc<Identity>) {
        self.stage = Stage::Named(who);
    }

    /// The name was refused: another one may be asked for.
    pub fn not_entered(&mut self) {
        self.stage = Stage::Greeted;
    }
}

fn unexpected(text: &'static str) -> Verdict {
    Verdict::Refuse(Refusal::new(Code::Unexpected, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::AccountId;
    use crate::protocol::request::{Ping, Quit, Rooms};

    fn hello(version: u16, version_min: Option<u16>) -> Request {
        Request::Hello(Hello { version, version_min, client: None, timeout_ms: None })
    }

    fn login(name: &str) -> Request {
        Request::Login(Login::guest(name.into()))
    }

    fn register(name: &str) -> Request {
        Request::Register(Register {
            name: name.into(),
            password: "a secret".into(),
            invite: None,
            device: None,
            timeout_ms: None,
        })
    }

    fn rooms() -> Request {
        Request::Rooms(Rooms { after: None, limit: None, timeout_ms: None })
    }

    fn ping() -> Request {
        Request::Ping(Ping { timeout_ms: None })
    }

    /// A verdict in one word.
    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Greet(version) => format!("greet {version}"),
            Verdict::Pong => "pong".into(),
            Verdict::Enter(wish) => format!("enter {}", wish.name),
            Verdict::Schedule(class) => class.name().into(),
            Verdict::Leave(extent) => format!("leave {extent:?}"),
            Verdict::Refuse(refusal) => refusal.code.name().into(),
            Verdict::End(refusal) => format!("end {}", refusal.code.name()),
        }
    }

    fn each() -> [Request; 8] {
        [
            hello(1, None),
            login("ann"),
            rooms(),
            ping(),
            Request::Quit(Quit { timeout_ms: None }),
            Request::Logout(Logout { all: None, timeout_ms: None }),
            Request::Logout(Logout { all: Some(true), timeout_ms: None }),
            register("ann"),
        ]
    }

    /// Every request in every stage.
    #[test]
    fn what_is_accepted_depends_on_the_stage() {
        let who = Arc::new(Identity {
            account: AccountId(1),
            name: UserName::parse("ann").unwrap(),
            admin: false,
        });
        let table = [
            (
                Stage::Connected,
                [
                    "greet 1",
                    "unexpected",
                    "unexpected",
                    "pong",
                    "leave Session",
                    "leave Device",
                    "leave All",
                    "unexpected",
                ],
            ),
            (
                Stage::Greeted,
                [
                    "unexpected",
                    "enter ann",
                    "auth_required",
                    "pong",
                    "leave Session",
                    "leave Device",
                    "leave All",
                    "enter ann",
                ],
            ),
            (
                Stage::Entering,
                [
                    "unexpected",
                    "unexpected",
                    "auth_required",
                    "pong",
                    "leave Session",
                    "leave Device",
                    "leave All",
                    "unexpected",
                ],
            ),
            (
                Stage::Named(who),
                [
                    "unexpected",
                    "unexpected",
                    "bulk",
                    "pong",
                    "leave Session",
                    "leave Device",
                    "leave All",
                    "unexpected",
                ],
            ),
        ];
        for (stage, expected) in table {
            for (request, expected) in each().iter().zip(expected) {
                let mut state = State { stage: stage.clone() };
                assert_eq!(word(&state.receive(request)), expected, "{request:?} in {stage:?}");
            }
        }
    }

    #[test]
    fn the_highest_common_version_is_taken() {
        for (max, min, expected) in [
            (1, None, "greet 1"),
            (7, Some(1), "greet 1"),
            (7, None, "end version"),
            (7, Some(2), "end version"),
            (0, None, "end version"),
        ] {
            assert_eq!(word(&State::default().receive(&hello(max, min))), expected);
        }
    }

    #[test]
    fn a_refused_name_leaves_the_way_open_for_another() {
        let mut state = State::default();
        state.receive(&hello(1, None));
        assert_eq!(word(&state.receive(&login("a b"))), "name_invalid");
        assert_eq!(word(&state.receive(&login("ann"))), "enter ann");
        state.not_entered();
        assert_eq!(word(&state.receive(&login("bob"))), "enter bob");
    }
}
