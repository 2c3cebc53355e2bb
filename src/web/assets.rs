//! The files of the GUI, as they lie in the binary: a table that build.rs writes.
//!
//! A path is a key of the table or it is nothing: there is no folder that anything could climb out
//! of. Names under `/assets/` hold a hash of their content, and may be kept for ever; everything
//! else is asked for anew, and mostly answered by "not modified".

use bytes::Bytes;
use http_body_util::Full;
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, IF_NONE_MATCH};

use super::headers::{Answer, set};

/// One file.
#[derive(Debug)]
pub(super) struct Asset {
    path: &'static str,
    kind: &'static str,
    /// A hash of the content.
    tag: &'static str,
    plain: &'static [u8],
    /// Only where it is smaller.
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file for a path.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    // The operator's page is a view of the same one.
    let path = if matches!(path, "/" | "/admin") { "/index.html" } else { path };
    ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok().and_then(|index| ASSETS.get(index))
}

/// The file, as the client can read it and if it has not got it.
pub(super) fn answer(asset: &Asset, asked: &HeaderMap) -> Answer {
    let coding = choose(asset, asked);
    let (content, suffix) = match coding {
        Coding::Brotli(content) => (content, "-br"),
        Coding::Gzip(content) => (content, "-gz"),
        Coding::Plain => (asset.plain, ""),
    };
    let tag = format!("\"{}{suffix}\"", asset.tag);
    let mut answer = if has(asked, &tag) {
        let mut unchanged = Answer::default();
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        unchanged
    } else {
        let mut whole = Answer::new(Full::new(Bytes::from_static(content)));
        set(&mut whole, "content-type", HeaderValue::from_static(asset.kind));
        match coding {
            Coding::Brotli(_) => {
                set(&mut whole, "content-encoding", HeaderValue::from_static("br"));
            }
            Coding::Gzip(_) => {
                set(&mut whole, "content-encoding", HeaderValue::from_static("gzip"));
            }
            Coding::Plain => {}
        }
        whole
    };
    let keep = if asset.path.starts_with("/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    set(&mut answer, "cache-control", HeaderValue::from_static(keep));
    set(&mut answer, "vary", HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        set(&mut answer, "etag", tag);
    }
    answer
}

#[derive(Clone, Copy)]
enum Coding {
    Brotli(&'static [u8]),
    Gzip(&'static [u8]),
    Plain,
}

/// The smallest form that the client can read.
fn choose(asset: &Asset, asked: &HeaderMap) -> Coding {
    match (asset.brotli, asset.gzip) {
        (Some(content), _) if accepts(asked, "br") => Coding::Brotli(content),
        (_, Some(content)) if accepts(asked, "gzip") => Coding::Gzip(content),
        _ => Coding::Plain,
    }
}

/// Whether a coding is named, or all are by `*`, and not with the weight zero.
fn accepts(asked: &HeaderMap, coding: &str) -> bool {
    let weight_of = |name: &str| {
        let values = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).find_map(|item| -> Option<f32> {
            let (item, weight) = item.split_once(';').unwrap_or((item, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok());
            item.trim().eq_ignore_ascii_case(name).then_some(weight.unwrap_or(0.0_f32))
        })
    };
    weight_of(coding).or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

/// Whether the client has this already. A weak tag counts as the strong one: nothing is sent in
/// parts.
fn has(asked: &HeaderMap, tag: &str) -> bool {
    let values = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: Asset = Asset {
        path: "/assets/a-1.js",
        kind: "text/javascript",
        tag: "abc",
        plain: b"plain",
        brotli: Some(b"br"),
        gzip: Some(b"gz"),
    };

    fn asked(name: &'static str, value: &'static str) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.append(name, HeaderValue::from_static(value));
        map
    }

    fn header(answer: &Answer, name: &str) -> String {
        answer.headers().get(name).map_or_else(String::new, |v| v.to_str().unwrap().to_owned())
    }

    #[test]
    fn the_smallest_form_that_is_accepted_is_sent() {
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip", "gzip"),
            ("br;q=0, gzip;q=0.5", "gzip"),
            ("*", "br"),
            ("*;q=0", ""),
            ("br; q=0, *", "gzip"),
            ("identity", ""),
            ("BR", "br"),
            ("br;q=nonsense", ""),
            ("", ""),
        ] {
            let answer = answer(&ASSET, &asked("accept-encoding", accepted));
            assert_eq!(header(&answer, "content-encoding"), coding, "{accepted:?}");
            assert_eq!(header(&answer, "vary"), "accept-encoding");
        }
        assert_eq!(header(&answer(&ASSET, &HeaderMap::new()), "etag"), "\"abc\"");
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        for (tags, status) in [
            ("\"abc\"", 304),
            ("W/\"abc\"", 304),
            ("\"x\", \"abc\"", 304),
            ("*", 304),
            ("\"abc-br\"", 200),
            ("abc", 200),
            ("\"abcd\"", 200),
        ] {
            let answer = answer(&ASSET, &asked("if-none-match", tags));
            assert_eq!(answer.status().as_u16(), status, "{tags}");
            assert!(header(&answer, "cache-control").contains("immutable"));
        }
    }

    #[test]
    fn the_table_is_in_order_and_has_a_first_page() {
        assert!(ASSETS.is_sorted_by(|one, other| one.path < other.path));
        assert!(find("/").is_some_and(|asset| asset.kind.starts_with("text/html")));
        for nothing in ["", "//", "/assets/", "/assets", "/../index.html", "index.html", "/%2e"] {
            assert!(find(nothing).is_none(), "{nothing}");
        }
    }
}
