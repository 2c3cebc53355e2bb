//! Taking in a changed configuration while everybody stays: all of it, or nothing.
//!
//! **Invariants:** a configuration, or a certificate, with anything wrong in it changes nothing at
//! all; what holds afterwards is what is written there. A file that has lost everything in it is not
//! taken for the wish to go back to the defaults, which would open what it had closed.

use serde_json::{Value, json};

use super::daemon::Daemon;
use super::{Server, identity, limits, logger, memory};
use crate::account::mail::Retune as RetuneNames;
use crate::config::{self, Change, Config, Loaded, Problem, Problems, Reload};
use crate::directory::actor::Retune as RetuneRooms;
use crate::reception::actor::Adopt;
use crate::throttle::actor::Retune as RetuneThrottle;
use crate::transport::tls::Identity;

/// What became of a reload.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Keys that hold from here on.
    pub applied: Vec<Change>,
    /// Keys that hold after a restart.
    pub restart: Vec<Change>,
    /// What is wrong; then nothing was changed.
    pub refused: Vec<Problem>,
    /// The fingerprint of the certificate, if it is another one now.
    pub certificate: Option<String>,
}

impl Report {
    /// Whether it was applied.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.refused.is_empty()
    }

    /// It in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        if let Some(first) = self.refused.first() {
            let more = self.refused.len() - 1;
            let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
            return format!("reload refused, nothing changed: {first}{more}");
        }
        let certificate = if self.certificate.is_some() { ", a new certificate" } else { "" };
        let (applied, restart) = (self.applied.len(), self.restart.len());
        format!("reloaded: {applied} applied{certificate}, {restart} wait for a restart")
    }

    /// It for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let change =
            |change: &Change| json!({"key": change.key, "old": change.old, "new": change.new});
        let problem = |one: &Problem| json!({"where": one.layer, "key": one.key, "value": one.value, "advice": one.advice});
        json!({
            "outcome": if self.is_applied() { "applied" } else { "refused" },
            "summary": self.summary(),
            "applied": self.applied.iter().map(change).collect::<Vec<_>>(),
            "needs_restart": self.restart.iter().map(change).collect::<Vec<_>>(),
            "refused": self.refused.iter().map(problem).collect::<Vec<_>>(),
            "certificate": self.certificate,
        })
    }

    fn refused(Problems(refused): Problems) -> Self {
        Self { refused, ..Self::default() }
    }

    fn log(&self) {
        for problem in &self.refused {
            log::error!("reload refused: {problem}");
        }
        for change in &self.applied {
            log::info!(key = change.key.as_str(); "reload: {} is now {}", change.key, change.new);
        }
        for change in &self.restart {
            let (key, new) = (&change.key, &change.new);
            log::warn!(key = key.as_str(); "reload: {key} = {new} holds after a restart");
        }
        if let Some(fingerprint) = &self.certificate {
            log::info!(fingerprint = fingerprint.as_str(); "reload: a new certificate");
        }
    }
}

impl Daemon {
    /// Reads the configuration and the certificate again, and applies what may be applied.
    pub async fn reload(&self) -> Report {
        let _one_at_a_time = self.reloading.lock().await;
        let report = match self.prepare() {
            Ok((new, identity)) => Box::pin(self.apply(new, identity)).await,
            Err(problems) => Report::refused(problems),
        };
        report.log();
        let health = self.server.health();
        let count = if report.is_applied() { &health.reloads } else { &health.reloads_refused };
        count.add(1);
        report
    }

