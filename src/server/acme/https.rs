//! The way to the authority: HTTPS by the parts that are here anyway, hyper over native-tls.
//!
//! One connection for each request: there are about ten of them in two months.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tokio::net::TcpStream;
use tokio_native_tls::TlsConnector;
use tokio_native_tls::native_tls::{self, Certificate, Protocol};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer: a chain of certificates is a few KiB.
const LONGEST: usize = 256 * 1024;

type Asked = Request<BodyWrapper<Bytes>>;
type Answered = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

/// Asks the authority.
pub(super) struct Https(TlsConnector);

impl Https {
    /// One that also trusts the authorities in the file `more`.
    pub(super) fn new(more: Option<&Path>) -> io::Result<Self> {
        let mut builder = native_tls::TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        if let Some(path) = more {
            let unusable = |error: &dyn std::fmt::Display| {
                io::Error::other(format!("acme.trust: {}: {error}", path.display()))
            };
            let pem = std::fs::read(path).map_err(|error| unusable(&error))?;
            for one in Certificate::stack_from_pem(&pem).map_err(|error| unusable(&error))? {
                builder.add_root_certificate(one);
            }
        }
        Ok(Self(builder.build().map_err(io::Error::other)?.into()))
    }
}

impl HttpClient for Https {
    fn request(&self, request: Asked) -> Answered {
        let connector = self.0.clone();
        Box::pin(async move {
            let uri = request.uri().clone();
            let late = |_| io::Error::from(io::ErrorKind::TimedOut).into();
            let answer = tokio::time::timeout(PATIENCE, ask(connector, request)).await;
            answer.map_err(late).and_then(|answer| answer).map_err(|error: Failure| {
                let host = uri.host().unwrap_or_default();
                Error::Other(format!("{host} does not answer: {error}").into())
            })
        })
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn ask(connector: TlsConnector, mut request: Asked) -> Result<BytesResponse, Failure> {
    let uri = request.uri().clone();
    let (Some("https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(format!("{uri} is not an https address").into());
    };
    let host = authority.host().trim_matches(['[', ']']);
    let tcp = TcpStream::connect((host, authority.port_u16().unwrap_or(443))).await?;
    let tls = connector.connect(host, tcp).await?;
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    let path = uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from(path);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await?;
    let exchange = async move {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, LONGEST).collect().await?.to_bytes();
        Ok(Response::from_parts(parts, Full::new(body)).into())
    };
    // The connection ends with its sender; how it ends is of no interest once there is an answer.
    join(exchange, connection).await.0
}
