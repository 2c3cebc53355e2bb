//! The bounds that are part of the protocol or of the program's shape, each with its unit and reason.
//!
//! What an operator may choose stands in `config`; what stands here is fixed, since clients or the
//! memory arithmetic rely on it.

use std::time::Duration;

/// Longest body of a frame once a name is held, in bytes.
pub const FRAME_BYTES: usize = 65_536;
/// Longest body before that: a stranger gets little memory.
pub const FRAME_BYTES_BEFORE_LOGIN: usize = 4_096;
/// Bytes of the length in front of each body.
pub const FRAME_HEADER_BYTES: usize = 4;
/// Deepest nesting of arrays and maps in a body. The shapes of version 1 need four.
pub const DEPTH: usize = 8;
/// Most entries of one map.
pub const MAP_ENTRIES: usize = 64;
/// Most items of one array.
pub const ARRAY_ITEMS: usize = 1_024;

/// Longest name of an account or a room, in bytes of UTF-8.
pub const NAME_BYTES: usize = 64;
/// Longest name in characters: what fits a column of a client.
pub const NAME_CHARS: usize = 32;
/// Most combining marks on one letter of a name, so that a name cannot climb over its neighbours.
pub const NAME_MARKS: usize = 4;
/// Longest text of one message, in bytes of UTF-8.
pub const TEXT_BYTES: usize = 16_384;
/// Longest topic, in bytes of UTF-8.
pub const TOPIC_BYTES: usize = 1_024;
/// Longest password, in bytes of UTF-8; a stranger's frame has room for two.
pub const PASSWORD_BYTES: usize = 512;
/// Shortest password, in characters (NIST SP 800-63B, section 5.1.1.1).
pub const PASSWORD_CHARS: usize = 8;
/// Longest name of a device, in bytes of UTF-8.
pub const DEVICE_BYTES: usize = 64;
/// Most accounts that one account blocks.
pub const BLOCKS: usize = 1_000;
/// Most devices of one account: one more, and the one that was away for longest is logged out.
pub const DEVICES: usize = 32;
/// Longest code of an invitation, in bytes.
pub const CODE_BYTES: usize = 64;
/// Longest program name that a client gives in `hello`, in bytes.
pub const CLIENT_BYTES: usize = 128;

/// How long a key is known at least, in milliseconds: seven days.
pub const KEY_WINDOW_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// Longest question of a search, in bytes of UTF-8.
pub const SEARCH_BYTES: usize = 256;
/// Longest reaction to a message, in bytes of UTF-8: room for an emoji with all its modifiers, or a word.
pub const REACTION_BYTES: usize = 64;
/// Most different reactions to one message.
pub const REACTION_KINDS: usize = 32;
/// Most reactions to one message, of all accounts together: bounds what is read to change one.
pub const REACTIONS: usize = 2_048;
/// Most names that an entry of history gives for one reaction; `count` tells how many there were.
pub const REACTION_NAMES: usize = 10;

/// Most messages that are counted as unread in one room: more are as good as this many to people.
pub const UNREAD: u32 = 500;

/// Most events in one page of history.
pub const HISTORY_PAGE: u32 = 200;
/// Most entries in one page of a list (`rooms`, `members`).
pub const LIST_PAGE: u32 = 200;
/// Most bytes of one page: a page always fits a frame, whatever it holds.
pub const PAGE_BYTES: usize = 60_000;
/// Most names in one `joined` or `left` event; `count` tells how many there were.
pub const PRESENCE_NAMES: usize = 32;
/// Between two such events in a room that is not large: who comes alone is told of at once, and ten who come
/// together cost each other 11 events and not 45.
pub const PRESENCE_PAUSE: Duration = Duration::from_millis(100);

