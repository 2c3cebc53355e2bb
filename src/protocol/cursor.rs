//! The heads of MessagePack values, read one after another off the front of a slice.
//!
//! A head is a scalar with its value, or an array or map with its count; what an array or a map
//! holds are the heads that follow. [`scan`](super::scan) and [`shape`](super::shape) are built on it.
//!
//! **Never:** allocates, panics, or trusts a length further than the bytes that are there.

/// The beginning of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// Nothing.
    Nil,
    /// True or false.
    Bool,
    /// An integer that is not negative, in whichever of the nine forms.
    Uint(u64),
    /// A negative integer.
    Negative,
    /// A float of 32 or 64 bits.
    Float,
    /// A string, not yet known to be UTF-8.
    Str(&'a [u8]),
    /// Bytes.
    Bin(&'a [u8]),
    /// So many values follow.
    Array(usize),
    /// So many keys follow, each with its value.
    Map(usize),
}

/// Why there is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadError {
    /// The bytes end inside it.
    Truncated,
    /// An extension type, or the marker that MessagePack never uses.
    Type(u8),
}

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes that were not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads one head.
    pub(super) fn head(&mut self) -> Result<Head<'a>, HeadError> {
        let [marker] = self.chunk()?;
        Ok(match marker {
            0x00..=0x7f => Head::Uint(u64::from(marker)),
            0x80..=0x8f => Head::Map(usize::from(marker & 0x0f)),
            0x90..=0x9f => Head::Array(usize::from(marker & 0x0f)),
            0xa0..=0xbf => Head::Str(self.take(usize::from(marker & 0x1f))?),
            0xc0 => Head::Nil,
            0xc2 | 0xc3 => Head::Bool,
            0xc4 => Head::Bin(self.sized::<1>()?),
            0xc5 => Head::Bin(self.sized::<2>()?),
            0xc6 => Head::Bin(self.sized::<4>()?),
            0xca => self.chunk::<4>().map(|_| Head::Float)?,
            0xcb => self.chunk::<8>().map(|_| Head::Float)?,
            0xcc => Head::Uint(u64::from(u8::from_be_bytes(self.chunk()?))),
            0xcd => Head::Uint(u64::from(u16::from_be_bytes(self.chunk()?))),
            0xce => Head::Uint(u64::from(u32::from_be_bytes(self.chunk()?))),
            0xcf => Head::Uint(u64::from_be_bytes(self.chunk()?)),
            0xd0 => signed(i8::from_be_bytes(self.chunk()?)),
            0xd1 => signed(i16::from_be_bytes(self.chunk()?)),
            0xd2 => signed(i32::from_be_bytes(self.chunk()?)),
            0xd3 => signed(i64::from_be_bytes(self.chunk()?)),
            0xd9 => Head::Str(self.sized::<1>()?),
            0xda => Head::Str(self.sized::<2>()?),
            0xdb => Head::Str(self.sized::<4>()?),
            0xdc => Head::Array(self.length::<2>()?),
            0xdd => Head::Array(self.length::<4>()?),
            0xde => Head::Map(self.length::<2>()?),
            0xdf => Head::Map(self.length::<4>()?),
            0xe0..=0xff => Head::Negative,
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => return Err(HeadError::Type(marker)),
        })
    }

    /// Reads one whole value, however deep, without recursion.
    pub(super) fn skip(&mut self) -> Result<(), HeadError> {
        let mut pending = 1_usize;
        while let Some(others) = pending.checked_sub(1) {
            pending = match self.head()? {
                Head::Array(count) => others.saturating_add(count),
                Head::Map(count) => others.saturating_add(count.saturating_mul(2)),
                Head::Nil
                | Head::Bool
                | Head::Uint(_)
                | Head::Negative
                | Head::Float
                | Head::Str(_)
                | Head::Bin(_) => others,
            };
        }
        Ok(())
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], HeadError> {
        let (chunk, rest) = self.rest.split_first_chunk().ok_or(HeadError::Truncated)?;
        self.rest = rest;
        Ok(*chunk)
    }

    /// A big-endian length of `N` bytes.
    fn length<const N: usize>(&mut self) -> Result<usize, HeadError> {
        let digits: [u8; N] = self.chunk()?;
        Ok(digits.into_iter().fold(0, |sum, digit| (sum << 8) | usize::from(digit)))
    }

    /// As many bytes as the length of `N` bytes in front of them says.
    fn sized<const N: usize>(&mut self) -> Result<&'a [u8], HeadError> {
        let count = self.length::<N>()?;
        self.take(count)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], HeadError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(HeadError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

fn signed(value: impl TryInto<u64>) -> Head<'static> {
    value.try_into().map_or(Head::Negative, Head::Uint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(bytes: &[u8], expected: Head<'_>) {
        let mut cursor = Cursor::new(bytes);
        assert_eq!(cursor.head(), Ok(expected), "{bytes:x?}");
        assert_eq!(cursor.rest(), &[] as &[u8]);
    }

    #[test]
    fn one_number_has_nine_forms() {
        for bytes in [
            &[7][..],
            &[0xcc, 7],
            &[0xcd, 0, 7],
            &[0xce, 0, 0, 0, 7],
            &[0xcf, 0, 0, 0, 0, 0, 0, 0, 7],
            &[0xd0, 7],
            &[0xd1, 0, 7],
            &[0xd2, 0, 0, 0, 7],
            &[0xd3, 0, 0, 0, 0, 0, 0, 0, 7],
        ] {
            reads(bytes, Head::Uint(7));
        }
        for bytes in [&[0xff][..], &[0xd0, 0x80], &[0xd1, 0xff, 0], &[0xd2, 0xff, 0, 0, 0]] {
            reads(bytes, Head::Negative);
        }
    }

    #[test]
    fn a_length_is_believed_no_further_than_the_bytes() {
        reads(&[0xc4, 2, 1, 2], Head::Bin(&[1, 2]));
        reads(&[0xd9, 1, b'x'], Head::Str(b"x"));
        for bytes in [&[][..], &[0xa1], &[0xc6, 0xff, 0xff, 0xff, 0xff], &[0xdb, 0, 0, 0], &[0xcf]]
        {
            assert_eq!(Cursor::new(bytes).head(), Err(HeadError::Truncated), "{bytes:x?}");
        }
    }

    #[test]
    fn a_value_is_skipped_with_all_that_it_holds() {
        let mut cursor = Cursor::new(&[0x82, 0xa1, b'a', 0x92, 1, 0x90, 0xa1, b'b', 0xc0, 0xc3]);
        assert_eq!(cursor.skip(), Ok(()));
        assert_eq!(cursor.rest(), &[0xc3]);
        assert_eq!(Cursor::new(&vec![0x91; 1_000_000]).skip(), Err(HeadError::Truncated));
        assert_eq!(Cursor::new(&[0xdf, 0xff, 0xff, 0xff, 0xff]).skip(), Err(HeadError::Truncated));
    }
}
