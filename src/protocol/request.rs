//! What a client asks: one struct for the parameters of each method, and the table of methods.

use std::sync::Arc;

use super::describe::{Describe, Field, Line, Lines, Mark, WireType, wire};
use super::reply::{
    Administered, BlockList, DeviceList, Empty, HistoryPage, LoggedIn, MemberList, Pong, Role,
    RoomList, RoomState, Said, SearchPage, StandingList, TopicState, UnreadList, Welcome,
};
use super::status::{Code, Refusal};
use crate::base::id::{Key, Seq};
use crate::base::limits::{
    CLIENT_BYTES, CODE_BYTES, DEVICE_BYTES, NAME_BYTES, REACTION_BYTES, SEARCH_BYTES, TEXT_BYTES,
    TOPIC_BYTES,
};
use crate::base::secret::{Password, Token};

/// A name as a client writes it; what it must look like is said in [`crate::base::name`].
pub type Name = Line<NAME_BYTES>;

/// What a device calls itself.
pub type DeviceName = Line<DEVICE_BYTES>;

/// How urgent a request is: the classes of the Scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Cheap, and frees resources or keeps the link alive.
    Control,
    /// A person waits for it.
    Interactive,
    /// Lists and history: may wait while others chat.
    Bulk,
}

impl Class {
    /// Every class, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Control, Self::Interactive, Self::Bulk];

    /// Its place among all classes.
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Control => 0,
            Self::Interactive => 1,
            Self::Bulk => 2,
        }
    }

    /// Its name in documentation and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Interactive => "interactive",
            Self::Bulk => "bulk",
        }
    }
}

/// One method as the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its class.
    pub class: Class,
    /// Its documentation.
    pub doc: &'static [&'static str],
    /// The fields of its parameters.
    pub params: &'static [Field],
    /// The name of its result's map.
    pub result: fn() -> String,
    /// The fields of its result.
    pub reply: &'static [Field],
    /// The codes that are its own, besides those that any request can meet.
    pub errors: &'static [Code],
}

/// The parameters of one method.
pub trait Params: Describe + WireType + serde::Serialize + serde::de::DeserializeOwned {
    /// The method's name on the wire.
    const METHOD: &'static str;
    /// What a successful response holds.
    type Reply: Describe + WireType + serde::Serialize + serde::de::DeserializeOwned;
}

macro_rules! requests {
    ($($params:ident = $name:literal, $class:ident, -> $reply:ty, [$($error:ident)*];)*) => {
        /// A request, decoded and within its bounds.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Request { $(#[doc = concat!("`", $name, "`")] $params($params),)* }

        $(impl Params for $params {
            const METHOD: &'static str = $name;
            type Reply = $reply;
        })*

        /// Every method, in the order of the documentation.
        pub const METHODS: &[Method] = &[$(Method {
            name: $name,
            class: Class::$class,
            doc: <$params as Describe>::DOC,
            params: <$params as Describe>::FIELDS,
            result: <$reply as WireType>::describe,
            reply: <$reply as Describe>::FIELDS,
            errors: &[$(Code::$error),*],
        }),*];

        impl Request {
            /// The method's name on the wire.
            #[must_use]
            pub const fn method(&self) -> &'static str {
                match self { $(Self::$params(_) => $name,)* }
            }

            /// How urgent it is.
            #[must_use]
            pub const fn class(&self) -> Class {
                match self { $(Self::$params(_) => Class::$class,)* }
            }

            /// The client's own deadline, in milliseconds from when the server read the request.
            #[must_use]
            pub const fn timeout_ms(&self) -> Option<u32> {
                match self { $(Self::$params(params) => params.timeout_ms,)* }
            }

            /// Decodes the parameters of `method` from one MessagePack map.
            pub(super) fn decode(method: &str, params: &[u8]) -> Result<Self, Refusal> {
                match method {
                    $($name => super::codec::params::<$params>(params).map(Self::$params),)*
                    _ => Err(Refusal::new(
                        Code::UnknownMethod,
                        format!("the server knows no method {:?}", super::codec::excerpt(method, 40)),
                    )),
                }
            }
        }
    };
}

