//! The certificate: whether it can be used, for how long, and for which names.

use std::path::Path;

use super::{Finding, Scene};
use crate::protocol::ALPN_ALL;
use crate::server::identity::{self, WARN_DAYS, ends_soon, files, is_renewed};
use crate::transport::challenge::Challenges;
use crate::transport::tls::Identity;

const SUBJECT: &str = "certificate";
/// Where an authority looks for proofs.
const PROOFS: u16 = 443;

pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let config = &scene.loaded.config;
    if is_renewed(config, scene.credentials.as_deref()) {
        return renewed(scene);
    }
    let configured = files(config, scene.credentials.as_deref());
    let own = configured.is_none();
    let (certificate, key) = configured.unwrap_or_else(|| {
        (scene.state_dir.join("certificate.pem"), scene.state_dir.join("key.pem"))
    });
    if own && !certificate.exists() {
        let text = "there is none yet: the server makes its own when it starts. Clients remember it, \
                    browsers warn of it; for one that all trust set acme.domains, or tls.certificate \
                    and tls.key";
        return vec![Finding::advice(SUBJECT, text)];
    }
    let identity = match load(&certificate, &key) {
        Ok(identity) => identity,
        Err(error) => {
            let text = format!("{error}. The server would not start, and a reload be refused");
            return vec![Finding::problem(SUBJECT, text)];
        }
    };
    let kind = if own { "the server's own, self-signed; " } else { "" };
    let mut findings = vec![validity(&identity, scene.now, false, kind)];
    let remedy = "which tls.names expects: get one that is; if it is the server's own, remove \
                  certificate.pem and key.pem from the state directory and restart (clients that \
                  remember the old one will ask)";
    findings.extend(names(&identity, &config.tls.names, remedy));
    findings
}

/// One that the server gets by itself.
fn renewed(scene: &Scene<'_>) -> Vec<Finding> {
    let acme = &scene.loaded.config.acme;
    let path = identity::gained_file(scene.state_dir);
    let mut findings = Vec::new();
    match path.exists().then(|| load(&path, &path)) {
        None => {
            let text = format!(
                "there is none from {} yet: the server asks for it when it starts, and serves its \
                 own meanwhile; klatchd admin status tells how that goes",
                acme.directory
            );
            findings.push(Finding::advice(SUBJECT, text));
        }
        Some(Err(error)) => {
            let text = format!("{error}. The server serves its own, and asks for another");
            findings.push(Finding::problem(SUBJECT, text));
        }
        Some(Ok(identity)) => {
            findings.push(validity(&identity, scene.now, true, "renewed by the server; "));
            let remedy = "which acme.domains names: the server asks for another when it starts";
            findings.extend(names(&identity, &acme.domains, remedy));
        }
    }
    if scene.loaded.config.server.listen.iter().all(|address| address.port() != PROOFS) {
        let text = format!(
            "the authority connects to port {PROOFS} of {}, and server.listen does not have it: let \
             klatchd.socket listen there, or have it forwarded, as it is",
            acme.domains.join(", ")
        );
        findings.push(Finding::advice(SUBJECT, text));
    }
    if let Some(error) = acme.trust.as_ref().and_then(|path| std::fs::File::open(path).err()) {
        findings.push(Finding::problem(SUBJECT, format!("acme.trust cannot be read: {error}")));
    }
    findings
}

fn load(certificate: &Path, key: &Path) -> Result<Identity, crate::transport::tls::TlsError> {
    Identity::load(certificate, key, ALPN_ALL, &Challenges::default())
}

fn validity(identity: &Identity, now: i64, renewed: bool, kind: &str) -> Finding {
    let until = jiff::Timestamp::from_second(identity.expires()).unwrap_or_default();
    let (date, remedy) = (until.strftime("%Y-%m-%d"), identity::remedy(renewed));
    match ends_soon(identity.validity(), now, renewed) {
        Some(days) if days < 0 => {
            Finding::problem(SUBJECT, format!("it expired on {date}: clients refuse it; {remedy}"))
        }
        Some(days) => Finding::advice(
            SUBJECT,
            format!(
                "it expires on {date}, in {days} days (a warning comes {WARN_DAYS} days ahead at \
                 the earliest); {remedy}"
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
fn names(identity: &Identity, expected: &[String], remedy: &str) -> Option<Finding> {
    let missing: Vec<&str> =
        expected.iter().filter(|name| !identity.is_for(name)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| {
        let text = format!("it is not made out to {}, {remedy}", missing.join(", "));
        Finding::advice(SUBJECT, text)
    })
}
