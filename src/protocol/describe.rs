//! One definition, many outputs: `wire!` declares a map of the protocol once, with its docs, and
//! yields the struct, its serde code, its bounds check, and the rows of docs/PROTOCOL.md.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::status::{Code, Refusal};
use crate::base::id::{Epoch, Key, Seq};
use crate::base::limits;
use crate::base::secret::{Password, Token};

/// One field of a map, as the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its key on the wire.
    pub name: &'static str,
    /// Its type and bounds, in words.
    pub kind: fn() -> String,
    /// Its type as a decoder checks it.
    pub shape: &'static Shape,
    /// Whether it may be absent.
    pub optional: bool,
    /// Its documentation.
    pub doc: &'static [&'static str],
}

/// What a value looks like in MessagePack.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// True or false.
    Bool,
    /// An integer from 0 to this, in any of its forms.
    Uint(u64),
    /// A string; its bounds are checked by [`WireType::check`], which has the better error.
    Str,
    /// One of these strings, or another one of a newer version.
    Word(&'static [&'static str]),
    /// So many bytes.
    Bin(usize),
    /// Values of one shape, at most so many.
    Array(&'static Self, usize),
    /// A map with these fields, and others that are ignored.
    Map(&'static [Field]),
}

/// A map of the protocol that can describe itself.
pub trait Describe {
    /// Its documentation.
    const DOC: &'static [&'static str];
    /// Its fields, in the order of the declaration.
    const FIELDS: &'static [Field];
}

/// A type of a field: it can say what it is, and check its own bounds after decoding.
pub trait WireType {
    /// Whether a field of this type may be absent.
    const OPTIONAL: bool = false;

    /// What it looks like in MessagePack.
    const SHAPE: &'static Shape;

    /// Type, unit and bounds in words.
    fn describe() -> String;

    /// Refuses a value out of its bounds; `field` is its name.
    fn check(&self, field: &'static str) -> Result<(), Refusal> {
        let _ = field;
        Ok(())
    }
}

macro_rules! wire {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $($(#[doc = $field_doc:literal])* pub $field:ident: $kind:ty,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[serde_with::skip_serializing_none]
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $kind,)*
        }

        impl $crate::protocol::describe::Describe for $name {
            const DOC: &'static [&'static str] = &[$($doc),*];
            const FIELDS: &'static [$crate::protocol::describe::Field] = &[
                $($crate::protocol::describe::Field {
                    name: stringify!($field),
                    kind: <$kind as $crate::protocol::describe::WireType>::describe,
                    shape: <$kind as $crate::protocol::describe::WireType>::SHAPE,
                    optional: <$kind as $crate::protocol::describe::WireType>::OPTIONAL,
                    doc: &[$($field_doc),*],
                },)*
            ];
        }

        impl $crate::protocol::describe::WireType for $name {
            const SHAPE: &'static $crate::protocol::describe::Shape =
                &$crate::protocol::describe::Shape::Map(
                    <Self as $crate::protocol::describe::Describe>::FIELDS,
                );

            fn describe() -> String {
                concat!("map: ", stringify!($name)).into()
            }

            fn check(&self, _field: &'static str) -> Result<(), $crate::protocol::status::Refusal> {
                $($crate::protocol::describe::WireType::check(&self.$field, stringify!($field))?;)*
                Ok(())
            }
        }
    };
}
pub(crate) use wire;

/// A text of one line with at most `MAX` bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(pub Arc<str>);

/// A text of any number of lines with at most `MAX` bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lines<const MAX: usize>(pub Arc<str>);

