//! `klatchd` from start to stop: what it says, and which signals it heeds.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use actix_rt::System;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::shutdown::Shutdown;
use super::{Parts, Server, StartError, start};
use crate::config::Config;

/// Runs a server until a signal ends it.
pub fn run(config: &Config, state_dir: PathBuf) -> Result<(), StartError> {
    super::fate::decide_on_panics();
    let system = System::new();
    system.block_on(async {
        let (mut term, mut int) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut hup = signal(SignalKind::hangup())?;
        let server = start(config, &Parts::new(state_dir))?;
        greet(&server, &mut io::stdout().lock())?;
        let name = loop {
            tokio::select! {
                _ = term.recv() => break "SIGTERM",
                _ = int.recv() => break "SIGINT",
                // By default it would kill the daemon: an operator who asks for a reload means well.
                _ = hup.recv() => log::warn!("SIGHUP: this version applies changes on restart only"),
            }
        };
        log::info!(signal = name; "shutting down; once more stops at once");
        tokio::select! {
            outcome = server.shut_down(config.timeouts.drain) => match outcome {
                Shutdown::Clean => log::info!("shut down"),
                Shutdown::Cut { sessions } => {
                    log::warn!(sessions = sessions; "shut down at the deadline");
                }
            },
            () = again(&mut term, &mut int) => {
                log::warn!("stopped at once");
                #[expect(clippy::exit, reason = "the operator asked twice")]
                std::process::exit(1);
            }
        }
        Ok(())
    })
}

async fn again(term: &mut Signal, int: &mut Signal) {
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

/// Tells where the server is, how to know it, and how to chat.
fn greet(server: &Server, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "klatchd {}", crate::web::VERSION)?;
    for address in server.addresses() {
        writeln!(out, "  listening on  {address} (TLS)")?;
    }
    writeln!(out, "  certificate   sha256:{}", server.fingerprint())?;
    if let Some(address) = server.addresses().first() {
        let address = reachable(*address);
        if let Some(code) = server.first_admin() {
            // Who opens it registers as the administrator.
            writeln!(out, "  administrate  https://{address}/#invite={code} (once, within a day)")?;
        }
        writeln!(out, "  open          https://{address}/")?;
        writeln!(out, "  chat with     {} --server {address}", client())?;
    }
    out.flush()
}

/// The client beside this program, or on the path.
fn client() -> String {
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.with_file_name("klatch");
    if beside.is_file() { beside.display().to_string() } else { "klatch".to_owned() }
}

/// An address that this machine can connect to.
fn reachable(address: SocketAddr) -> String {
    let port = address.port();
    if address.ip().is_unspecified() { format!("localhost:{port}") } else { address.to_string() }
}
