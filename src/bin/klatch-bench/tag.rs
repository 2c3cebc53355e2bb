//! The mark that makes each message of a run unlike all others: its number, as eight letters at the
//! end of its text.

/// Eight letters from `a` to `p`, four bits each, the lowest first: found and read without a search
/// or a branch, for a run reads millions in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag([u8; 8]);

/// The letter for four bits that are 0.
const ZERO: u64 = u64::from_ne_bytes([b'a'; 8]);

impl Tag {
    /// Letters of a tag.
    pub(crate) const BYTES: usize = 8;

    /// The mark of the message with this number.
    pub(crate) fn new(number: u32) -> Self {
        let mut spread = u64::from(number);
        spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
        spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
        spread = (spread | spread << 4) & 0x0f0f_0f0f_0f0f_0f0f;
        Self((spread + ZERO).to_le_bytes())
    }

    /// The letters.
    pub(crate) const fn letters(self) -> [u8; 8] {
        self.0
    }

    /// The last letters of `text`, which may be no tag.
    #[inline]
    pub(crate) fn at_end(text: &[u8]) -> Option<Self> {
        text.last_chunk().map(|letters| Self(*letters))
    }

    /// The number, if these letters are a tag.
    #[inline]
    pub(crate) fn number(self) -> Option<u32> {
        let mut packed = u64::from_le_bytes(self.0).wrapping_sub(ZERO);
        if packed & 0xf0f0_f0f0_f0f0_f0f0 != 0 {
            return None;
        }
        packed = (packed | packed >> 4) & 0x00ff_00ff_00ff_00ff;
        packed = (packed | packed >> 8) & 0x0000_ffff_0000_ffff;
        u32::try_from((packed | packed >> 16) & 0xffff_ffff).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_gives_its_number_back() {
        for number in [0, 1, 15, 16, 0x1234_5678, 0xfedc_ba98, u32::MAX] {
            let tag = Tag::new(number);
            assert!(tag.letters().iter().all(|letter| (b'a'..=b'p').contains(letter)));
            let text = [b"some text ".as_slice(), &tag.letters()].concat();
            assert_eq!(Tag::at_end(&text).and_then(Tag::number), Some(number));
        }
    }

    #[test]
    fn other_letters_are_no_tag() {
        for text in [b"aaaaaaa\x60", b"aaaaaaaq", b"xxxxxxxx", b"\xffaaaaaaa", b"a aaaaaa"] {
            assert_eq!(Tag::at_end(text).and_then(Tag::number), None, "{text:?}");
        }
        assert_eq!(Tag::at_end(b"aaaaaaa"), None);
    }
}
