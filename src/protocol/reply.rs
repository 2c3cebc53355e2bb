//! What the server answers: the result of each method.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::describe::{Shape, WireType, wire};
pub use super::entry::{Entry, HistoryPage, Hit, Reaction, SearchPage};
use crate::base::id::{Epoch, Seq};
use crate::base::limits::{ARRAY_ITEMS, DEVICES};
use crate::base::secret::Token;

wire! {
    /// The result of a request that has nothing to say.
    pub struct Empty {}
}

wire! {
    /// The result of `hello`: what the server is and what it allows.
    pub struct Welcome {
        /// The version of the protocol that holds from now on.
        pub version: u16,
        /// Program and version of the server.
        pub server: String,
        /// What an acknowledgement is worth.
        pub durability: Durability,
        /// What this server can do: `direct`, `resume`, or more; unknown words are ignored.
        pub capabilities: Vec<String>,
        /// The bounds that hold for this session.
        pub limits: Limits,
        /// The server's clock, in milliseconds since 1970 UTC: what keys are best made from.
        pub time: u64,
        /// Whether a name can be taken without an account.
        pub guests: bool,
        /// Who may make an account.
        pub registration: Registration,
        /// A greeting for people.
        pub motd: Option<String>,
    }
}

wire! {
    /// The bounds that hold for a session; chapter 3 says which limits are not among them.
    pub struct Limits {
        /// Longest body of a frame, in bytes, once a name is held.
        pub frame_bytes: u64,
        /// Longest body of a frame, in bytes, before that.
        pub frame_bytes_before_login: u64,
        /// Longest text of a message, in bytes.
        pub text_bytes: u64,
        /// Longest topic, in bytes.
        pub topic_bytes: u64,
        /// Longest name, in bytes.
        pub name_bytes: u64,
        /// Requests that may be unanswered at once; the server reads no further until one is answered.
        pub inflight: u64,
        /// Requests per second that the session may send without being slowed.
        pub requests_per_s: u64,
        /// Requests that it may send at once after a pause.
        pub requests_burst: u64,
        /// Bytes per second that the session may send without being slowed.
        pub bytes_per_s: u64,
        /// Bytes that it may send at once after a pause.
        pub bytes_burst: u64,
        /// Rooms that an account may be in at once.
        pub rooms_per_session: u64,
        /// Most events of one page of history.
        pub history_page: u64,
        /// Most entries of one page of a list.
        pub list_page: u64,
        /// Bytes that may wait for a slow reader.
        pub outbox_bytes: u64,
        /// How long the oldest of them may wait, in milliseconds.
        pub outbox_ms: u64,
        /// Time from connecting until a name is held, in milliseconds.
        pub login_ms: u64,
        /// Silence after which the server sends `ping`, in milliseconds.
        pub ping_ms: u64,
        /// Silence after which the server takes the client for dead, in milliseconds.
        pub dead_ms: u64,
        /// Time without a request (but `ping`) after which the session ends, in milliseconds; 0: never.
        pub idle_ms: u64,
    }
}

wire! {
    /// The result of `login` and `register`.
    pub struct LoggedIn {
        /// The name as everybody sees it.
        pub name: Arc<str>,
        /// Whether the account ends with its name: at logout, or `hold_ms` after the connection was lost.
        pub guest: bool,
        /// Whether the account may administer the server.
        pub admin: bool,
        /// Keep it secret: it takes the name again after a lost connection; that of an account, until
        /// the device is logged out.
        pub token: Token,
        /// How long a guest's name is kept for the token after the connection is lost, in milliseconds.
        pub hold_ms: u64,
        /// The rooms that are being joined; a `room` event follows for each.
        pub rooms: Vec<Arc<str>>,
    }
}

wire! {
    /// The result of `devices`.
    pub struct DeviceList {
        /// The devices, the newest first.
        pub devices: Page<DeviceInfo, DEVICES>,
    }
}

wire! {
    /// A device of an account.
    pub struct DeviceInfo {
        /// Identifies the device.
        pub id: u64,
        /// What it called itself.
        pub device: Arc<str>,
        /// When it logged in with the password, in milliseconds since 1970 UTC.
        pub since: u64,
        /// When it logged in last, in milliseconds since 1970 UTC.
        pub seen: u64,
        /// Whether it is connected.
        pub online: bool,
        /// Whether it is the one that asks.
        pub current: bool,
    }
}

