//! The ways to misbehave.

use std::time::Duration;

use clap::ValueEnum;

use crate::subject::kind::Kind;

/// One way to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Misdeed {
    /// 20 sessions of one address that say as much as they can, in a room of their own.
    FloodOneAddress,
    /// 1,000 sessions, each of an address of its own, that do the same in rooms of 20.
    FloodManyAddresses,
    /// 500 connections that begin TLS and do not go on.
    HalfOpenTls,
    /// 500 connections that say nothing.
    Silent,
    /// 500 connections that send a byte of a request now and then.
    Drip,
    /// 600 connections that say nothing, to a server that may open 256 files; who is sent away comes again
    /// after 5 s.
    NoDescriptors,
    /// Frames that are too long, or whose inside lies about its length; before and after login.
    BadFrames,
    /// 20 sessions that join and leave the polite people's room all the time.
    Churn,
    /// 100 members of a busy room who never read.
    SlowReaders,
    /// Logins and lost connections, as many as possible.
    LoginFlood,
    /// 1,000 connections, each of an address of its own, that guess passwords.
    GuessPasswords,
}

impl Misdeed {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FloodOneAddress => "flood-one-address",
            Self::FloodManyAddresses => "flood-many-addresses",
            Self::HalfOpenTls => "half-open-tls",
            Self::Silent => "silent",
            Self::Drip => "drip",
            Self::NoDescriptors => "no-descriptors",
            Self::BadFrames => "bad-frames",
            Self::Churn => "churn",
            Self::SlowReaders => "slow-readers",
            Self::LoginFlood => "login-flood",
            Self::GuessPasswords => "guess-passwords",
        }
    }

    /// Whether it can be done to this server: floods to all, what is in the frames to ours only.
    pub(crate) const fn suits(self, kind: Kind) -> bool {
        matches!(kind, Kind::Klatchd)
            || matches!(self, Self::FloodOneAddress | Self::FloodManyAddresses)
    }

    /// Connections, and the addresses that they come from.
    pub(crate) const fn size(self) -> (usize, usize) {
        match self {
            Self::FloodOneAddress => (20, 1),
            Self::FloodManyAddresses | Self::GuessPasswords => (1_000, 1_000),
            Self::HalfOpenTls | Self::Silent | Self::Drip => (500, 50),
            Self::NoDescriptors => (600, 60),
            Self::BadFrames => (100, 10),
            Self::Churn => (20, 4),
            Self::SlowReaders => (120, 24),
            Self::LoginFlood => (64, 64),
        }
    }

    /// How long those who were sent away stay away.
    pub(crate) const fn pause(self) -> Duration {
        Duration::from_secs(if matches!(self, Self::NoDescriptors) { 5 } else { 0 })
    }

    /// How many files the server may open, where that is what is abused.
    pub(crate) const fn open_files(self) -> Option<u32> {
        if matches!(self, Self::NoDescriptors) { Some(256) } else { None }
    }
}
