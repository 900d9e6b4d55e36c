//! One connection to GatewayAPI: one request at a time, and knowledge of whether it was written.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::{
    Client, Method, Request, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use secrecy::ExposeSecret;
use url::Url;

use crate::{config, http_client, tls};

/// Longer answers are refused: GatewayAPI's are a few hundred bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Shorter than any usual server's, so that the server does not close a connection just as we write to it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Makes connections.
pub struct Connector {
    endpoint: config::Endpoint,
    authorization: HeaderValue,
    tls: rustls::ClientConfig,
    connect_timeout: Duration,
    request_timeout: Duration,
}

/// Why no connection can be made from these settings.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("gatewayapi.extra_ca_file: {0}")]
    ExtraCa(std::io::Error),
    #[error("the HTTP client can't be made: {0}")]
    Client(#[from] reqwest::Error),
}

/// At most one open connection, opened when it is first used and again when it broke.
pub(super) struct Connection {
    client: Client,
    endpoint: Url,
    authorization: HeaderValue,
    request_timeout: Duration,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// `None` where it broke off or was too long.
    pub(super) body: Option<Vec<u8>>,
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// No byte of the request was written: no connection, or not in time.
    NotWritten,
    /// There was a connection, but nothing to write any longer.
    Withheld,
    /// It was written, and then the connection broke.
    Broken,
    /// It was written, and no answer came in time.
    TimedOut,
}

/// Asked at the moment at which a request is about to be written, when there is a connection for it.
pub(super) trait Gate: Send + Sync + Unpin + 'static {
    /// Bytes of the body, known before it is.
    fn length(&self) -> u64;

    /// The JSON to write, of the promised length, which counts as sent from then on. `None`: nothing is to be written.
    fn open(&self) -> Option<Bytes>;
}

impl Connector {
    /// # Errors
    ///
    /// When the file of extra certificate authorities is unusable.
    pub fn of(settings: &config::GatewayApi) -> Result<Self, ConnectError> {
        let token = BASE64_STANDARD.encode(format!("{}:", settings.api_token.expose_secret().trim()));
        let mut authorization = HeaderValue::from_str(&format!("Basic {token}")).expect("Base64 is a header value");
        authorization.set_sensitive(true);
        Ok(Self {
            endpoint: settings.endpoint.clone(),
            authorization,
            tls: tls::of_http(settings.extra_ca_file.as_deref()).map_err(ConnectError::ExtraCa)?,
            connect_timeout: settings.connect_timeout.get(),
            request_timeout: settings.request_timeout.get(),
        })
    }

    /// A connection of its own, for a client that several tasks share opens one more than it has requests at times.
    pub(super) fn connection(&self) -> Result<Connection, reqwest::Error> {
        let client = http_client::builder(&self.endpoint, self.tls.clone(), self.connect_timeout)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()?;
        Ok(Connection {
            client,
            endpoint: self.endpoint.url().clone(),
            authorization: self.authorization.clone(),
            request_timeout: self.request_timeout,
        })
    }
}

impl Connection {
    /// Posts the JSON that the gate lets through, and waits for the answer no longer than `patience`.
    pub(super) async fn post(&self, gate: impl Gate, patience: Duration) -> Result<Answer, NoAnswer> {
        let mut request = self.request(Method::POST, self.endpoint.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let passage = Arc::new(Passage::default());
        let body = GatedBody { length: gate.length(), gate: Some(gate), passage: Arc::clone(&passage) };
        *request.body_mut() = Some(reqwest::Body::wrap(body));

        let exchange = tokio::time::timeout(self.request_timeout.min(patience), self.exchange(request)).await;
        let fault = match exchange {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(_)) => NoAnswer::Broken,
            Err(_) => NoAnswer::TimedOut,
        };
        // The connection that broke goes away in a task of its own.
        tokio::task::yield_now().await;
        Err(passage.close(fault))
    }

    /// Gets another resource beside the endpoint.
    pub(super) async fn get(&self, sibling: &str, patience: Duration) -> Result<Answer, NoAnswer> {
        let url = self.endpoint.join(sibling).map_err(|_| NoAnswer::NotWritten)?;
        match tokio::time::timeout(patience, self.exchange(self.request(Method::GET, url))).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(NoAnswer::Broken),
            Err(_) => Err(NoAnswer::TimedOut),
        }
    }

    fn request(&self, method: Method, url: Url) -> Request {
        let mut request = Request::new(method, url);
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
        request
    }

    async fn exchange(&self, request: Request) -> Result<Answer, reqwest::Error> {
        let response = self.client.execute(request).await?;
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        let body = read_body(response).await;
        // Lets the client take the connection back before the next request asks for it; otherwise it opens another.
        tokio::task::yield_now().await;
        Ok(Answer { status, retry_after, body })
    }
}

async fn read_body(mut response: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// The header in either of its forms (RFC 9110, section 10.2.3): seconds, or a date.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(LONGEST_RETRY_AFTER, Duration::from_secs)
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or_default()
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// How far a request came. Whoever moves it on first decides.
#[derive(Default)]
struct Passage(AtomicU8);

const UNASKED: u8 = 0;
/// The gate is being asked.
const ASKED: u8 = 1;
const WRITTEN: u8 = 2;
const WITHHELD: u8 = 3;
/// The request was given up before the gate was asked, which now never will be.
const CLOSED: u8 = 4;

impl Passage {
    /// Whether the gate may be asked.
    fn ask(&self) -> bool {
        self.0.compare_exchange(UNASKED, ASKED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn decide(&self, is_written: bool) {
        self.0.store(if is_written { WRITTEN } else { WITHHELD }, Ordering::Release);
    }

    /// Why no answer came, given what happened to a request that was written. From now on it can't be.
    fn close(&self, fault: NoAnswer) -> NoAnswer {
        match self.0.compare_exchange(UNASKED, CLOSED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => NoAnswer::NotWritten,
            Err(WITHHELD) => NoAnswer::Withheld,
            Err(_) => fault,
        }
    }
}

/// A body that is asked for when a connection stands, and not before: this is how we know what was written.
struct GatedBody<G> {
    length: u64,
    /// Taken when it was asked.
    gate: Option<G>,
    passage: Arc<Passage>,
}

/// The gate stayed shut.
#[derive(Debug, thiserror::Error)]
#[error("the request was withheld")]
struct WithheldError;

impl<G: Gate> Body for GatedBody<G> {
    type Data = Bytes;
    type Error = WithheldError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, WithheldError>>> {
        let Some(gate) = self.gate.take() else { return Poll::Ready(None) };
        if !self.passage.ask() {
            return Poll::Ready(Some(Err(WithheldError)));
        }
        let json = gate.open();
        self.passage.decide(json.is_some());
        Poll::Ready(Some(json.map(Frame::data).ok_or(WithheldError)))
    }

    fn is_end_stream(&self) -> bool {
        self.gate.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.gate.is_some() { self.length } else { 0 })
    }
}