impl<const MAX: usize> From<&str> for Line<MAX> {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// A text of one line with at least one and at most `MAX` bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark<const MAX: usize>(pub Arc<str>);

impl<const MAX: usize> From<&str> for Mark<MAX> {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl<const MAX: usize> From<&str> for Lines<MAX> {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// Whether `c` would act on a terminal or break a line: C0 (but `allowed`), DEL, C1, U+2028, U+2029.
fn acts(c: char, allowed: &[char]) -> bool {
    (c.is_control() && !allowed.contains(&c)) || matches!(c, '\u{2028}' | '\u{2029}')
}

fn check_text(
    field: &'static str,
    text: &str,
    max: usize,
    allowed: &[char],
) -> Result<(), Refusal> {
    if text.len() > max {
        let [used, max] = [text.len(), max].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        let why = format!("{field} has {used} bytes, {max} are allowed");
        return Err(Refusal::new(Code::TooLarge, why).limit(field, used, max));
    }
    // Most of what is said has nothing to look up.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    match text.chars().find(|&c| acts(c, allowed)) {
        Some(c) => Err(Refusal::new(
            Code::BadParams,
            format!("{field} has the control character U+{:04X}", u32::from(c)),
        )),
        None => Ok(()),
    }
}

impl<const MAX: usize> WireType for Line<MAX> {
    const SHAPE: &'static Shape = &Shape::Str;

    fn describe() -> String {
        format!("str, one line, at most {MAX} bytes")
    }

    fn check(&self, field: &'static str) -> Result<(), Refusal> {
        check_text(field, &self.0, MAX, &[])
    }
}

impl<const MAX: usize> WireType for Lines<MAX> {
    const SHAPE: &'static Shape = &Shape::Str;

    fn describe() -> String {
        format!("str, 1 to {MAX} bytes; LF and TAB are the only control characters")
    }

    fn check(&self, field: &'static str) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Err(Refusal::new(Code::BadParams, format!("{field} is empty")));
        }
        check_text(field, &self.0, MAX, &['\n', '\t'])
    }
}

impl WireType for Password {
    const SHAPE: &'static Shape = &Shape::Str;

    fn describe() -> String {
        format!("str, at most {} bytes: a secret", limits::PASSWORD_BYTES)
    }

    fn check(&self, field: &'static str) -> Result<(), Refusal> {
        check_text(field, self.as_str(), limits::PASSWORD_BYTES, &[])
    }
}

impl<const MAX: usize> WireType for Mark<MAX> {
    const SHAPE: &'static Shape = &Shape::Str;

    fn describe() -> String {
        format!("str, one line, 1 to {MAX} bytes")
    }

    fn check(&self, field: &'static str) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Err(Refusal::new(Code::BadParams, format!("{field} is empty")));
        }
        check_text(field, &self.0, MAX, &[])
    }
}

impl<T: WireType> WireType for Option<T> {
    const OPTIONAL: bool = true;
    const SHAPE: &'static Shape = T::SHAPE;

    fn describe() -> String {
        T::describe()
    }

    fn check(&self, field: &'static str) -> Result<(), Refusal> {
        self.as_ref().map_or(Ok(()), |value| value.check(field))
    }
}

impl<T: WireType> WireType for Vec<T> {
    const SHAPE: &'static Shape = &Shape::Array(T::SHAPE, limits::ARRAY_ITEMS);

    fn describe() -> String {
        format!("array of {}", T::describe())
    }
}

macro_rules! plain {
    ($($kind:ty => $shape:expr, $text:literal;)*) => {
        $(impl WireType for $kind {
            const SHAPE: &'static Shape = &$shape;

            fn describe() -> String {
                $text.into()
            }
        })*
    };
}

plain! {
    bool => Shape::Bool, "bool";
    u16 => Shape::Uint(0xffff), "uint, 16 bit";
    u32 => Shape::Uint(0xffff_ffff), "uint, 32 bit";
    u64 => Shape::Uint(u64::MAX), "uint, 64 bit";
    String => Shape::Str, "str";
    Arc<str> => Shape::Str, "str";
    Seq => Shape::Uint(u64::MAX), "uint, 64 bit: a seq";
    Epoch => Shape::Uint(u64::MAX), "uint, 64 bit: an epoch";
    Key => Shape::Bin(16), "bin, 16 bytes";
    Token => Shape::Bin(32), "bin, 32 bytes: a secret";
}
