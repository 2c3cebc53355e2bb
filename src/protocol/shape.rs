//! The check of a map against its declaration, before serde sees it.
//!
//! serde is more lenient than the protocol: it takes an array for a struct and bytes for text. And
//! its errors quote what they refuse, so that 64 KiB of control characters become 400 KiB of error.
//! After [`check`] a map has every field that it must have, each of its declared type; the error
//! names the field and quotes the declaration, never the input.

use super::cursor::{Cursor, Head};
use super::describe::{Field, Shape};
use crate::base::limits;

/// Checks one map; `bytes` have passed [`scan`](super::scan).
pub(super) fn check(fields: &'static [Field], bytes: &[u8]) -> Result<(), String> {
    let mut cursor = Cursor::new(bytes);
    match cursor.head() {
        Ok(Head::Map(count)) => entries(fields, count, &mut cursor),
        _ => Err("not a map".into()),
    }
}

/// Checks the entries of a map. The error begins with the path of the field.
fn entries(fields: &'static [Field], count: usize, cursor: &mut Cursor<'_>) -> Result<(), String> {
    let mut present = [false; limits::MAP_ENTRIES];
    for _ in 0..count {
        let Ok(Head::Str(key)) = cursor.head() else { return Err("a key is not a str".into()) };
        let known = fields.iter().zip(&mut present).find(|(field, _)| field.name.as_bytes() == key);
        // A field of a later version means nothing here.
        let Some((field, present)) = known else {
            cursor.skip().map_err(|_| "a value is cut short")?;
            continue;
        };
        if !fits(field, cursor).map_err(|why| format!("{}.{why}", field.name))? {
            return Err(format!("{} is not {}", field.name, (field.kind)()));
        }
        *present = true;
    }
    match fields.iter().zip(present).find(|(field, present)| !(field.optional || *present)) {
        Some((missing, _)) => Err(format!("{} is missing", missing.name)),
        None => Ok(()),
    }
}

fn fits(field: &Field, cursor: &mut Cursor<'_>) -> Result<bool, String> {
    let before = *cursor;
    if field.optional && cursor.head() == Ok(Head::Nil) {
        return Ok(true);
    }
    *cursor = before;
    is(field.shape, cursor)
}

fn is(shape: &Shape, cursor: &mut Cursor<'_>) -> Result<bool, String> {
    let Ok(head) = cursor.head() else { return Ok(false) };
    Ok(match (shape, head) {
        // A newer peer may have more words than these.
        (Shape::Bool, Head::Bool) | (Shape::Str | Shape::Word(_), Head::Str(_)) => true,
        (Shape::Uint(max), Head::Uint(value)) => value <= *max,
        (Shape::Bin(length), Head::Bin(bytes)) => bytes.len() == *length,
        (Shape::Array(_, max), Head::Array(count)) if count > *max => false,
        (Shape::Array(item, _), Head::Array(count)) => {
            for _ in 0..count {
                if !is(item, cursor)? {
                    return Ok(false);
                }
            }
            true
        }
        (Shape::Map(fields), Head::Map(count)) => {
            entries(fields, count, cursor)?;
            true
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::describe::Describe;
    use crate::protocol::event::Left;
    use crate::protocol::request::{Say, Typing};

    #[track_caller]
    fn gives(fields: &'static [Field], bytes: &[u8], expected: Result<(), &str>) {
        assert_eq!(check(fields, bytes), expected.map_err(str::to_owned), "{bytes:x?}");
    }

    #[test]
    fn the_field_is_named_and_the_declaration_quoted() {
        gives(Typing::FIELDS, b"\x82\xa4room\xa1x\xa6active\xc3", Ok(()));
        gives(Typing::FIELDS, b"\x81\xa4room\xa1x", Err("active is missing"));
        gives(Typing::FIELDS, b"\x82\xa4room\xa1x\xa6active\x01", Err("active is not bool"));
        gives(
            Typing::FIELDS,
            b"\x81\xa4room\xc4\x01x",
            Err("room is not str, one line, at most 64 bytes"),
        );
        gives(Say::FIELDS, b"\x81\xa3key\xa1x", Err("key is not bin, 16 bytes"));
        gives(Typing::FIELDS, b"\x92\xa1x\xc3", Err("not a map"));
    }

    #[test]
    fn nil_stands_for_an_optional_field_that_is_absent() {
        gives(Typing::FIELDS, b"\x83\xa4room\xa1x\xa6active\xc3\xaatimeout_ms\xc0", Ok(()));
        gives(
            Typing::FIELDS,
            b"\x82\xa4room\xc0\xa6active\xc3",
            Err("room is not str, one line, at most 64 bytes"),
        );
    }

    #[test]
    fn unknown_fields_are_passed_over_whatever_they_hold() {
        gives(
            Typing::FIELDS,
            b"\x83\xa1?\x92\x80\xcb\x7f\xf8\0\0\0\0\0\0\xa4room\xa1x\xa6active\xc2",
            Ok(()),
        );
    }

    #[test]
    fn an_error_inside_a_list_has_its_path() {
        gives(
            Left::FIELDS,
            b"\x81\xa4gone\x91\x82\xa4name\xa1x\xa6reason\x01",
            Err("gone.reason is not str: `left`, `logout`, `lost`, `timeout`, `removed`, \
                 `shutdown`, `kicked`, `banned`, `deleted`; or a newer word"),
        );
        let mut many = b"\x81\xa4gone\xdc\x00\x21".to_vec();
        many.extend([0xc0; 33]);
        gives(Left::FIELDS, &many, Err("gone is not array of at most 32 map: Gone"));
    }
}
