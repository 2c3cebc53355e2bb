//! The servers that can be measured, and how each is started.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use crate::args::Common;
use crate::driver::{Driver, Irc, Klatch, Mqtt, Nats, Relay};
use crate::error::{Failure, Result};

/// The hidden command that makes this program the relay.
pub(crate) const RELAY_COMMAND: &str = "relay";

/// Limits that a load from one machine would meet, and that a crowd of people does not.
const OPEN_LIMITS: &[&str] = &[
    "limits.connections_per_address=100000",
    "limits.connection_rate_per_address=1000000",
    "limits.connection_burst_per_address=1000000",
    "limits.unauthenticated=20000",
    "limits.requests_per_s=100000000",
    "limits.requests_burst=100000000",
    "limits.bytes_per_s=100000000000",
    "limits.bytes_burst=100000000000",
    "limits.address_requests_per_s=100000000",
    "limits.address_requests_burst=100000000",
    "limits.address_bytes_per_s=100000000000",
    "limits.address_bytes_burst=100000000000",
];

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// The bare relay: the limit of the machine.
    Relay,
    /// The daemon.
    Klatchd,
    /// ngIRCd.
    Ngircd,
    /// `InspIRCd`.
    Inspircd,
    /// NATS core.
    Nats,
    /// Mosquitto, an MQTT broker.
    Mosquitto,
}

/// Whose limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Limits {
    /// So high that none is met.
    Open,
    /// Those that the server has unless told otherwise.
    Default,
}

/// Where klatchd keeps what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// As the relay and the other servers do.
    Memory,
    /// On the disk before anybody sees it, as it does unless told otherwise.
    Disk,
}

/// What a server is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    pub(crate) store: Store,
    /// Whether its clients come over TLS.
    pub(crate) tls: bool,
    /// A port that must be the same as before.
    pub(crate) port: Option<u16>,
    /// How many files it may open, if not as many as the system lets it.
    pub(crate) open_files: Option<u32>,
}

/// How to start a server, and where it will listen if it does not say so itself.
pub(crate) struct Launch {
    pub(crate) command: Command,
    pub(crate) ports: Option<Ports>,
}