wire! {
    /// The result of `admin`.
    pub struct Administered {
        /// What the command answers, as JSON: an object, or a list of them.
        pub answer: String,
        /// Why the command did nothing, in a sentence.
        pub failed: Option<String>,
        /// How many rows were left out at the end of a list that is too long for a frame.
        pub left_out: u32,
    }
}

wire! {
    /// The result of `ping`.
    pub struct Pong {
        /// The server's time, in milliseconds since 1970 UTC.
        pub time: u64,
    }
}

wire! {
    /// A room as a member finds it on joining: everything after `seq` comes as an event.
    pub struct RoomState {
        /// The room's name.
        pub room: Arc<str>,
        /// What kind of room it is.
        pub kind: RoomKind,
        /// The other account's name, in a direct room.
        pub with: Option<Arc<str>>,
        /// Continuity of the history: when it differs from the one known, sequence numbers started anew.
        pub epoch: Epoch,
        /// The newest entry's seq; 0 if there is none.
        pub seq: Seq,
        /// The oldest seq that `history` still has.
        pub first: Seq,
        /// The topic.
        pub topic: Arc<str>,
        /// How many members there are, this one included.
        pub members: u32,
        /// What this one may do.
        pub role: Role,
        /// Only moderators and owners may write.
        pub announcement: bool,
        /// What a member must wait between two messages, in milliseconds; 0: nothing.
        pub slow_ms: u32,
        /// No entry older than this is kept, in milliseconds, by the owner's wish.
        pub keep_ms: Option<u64>,
        /// No more entries than this are kept, likewise.
        pub keep_entries: Option<u64>,
        /// No more bytes than this are kept, likewise.
        pub keep_bytes: Option<u64>,
        /// How far the account has read; a guest's reading is not kept.
        pub read: Option<Seq>,
    }
}

wire! {
    /// The result of `rooms`.
    pub struct RoomList {
        /// The rooms, by name.
        pub rooms: Page<RoomInfo>,
        /// Whether there are more after the last.
        pub more: bool,
    }
}

wire! {
    /// A room in a list.
    pub struct RoomInfo {
        /// The room's name.
        pub room: Arc<str>,
        /// What kind of room it is.
        pub kind: RoomKind,
        /// The topic.
        pub topic: Arc<str>,
        /// How many members there are.
        pub members: u32,
    }
}

wire! {
    /// The result of `members`.
    pub struct MemberList {
        /// The members.
        pub members: Page<MemberInfo>,
        /// How many there are in all.
        pub total: u32,
        /// Whether there are more after the last.
        pub more: bool,
    }
}

wire! {
    /// A member in a list.
    pub struct MemberInfo {
        /// Identifies the member for as long as it holds its name.
        pub id: u64,
        /// The member's name.
        pub name: Arc<str>,
        /// When it joined, in milliseconds since 1970 UTC.
        pub since: u64,
        /// What it may do.
        pub role: Role,
        /// Whether it holds its name without an account.
        pub guest: bool,
    }
}

wire! {
    /// The result of `standings`: who is more, or less, than a member.
    pub struct StandingList {
        /// The accounts, by `id`.
        pub standings: Page<StandingInfo>,
        /// Whether there are more after the last.
        pub more: bool,
    }
}

wire! {
    /// How an account stands to a room.
    pub struct StandingInfo {
        /// Identifies the account.
        pub id: u64,
        /// Its name.
        pub name: Arc<str>,
        /// What it may do.
        pub role: Role,
        /// Whether it may come in, though the room is private.
        pub invited: bool,
        /// Until when it may not come in, in milliseconds since 1970 UTC.
        pub banned_until: Option<u64>,
        /// Until when it may not write, in milliseconds since 1970 UTC.
        pub muted_until: Option<u64>,
    }
}

wire! {
    /// The result of `blocks`.
    pub struct BlockList {
        /// The accounts, by `id`.
        pub blocks: Page<BlockInfo>,
        /// Whether there are more after the last.
        pub more: bool,
    }
}

wire! {
    /// An account that is blocked.
    pub struct BlockInfo {
        /// Identifies the account.
        pub id: u64,
        /// Its name.
        pub name: Arc<str>,
    }
}

wire! {
    /// The result of `unread`.
    pub struct UnreadList {
        /// The rooms in which there is something to read, by name.
        pub rooms: Page<UnreadInfo>,
        /// Whether there are more after the last.
        pub more: bool,
    }
}

