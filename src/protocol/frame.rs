//! Frames: a 4-byte big-endian length, then a body of that many bytes.
//!
//! [`split`] is the whole of it: it looks at the bytes that are there and says what they hold. The
//! bound is checked on the prefix alone, so a length that lies never reserves anything.

use bytes::{BufMut, Bytes, BytesMut};

use crate::base::limits::FRAME_HEADER_BYTES;

/// A frame that can never be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length is zero: no body is empty.
    #[error("a frame of length 0")]
    Empty,
    /// The length passes the bound that holds now.
    #[error("a frame of {used} bytes, {allowed} are allowed")]
    TooLarge {
        /// The announced length.
        used: usize,
        /// The bound.
        allowed: usize,
    },
}

/// What the front of a buffer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split<'a> {
    /// One whole body, and what follows it.
    Frame {
        /// The body, without its length.
        body: &'a [u8],
        /// The bytes after it.
        rest: &'a [u8],
    },
    /// The frame is not all there yet; this many bytes more complete what is known of it.
    Incomplete {
        /// Bytes missing, at least 1.
        missing: usize,
    },
}

/// Splits one frame off the front of `bytes`.
pub fn split(bytes: &[u8], allowed: usize) -> Result<Split<'_>, FrameError> {
    let Some((header, after)) = bytes.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return Ok(Split::Incomplete { missing: FRAME_HEADER_BYTES.saturating_sub(bytes.len()) });
    };
    let length = usize::try_from(u32::from_be_bytes(*header)).unwrap_or(usize::MAX);
    if length == 0 {
        return Err(FrameError::Empty);
    }
    if length > allowed {
        return Err(FrameError::TooLarge { used: length, allowed });
    }
    Ok(match after.split_at_checked(length) {
        Some((body, rest)) => Split::Frame { body, rest },
        None => Split::Incomplete { missing: length.saturating_sub(after.len()) },
    })
}

/// How many whole frames there are.
#[must_use]
pub fn count(mut frames: &[u8]) -> u64 {
    let mut count: u64 = 0;
    while let Ok(Split::Frame { rest, .. }) = split(frames, usize::MAX) {
        (count, frames) = (count.saturating_add(1), rest);
    }
    count
}

/// Appends one frame to `out`; `write` writes the body.
pub fn append(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_u32(0);
    write(out);
    let body = out.len().saturating_sub(start).saturating_sub(FRAME_HEADER_BYTES);
    let length = u32::try_from(body).unwrap_or(u32::MAX);
    if let Some(header) = out.get_mut(start..).and_then(|b| b.first_chunk_mut()) {
        *header = length.to_be_bytes();
    }
}

/// One frame on its own.
#[must_use]
pub fn single(write: impl FnOnce(&mut BytesMut)) -> Bytes {
    let mut out = BytesMut::with_capacity(128);
    append(&mut out, write);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_out_of_bounds_are_refused_on_the_prefix_alone() {
        assert_eq!(split(&[0, 0, 0, 0], 10), Err(FrameError::Empty));
        for shift in 4..32 {
            for length in [(1_u32 << shift) - 1, 1 << shift, u32::MAX] {
                let bytes = length.to_be_bytes();
                let got = split(&bytes, 10);
                assert_eq!(got, Err(FrameError::TooLarge { used: length as usize, allowed: 10 }));
            }
        }
    }

    proptest! {
        /// However a stream is cut, the same frames come out.
        #[test]
        fn any_split_of_the_stream_gives_the_same_frames(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
            cut in 1_usize..16,
        ) {
            let mut stream = BytesMut::new();
            for body in &bodies {
                append(&mut stream, |out| out.put_slice(body));
            }
            let (mut pending, mut got) = (Vec::new(), Vec::new());
            for chunk in stream.chunks(cut) {
                pending.extend_from_slice(chunk);
                while let Split::Frame { body, rest } = split(&pending, 64).expect("within bounds") {
                    got.push(body.to_vec());
                    pending = rest.to_vec();
                }
            }
            prop_assert_eq!(got, bodies);
            prop_assert!(pending.is_empty());
        }
    }
}
