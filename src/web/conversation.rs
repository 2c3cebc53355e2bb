//! One HTTP connection: hyper on the session's stream, polled by the session.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::future::LocalBoxFuture;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::io::{Io, Meter};
use super::{Site, headers, routes};
use crate::protocol::status::Refusal;
use crate::session::visit::{Departure, Traffic, Visit, Visitor};

/// Longest head of a request, in bytes. A browser's has about 700.
const HEAD_BYTES: usize = 8 * 1024;
/// Most headers of a request. A browser sends about twenty.
const HEADERS: usize = 64;
/// Most bytes of requests that wait in memory: a head, and what came with it.
const BUFFER_BYTES: usize = 16 * 1024;

/// Who asks.
pub(super) struct Guest {
    pub(super) peer: SocketAddr,
    /// Whether the connection is protected.
    pub(super) tls: bool,
    /// Whether it may be served without.
    pub(super) plain: bool,
    pub(super) denied: Option<Refusal>,
    pub(super) meter: Rc<Meter>,
}

struct Service {
    site: Rc<Site>,
    guest: Rc<Guest>,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let meter = &self.guest.meter;
        meter.requests.set(meter.requests.get() + 1);
        let (site, guest) = (Rc::clone(&self.site), Rc::clone(&self.guest));
        Box::pin(async move { Ok(routes::answer(&site, &guest, request).await) })
    }
}

/// A connection in the hands of hyper.
pub(super) struct Conversation {
    connection: Option<http1::Connection<TokioIo<Io>, Service>>,
    meter: Rc<Meter>,
}

impl Conversation {
    pub(super) fn new(site: Rc<Site>, visitor: Visitor) -> Self {
        let Visitor { stream, read, peer, plain, denied } = visitor;
        let meter = Rc::new(Meter::default());
        let guest = Guest { peer, tls: stream.is_tls(), plain, denied, meter: Rc::clone(&meter) };
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(site.policy.read().head)
            .max_headers(HEADERS)
            .max_header_size(HEAD_BYTES)
            .max_buf_size(BUFFER_BYTES)
            // Bodies are shared slices of the binary: they are not copied together.
            .writev(true);
        let io = TokioIo::new(Io::new(stream, read, Rc::clone(&meter)));
        let service = Service { site, guest: Rc::new(guest) };
        Self { connection: Some(builder.serve_connection(io, service)), meter }
    }
}

impl Visit for Conversation {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Departure> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(Departure::Lost) };
        let ended = ready!(Pin::new(connection).poll(cx));
        let Some(parts) = self.connection.take().map(http1::Connection::into_parts) else {
            return Poll::Ready(Departure::Lost);
        };
        let Io { stream, ahead, .. } = parts.io.into_inner();
        if let Some(status) = self.meter.refused.get() {
            let rest = headers::refusal(status);
            return Poll::Ready(Departure::Done { stream, rest });
        }
        if let Err(error) = &ended {
            log::debug!(error:% = error; "an HTTP connection failed");
        }
        Poll::Ready(match ended {
            Ok(()) if self.meter.upgraded.get() && !self.meter.blocked.get() => {
                let mut read = BytesMut::from(&parts.read_buf[..]);
                read.extend_from_slice(&ahead);
                Departure::Upgraded { stream, read: read.freeze() }
            }
            Ok(()) => Departure::Done { stream, rest: Bytes::new() },
            // A head that did not come in time: the connection closes, as an idle one does.
            Err(error) if error.is_timeout() => Departure::Done { stream, rest: Bytes::new() },
            Err(_) => Departure::Lost,
        })
    }

    fn traffic(&mut self) -> Traffic {
        let Meter { read, written, requests, .. } = &*self.meter;
        Traffic { requests: requests.take(), read: read.take(), written: written.take() }
    }

    fn close(&mut self) {
        if let Some(connection) = &mut self.connection {
            Pin::new(connection).graceful_shutdown();
        }
    }
}
