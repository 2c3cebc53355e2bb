//! The structural check of one body, before anything is decoded or allocated.
//!
//! MessagePack's own decoders trust what a body says of itself: five bytes can reserve a mebibyte,
//! and a kilobyte nested a thousand deep overflows a thread's stack, which aborts the process. After
//! [`check`] a body is known to be one whole value, no deeper than [`limits::DEPTH`], with every
//! length within what is present and within its bound, text in UTF-8, and keys told apart; only
//! then serde sees it.
//!
//! **Never:** allocates, panics, or recurses deeper than `limits::DEPTH`.

use super::cursor::{Cursor, Head, HeadError};
use crate::base::limits;

/// Why a body is not acceptable, whatever its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The body ends inside a value, or a length says more than there is.
    #[error("the body ends inside a value")]
    Truncated,
    /// Bytes follow the value.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    /// Arrays and maps nest too deeply.
    #[error("values nest deeper than {}", limits::DEPTH)]
    TooDeep,
    /// An array or a map has too many items.
    #[error("{used} {what}, {allowed} are allowed")]
    TooMany {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        used: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// A map's key is not a string.
    #[error("a map has a key that is not a string")]
    Key,
    /// A map has one key twice.
    #[error("a map has the same key twice")]
    DuplicateKey,
    /// A string is not UTF-8.
    #[error("a string is not valid UTF-8")]
    Utf8,
    /// An extension type or the unused marker.
    #[error("type byte 0x{0:02x} is not used by this protocol")]
    Type(u8),
}

impl From<HeadError> for ScanError {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::Truncated => Self::Truncated,
            HeadError::Type(marker) => Self::Type(marker),
        }
    }
}

/// Checks that `body` is exactly one acceptable value.
pub fn check(body: &[u8]) -> Result<(), ScanError> {
    let mut cursor = Cursor::new(body);
    value(&mut cursor, limits::DEPTH)?;
    match cursor.rest().len() {
        0 => Ok(()),
        more => Err(ScanError::Trailing(more)),
    }
}

fn value(cursor: &mut Cursor<'_>, depth: usize) -> Result<(), ScanError> {
    match cursor.head()? {
        Head::Array(count) => array(cursor, count, depth),
        Head::Map(count) => map(cursor, count, depth),
        Head::Str(text) => utf8(text),
        Head::Nil | Head::Bool | Head::Uint(_) | Head::Negative | Head::Float | Head::Bin(_) => {
            Ok(())
        }
    }
}

fn array(cursor: &mut Cursor<'_>, count: usize, depth: usize) -> Result<(), ScanError> {
    let depth = depth.checked_sub(1).ok_or(ScanError::TooDeep)?;
    within("items in an array", count, limits::ARRAY_ITEMS)?;
    (0..count).try_for_each(|_| value(cursor, depth))
}

fn map(cursor: &mut Cursor<'_>, count: usize, depth: usize) -> Result<(), ScanError> {
    let depth = depth.checked_sub(1).ok_or(ScanError::TooDeep)?;
    within("entries in a map", count, limits::MAP_ENTRIES)?;
    let mut keys: [&[u8]; limits::MAP_ENTRIES] = [&[]; limits::MAP_ENTRIES];
    for index in 0..count {
        let Head::Str(key) = cursor.head()? else { return Err(ScanError::Key) };
        utf8(key)?;
        let (seen, free) = keys.split_at_mut_checked(index).ok_or(ScanError::Truncated)?;
        if seen.contains(&key) {
            return Err(ScanError::DuplicateKey);
        }
        if let Some(slot) = free.first_mut() {
            *slot = key;
        }
        value(cursor, depth)?;
    }
    Ok(())
}

fn utf8(text: &[u8]) -> Result<(), ScanError> {
    std::str::from_utf8(text).map(drop).map_err(|_| ScanError::Utf8)
}

fn within(what: &'static str, used: usize, allowed: usize) -> Result<(), ScanError> {
    if used > allowed { Err(ScanError::TooMany { what, used, allowed }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        let mut body = vec![0x91; depth];
        body.push(0xc0);
        body
    }

    #[test]
    fn nesting_is_bounded_before_recursion() {
        assert_eq!(check(&nested(limits::DEPTH)), Ok(()));
        for depth in [limits::DEPTH + 1, 1_000, 1_000_000] {
            assert_eq!(check(&nested(depth)), Err(ScanError::TooDeep));
        }
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for head in [0xc4, 0xc5, 0xc6, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf] {
            assert!(check(&[head, 0xff, 0xff, 0xff, 0xff]).is_err(), "{head:#x}");
            assert!(check(&[head]).is_err(), "{head:#x}");
        }
        assert_eq!(
            check(&[0xdd, 0xff, 0xff, 0xff, 0xff]),
            Err(ScanError::TooMany {
                what: "items in an array",
                used: 0xffff_ffff,
                allowed: limits::ARRAY_ITEMS
            })
        );
    }

    #[test]
    fn every_kind_of_bad_body_has_its_error() {
        assert_eq!(check(&[]), Err(ScanError::Truncated));
        assert_eq!(check(&[0xc0, 0xc0]), Err(ScanError::Trailing(1)));
        assert_eq!(check(&[0x81, 0x01, 0xc0]), Err(ScanError::Key));
        assert_eq!(check(&[0x82, 0xa1, b'a', 1, 0xa1, b'a', 2]), Err(ScanError::DuplicateKey));
        assert_eq!(check(&[0x82, 0xa1, b'a', 1, 0xd9, 1, b'a', 2]), Err(ScanError::DuplicateKey));
        assert_eq!(check(&[0xa1, 0xff]), Err(ScanError::Utf8));
        assert_eq!(check(&[0xc1]), Err(ScanError::Type(0xc1)));
        assert_eq!(check(&[0xd4, 0, 0]), Err(ScanError::Type(0xd4)));
    }

    #[test]
    fn every_scalar_is_one_value() {
        for body in [
            &[0x7f][..],
            &[0xe0],
            &[0xc0],
            &[0xc2],
            &[0xc3],
            &[0xcc, 1],
            &[0xcd, 1, 2],
            &[0xce, 1, 2, 3, 4],
            &[0xcf, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0xd0, 1],
            &[0xd1, 1, 2],
            &[0xca, 1, 2, 3, 4],
            &[0xcb, 1, 2, 3, 4, 5, 6, 7, 8],
            &[0xc4, 1, 0xff],
            &[0xa1, b'x'],
            &[0xd9, 1, b'x'],
            &[0x90],
            &[0x80],
            &[0xdc, 0, 0],
            &[0xde, 0, 0],
        ] {
            assert_eq!(check(body), Ok(()), "{body:x?}");
        }
    }
}
