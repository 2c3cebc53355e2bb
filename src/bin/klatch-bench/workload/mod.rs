//! The workloads: what clients do, and what is measured meanwhile.

pub(crate) mod crash;
pub(crate) mod durable;
pub(crate) mod idle;
pub(crate) mod load;
pub(crate) mod paste;
pub(crate) mod person;
pub(crate) mod rate;
pub(crate) mod restart;
pub(crate) mod snapshot;
pub(crate) mod soak;
pub(crate) mod storm;
pub(crate) mod strangers;

use crate::args::Common;
use crate::error::Result;
use crate::report::Figures;
use crate::subject::Target;
use crate::subject::kind::{Kind, Limits};

/// A workload of a certain size.
pub(crate) trait Work {
    /// What it is called.
    fn name(&self) -> String;

    /// Which of several kinds it is of.
    fn variant(&self) -> Option<&'static str> {
        None
    }

    /// What was asked for, for the report.
    fn shape(&self, options: &Common) -> Figures;

    /// The servers that it is usually run against.
    fn servers(&self, options: &Common) -> Vec<Kind> {
        let _ = options;
        vec![Kind::Relay, Kind::Klatchd]
    }

    /// Whether it makes sense with this server.
    fn suits(&self, kind: Kind) -> bool {
        let _ = kind;
        true
    }

    /// The limits that it is usually run with.
    fn limits(&self) -> Limits {
        Limits::Open
    }

    /// Whether its clients come over TLS, even if that was not asked for.
    fn tls(&self) -> bool {
        false
    }

    /// The figure by which the median round is found.
    fn by(&self) -> &'static str;

    /// Rounds that are worth while.
    fn rounds(&self, options: &Common) -> usize {
        options.rounds()
    }

    /// Connections that the server must hold.
    fn connections(&self, options: &Common) -> usize;

    /// Whether several processes may hold them.
    fn has_crowd(&self) -> bool {
        false
    }

    /// One round, with a server of its own.
    fn run(&self, target: &Target, options: &Common) -> Result<Figures>;
}

/// A size as a figure.
pub(crate) const fn figure(size: usize) -> f64 {
    size as f64
}
