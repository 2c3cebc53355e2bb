//! Passwords: which are taken, and what is kept of them.
//!
//! argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet). The work for
//! an account that there is not is the same as for a wrong password, so that the time tells nothing.
//!
//! The memory is kept from one hash to the next (`Scratch`). Got anew for each, it was 5,000 page
//! faults, and up to 4 ms without a break in the kernel to give it back (measured), in which others
//! have to wait however far back the thread stands.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation;

use crate::base::limits::PASSWORD_CHARS;
use crate::base::name::UserName;
use crate::base::secret::Password;
use crate::protocol::status::{Code, Refusal};

/// The memory that passwords are hashed in.
#[derive(Default)]
pub struct Scratch(Vec<Block>);

impl Scratch {
    fn hash(&mut self, argon2: &Argon2<'_>, text: &str, salt: Salt<'_>) -> Option<Output> {
        let mut bytes = [0; Salt::MAX_LENGTH];
        let salt = salt.decode_b64(&mut bytes).ok()?;
        let blocks = argon2.params().block_count();
        if self.0.len() < blocks {
            self.0.resize(blocks, Block::new());
        }
        let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        Output::init_with(length, |out| {
            let memory = self.0.as_mut_slice();
            Ok(argon2.hash_password_into_with_memory(text.as_bytes(), salt, out, memory)?)
        })
        .ok()
    }
}

/// A password in the one form in which it is hashed, however a keyboard composed it (RFC 8265,
/// section 4.2).
fn prepared(password: &Password) -> Option<Password> {
    OpaqueString::enforce(password.as_str()).ok().map(|text| Password::from(&*text))
}

/// Whether a password may be chosen.
pub fn check(password: &Password, name: &UserName) -> Result<(), Refusal> {
    let weak = |text: &'static str| Refusal::new(Code::PasswordWeak, text);
    let Some(prepared) = prepared(password) else {
        return Err(weak("the password has characters that no keyboard types alike (RFC 8265)"));
    };
    let (used, allowed) = (prepared.as_str().chars().count() as u64, PASSWORD_CHARS as u64);
    if used < allowed {
        return Err(Refusal::new(Code::PasswordWeak, "the password is too short").limit(
            "password_chars",
            used,
            allowed,
        ));
    }
    if prepared.as_str().to_lowercase().contains(&name.as_str().to_lowercase()) {
        return Err(weak("the password has the name in it"));
    }
    let mut chars = prepared.as_str().chars();
    let first = chars.next();
    if chars.all(|next| Some(next) == first) {
        return Err(weak("the password is one character, repeated"));
    }
    Ok(())
}

/// What is kept of a password, as a PHC string.
#[must_use]
pub fn hash(password: &Password, scratch: &mut Scratch) -> Option<Arc<str>> {
    let prepared = prepared(password)?;
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).ok()?;
    let argon2 = Argon2::default();
    let kept = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params()).ok()?,
        salt: Some(salt.as_salt()),
        hash: Some(scratch.hash(&argon2, prepared.as_str(), salt.as_salt())?),
    };
    Some(kept.to_string().into())
}

/// Whether this is the password that `kept` was made of. Without one, the work is the same.
#[must_use]
pub fn verify(password: &Password, kept: Option<&str>, scratch: &mut Scratch) -> bool {
    static NOBODYS: OnceLock<Option<Arc<str>>> = OnceLock::new();
    let prepared = prepared(password);
    let text = prepared.as_ref().map_or("", |prepared| prepared.as_str());
    let nobodys = NOBODYS.get_or_init(|| hash(&Password::from("nobody's"), scratch));
    let Some(hash) = kept.or(nobodys.as_deref()) else { return false };
    let matches = matches(hash, text, scratch).unwrap_or(false);
    matches && kept.is_some() && prepared.is_some()
}

/// Whether `text` gives what the PHC string `kept` says, by its own parameters.
fn matches(kept: &str, text: &str, scratch: &mut Scratch) -> Option<bool> {
    let kept = PasswordHash::new(kept).ok()?;
    let algorithm = Algorithm::try_from(kept.algorithm).ok()?;
    let version = kept.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    let argon2 = Argon2::new(algorithm, version, Params::try_from(&kept).ok()?);
    // Outputs are compared in constant time.
    Some(scratch.hash(&argon2, text, kept.salt?)? == kept.hash?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordVerifier;

    #[test]
    fn a_password_matches_what_is_kept_of_it_and_no_other_does() {
        let mut scratch = Scratch::default();
        let mut is = |text, kept| verify(&Password::from(text), kept, &mut scratch);
        let kept = made("correct horse");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is("correct horse", Some(&kept)));
        assert!(!is("correct horsf", Some(&kept)));
        assert!(!is("nobody's", None), "nobody has no password");
        assert!(!is("correct horse", Some("rubbish")));
        assert_ne!(kept, made("correct horse"), "salted");
        // What others were hashed in does not matter, nor who did it.
        assert!(is("correct horse", Some(&kept)));
        let others =
            Argon2::default().verify_password(b"correct horse", &PasswordHash::new(&kept).unwrap());
        assert_eq!(others, Ok(()));
    }

    /// Vectors of the reference implementation (P-H-C/phc-winner-argon2, src/test.c).
    #[test]
    fn what_was_made_with_other_parameters_still_counts() {
        // In memory that was grown for ours.
        let mut scratch = Scratch::default();
        hash(&Password::from("password"), &mut scratch).unwrap();
        for kept in [
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        ] {
            assert!(verify(&Password::from("password"), Some(kept), &mut scratch), "{kept}");
            assert!(!verify(&Password::from("passwore"), Some(kept), &mut scratch), "{kept}");
        }
    }

    fn made(text: &str) -> Arc<str> {
        hash(&Password::from(text), &mut Scratch::default()).unwrap()
    }

    #[test]
    fn how_a_keyboard_composes_a_letter_does_not_matter() {
        let kept = made("Zoe\u{308} und Sa\u{308}ge");
        let typed = Password::from("Zo\u{eb} und S\u{e4}ge");
        assert!(verify(&typed, Some(&kept), &mut Scratch::default()));
    }

    #[test]
    fn what_is_guessed_first_is_not_taken() {
        let name = UserName::parse("Alice").unwrap();
        for weak in ["", "short77", "aaaaaaaaaaaa", "i-am-aLICE", "tab\tin the middle"] {
            let refusal = check(&Password::from(weak), &name).unwrap_err();
            assert_eq!(refusal.code, Code::PasswordWeak, "{weak}");
        }
        for good in ["correct horse", "пароль-мой", "12345679", "密码密码密码密码"]
        {
            assert_eq!(check(&Password::from(good), &name), Ok(()), "{good}");
        }
    }
}
