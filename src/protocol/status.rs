//! Status codes: every way in which the server says no or goodbye, declared once.
//!
//! Numbers are stable and append-only. A client acts on the class, `number / 100`; people read the
//! text. The table in docs/PROTOCOL.md and the clients' constants are generated from this one.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::clock::millis_up;

macro_rules! statuses {
    ($($number:literal $variant:ident $name:literal $doc:literal)*) => {
        /// A status code; its number is what travels.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Code { $(#[doc = $doc] $variant = $number,)* }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable number.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            /// The code with this number, if this version knows it.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

statuses! {
    0   Logout            "logout"              "The session ended because the client logged out."
    100 BadFrame          "bad_frame"           "The bytes are not a frame of this protocol; the connection closes."
    101 FrameTooLarge     "frame_too_large"     "A frame is longer than the bound that holds now; the connection closes."
    102 TooDeep           "too_deep"            "Arrays and maps nest too deeply; the connection closes."
    103 BadParams         "bad_params"          "A parameter is missing, of the wrong type, or out of its bounds."
    104 Unexpected        "unexpected"          "The request is not allowed in this state of the session."
    105 Version           "version"             "Client and server share no version of the protocol; the connection closes."
    106 UnknownMethod     "unknown_method"      "The server does not know this method."
    201 AuthRequired      "auth_required"       "A name must be held first: send `login`."
    202 BadCredentials    "bad_credentials"     "Name and password, or name and token, do not belong together."
    203 GuestsDenied      "guests_denied"       "The server takes no guests: log in to an account."
    204 RegistrationClosed "registration_closed" "New accounts are not made here, or only for those who are invited."
    205 TlsRequired       "tls_required"        "Plain connections are taken from this machine only; use TLS."
    206 Replaced          "replaced"            "The same client logged in again; this older session ends."
    207 Revoked           "revoked"             "The device was logged out: its token is void."
    208 InviteInvalid     "invite_invalid"      "The invitation is not known, was used up, or is too old."
    209 PasswordWeak      "password_weak"       "The password is too short, or too easy to guess."
    210 NameInvalid       "name_invalid"        "The text is not a name."
    211 NameReserved      "name_reserved"       "The name is reserved."
    212 NameTaken         "name_taken"          "The name, or one that looks like it, is held by somebody else; `suggestion` is free."
    213 NameRegistered    "name_registered"     "The name, or one that looks like it, belongs to an account: log in with its password."
    214 NoAccount         "no_account"          "A guest cannot do this: it takes an account."
    300 Denied            "denied"              "The account may not do this."
    301 NotMember         "not_member"          "The account is not a member of the room."
    302 Banned            "banned"              "An administrator of the server has banned the address or the name."
    303 NotFound          "not_found"           "There is no such room, account or message, or none that the account may see."
    304 KeyConflict       "key_conflict"        "The key was used before for another request."
    305 KeyExpired        "key_expired"         "The key was made longer ago than keys are remembered; nothing was done."
    306 Exists            "exists"              "A room of this name, or one that looks like it, exists."
    400 Rate              "rate"                "Too many requests for the budget that the limit names."
    401 Quota             "quota"               "A table is full: of the server, or of this account."
    402 Connections       "too_many_connections" "The address has too many connections, or opens them too fast."
    403 TooLarge          "too_large"           "A field is longer than its bound."
    404 Busy              "busy"                "The server has more to do than it can; nothing was done."
    405 Deadline          "deadline"            "The request's `timeout_ms` passed before its turn came; nothing was done."
    410 SlowConsumer      "slow_consumer"       "The client read too slowly: too much, or too old, was waiting for it."
    411 Idle              "idle"                "The client sent no request for too long."
    412 LoginTimeout      "login_timeout"       "No name was held in time."
    413 PingTimeout       "ping_timeout"        "The client did not answer the server's ping."
    415 Flood             "flood"               "The client was refused too often in a short time."
    500 Unavailable       "unavailable"         "The server cannot do this now; nothing was done."
    501 StorageFull       "storage_full"        "The storage is full; nothing was done."
    503 GoingAway         "going_away"          "The server is shutting down or restarting."
    504 ServerFull        "server_full"         "The server has as many connections as it takes."
    600 Internal          "internal"            "The server failed; whether the request took effect is unknown."
}

impl Code {
    /// Its place among all codes.
    #[must_use]
    pub fn place(self) -> usize {
        Self::ALL.iter().position(|&code| code == self).unwrap_or(usize::MAX)
    }

    /// What a client does about it; the first digit of the number.
    #[must_use]
    pub const fn class(self) -> u16 {
        self.number() / 100
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number())
    }
}

/// Why something was not done, in full: what a client needs to act, and a person to understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// One sentence for people; never text of a message, never a secret.
    pub text: Cow<'static, str>,
    /// The limit that was met, if one was.
    pub limit: Option<Limit>,
    /// When a retry can succeed.
    pub retry_after: Option<Duration>,
    /// A value that would be accepted instead.
    pub suggestion: Option<String>,
}

