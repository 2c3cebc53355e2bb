//! How a client is made: whom to call, by which name, what to trust.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use tokio::sync::{mpsc, oneshot};

use super::connect::{Address, Connector};
use super::pin::{Fingerprint, KnownServers};
use super::state::{Core, Identity, Right};
use super::task::Task;
use super::trust::{Trust, UnknownServer};
use super::{Client, Error, Events, Shared};
use crate::base::clock::{Clock, SystemClock};
use crate::base::name::{NameError, RoomName};
use crate::base::secret::{Password, Token};
use crate::protocol::codec::check_params;
use crate::protocol::request::{DeviceName, Login, Name};
use crate::protocol::status::{Code, Refusal};

/// Requests on their way to the connection's task; more wait with their callers.
const COMMANDS: usize = 64;
/// Events on their way to the reader; more wait in the backlog, where they can be bounded.
const EVENTS: usize = 16;

/// Settings of a client that is not connected yet. Made by [`Client::builder`].
#[derive(Debug, Clone)]
#[must_use = "nothing happens before `connect`"]
pub struct Builder {
    server: String,
    name: String,
    right: Right,
    device: Option<String>,
    program: String,
    rooms: Vec<String>,
    plain: bool,
    trust: Trust,
}

impl Builder {
    pub(super) fn new(server: &str) -> Self {
        Self {
            server: server.into(),
            name: String::new(),
            right: Right::Guest,
            device: None,
            program: concat!("klatch/", env!("CARGO_PKG_VERSION")).into(),
            rooms: Vec::new(),
            plain: false,
            trust: Trust {
                fingerprint: None,
                authority: None,
                known: KnownServers::of_user(),
                decide: None,
            },
        }
    }

    /// The name to be known by.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The password of the account that has the name.
    pub fn password(mut self, password: Password) -> Self {
        self.right = Right::Password(password);
        self
    }

    /// The token of an earlier login to the account that has the name.
    pub fn token(mut self, token: Token) -> Self {
        self.right = Right::Token(token);
        self
    }

    /// Makes an account of the name, with this password, and the code of an invitation where the
    /// server wants one.
    pub fn register(mut self, password: Password, invite: Option<&str>) -> Self {
        self.right = Right::Register(password, invite.map(Into::into));
        self
    }

    /// What the list of the account's devices calls this one.
    pub fn device(mut self, device: &str) -> Self {
        self.device = Some(device.into());
        self
    }

    /// Program and version, for the operator's eyes.
    pub fn program(mut self, program: &str) -> Self {
        self.program = program.into();
        self
    }

    /// A room to join, besides those that the server puts everybody in. May be repeated.
    pub fn room(mut self, room: &str) -> Self {
        self.rooms.push(room.into());
        self
    }

    /// No TLS: everybody on the way can read and change everything. Meant for one machine.
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }

    /// Trust this certificate and no other.
    pub fn fingerprint(mut self, fingerprint: Fingerprint) -> Self {
        self.trust.fingerprint = Some(fingerprint);
        self
    }

    /// Trust this authority (a PEM file) besides the system's; unknown servers are refused then.
    pub fn authority(mut self, file: impl Into<PathBuf>) -> Self {
        self.trust.authority = Some(file.into());
        self
    }

    /// Where servers are remembered, instead of the user's own file.
    pub fn known_servers(mut self, file: impl Into<PathBuf>) -> Self {
        self.trust.known = Some(KnownServers::at(file));
        self
    }

    /// Decides about a server that is seen for the first time and that no authority vouches for;
    /// `true` is to trust its certificate from now on. Without this, such a server is refused.
    ///
    /// It is called in [`connect`](Self::connect) and may take as long as a person needs.
    pub fn on_unknown_server(
        mut self,
        decide: impl Fn(&UnknownServer) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.trust.decide = Some(Arc::new(decide));
        self
    }

    /// Connects, takes the name and enters the rooms.
    ///
    /// This first time is not repeated: what is wrong with it, the caller had better know. From
    /// then on the client comes back by itself.
    pub async fn connect(self) -> Result<(Client, Events), Error> {
        let identity = self.identity()?;
        let address: Address = self.server.parse()?;
        let mut connector = if self.plain {
            Connector::plain(address)
        } else {
            Connector::tls(address, self.trust)
        };
        let stream = connector.open().await?;
        let (commands, asked) = mpsc::channel(COMMANDS);
        let (told, events) = mpsc::channel(EVENTS);
        let (ready, first) = oneshot::channel();
        let task = Task::new(Core::new(identity), connector, asked, told, ready);
        #[expect(clippy::disallowed_methods, reason = "owned by `Shared`, which aborts it")]
        let task = tokio::spawn(task.run(stream));
        let task = super::Owner(task);
        let ready = first.await.map_err(|_| Error::Ended)??;
        let (own, theirs) = (SystemClock::default().unix_ms(), ready.welcome.time);
        let signed = |time| i64::try_from(time).unwrap_or(0);
        let ahead_ms = signed(theirs).saturating_sub(signed(own));
        let shared = Shared { commands, ids: AtomicU32::new(1), ready, ahead_ms, _task: task };
        Ok((Client { shared: Arc::new(shared) }, Events { events }))
    }

    fn identity(&self) -> Result<Identity, Error> {
        let name = Name::from(self.name.as_str());
        let device: Option<DeviceName> = self.device.as_deref().map(Into::into);
        let password = match &self.right {
            Right::Password(password) | Right::Register(password, _) => Some(password.clone()),
            Right::Guest | Right::Token(_) => None,
        };
        let (own, token) = (name.clone(), None);
        check_params(&Login {
            name: own,
            password,
            token,
            device: device.clone(),
            timeout_ms: None,
        })?;
        let rooms = self.rooms.iter().map(|room| RoomName::parse(room));
        let rooms = rooms.map(|room| room.map(|room| Arc::clone(room.shared())));
        let rooms = rooms.collect::<Result<_, NameError>>();
        let rooms = rooms.map_err(|why| Refusal::new(Code::NameInvalid, format!("room: {why}")))?;
        let (right, program) = (self.right.clone(), self.program.as_str().into());
        Ok(Identity { name, right, device, program, rooms })
    }
}