    /// Everything that can fail, before anything is changed.
    fn prepare(&self) -> Result<(Prepared, Identity), Problems> {
        let written = config::load(&self.sources)?;
        let old = self.loaded.borrow();
        let file = self.sources.file.as_ref().map(|path| path.display().to_string());
        let sets =
            |loaded: &Loaded| loaded.origin.values().any(|layer| Some(layer) == file.as_ref());
        if sets(&old) && !sets(&written) {
            let advice = "it sets nothing any more, while it did before: if that is meant, restart \
                          the server; if not, put its content back";
            return Err(Problems(vec![Problem {
                layer: file.unwrap_or_default(),
                key: String::new(),
                value: String::new(),
                advice: advice.to_owned(),
            }]));
        }
        let merged = config::reloaded(&old.config, &written)?;
        let identity = identity::load(&merged.config, &self.parts).map_err(|error| {
            let key = "tls.certificate";
            Problems(vec![Problem {
                layer: merged.origin(key).to_owned(),
                key: key.to_owned(),
                value: merged.config.tls.certificate.as_ref().map_or_else(
                    || "\"\"".to_owned(),
                    |path| format!("{:?}", path.display().to_string()),
                ),
                advice: format!("{error}; give a certificate and its key in PEM"),
            }])
        })?;
        Ok((Prepared { written: written.config, merged }, identity))
    }

    async fn apply(&self, new: Prepared, identity: Identity) -> Report {
        let Prepared { written, merged } = new;
        let old = self.loaded.replace(merged.clone());
        let (applied, restart) = config::changes(&old.config, &written)
            .into_iter()
            .partition(|change| change.reload == Reload::Reload);
        let changed =
            self.server.adopt(&merged.config, identity, self.parts.observer.clone()).await;
        // One that nobody waits for now is not lost.
        self.reloaded.notify_one();
        log::set_max_level(merged.config.log.level);
        self.sweep();
        let certificate = changed.then(|| self.server.fingerprint());
        Report { applied, restart, refused: Vec::new(), certificate }
    }
}

/// A configuration that was checked.
struct Prepared {
    /// As it is written.
    written: Config,
    /// As it is to hold until the next restart.
    merged: Loaded,
}

impl Server {
    /// Has all parts go by this configuration; true if the certificate is another one.
    pub(super) async fn adopt(
        &self,
        config: &Config,
        identity: Identity,
        observer: Option<crate::session::worker::Observer>,
    ) -> bool {
        let changed = identity.fingerprint() != self.fingerprint();
        *self.identity.write() = identity;
        *self.web.write() = limits::web(config);
        *self.proxies.write() = limits::proxies(config);
        self.ceiling.set(memory::ceiling(config));
        let settings = limits::settings(config, self.store.durability(), observer);
        let (outbox, routing) = (limits::outbox(config), limits::routing(config));
        let (permanent, policy) = (config.rooms.default.clone(), limits::room(config));
        // An actor that is gone has ended the process, or will.
        let mut gone = self.throttle.send(RetuneThrottle(limits::admission(config))).await.is_err();
        gone |= self.names.send(RetuneNames(limits::accounts(config))).await.is_err();
        gone |= self.rooms.send(RetuneRooms { permanent, policy }).await.is_err();
        for reception in &self.receptions {
            let adopt = Adopt { settings: settings.clone(), outbox, routing };
            gone |= reception.send(adopt).await.is_err();
        }
        gone |= !self.enforce(config).await;
        if gone {
            log::error!("a part of the server is gone, and was not told of the new configuration");
        }
        changed
    }
}

impl Daemon {
    /// Whether it gets its certificate by itself.
    pub(super) fn renews(&self) -> bool {
        identity::is_renewed(&self.loaded.borrow().config, self.parts.credentials.as_deref())
    }

    /// Tells of a certificate that ends soon.
    pub(super) fn warn_of_certificate(&self) {
        let now = i64::try_from(self.parts.clock.unix_ms() / 1_000).unwrap_or(i64::MAX);
        let renewed = self.renews();
        let (validity, remedy) =
            (self.server.identity.read().validity(), identity::remedy(renewed));
        match identity::ends_soon(validity, now, renewed) {
            Some(days) if days < 0 => {
                log::error!(days = days; "the certificate has expired: clients refuse it; {remedy}");
            }
            Some(days) => {
                log::warn!(days = days; "the certificate expires in {days} days: {remedy}");
            }
            None => {}
        }
    }
}

/// Sets up the log.
pub(super) fn begin_log(config: &Config) {
    logger::install(config.log.level);
}
