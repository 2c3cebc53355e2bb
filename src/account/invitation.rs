//! Invitations: codes that are good for one account.

use sha2::{Digest, Sha256};

use crate::store::registry::Hash;

/// Characters of a code: those that nobody confuses (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of one code: 100 random bits.
const LENGTH: usize = 20;

/// A fresh code.
#[must_use]
pub fn code() -> String {
    let random: [u8; LENGTH] = rand::random();
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// What storage keeps of a code. However it was typed, it is the same code.
#[must_use]
pub fn hash(code: &str) -> Hash {
    let plain =
        code.chars().filter(char::is_ascii_alphanumeric).map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        });
    Sha256::digest(plain.collect::<String>()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        assert_eq!(hash("abcd0-1xyz"), hash("ABCDO LXYZ "));
        assert_ne!(hash("abcd0"), hash("abcd1"));
        assert_eq!(hash(&code()).len(), 32);
        assert_ne!(code(), code());
        assert!(code().len() == LENGTH && code().is_ascii());
    }
}
