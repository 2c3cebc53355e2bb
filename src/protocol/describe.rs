//! One definition, many outputs: [`wire!`] declares a map of the protocol once, with its docs, and
//! yields the struct, its serde code, its bounds check, and the rows of docs/PROTOCOL.md.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::status::{Code, Refusal};
use crate::base::id::{Epoch, Key, Seq};

/// One field of a map, as the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its key on the wire.
    pub name: &'static str,
    /// Its type and bounds, in words.
    pub kind: fn() -> String,
    /// Whether it may be absent.
    pub optional: bool,
    /// Its documentation.
    pub doc: &'static [&'static str],
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
                    optional: <$kind as $crate::protocol::describe::WireType>::OPTIONAL,
                    doc: &[$($field_doc),*],
                },)*
            ];
        }

        impl $crate::protocol::describe::WireType for $name {
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
    match text.chars().find(|&c| acts(c, allowed)) {
        Some(c) => Err(Refusal::new(
            Code::BadParams,
            format!("{field} has the control character U+{:04X}", u32::from(c)),
        )),
        None => Ok(()),
    }
}

impl<const MAX: usize> WireType for Line<MAX> {
    fn describe() -> String {
        format!("str, one line, at most {MAX} bytes")
    }

    fn check(&self, field: &'static str) -> Result<(), Refusal> {
        check_text(field, &self.0, MAX, &[])
    }
}

impl<const MAX: usize> WireType for Lines<MAX> {
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

impl<T: WireType> WireType for Option<T> {
    const OPTIONAL: bool = true;

    fn describe() -> String {
        T::describe()
    }

    fn check(&self, field: &'static str) -> Result<(), Refusal> {
        self.as_ref().map_or(Ok(()), |value| value.check(field))
    }
}

impl<T: WireType> WireType for Vec<T> {
    fn describe() -> String {
        format!("array of {}", T::describe())
    }
}

macro_rules! plain {
    ($($kind:ty => $text:literal,)*) => {
        $(impl WireType for $kind {
            fn describe() -> String {
                $text.into()
            }
        })*
    };
}

plain! {
    bool => "bool",
    u16 => "uint, 16 bit",
    u32 => "uint, 32 bit",
    u64 => "uint, 64 bit",
    String => "str",
    Arc<str> => "str",
    Seq => "uint, 64 bit: a seq",
    Epoch => "uint, 64 bit: an epoch",
    Key => "bin, 16 bytes",
}
