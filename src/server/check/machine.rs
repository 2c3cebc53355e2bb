//! What the machine gives: ports, open files, memory, a clock.

use std::net::SocketAddr;
use std::path::Path;

use bytesize::ByteSize;
use rustix::process::{Resource, getrlimit};

use super::{Finding, Scene};
use crate::server::limits::OWN_DESCRIPTORS;
use crate::transport::listener;

/// 2026-01-01: this program is younger than that.
const BORN: i64 = 1_767_225_600;
/// Below this many connections the limit of open files is the first thing to meet.
const FEW: u64 = 4_096;
/// A file of systemd's that is there once its clock is synchronised.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";

pub(super) fn ports(scene: &Scene<'_>) -> Vec<Finding> {
    scene.loaded.config.server.listen.iter().map(|&address| port(address, scene.running)).collect()
}

fn port(address: SocketAddr, running: bool) -> Finding {
    const SUBJECT: &str = "port";
    match listener::bind(address) {
        Ok(_) => Finding::good(SUBJECT, format!("{address} is free")),
        Err(error) if error.source.kind() == std::io::ErrorKind::AddrInUse && running => {
            Finding::good(SUBJECT, format!("{address} is taken, as it should be: the server runs"))
        }
        Err(error) if error.source.kind() == std::io::ErrorKind::AddrInUse => Finding::advice(
            SUBJECT,
            format!(
                "{address} is taken and no server answers. If klatchd.socket holds it, all is well \
                 (systemctl status klatchd.socket); else stop who has it (ss -ltnp)"
            ),
        ),
        Err(error) => Finding::problem(SUBJECT, error.to_string()),
    }
}

pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let files = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let limits = &scene.loaded.config.limits;
    let wanted = limits.connections.map(|count| count as u64);
    let memory = rustix::system::sysinfo();
    let memory = memory.totalram * u64::from(memory.mem_unit);
    vec![
        open_files(files, wanted),
        clients(crate::server::memory::ceiling(&scene.loaded.config), memory),
        clock(
            scene.now,
            Path::new(SYNCHRONIZED).exists(),
            Path::new("/run/systemd/timesync").exists(),
        ),
    ]
}

fn open_files(files: u64, wanted: Option<u64>) -> Finding {
    const SUBJECT: &str = "open files";
    let possible = files.saturating_sub(OWN_DESCRIPTORS);
    match wanted {
        Some(wanted) if wanted > possible => Finding::problem(
            SUBJECT,
            format!(
                "limits.connections is {wanted}, but {files} open files allow {possible}: set \
                 LimitNOFILE={} in a drop-in (systemctl edit klatchd)",
                wanted + OWN_DESCRIPTORS
            ),
        ),
        None if possible < FEW => Finding::advice(
            SUBJECT,
            format!(
                "{files} open files allow {possible} connections: raise LimitNOFILE or ulimit -n"
            ),
        ),
        _ => {
            Finding::good(SUBJECT, format!("{files} are allowed here, for {possible} connections"))
        }
    }
}

/// What may be held for clients, against what there is.
fn clients(ceiling: u64, memory: u64) -> Finding {
    const SUBJECT: &str = "memory";
    let (most, all) = (ByteSize(ceiling), ByteSize(memory));
    let text = format!("{most} may be held for clients, of {all}");
    if ceiling > memory / 4 * 3 {
        return Finding::advice(
            SUBJECT,
            format!("{text}: lower limits.memory, storage and the system need some too"),
        );
    }
    Finding::good(SUBJECT, text)
}

fn clock(now: i64, synchronized: bool, kept: bool) -> Finding {
    const SUBJECT: &str = "clock";
    if now < BORN {
        let text = "it is before this program was made: set it, or certificates are judged wrongly and \
                    messages have wrong times (timedatectl set-ntp true)";
        return Finding::problem(SUBJECT, text);
    }
    if kept && !synchronized {
        let text = "systemd-timesyncd runs and has not reached a time server: see timedatectl";
        return Finding::advice(SUBJECT, text);
    }
    let how =
        if synchronized { "synchronised" } else { "plausible; who keeps it is not known here" };
    Finding::good(SUBJECT, how)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn each_bound_is_judged_against_what_there_is() {
        assert_eq!(open_files(1_000, Some(1_000)).verdict, Verdict::Problem);
        assert!(open_files(1_000, Some(1_000)).text.contains("LimitNOFILE=1064"));
        assert_eq!(open_files(1_024, None).verdict, Verdict::Advice);
        assert_eq!(open_files(65_536, None).verdict, Verdict::Good);
        assert_eq!(clients(1 << 30, 1 << 30).verdict, Verdict::Advice);
        assert_eq!(clients(1 << 29, 1 << 30).verdict, Verdict::Good);
        assert_eq!(clock(0, true, true).verdict, Verdict::Problem);
        assert_eq!(clock(BORN, false, true).verdict, Verdict::Advice);
        assert_eq!(clock(BORN, false, false).verdict, Verdict::Good);
        assert_eq!(clock(BORN, true, true).verdict, Verdict::Good);
    }
}
