//! Names of people and rooms: parsed once, after that impossible to get wrong.
//!
//! **Invariants:** a name is a PRECIS identifier (RFC 8265), of one script or a combination that
//! people write (UTS 39, highly restrictive), within the bounds of [`limits`]; two names with the
//! same [`skeleton`](UserName::skeleton) look alike and are the same name to the server.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use precis_profiles::precis_core::profile::PrecisFastInvocation;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};
use unicode_security::RestrictionLevelDetection;
use unicode_security::confusable_detection::skeleton;
use unicode_security::restriction_level::RestrictionLevel;

use crate::base::id::AccountId;
use crate::base::limits;

/// Names that nobody may take: they would speak for the server or for everybody.
pub const RESERVED: [&str; 20] = [
    "admin",
    "administrator",
    "all",
    "anonymous",
    "channel",
    "everyone",
    "guest",
    "here",
    "klatch",
    "klatchd",
    "mod",
    "moderator",
    "nobody",
    "null",
    "operator",
    "root",
    "security",
    "server",
    "support",
    "system",
];

/// Whether a name with this skeleton looks like one of [`RESERVED`].
#[must_use]
pub fn is_reserved(skeleton: &str) -> bool {
    static SKELETONS: LazyLock<HashSet<Arc<str>>> =
        LazyLock::new(|| RESERVED.iter().map(|name| skeleton_of(name)).collect());
    SKELETONS.contains(skeleton)
}

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left of it.
    #[error("a name needs at least one character")]
    Empty,
    /// Too many bytes or characters.
    #[error("the name has {used} {unit}, {allowed} are allowed")]
    TooLong {
        /// What was counted.
        unit: &'static str,
        /// How many there are.
        used: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// A character that no name may have.
    #[error("{0:?} is not allowed in a name: letters, digits, '-', '_' and '.' are")]
    Character(char),
    /// It begins or ends with a character that only may stand inside.
    #[error("a name begins and ends with a letter or a digit")]
    Edge,
    /// More marks than one letter can carry.
    #[error("more than {} marks on one letter", limits::NAME_MARKS)]
    Marks,
    /// Letters of scripts that do not go together, as in a forged name.
    #[error("the name mixes scripts that are not written together")]
    MixedScripts,
    /// Not an identifier by RFC 8265, for instance for its direction.
    #[error("the name is not an identifier by RFC 8265")]
    Profile,
}

/// The name of an account: shown as given, compared by skeleton.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserName {
    text: Arc<str>,
    skeleton: Arc<str>,
}

impl UserName {
    /// Reads a name; the case is kept for display and ignored for comparison.
    pub fn parse(raw: &str) -> Result<Self, NameError> {
        // Most names are plain, and this stands on the path of every login.
        if is_plain(raw) {
            return Ok(Self { text: raw.into(), skeleton: skeleton_of(raw) });
        }
        check(raw)?;
        let text = UsernameCasePreserved::enforce(raw).map_err(|_| NameError::Profile)?;
        let mapped = UsernameCaseMapped::enforce(raw).map_err(|_| NameError::Profile)?;
        // Again: PRECIS makes an ordinary `'` or `.` of a full-width one.
        check(&text)?;
        check_scripts(&text)?;
        Ok(Self { text: text.as_ref().into(), skeleton: skeleton_of(&mapped) })
    }

    /// As people see it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it looks like: equal for all names that could be mistaken for this one.
    #[must_use]
    pub fn skeleton(&self) -> &Arc<str> {
        &self.skeleton
    }

    /// The shared text, for tables and events.
    #[must_use]
    pub fn shared(&self) -> &Arc<str> {
        &self.text
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Who somebody is, for as long as the name is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: UserName,
    /// Whether it may administer the server.
    pub admin: bool,
}

/// The name of a room: lower case, so that it is written in one way only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// Reads a room's name. A direct room's name (`@` and 16 hexadecimal digits) is one too.
    pub fn parse(raw: &str) -> Result<Self, NameError> {
        // Most names are plain already, and this stands on the path of every message.
        if is_plain(raw) || is_direct(raw) {
            return Ok(Self(raw.into()));
        }
        check(raw)?;
        let mapped = UsernameCaseMapped::enforce(raw).map_err(|_| NameError::Profile)?;
        check(&mapped)?;
        check_scripts(&mapped)?;
        Ok(Self(mapped.as_ref().into()))
    }

