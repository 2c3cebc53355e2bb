//! Which request gets which answer.

use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::HeaderValue;
use hyper::http::request;
use hyper::http::uri::Authority;
use hyper::{Method, Request, StatusCode};

use super::conversation::Guest;
use super::headers::{self, Answer, close, set};
use super::{Site, assets, host, metrics, upgrade};
use crate::base::clock::millis_up;

/// How long a server that is ready may take to say so.
const READY: Duration = Duration::from_secs(2);

/// Answers one request; whatever the answer is, it carries the headers that all carry.
pub(super) async fn answer(site: &Site, guest: &Guest, request: Request<Incoming>) -> Answer {
    // Nothing here takes a body: it is not read, and so nothing can follow it.
    let carries = !request.body().is_end_stream();
    let (parts, _) = request.into_parts();
    let mut answer = route(site, guest, &parts).await;
    if carries {
        close(&mut answer);
    }
    headers::put_on(&mut answer);
    answer
}

async fn route(site: &Site, guest: &Guest, parts: &request::Parts) -> Answer {
    if guest.denied.is_some() {
        return deny(guest);
    }
    let Some(host) = host::named(&parts.headers) else {
        let mut answer = headers::text(StatusCode::BAD_REQUEST, "Name one host.\n");
        close(&mut answer);
        return answer;
    };
    if !guest.tls && !guest.plain {
        return to_tls(parts, &host);
    }
    if !guest.tls && !host::is_own(&host, &site.policy.read().origins) {
        let why = "This host is not served without TLS; see web.origins.\n";
        return headers::text(StatusCode::MISDIRECTED_REQUEST, why);
    }
    let path = parts.uri.path();
    let known = matches!(path, "/ws" | "/healthz" | "/readyz" | "/metrics");
    let asset = if known { None } else { assets::find(path) };
    if !known && asset.is_none() {
        return headers::text(StatusCode::NOT_FOUND, "There is no such page.\n");
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let mut answer = headers::text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
        set(&mut answer, "allow", HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    match (asset, path) {
        (Some(asset), _) => assets::answer(asset, &parts.headers),
        (None, "/ws") if parts.method == Method::GET => upgrade::answer(site, guest, parts, &host),
        (None, "/healthz") => headers::text(StatusCode::OK, "alive\n"),
        (None, "/readyz") => ready(site).await,
        (None, "/metrics") => counts(site, guest).await,
        _ => headers::text(StatusCode::UPGRADE_REQUIRED, ""),
    }
}

/// Says why a connection is not admitted, and closes it.
fn deny(guest: &Guest) -> Answer {
    let refusal = guest.denied.as_ref();
    let text = refusal.map_or_else(String::new, |refusal| format!("{}.\n", refusal.text));
    let mut answer = headers::text(StatusCode::SERVICE_UNAVAILABLE, text);
    if let Some(wait) = refusal.and_then(|refusal| refusal.retry_after) {
        set(&mut answer, "retry-after", HeaderValue::from(millis_up(wait).div_ceil(1_000)));
    }
    close(&mut answer);
    answer
}

/// Sends a browser that came without TLS to the same address with it: people type no scheme.
fn to_tls(parts: &request::Parts, host: &Authority) -> Answer {
    let safe = parts.method == Method::GET || parts.method == Method::HEAD;
    let place = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut answer = match HeaderValue::try_from(format!("https://{host}{place}")) {
        Ok(place) if safe => {
            let mut answer = headers::text(StatusCode::PERMANENT_REDIRECT, "Use https.\n");
            set(&mut answer, "location", place);
            answer
        }
        _ => headers::text(StatusCode::FORBIDDEN, "Use https.\n"),
    };
    close(&mut answer);
    answer
}

async fn ready(site: &Site) -> Answer {
    let unready = |why: String| headers::text(StatusCode::SERVICE_UNAVAILABLE, why);
    match tokio::time::timeout(READY, site.probe.ready()).await {
        Ok(Ok(())) => headers::text(StatusCode::OK, "ready\n"),
        Ok(Err(why)) => unready(format!("{why}\n")),
        Err(_) => unready("no answer in time\n".to_owned()),
    }
}

async fn counts(site: &Site, guest: &Guest) -> Answer {
    let address = guest.peer.ip().to_canonical();
    let listed = site.policy.read().metrics_from.iter().any(|network| network.contains(&address));
    if !address.is_loopback() && !listed {
        return headers::text(StatusCode::FORBIDDEN, "See web.metrics_from.\n");
    }
    let Ok(text) = metrics::text(&site.tallies, site.probe.survey().await) else {
        return headers::text(StatusCode::INTERNAL_SERVER_ERROR, "");
    };
    let mut answer = headers::text(StatusCode::OK, text);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    set(&mut answer, "content-type", HeaderValue::from_static(kind));
    answer
}