wire! {
    /// What an account has to read in a room.
    pub struct UnreadInfo {
        /// The room.
        pub room: Arc<str>,
        /// How far it has read.
        pub read: Seq,
        /// How many messages of others come after that; not more than 500 are counted.
        pub unread: u32,
        /// How many of them name the account, by an `@` in front of its name.
        pub mentions: u32,
    }
}

wire! {
    /// The result of `topic`.
    pub struct TopicState {
        /// The topic; empty if there is none.
        pub topic: Arc<str>,
        /// Who set it.
        pub by: Option<Arc<str>>,
        /// When it was set, in milliseconds since 1970 UTC.
        pub time: Option<u64>,
        /// The seq under which it was set.
        pub seq: Option<Seq>,
    }
}

wire! {
    /// The result of `say`, `edit`, `delete` and `react`: the acknowledgement.
    pub struct Said {
        /// The entry's place in the room's order.
        pub seq: Seq,
        /// When the server took it, in milliseconds since 1970 UTC.
        pub time: u64,
        /// Whether nothing was done: the key had been used before, and this is the earlier result; or
        /// a reaction was as asked already, and this is the message's place.
        pub dup: bool,
    }
}

macro_rules! words {
    ($($(#[doc = $doc:literal])* pub enum $name:ident { $($(#[doc = $d:literal])* $variant:ident = $word:literal,)* })*) => {
        $($(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[doc = $d])* #[serde(rename = $word)] $variant,)*
            /// A word that this version does not know.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* Self::Unknown => "unknown" }
            }
        }

        impl WireType for $name {
            const SHAPE: &'static $crate::protocol::describe::Shape =
                &$crate::protocol::describe::Shape::Word(&[$($word),*]);

            fn describe() -> String {
                let words: &[&str] = &[$(concat!("`", $word, "`")),*];
                format!("str: {}; or a newer word", words.join(", "))
            }
        })*
    };
}
pub(super) use words;

words! {
    /// What an acknowledgement is worth.
    pub enum Durability {
        /// Kept in memory: lost when the server stops.
        Memory = "memory",
        /// In storage that survives loss of power.
        Durable = "durable",
    }

    /// Who may make an account.
    pub enum Registration {
        /// Everybody.
        Open = "open",
        /// Who has an invitation.
        Invite = "invite",
        /// Nobody.
        Closed = "closed",
    }

    /// What kind of room it is.
    pub enum RoomKind {
        /// Open to everybody.
        Public = "public",
        /// For those who are invited; others do not see it.
        Private = "private",
        /// A room of two.
        Direct = "direct",
    }

    /// What a member may do.
    pub enum Role {
        /// What everybody may who is in the room.
        Member = "member",
        /// Invite, kick, ban and mute.
        Moderator = "moderator",
        /// Everything: set the room, give roles, delete it.
        Owner = "owner",
    }

    /// What a stored event is.
    pub enum EntryKind {
        /// A text that somebody said.
        Message = "message",
        /// A change of the topic.
        Topic = "topic",
        /// Another text for a message.
        Edit = "edit",
        /// The end of a message's text.
        Delete = "delete",
        /// A reaction to a message.
        React = "react",
        /// The end of a reaction.
        Unreact = "unreact",
    }
}

/// The items of one page, at most `MAX`.
///
/// Decoding reserves a few at a time: an array that lies about its length costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Page<T, const MAX: usize = ARRAY_ITEMS>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Page<T, MAX> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PageVisitor<T, const MAX: usize>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> serde::de::Visitor<'de> for PageVisitor<T, MAX> {
            type Value = Page<T, MAX>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "an array of at most {MAX}")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Page<T, MAX>, A::Error> {
                const STEP: usize = 16;
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if items.len() >= MAX {
                        return Err(serde::de::Error::invalid_length(items.len(), &self));
                    }
                    if items.len() == items.capacity() {
                        items.reserve_exact(STEP);
                    }
                    items.push(item);
                }
                Ok(Page(items))
            }
        }
        deserializer.deserialize_seq(PageVisitor(std::marker::PhantomData))
    }
}

impl<T: WireType, const MAX: usize> WireType for Page<T, MAX> {
    const SHAPE: &'static Shape = &Shape::Array(T::SHAPE, MAX);

    fn describe() -> String {
        format!("array of at most {MAX} {}", T::describe())
    }
}