    /// The name of a direct room.
    #[must_use]
    pub fn direct(number: u64) -> Self {
        Self(format!("@{number:016x}").into())
    }

    /// Whether this names a direct room.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.0.starts_with('@')
    }

    /// What it looks like.
    #[must_use]
    pub fn skeleton(&self) -> Arc<str> {
        if self.is_direct() { Arc::clone(&self.0) } else { skeleton_of(&self.0) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shared text.
    #[must_use]
    pub fn shared(&self) -> &Arc<str> {
        &self.0
    }
}

/// Tables of rooms can be asked with the text as it came: a name is equal to its own text only.
impl std::borrow::Borrow<str> for RoomName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_plain(raw: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = raw.as_bytes();
    bytes.len() <= limits::NAME_CHARS
        && bytes.first().copied().is_some_and(plain)
        && bytes.last().copied().is_some_and(plain)
        && bytes.iter().all(|&b| plain(b) || matches!(b, b'-' | b'_' | b'.'))
}

fn is_direct(raw: &str) -> bool {
    raw.strip_prefix('@').is_some_and(|digits| {
        digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn check_bounds(text: &str) -> Result<(), NameError> {
    let chars = text.chars().count();
    if text.len() > limits::NAME_BYTES {
        return Err(NameError::TooLong {
            unit: "bytes",
            used: text.len(),
            allowed: limits::NAME_BYTES,
        });
    }
    if chars > limits::NAME_CHARS {
        return Err(NameError::TooLong {
            unit: "characters",
            used: chars,
            allowed: limits::NAME_CHARS,
        });
    }
    Ok(())
}

fn check(raw: &str) -> Result<(), NameError> {
    if raw.is_empty() {
        return Err(NameError::Empty);
    }
    check_bounds(raw)?;
    let mut marks = 0;
    for c in raw.chars() {
        let inside = matches!(c, '-' | '_' | '.');
        if !inside && (c.is_control() || c.is_whitespace() || c.is_ascii_punctuation()) {
            return Err(NameError::Character(c));
        }
        marks = if unicode_normalization::char::is_combining_mark(c) { marks + 1 } else { 0 };
        if marks > limits::NAME_MARKS {
            return Err(NameError::Marks);
        }
    }
    let edge = |c: Option<char>| matches!(c, Some('-' | '_' | '.'));
    if edge(raw.chars().next()) || edge(raw.chars().next_back()) {
        return Err(NameError::Edge);
    }
    Ok(())
}

fn check_scripts(text: &str) -> Result<(), NameError> {
    if text.detect_restriction_level() > RestrictionLevel::HighlyRestrictive {
        return Err(NameError::MixedScripts);
    }
    Ok(())
}

/// The UTS 39 skeleton, taken of the lower-cased text and lower-cased again: prototypes such as
/// that of `I` (which is `l`) would otherwise differ between the cases of one name.
fn skeleton_of(mapped: &str) -> Arc<str> {
    /// Of a text of such characters it is what they look like one by one: none of them combines.
    static ASCII: LazyLock<[String; 128]> = LazyLock::new(|| {
        std::array::from_fn(|code| u8::try_from(code).map_or_else(|_| String::new(), of_one))
    });
    let of_one = |byte: &u8| ASCII.get(usize::from(*byte)).map(String::as_str);
    match mapped.as_bytes().iter().map(of_one).collect::<Option<String>>() {
        Some(skeleton) => skeleton.into(),
        None => skeleton_of_any(mapped).into(),
    }
}

fn of_one(byte: u8) -> String {
    skeleton_of_any(char::from(byte).encode_utf8(&mut [0; 4]))
}

fn skeleton_of_any(mapped: &str) -> String {
    let folded: String = skeleton(mapped).collect::<String>().to_lowercase();
    skeleton(&folded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn refused(raw: &str, expected: &NameError) {
        assert_eq!(UserName::parse(raw).as_ref().map(UserName::as_str), Err(expected), "{raw:?}");
    }

    #[track_caller]
    fn alike(a: &str, b: &str) {
        let [a, b] = [a, b].map(|raw| UserName::parse(raw).map(|name| name.skeleton().to_string()));
        assert_eq!(a, b);
        assert!(a.is_ok());
    }

    #[test]
    fn names_of_many_scripts_are_kept_as_written() {
        for raw in
            ["alice", "Bob-2", "Zoë", "Żaneta", "Юлия", "山田太郎", "محمد", "ανδρέας", "a.b_c"]
        {
            assert_eq!(UserName::parse(raw).as_ref().map(UserName::as_str), Ok(raw));
        }
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        alike("alice", "ALICE");
        alike("paul", "pau1");
        alike("rnary", "mary");
        // All of it in another script passes the script check, so the skeleton must catch it.
        alike("аре", "ape");
    }

    proptest! {
        /// The short ways lead where the long ones do.
        #[test]
        fn plain_names_are_what_the_profile_makes_of_them(
            raw in "[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?",
            ascii in "[ -~]{0,40}",
        ) {
            prop_assert!(is_plain(&raw));
            prop_assert_eq!(check(&raw), Ok(()));
            prop_assert_eq!(check_scripts(&raw), Ok(()));
            let kept = UsernameCasePreserved::enforce(raw.as_str());
            let mapped = UsernameCaseMapped::enforce(raw.as_str());
            prop_assert_eq!(kept.as_deref(), Ok(raw.as_str()));
            prop_assert_eq!(mapped.as_deref(), Ok(raw.as_str()));
            prop_assert_eq!(skeleton_of(&ascii).to_string(), skeleton_of_any(&ascii));
        }
    }

    #[test]
    fn bad_names_are_told_why() {
        refused("", &NameError::Empty);
        refused("a b", &NameError::Character(' '));
        refused("@lice", &NameError::Character('@'));
        refused("a\u{202e}b", &NameError::Profile);
        refused("a\u{200b}b", &NameError::Profile);
        refused("tab\there", &NameError::Character('\t'));
        refused("-dash", &NameError::Edge);
        refused("аlice", &NameError::MixedScripts);
        refused("e\u{301}\u{301}\u{301}\u{301}\u{301}", &NameError::Marks);
        refused(&"x".repeat(33), &NameError::TooLong { unit: "characters", used: 33, allowed: 32 });
        refused(&"x".repeat(65), &NameError::TooLong { unit: "bytes", used: 65, allowed: 64 });
    }

    #[test]
    fn what_is_refused_is_refused_in_full_width_too() {
        refused("a\u{ff07}b", &NameError::Character('\''));
        refused("\u{ff0e}hidden", &NameError::Edge);
        assert_eq!(RoomName::parse("a\u{ff1a}b"), Err(NameError::Character(':')));
    }

    #[test]
    fn room_names_are_lower_case_and_direct_rooms_are_told_apart() {
        assert_eq!(RoomName::parse("Ops").as_ref().map(RoomName::as_str), Ok("ops"));
        assert_eq!(RoomName::parse("@bob"), Err(NameError::Character('@')));
        let direct = RoomName::direct(7);
        assert!(direct.is_direct());
        assert_eq!(RoomName::parse(direct.as_str()), Ok(direct));
    }

    #[test]
    fn a_parsed_name_parses_to_itself() {
        for raw in ["ALICE", "Ünal", "ＡＢＣ", "ŉame"] {
            if let Ok(name) = UserName::parse(raw) {
                assert_eq!(UserName::parse(name.as_str()), Ok(name));
            }
        }
    }
}