/// Frames that one room batches before it passes them on, in bytes: a flush stays in the cache.
pub const ROOM_BATCH_BYTES: usize = 60_000;
/// Bytes taken from a socket in one turn. Several frames come in one read; then others have a turn.
pub const READ_BYTES: usize = 16_384;
/// Requests that a session over its budget takes at a time: it waits the shorter for the next ones, and
/// so does everybody who shares the budget. Who has more than that waiting while others wait asks for too much.
pub const STRAINED_REQUESTS: u64 = 8;
/// Sockets that the Fanout flushes in one turn of its thread: 64 x 5 us are a third of a millisecond,
/// and what comes in between goes out with the rest (23 deliveries in a write instead of 18).
pub const FLUSH_SOCKETS: usize = 64;
/// Bytes for which a socket of a large room counts as one more: 64 long messages would take 2 ms.
pub const FLUSH_BYTES: usize = 6_000;
/// Bytes for which one of those who come last counts as a socket more: while a flood lasts, so much has come
/// together for each of them that writing it takes 20 us and not 5.
pub const FLUSH_LAST_BYTES: usize = 256;
/// Turns of its thread for which a room with more members than that on all workers gathers what is said
/// while more comes: a few microseconds each where nobody else has anything to do.
pub const GATHERING_TURNS: u32 = 4;
/// Slices handed to one `writev`.
pub const FLUSH_SLICES: usize = 64;
/// Sessions of strangers, of those who leave, and of those who ask for too much, that go on in one turn of
/// a worker: 4 x 40 us are a sixth of a millisecond.
pub const LANE_SESSIONS: usize = 4;
/// The same where nobody has chatted for a second: fewer looks at the sockets.
pub const LANE_SESSIONS_ALONE: usize = 16;
/// Connections that may be on their way to a worker at a time: further ones wait in the listening socket.
pub const APPROACHES: usize = 16;
/// Deadlines that are looked at before others have a turn; more if it takes more of them than
/// [`SWEEP_PORTIONS`] to be done by the next tick.
pub const SWEEP_SESSIONS: usize = 8;
/// Portions into which the deadlines of a tick are divided at most: one in 5 ms.
pub const SWEEP_PORTIONS: usize = 50;
/// Jobs that the Scheduler hands out in one turn of its thread: 12 x 10 us, with all that comes of them.
pub const SCHEDULER_JOBS: usize = 12;
/// Mailbox of a shared actor, in messages: the second fence; the first is each session's credit.
pub const MAILBOX: usize = 65_536;

/// The names of the limits that a refusal or a goodbye can name, for counting how often each is met.
pub const NAMES: &[&str] = &[
    "account_bytes_per_s",
    "account_requests_per_s",
    "accounts_max",
    "address_bytes_per_s",
    "address_requests_per_s",
    "banned",
    "bytes_per_s",
    "blocks",
    "client",
    "connection_burst_per_address",
    "connections",
    "connections_per_address",
    "dead_ms",
    "frame_bytes",
    "idle_ms",
    "keep_alive_ms",
    "login_failures",
    "login_ms",
    "mailbox",
    "members_max",
    "memory",
    "name",
    "outbox_bytes",
    "outbox_ms",
    "password_chars",
    "queue_ms",
    "refusals_burst",
    "registrations",
    "requests_per_s",
    "room",
    "rooms_max",
    "rooms_per_session",
    "slow_ms",
    "text",
    "timeout_ms",
    "topic",
];

const _: () = assert!(FRAME_BYTES_BEFORE_LOGIN < FRAME_BYTES);
const _: () = assert!(TEXT_BYTES + NAME_BYTES + 256 < FRAME_BYTES);
const _: () = assert!(PAGE_BYTES + 1_024 < FRAME_BYTES);
const _: () = assert!(
    TEXT_BYTES + REACTION_KINDS * (REACTION_BYTES + REACTION_NAMES * (NAME_BYTES + 2) + 64) + 1_024
        < PAGE_BYTES,
    "an entry with all its reactions fits a page"
);
const _: () = assert!(
    FRAME_BYTES < 1 << 24,
    "the first byte of a frame is 0: that tells it from TLS and HTTP"
);
