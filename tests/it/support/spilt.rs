//! Secrets that tests have sent or got, whatever they test: none of them may stand in what a daemon
//! has written.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

/// The methods that have secrets.
pub(crate) const METHODS: [&str; 4] = ["login", "register", "passwd", "unregister"];
/// Where they and their results have them.
const FIELDS: [&str; 5] = ["password", "old", "new", "token", "invite"];
/// Shorter ones would be found by chance.
const SHORTEST: usize = 8;

static KNOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Bytes in the ways in which they could be written.
pub(crate) fn written(bytes: &[u8]) -> [String; 3] {
    let hex = klatch::transport::certificate::hex(bytes);
    [hex, format!("{bytes:?}"), openssl::base64::encode_block(bytes)]
}

/// Notes the secrets of a request or a result.
pub(crate) fn note(told: &impl Serialize) {
    let Ok(Value::Object(fields)) = serde_json::to_value(told) else { return };
    for secret in FIELDS.iter().filter_map(|field| fields.get(*field)) {
        let mut known = KNOWN.lock();
        if let Some(text) = secret.as_str().filter(|text| text.len() >= SHORTEST) {
            known.insert(text.to_owned());
        }
        if let Ok(bytes) = serde_json::from_value::<Vec<u8>>(secret.clone())
            && bytes.len() >= SHORTEST
        {
            known.extend(written(&bytes));
        }
    }
}

/// The first secret of all tests so far that stands in `text`.
pub(crate) fn found_in(text: &str) -> Option<String> {
    KNOWN.lock().iter().find(|secret| text.contains(secret.as_str())).cloned()
}

#[test]
fn what_is_noted_is_found_in_every_way_of_writing_it() {
    use klatch::protocol::request::{Login, Passwd};
    let token = klatch::base::secret::Token::random();
    note(&Login { token: Some(token.clone()), ..Login::guest("ann".into()) });
    note(&Passwd { old: "an old secret".into(), new: "a new secret".into(), timeout_ms: None });
    assert_eq!(found_in("nothing of the kind, ann"), None);
    for text in written(token.bytes()).iter().map(String::as_str).chain(["an old secret"]) {
        assert_eq!(found_in(&format!("said: {text}.")).as_deref(), Some(text));
    }
}