/// A limit that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Its name, as `hello` advertises it or the configuration calls it.
    pub name: &'static str,
    /// How much was used or asked for.
    pub used: u64,
    /// How much is allowed.
    pub allowed: u64,
}

impl Refusal {
    /// A refusal with a text of its own.
    pub fn new(code: Code, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, text: text.into(), limit: None, retry_after: None, suggestion: None }
    }

    /// Names the limit that was met.
    #[must_use]
    pub fn limit(mut self, name: &'static str, used: u64, allowed: u64) -> Self {
        self.limit = Some(Limit { name, used, allowed });
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Offers a value that would be accepted.
    #[must_use]
    pub fn suggest(mut self, value: String) -> Self {
        self.suggestion = Some(value);
        self
    }

    /// The refusal as it travels.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            code: self.code.number(),
            name: self.code.name().into(),
            text: self.text.clone().into_owned(),
            // Class 6 alone leaves the effect open: everything else was decided before any effect.
            applied: if self.code.class() == 6 { Applied::Unknown } else { Applied::No },
            limit: self.limit.map(|limit| limit.name.into()),
            used: self.limit.map(|limit| limit.used),
            allowed: self.limit.map(|limit| limit.allowed),
            retry_after_ms: self.retry_after.map(millis_up),
            suggestion: self.suggestion.clone(),
        }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::new(code, code.meaning())
    }
}

super::describe::wire! {
    /// The error of a response.
    pub struct ErrorBody {
        /// The code's number; its hundreds are the class to act on.
        pub code: u16,
        /// The code's name.
        pub name: String,
        /// One sentence for people.
        pub text: String,
        /// Whether the request took effect.
        pub applied: Applied,
        /// The limit that was met.
        pub limit: Option<String>,
        /// How much was used or asked for.
        pub used: Option<u64>,
        /// How much is allowed.
        pub allowed: Option<u64>,
        /// Do not retry before; rounded up.
        pub retry_after_ms: Option<u64>,
        /// A value that would be accepted, as a free name.
        pub suggestion: Option<String>,
    }
}

/// Whether a refused request took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Applied {
    /// It certainly did not.
    No,
    /// Nobody knows; retry with the same key.
    Unknown,
}

impl super::describe::WireType for Applied {
    const SHAPE: &'static super::describe::Shape =
        &super::describe::Shape::Word(&["no", "unknown"]);

    fn describe() -> String {
        "str: `no` or `unknown`".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_ordered() {
        for pair in Code::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number());
        }
        for &code in Code::ALL {
            assert_eq!(Code::from_number(code.number()), Some(code));
            let same = Code::ALL.iter().filter(|other| other.name() == code.name()).count();
            assert_eq!(same, 1, "{}", code.name());
        }
    }

    #[test]
    fn a_refusal_names_limit_and_retry() {
        let body = Refusal::from(Code::Rate)
            .limit("requests", 41, 40)
            .retry_after(Duration::from_micros(1_500))
            .body();
        assert_eq!(
            (body.limit.as_deref(), body.used, body.allowed),
            (Some("requests"), Some(41), Some(40))
        );
        assert_eq!(body.retry_after_ms, Some(2));
        assert_eq!(body.applied, Applied::No);
    }
}