/// Where a server that is told its ports listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) plain: u16,
    pub(crate) tls: u16,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Klatchd => "klatchd",
            Self::Ngircd => "ngircd",
            Self::Inspircd => "inspircd",
            Self::Nats => "nats",
            Self::Mosquitto => "mosquitto",
        }
    }

    pub(crate) fn driver(self) -> &'static dyn Driver {
        match self {
            Self::Relay => &Relay,
            Self::Klatchd => &Klatch,
            Self::Ngircd | Self::Inspircd => &Irc,
            Self::Nats => &Nats,
            Self::Mosquitto => &Mqtt,
        }
    }

    /// Clients between connecting and being a member at any time: enough to keep it busy, and less
    /// than its accept queue holds, since whoever finds that full waits for seconds.
    pub(crate) const fn window(self) -> usize {
        match self {
            // It listens with a queue of 10.
            Self::Ngircd => 8,
            // It takes newcomers in once a second, all together.
            Self::Inspircd => 512,
            Self::Relay | Self::Klatchd | Self::Nats | Self::Mosquitto => 64,
        }
    }

    /// Whether it can speak TLS.
    pub(crate) const fn has_tls(self) -> bool {
        !matches!(self, Self::Relay)
    }

    /// How to start it, with `home` for all that it writes.
    pub(crate) fn launch(self, home: &Path, setup: Setup, options: &Common) -> Result<Launch> {
        match self {
            Self::Relay => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg(RELAY_COMMAND);
                Ok(Launch { command, ports: None })
            }
            Self::Klatchd => Ok(Launch { command: klatchd(home, setup, options)?, ports: None }),
            Self::Ngircd | Self::Inspircd | Self::Nats | Self::Mosquitto => {
                self.peer(home, setup, options)
            }
        }
    }

    fn template(self, peers: &Path, limits: &str) -> PathBuf {
        peers.join(limits).join(format!("{}.conf", self.name()))
    }

    /// Whether it can be started here: ours always, others after their installation.
    pub(crate) fn is_installed(self, options: &Common) -> bool {
        matches!(self, Self::Relay | Self::Klatchd)
            || self.template(&options.peers, "open").is_file()
    }

    fn peer(self, home: &Path, setup: Setup, options: &Common) -> Result<Launch> {
        let limits = match setup.limits {
            Limits::Open => "open",
            Limits::Default => "default",
        };
        let folder = fs::canonicalize(&options.peers).unwrap_or_else(|_| options.peers.clone());
        let mut template = self.template(&folder, limits);
        // NATS has one port, and speaks one of the two there.
        let over_tls = template.with_file_name(format!("{}-tls.conf", self.name()));
        if setup.tls && over_tls.is_file() {
            template = over_tls;
        }
        let text = fs::read_to_string(&template).map_err(|error| {
            Failure::new(format!(
                "{}: {error}: run scripts/install-peers first",
                template.display()
            ))
        })?;
        let ports = Ports { plain: free_port()?, tls: free_port()? };
        let text = text
            .replace("@PORT@", &ports.plain.to_string())
            .replace("@TLS_PORT@", &ports.tls.to_string())
            .replace("@DIR@", &home.display().to_string())
            .replace("@PEERS@", &folder.display().to_string());
        let file = home.join("server.conf");
        fs::write(&file, text)?;
        let (program, arguments): (&str, &[&str]) = match self {
            Self::Ngircd => ("ngircd", &["--nodaemon", "--config"]),
            Self::Inspircd if rustix::process::geteuid().is_root() => {
                ("inspircd", &["--nofork", "--runasroot", "--config"])
            }
            Self::Inspircd => ("inspircd", &["--nofork", "--config"]),
            Self::Nats => ("nats-server", &["--config"]),
            Self::Mosquitto => ("mosquitto", &["-c"]),
            Self::Relay | Self::Klatchd => return Err(Failure::new("not another's server")),
        };
        let mut command = Command::new(found(program)?);
        command.args(arguments).arg(&file);
        Ok(Launch { command, ports: Some(ports) })
    }
}

/// A program of the system; administrators' programs are not on everybody's path.
fn found(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let mut files = folders.map(|folder| folder.join(program));
    files.find(|file| file.is_file()).ok_or_else(|| {
        Failure::new(format!("{program} is missing: run scripts/install-peers first"))
    })
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?.local_addr()?.port())
}

fn klatchd(home: &Path, setup: Setup, options: &Common) -> Result<Command> {
    let program = match &options.klatchd {
        Some(path) => path.clone(),
        None => std::env::current_exe()?.with_file_name("klatchd"),
    };
    if !program.is_file() {
        return Err(Failure::new(format!(
            "there is no {}: build it with `cargo build --release --bins`, or say --klatchd PATH",
            program.display()
        )));
    }
    let mut command = match setup.open_files {
        None => Command::new(program),
        Some(files) => {
            // It ends as the program that it was told, under the same number.
            let mut command = Command::new("prlimit");
            command.arg(format!("--nofile={files}:{files}")).arg(program);
            command
        }
    };
    let engine = match setup.store {
        Store::Memory => "memory",
        Store::Disk => "sqlite",
    };
    let own = [
        format!("server.listen=127.0.0.1:{}", setup.port.unwrap_or(0)),
        format!("server.state_dir={}", home.join("state").display()),
        format!("server.workers={}", options.workers),
        "rooms.default=".to_owned(),
        format!("store.engine={engine}"),
    ];
    let open = if setup.limits == Limits::Open { OPEN_LIMITS } else { &[] };
    let settings = own.iter().map(String::as_str).chain(open.iter().copied());
    for setting in settings.chain(options.set.iter().map(String::as_str)) {
        command.args(["--set", setting]);
    }
    Ok(command)
}
