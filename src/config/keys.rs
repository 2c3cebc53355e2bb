//! Every key with its text for the operator, its type, how it is written, its default, and whether a
//! reload applies it.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use log::LevelFilter;

use super::define::{Key, Reload, Section, settings};
use super::form::{
    Address, Domain, Engine, File, Form, Host, Line, List, Mail, Network, Number, OrEmpty, OrZero,
    Origin, Page, Plain, Registration, Room, Size, Span, Switch, Url, User, Word,
};
use crate::base::name::{RoomName, UserName};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Nothing is counted beyond this: far above any use, far below any overflow.
const MANY: u64 = 1_000_000_000;
/// A burst or an outbox below two whole frames would refuse what the protocol allows.
const TWO_FRAMES: u64 = 128 * 1024;
/// Less would not hold a crowd and its requests.
const MEMORY: u64 = 8 * 1024 * 1024;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

settings! {
    /// Where the server listens, and what it is.
    server: Server {
        /// Where to listen. `[::]` takes IPv4 connections too.
        listen: Vec<SocketAddr> as List<Address, 1> =
            vec![SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 5528)], Restart;

        /// Worker threads. 0: one per processor core.
        workers: Option<usize> as OrZero<Number<1, 1024>> = None, Restart;

        /// Where the server keeps what it must not lose: its certificate and its data.
        /// "": `$STATE_DIRECTORY` if systemd sets it; otherwise /var/lib/klatchd for root, and
        /// ~/.local/state/klatchd for anyone else.
        state_dir: Option<PathBuf> as OrEmpty<File> = None, Restart;

        /// The Unix socket on which `klatchd admin` speaks to the server. "": `admin.sock` in
        /// `$RUNTIME_DIRECTORY` if systemd sets it, otherwise in the state directory.
        admin: Option<PathBuf> as OrEmpty<File> = None, Restart;

        /// Networks of proxies that begin each connection with a header of the PROXY protocol,
        /// version 2: its address is the one that counts. From them nothing else is taken, from
        /// others no header is.
        proxies: Vec<IpNet> as List<Network> = Vec::new(), Reload;

        /// A greeting that people see when they connect. "": none.
        motd: Option<String> as OrEmpty<Line<1024>> = None, Reload;

        /// Plain TCP, that is without TLS: "loopback" takes it from this machine's own addresses,
        /// "never" from nobody.
        plain: Plain as Word = Plain::Loopback, Reload;
    }

    /// The certificate. Left alone, the server makes a self-signed one in its state directory and
    /// prints its fingerprint, which our clients remember as ssh does.
    tls: Tls {
        /// The certificate with its chain, in PEM. Give `key` too, or neither.
        certificate: Option<PathBuf> as OrEmpty<File> = None, Reload;

        /// Its private key, in PEM.
        key: Option<PathBuf> as OrEmpty<File> = None, Reload;

        /// Names and addresses that the self-signed certificate is made out to, beside localhost,
        /// the loopback addresses and the host's name.
        names: Vec<String> as List<Host> = Vec::new(), Restart;
    }

    /// A certificate that all browsers trust, got and renewed by the server itself (ACME). Off until a
    /// domain is named. docs/OPERATIONS.md says what the network must allow for it.
    acme: Acme {
        /// Public names of this server, all in one certificate. The authority connects to port 443 of
        /// each and must reach this server. Naming one agrees to the authority's terms of service.
        domains: Vec<String> as List<Domain> = Vec::new(), Restart;

        /// The authority's directory. Let's Encrypt is the default; for trials take
        /// `https://acme-staging-v02.api.letsencrypt.org/directory`.
        directory: String as Url = "https://acme-v02.api.letsencrypt.org/directory".into(), Restart;

        /// Where the authority may write to about your certificates. "": nowhere.
        contact: Option<String> as OrEmpty<Mail> = None, Restart;

        /// Authorities in PEM that vouch for the directory's own HTTPS, beside those that the system
        /// trusts: for an authority of your own. "": none.
        trust: Option<PathBuf> as OrEmpty<File> = None, Restart;
    }

    /// Rooms.
    rooms: Rooms {
        /// Rooms that everybody joins on login.
        // A constant that parses: an iterator keeps `Default` free of a panic, a test keeps it true.
        default: Vec<RoomName> as List<Room> = RoomName::parse("lobby").into_iter().collect(),
            Reload;

        /// Rooms on this server. Each costs a few KiB and its history.
        rooms_max: usize as Number<1, 1_000_000> = 10_000, Restart;

        /// Rooms that one session may be in at once.
        rooms_per_session: usize as Number<1, 100_000> = 256, Reload;

        /// Members of one room.
        members_max: usize as Number<2, 1_000_000> = 20_000, Reload;

        /// In rooms with more members than this, people are told of joins and leaves at most once in
        /// each `presence_interval`: otherwise n people who come in cost n * n events. In smaller ones
        /// it is once in 100 ms.
        presence_members: usize as Number<0, 1_000_000> = 100, Restart;

        /// How long joins and leaves are gathered there, once one was told.
        presence_interval: Duration as Span = Duration::from_millis(500), Restart;
    }

    /// Where what is said is kept.
    store: Store {
        /// "sqlite": in the file klatch.db in the state directory; what is acknowledged survives a
        /// crash and the loss of power. "memory": lost when the server stops, and clients are told.
        engine: Engine as Word = Engine::Sqlite, Restart;
    }

    /// How much of what was said is kept with `store.engine = "memory"`.
    history: History {
        /// Messages kept for one room; the oldest go first.
        messages_per_room: usize as Number<1, 10_000_000> = 1_000, Restart;

        /// Bytes kept for one room.
        bytes_per_room: usize as Size<TWO_FRAMES> = 512 * KIB, Restart;

        /// Bytes kept for all rooms together.
        bytes_total: usize as Size<TWO_FRAMES> = 64 * MIB, Restart;
    }

    /// How much of what was said is kept with `store.engine = "sqlite"`. Once a minute the oldest that
    /// is too much goes, a little at a time. The owner of a room may have it keep less. Bytes are those
    /// of the texts, and 160 for each entry. `klatchd admin usage` tells who uses what.
    retention: Retention {
        /// How long a message is kept. 0: for ever.
        age: Option<Duration> as OrZero<Span> = None, Reload;

        /// Entries kept for one room: messages, edits, reactions. 0: all.
        entries_per_room: Option<u64> as OrZero<Number<1, MANY>> = None, Reload;

        /// Bytes kept for one room. 0: all.
        bytes_per_room: Option<usize> as OrZero<Size<TWO_FRAMES>> = None, Reload;

        /// Entries kept for all rooms together. 0: all.
        entries_total: Option<u64> as OrZero<Number<1, MANY>> = None, Reload;

        /// Bytes kept for all rooms together. The database takes about three times as much on the
        /// disk, with its indexes. 0: all.
        bytes_total: Option<usize> as OrZero<Size<TWO_FRAMES>> = None, Reload;
    }

    /// Names of people.
    names: Names {
        /// Names that nobody may take, beside those that would speak for the server ("admin",
        /// "root", "everyone" and the like). What looks like a reserved name is reserved too.
        reserved: Vec<UserName> as List<User> = Vec::new(), Reload;

        /// How long a guest's name is kept for its owner after the connection is lost.
        hold: Duration as Span = seconds(60), Reload;
    }

    /// Accounts: names with a password, which outlive their connections.
    accounts: Accounts {
        /// Who may make an account: "open": everybody; "invite": who has the code of an invitation;
        /// "closed": nobody.
        registration: Registration as Word = Registration::Open, Restart;

        /// "on": a free name can be taken without an account. "off": only accounts can log in.
        guests: Switch as Word = Switch::On, Restart;

        /// Accounts on this server. Each costs a few hundred bytes of memory.
        accounts_max: usize as Number<0, 10_000_000> = 100_000, Restart;

        /// Threads that check passwords, 19 MiB each; what waits longer than a second is refused as
        /// "busy". 0: one for every two processor cores.
        hash_threads: Option<usize> as OrZero<Number<1, 256>> = None, Restart;
    }

    /// Deadlines. They end what waits for somebody who does not come.
    timeouts: Timeouts {
        /// From connecting until a name is held: TLS, hello and login together.
        login: Duration as Span = seconds(5), Reload;

        /// Silence after which the server sends a ping.
        ping: Duration as Span = seconds(30), Reload;

        /// Silence after which a client is taken for dead. Leave room for two pings.
        dead: Duration as Span = seconds(75), Reload;

        /// Time without a request (pings do not count) after which a session ends. 0: never.
        idle: Option<Duration> as OrZero<Span> = Some(seconds(24 * 3600)), Reload;

        /// How old the oldest byte that waits for a slow reader may get. Then the session ends, and
        /// the client comes back for what it missed.
        write: Duration as Span = seconds(5), Reload;

        /// How long a request may wait for its turn. Then it is refused as "busy".
        queue: Duration as Span = seconds(2), Reload;

        /// How long a shutdown may take to bring everything home.
        drain: Duration as Span = seconds(10), Reload;
    }

    /// The web: the GUI for browsers, the WebSocket, health and metrics, on the same port.
    web: Web {
        /// "on" serves it; "off" answers browsers with one line.
        serve: Switch as Word = Switch::On, Restart;

        /// Pages from elsewhere that may connect, beside the server's own: the addresses of your
        /// proxies, as browsers show them. Plain HTTP is served for these hosts too.
        origins: Vec<Origin> as List<Page> = Vec::new(), Reload;

        /// Networks that may read /metrics, beside this machine.
        metrics_from: Vec<IpNet> as List<Network> = Vec::new(), Reload;

        /// How long a browser's connection may do nothing. Those that chat have the deadlines of
        /// sessions.
        keep_alive: Duration as Span = seconds(15), Reload;
    }

    /// What one client, one address and all of them together may ask for. Who goes over a rate is
    /// read more slowly, nothing is lost; who goes far over it is told why and disconnected.
    limits: Limits {
        /// Connections at once. 0: as many as the limit of open files allows.
        connections: Option<usize> as OrZero<Number<1, 10_000_000>> = None, Reload;

        /// Connections at once from one address (an IPv4 address, or an IPv6 /64). Raise it, or use
        /// `exempt`, where many people share one address.
        connections_per_address: usize as Number<1, MANY> = 64, Reload;

        /// New connections per second from one address.
        connection_rate_per_address: u64 as Number<1, MANY> = 10, Reload;

        /// New connections from one address at once, after a pause.
        connection_burst_per_address: u64 as Number<1, MANY> = 64, Reload;

        /// Connections at once that hold no name yet. One more, and the oldest of them goes.
        unauthenticated: usize as Number<1, 10_000_000> = 2_048, Reload;

        /// Requests per second from one session.
        requests_per_s: u64 as Number<1, MANY> = 200, Reload;

        /// Requests from one session at once, after a pause: a paste of many lines is not a flood.
        requests_burst: u64 as Number<50, MANY> = 1_000, Reload;

        /// Bytes per second from one session.
        bytes_per_s: usize as Size<1024> = 256 * KIB, Reload;

        /// Bytes from one session at once, after a pause.
        bytes_burst: usize as Size<TWO_FRAMES> = MIB, Reload;

        /// Requests per second from one address, all its sessions together.
        address_requests_per_s: u64 as Number<1, MANY> = 2_000, Reload;

        /// Requests from one address at once, after a pause.
        address_requests_burst: u64 as Number<50, MANY> = 10_000, Reload;

        /// Bytes per second from one address.
        address_bytes_per_s: usize as Size<1024> = 2 * MIB, Reload;

        /// Bytes from one address at once, after a pause.
        address_bytes_burst: usize as Size<TWO_FRAMES> = 8 * MIB, Reload;

        /// Requests of one session that may be unanswered at once; it is not read meanwhile.
        inflight: usize as Number<1, 1024> = 32, Reload;

        /// Bytes that may wait for one slow reader. More, and its session ends.
        outbox: usize as Size<TWO_FRAMES> = MIB, Reload;

        /// Bytes that may be held for all clients together: connections, requests, what waits to be
        /// written. At 80 % no connection, login or request is taken any more; at 90 % what is read
        /// most slowly is closed. 0: half of the memory that the machine or the service has.
        memory: Option<usize> as OrZero<Size<MEMORY>> = None, Reload;

        /// Refused requests per second that one session may cause before it is disconnected.
        refusals_per_s: u64 as Number<1, MANY> = 5, Reload;

        /// Refused requests that it may cause at once.
        refusals_burst: u64 as Number<1, MANY> = 200, Reload;

        /// Networks and addresses that the limits per address leave alone: your own proxies,
        /// gateways and load generators.
        exempt: Vec<IpNet> as List<Network> = Vec::new(), Reload;
    }

    /// Who is not let in at all, beside those whom `klatchd admin ban` has banned. A reload ends the
    /// sessions of those who are new here, and of nobody else.
    bans: Bans {
        /// Networks and addresses: they are closed before a byte is read.
        networks: Vec<IpNet> as List<Network> = Vec::new(), Reload;

        /// Names, with all that look like them.
        names: Vec<UserName> as List<User> = Vec::new(), Reload;
    }

    /// What the server says about itself. Never the text of a message.
    log: Log {
        /// How much: "off", "error", "warn", "info", "debug" or "trace".
        level: LevelFilter as Word = LevelFilter::Info, Reload;
    }
}
