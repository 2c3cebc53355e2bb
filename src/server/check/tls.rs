//! The certificate: whether it can be used, for how long, and for which names.

use super::{Finding, Scene};
use crate::protocol::ALPN_WIRE;
use crate::server::identity::{WARN_DAYS, ends_soon, files};
use crate::transport::tls::Identity;

const SUBJECT: &str = "certificate";

pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let config = &scene.loaded.config;
    let configured = files(config, scene.credentials.as_deref());
    let own = configured.is_none();
    let (certificate, key) = configured.unwrap_or_else(|| {
        (scene.state_dir.join("certificate.pem"), scene.state_dir.join("key.pem"))
    });
    if own && !certificate.exists() {
        let text = "there is none yet: the server makes its own when it starts. Clients remember it, \
                    browsers warn of it; for one that all trust set tls.certificate and tls.key";
        return vec![Finding::advice(SUBJECT, text)];
    }
    let identity = match Identity::load(&certificate, &key, ALPN_WIRE) {
        Ok(identity) => identity,
        Err(error) => {
            let text = format!("{error}. The server would not start, and a reload be refused");
            return vec![Finding::problem(SUBJECT, text)];
        }
    };
    let mut findings = vec![validity(&identity, scene.now, own)];
    findings.extend(names(&identity, &config.tls.names));
    findings
}

fn validity(identity: &Identity, now: i64, own: bool) -> Finding {
    let until = jiff::Timestamp::from_second(identity.expires()).unwrap_or_default();
    let date = until.strftime("%Y-%m-%d");
    let kind = if own { "the server's own, self-signed; " } else { "" };
    match ends_soon(identity.expires(), now) {
        Some(days) if days < 0 => Finding::problem(
            SUBJECT,
            format!(
                "it expired on {date}: clients refuse it. Renew it, then: klatchd admin reload"
            ),
        ),
        Some(days) => Finding::advice(
            SUBJECT,
            format!(
                "it expires on {date}, in {days} days (a warning comes {WARN_DAYS} days ahead). \
                 Renew it, then: klatchd admin reload"
            ),
        ),
        None => Finding::good(
            SUBJECT,
            format!(
                "{kind}valid until {date}, its key belongs to it, for {}",
                identity.names().join(", ")
            ),
        ),
    }
}

/// Names that the operator expects and the certificate lacks.
fn names(identity: &Identity, expected: &[String]) -> Option<Finding> {
    let has = |name: &String| identity.names().iter().any(|one| covers(one, name));
    let missing: Vec<&str> =
        expected.iter().filter(|name| !has(name)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| {
        let text = format!(
            "it is not made out to {}, which tls.names expects: get one that is; if it is the \
             server's own, remove certificate.pem and key.pem from the state directory and restart \
             (clients that remember the old one will ask)",
            missing.join(", ")
        );
        Finding::advice(SUBJECT, text)
    })
}

/// Whether a name of a certificate is, or stands for, this one.
fn covers(pattern: &str, name: &str) -> bool {
    let wild = |rest: &str| name.split_once('.').is_some_and(|(_, parent)| same(parent, rest));
    same(pattern, name) || pattern.strip_prefix("*.").is_some_and(wild)
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(covers("chat.example", "Chat.Example"));
        assert!(covers("*.example", "chat.example"));
        assert!(!covers("*.example", "a.chat.example"));
        assert!(!covers("*.example", "example"));
    }
}
