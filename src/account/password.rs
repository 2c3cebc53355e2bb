//! Passwords: which are taken, and what is kept of them.
//!
//! argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet). The work for
//! an account that there is not is the same as for a wrong password, so that the time tells nothing.

use std::sync::{Arc, LazyLock};

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation;

use crate::base::limits::PASSWORD_CHARS;
use crate::base::name::UserName;
use crate::base::secret::Password;
use crate::protocol::status::{Code, Refusal};

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
pub fn hash(password: &Password) -> Option<Arc<str>> {
    let prepared = prepared(password)?;
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).ok()?;
    let hash = Argon2::default().hash_password(prepared.as_str().as_bytes(), &salt).ok()?;
    Some(hash.to_string().into())
}

/// Whether this is the password that `kept` was made of. Without one, the work is the same.
#[must_use]
pub fn verify(password: &Password, kept: Option<&str>) -> bool {
    static NOBODYS: LazyLock<Option<Arc<str>>> =
        LazyLock::new(|| hash(&Password::from("nobody's")));
    let prepared = prepared(password);
    let text = prepared.as_ref().map_or("", |prepared| prepared.as_str());
    let Some(hash) = kept.or(NOBODYS.as_deref()) else { return false };
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let matches = Argon2::default().verify_password(text.as_bytes(), &hash).is_ok();
    matches && kept.is_some() && prepared.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_what_is_kept_of_it_and_no_other_does() {
        let kept = hash(&Password::from("correct horse")).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify(&Password::from("correct horse"), Some(&kept)));
        assert!(!verify(&Password::from("correct horsf"), Some(&kept)));
        assert!(!verify(&Password::from("nobody's"), None), "nobody has no password");
        assert!(!verify(&Password::from("correct horse"), Some("rubbish")));
        assert_ne!(kept, hash(&Password::from("correct horse")).unwrap(), "salted");
    }

    #[test]
    fn how_a_keyboard_composes_a_letter_does_not_matter() {
        let kept = hash(&Password::from("Zoe\u{308} und Sa\u{308}ge")).unwrap();
        assert!(verify(&Password::from("Zo\u{eb} und S\u{e4}ge"), Some(&kept)));
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