macro_rules! params {
    ($(
        $(#[doc = $doc:literal])*
        pub struct $name:ident { $($(#[doc = $field_doc:literal])* pub $field:ident: $kind:ty,)* }
    )*) => {
        $(wire! {
            $(#[doc = $doc])*
            pub struct $name {
                $($(#[doc = $field_doc])* pub $field: $kind,)*
                /// Give up if the request's turn has not come within this many milliseconds.
                pub timeout_ms: Option<u32>,
            }
        })*
    };
}

params! {
    /// Opens the session: the versions of the protocol that the client speaks. It must come first.
    pub struct Hello {
        /// The highest version that the client speaks.
        pub version: u16,
        /// The lowest version that the client speaks; `version` if absent.
        pub version_min: Option<u16>,
        /// Program and version of the client, for the operator's eyes.
        pub client: Option<Line<CLIENT_BYTES>>,
    }

    /// Makes an account and logs in to it, on this device. The default rooms are joined: a `room`
    /// event follows for each.
    pub struct Register {
        /// The account's name.
        pub name: Name,
        /// Its password: at least 8 characters, and not the name.
        pub password: Password,
        /// The code of an invitation, where the server wants one.
        pub invite: Option<Line<CODE_BYTES>>,
        /// What the list of devices calls this one.
        pub device: Option<DeviceName>,
    }

    /// Takes a name: that of an account, with its password or the token of a device; or any other, as
    /// a guest. Rooms are joined: a `room` event follows for each.
    pub struct Login {
        /// The name to be known by.
        pub name: Name,
        /// The account's password. This device gets a token of its own.
        pub password: Option<Password>,
        /// The `token` of an earlier login: takes the same name again, ending an older session of it.
        pub token: Option<Token>,
        /// What the list of devices calls this one, if it is new.
        pub device: Option<DeviceName>,
    }

    /// Ends the session: answered once all earlier requests are, then `bye` with code 0 follows. The
    /// token of an account stays good; a guest's name is free at once.
    pub struct Quit {}

    /// Logs out: like `quit`, and an account's token is void from then on.
    pub struct Logout {
        /// Log out all devices of the account.
        pub all: Option<bool>,
    }

    /// Changes the account's password. All its other devices are logged out.
    pub struct Passwd {
        /// The password that holds now.
        pub old: Password,
        /// The password that is to hold: at least 8 characters, and not the name.
        pub new: Password,
    }

    /// Deletes the account for good; its name is free from then on. What it said stays.
    pub struct Unregister {
        /// The account's password.
        pub password: Password,
    }

    /// Lists the devices of the account: every login with the password made one.
    pub struct Devices {}

    /// Logs a device of the account out, wherever it is.
    pub struct Revoke {
        /// The device's `id`.
        pub device: u64,
    }

    /// Does nothing but answer. Any request keeps a session alive; this is the cheapest.
    pub struct Ping {}

    /// Lists rooms by name. Direct rooms are listed for their two members only.
    pub struct Rooms {
        /// Start after this room's name.
        pub after: Option<Name>,
        /// At most so many; the page's bound is the default.
        pub limit: Option<u32>,
    }

    /// Makes a room, joins it, and owns it.
    pub struct Create {
        /// The new room's name.
        pub room: Name,
        /// Its topic.
        pub topic: Option<Line<TOPIC_BYTES>>,
        /// Whether only those may know of it who are invited.
        pub private: Option<bool>,
    }

    /// Joins a room; the other members are told by `joined`. Joining twice changes nothing.
    pub struct Join {
        /// The room.
        pub room: Name,
    }

    /// Leaves a room, with all devices of the account; the other members are told by `left`.
    pub struct Leave {
        /// The room.
        pub room: Name,
    }

    /// Lists the members of a room, in the order in which they logged in.
    pub struct Members {
        /// The room.
        pub room: Name,
        /// Start after this member's `id`.
        pub after: Option<u64>,
        /// At most so many; the page's bound is the default.
        pub limit: Option<u32>,
    }

    /// Reads a room's topic, or sets it when `topic` is present (an empty one clears it).
    pub struct Topic {
        /// The room.
        pub room: Name,
        /// The new topic.
        pub topic: Option<Line<TOPIC_BYTES>>,
    }

    /// Sends a text to a room. The response is the acknowledgement.
    pub struct Say {
        /// The room.
        pub room: Name,
        /// The text.
        pub text: Lines<TEXT_BYTES>,
        /// The seq of the message that this one answers.
        pub re: Option<Seq>,
        /// Made by the client, the same on every retry: the text is said once, however often it is
        /// sent. Best a UUID of version 7, which begins with the time; any other 16 bytes will do.
        pub key: Option<Key>,
    }

    /// Gives one's own message another text. The members are told by `edit`.
    pub struct Edit {
        /// The room.
        pub room: Name,
        /// The message.
        pub seq: Seq,
        /// The new text.
        pub text: Lines<TEXT_BYTES>,
        /// As in `say`.
        pub key: Option<Key>,
    }

    /// Removes the text of one's own message, or as a moderator of any, also from earlier edits; its
    /// place stays. The members are told by `delete`.
    pub struct Delete {
        /// The room.
        pub room: Name,
        /// The message.
        pub seq: Seq,
        /// As in `say`.
        pub key: Option<Key>,
    }

    /// Adds a reaction to a message, or takes one's own back. The members are told by `react` or
    /// `unreact`.
    pub struct React {
        /// The room.
        pub room: Name,
        /// The message.
        pub seq: Seq,
        /// The reaction: an emoji, or a short word.
        pub reaction: Mark<REACTION_BYTES>,
        /// Whether it is to be there.
        pub on: bool,
        /// As in `say`.
        pub key: Option<Key>,
    }

    /// Reads a page of a room's history: the newest entries, those before or after a `seq`, those
    /// around one, or those from a time on.
    pub struct History {
        /// The room.
        pub room: Name,
        /// Only entries before this seq: the newest of them.
        pub before: Option<Seq>,
        /// Only entries after this seq: the oldest of them.
        pub after: Option<Seq>,
        /// The entries around this seq: about as many before it as from it on.
        pub around: Option<Seq>,
        /// The entries from this time on, in milliseconds since 1970 UTC: the oldest of them.
        pub at: Option<u64>,
        /// At most so many; the page's bound is the default.
        pub limit: Option<u32>,
    }

    /// Searches what was said, in the rooms that the account may see: the newest first.
    pub struct Search {
        /// Words that must all be in the text, also inside of others; one of two characters or more.
        pub text: Line<SEARCH_BYTES>,
        /// In this room only.
        pub room: Option<Name>,
        /// Said by the account of this name only.
        pub from: Option<Name>,
        /// Go on behind an earlier page: its `next`.
        pub before: Option<u64>,
        /// At most so many; the page's bound is the default.
        pub limit: Option<u32>,
    }

    /// Tells the other members that the account is typing, or has stopped.
    pub struct Typing {
        /// The room.
        pub room: Name,
        /// Whether it is typing.
        pub active: bool,
    }

    /// Notes how far the account has read in a room, for all its devices: they are told by `read`.
    /// It never goes back.
    pub struct MarkRead {
        /// The room.
        pub room: Name,
        /// The newest seq that was read.
        pub seq: Seq,
    }

    /// Tells in which of its rooms the account has messages of others to read, and how many.
    pub struct Unread {
        /// Start after this room's name.
        pub after: Option<Name>,
        /// At most so many; the page's bound is the default.
        pub limit: Option<u32>,
    }

    /// Opens the direct room with another account: a room of two, joined by both at once; by one that
    /// is not online, when it comes.
    pub struct Direct {
        /// The other account's name.
        pub name: Name,
    }

    /// Lets an account into a private room. Takes a moderator.
    pub struct Invite {
        /// The room.
        pub room: Name,
        /// The account's name.
        pub name: Name,
    }

    /// Puts an account out of a room; it may come back. Takes a moderator, of a higher role than it.
    pub struct Kick {
        /// The room.
        pub room: Name,
        /// The account's name.
        pub name: Name,
        /// What it is told about it.
        pub text: Option<Line<TOPIC_BYTES>>,
    }

    /// Puts an account out of a room and keeps it out. Takes a moderator, of a higher role than it.
    pub struct Ban {
        /// The room.
        pub room: Name,
        /// The account's name.
        pub name: Name,
        /// For how long, in milliseconds; 0 ends a ban; for good if absent.
        pub ms: Option<u64>,
        /// What it is told about it.
        pub text: Option<Line<TOPIC_BYTES>>,
    }

    /// Keeps an account from writing in a room. Takes a moderator, of a higher role than it.
    pub struct Mute {
        /// The room.
        pub room: Name,
        /// The account's name.
        pub name: Name,
        /// For how long, in milliseconds; 0 ends it; for good if absent.
        pub ms: Option<u64>,
    }

    /// Says what an account may do in a room. Takes an owner.
    pub struct Rank {
        /// The room.
        pub room: Name,
        /// The account's name.
        pub name: Name,
        /// What it may do.
        pub role: Role,
    }

    /// Sets a room; what is absent stays. Takes an owner.
    pub struct Configure {
        /// The room.
        pub room: Name,
        /// Whether only those may know of it who are invited. Who is in stays in.
        pub private: Option<bool>,
        /// Whether only moderators and owners may write.
        pub announcement: Option<bool>,
        /// What a member must wait between two messages, in milliseconds; 0: nothing.
        pub slow_ms: Option<u32>,
        /// Keep no entry that is older, in milliseconds; 0: as the server does. It never keeps more.
        pub keep_ms: Option<u64>,
        /// Keep no more entries; 0: as the server does.
        pub keep_entries: Option<u64>,
        /// Keep no more bytes; 0: as the server does.
        pub keep_bytes: Option<u64>,
    }

    /// Gives a room another name; it goes on as it is. The members are told by `renamed`. Takes an owner.
    pub struct RenameRoom {
        /// The room.
        pub room: Name,
        /// Its new name.
        pub name: Name,
    }

    /// Deletes a room for good, with all that was said in it. The members are told by `removed`. Takes
    /// an owner.
    pub struct DeleteRoom {
        /// The room.
        pub room: Name,
    }

    /// Has an account no longer write directly to this one, or lets it again.
    pub struct Block {
        /// The other account's name.
        pub name: Name,
        /// Whether it is to be blocked.
        pub on: bool,
    }

    /// Lists whom the account blocks.
    pub struct Blocks {
        /// Start after this account's `id`.
        pub after: Option<u64>,
        /// At most so many; the page's bound is the default.
        pub limit: Option<u32>,
    }

    /// Runs a command of those who administer the server, as `klatchd admin` does. Takes one of them.
    pub struct Admin {
        /// The command; `commands` lists them.
        pub command: Line<NAME_BYTES>,
        /// What it is given: a JSON object of strings, by the names of its parameters.
        pub arguments: Option<Line<TOPIC_BYTES>>,
    }

    /// Lists who has a role in a room, is invited, banned or muted. Takes a moderator.
    pub struct Standings {
        /// The room.
        pub room: Name,
        /// Start after this account's `id`.
        pub after: Option<u64>,
        /// At most so many; the page's bound is the default.
        pub limit: Option<u32>,
    }
}

requests! {
    Hello = "hello", Control, -> Welcome, [Version Unexpected];
    Register = "register", Interactive, -> LoggedIn, [Banned NameInvalid NameReserved NameTaken PasswordWeak RegistrationClosed InviteInvalid Quota Unexpected Unavailable StorageFull];
    Login = "login", Interactive, -> LoggedIn, [BadCredentials Banned NameRegistered GuestsDenied NameInvalid NameReserved NameTaken Quota Unexpected Unavailable StorageFull];
    Quit = "quit", Control, -> Empty, [];
    Logout = "logout", Control, -> Empty, [Unavailable StorageFull];
    Passwd = "passwd", Interactive, -> Empty, [BadCredentials PasswordWeak NoAccount Unavailable StorageFull];
    Unregister = "unregister", Interactive, -> Empty, [BadCredentials NoAccount Unavailable StorageFull];
    Devices = "devices", Bulk, -> DeviceList, [NoAccount Unavailable];
    Revoke = "revoke", Interactive, -> Empty, [NoAccount NotFound Unavailable StorageFull];
    Ping = "ping", Control, -> Pong, [];
    Rooms = "rooms", Bulk, -> RoomList, [NameInvalid];
    Create = "create", Interactive, -> RoomState, [NameInvalid NameReserved Exists Quota];
    Join = "join", Interactive, -> RoomState, [NameInvalid NotFound Denied Quota];
    Leave = "leave", Control, -> Empty, [NameInvalid NotFound NotMember];
    Members = "members", Bulk, -> MemberList, [NameInvalid NotFound NotMember];
    Topic = "topic", Interactive, -> TopicState, [NameInvalid Denied NotFound NotMember Unavailable StorageFull];
    Say = "say", Interactive, -> Said, [NameInvalid Denied NotFound NotMember KeyConflict KeyExpired Unavailable StorageFull];
    Edit = "edit", Interactive, -> Said, [NameInvalid Denied NotFound NotMember KeyConflict KeyExpired Unavailable StorageFull];
    Delete = "delete", Interactive, -> Said, [NameInvalid Denied NotFound NotMember KeyConflict KeyExpired Unavailable StorageFull];
    React = "react", Interactive, -> Said, [NameInvalid Denied NotFound NotMember Quota KeyConflict KeyExpired Unavailable StorageFull];
    History = "history", Bulk, -> HistoryPage, [NameInvalid NotFound NotMember Unavailable];
    Search = "search", Bulk, -> SearchPage, [NameInvalid NotFound Unavailable];
    Typing = "typing", Interactive, -> Empty, [NameInvalid NotFound NotMember];
    MarkRead = "mark_read", Interactive, -> Empty, [NameInvalid NotFound NotMember NoAccount Unavailable StorageFull];
    Unread = "unread", Bulk, -> UnreadList, [NameInvalid NoAccount Unavailable];
    Direct = "direct", Interactive, -> RoomState, [NameInvalid Denied NotFound Quota];
    Invite = "invite", Interactive, -> Empty, [NameInvalid Denied NotFound NotMember Quota Unavailable StorageFull];
    Kick = "kick", Interactive, -> Empty, [NameInvalid Denied NotFound NotMember Unavailable StorageFull];
    Ban = "ban", Interactive, -> Empty, [NameInvalid Denied NotFound NotMember Quota Unavailable StorageFull];
    Mute = "mute", Interactive, -> Empty, [NameInvalid Denied NotFound NotMember Quota Unavailable StorageFull];
    Rank = "rank", Interactive, -> Empty, [NameInvalid Denied NotFound NotMember Quota Unavailable StorageFull];
    Configure = "configure", Interactive, -> Empty, [NameInvalid Denied NotFound NotMember Unavailable StorageFull];
    RenameRoom = "rename_room", Interactive, -> Empty, [NameInvalid NameReserved Exists Denied NotFound NotMember Unavailable StorageFull];
    DeleteRoom = "delete_room", Interactive, -> Empty, [NameInvalid Denied NotFound NotMember Unavailable StorageFull];
    Block = "block", Interactive, -> Empty, [NameInvalid NoAccount Denied NotFound Quota Unavailable StorageFull];
    Blocks = "blocks", Bulk, -> BlockList, [NoAccount];
    Standings = "standings", Bulk, -> StandingList, [NameInvalid Denied NotFound NotMember Unavailable];
    Admin = "admin", Control, -> Administered, [Denied Unavailable];
}

impl Configure {
    /// Sets nothing yet.
    #[must_use]
    pub fn of(room: Name) -> Self {
        let (private, announcement, slow_ms) = (None, None, None);
        let (keep_ms, keep_entries, keep_bytes, timeout_ms) = (None, None, None, None);
        Self { room, private, announcement, slow_ms, keep_ms, keep_entries, keep_bytes, timeout_ms }
    }
}

impl Login {
    /// A guest's login.
    #[must_use]
    pub fn guest(name: Name) -> Self {
        Self { name, password: None, token: None, device: None, timeout_ms: None }
    }
}

impl From<Arc<str>> for Name {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}
