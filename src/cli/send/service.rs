//! The running service, as its operator reaches it: plain HTTP/1.1 on a connection per call.
//!
//! Not `reqwest`, whose home is `gatewayapi`: there is no TLS, no proxy and no redirect on the way to this listener.

use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use url::Url;

const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// A state of a message has a few hundred bytes.
const LONGEST_EVENT: usize = 64 * 1024;

pub(super) struct Service {
    /// Host and port.
    address: String,
    /// In front of each path.
    prefix: String,
    authorization: String,
}

/// What the service answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) message_id: Option<String>,
    pub(super) body: Bytes,
}

/// Why there is no answer. Shows no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServiceError {
    #[error(
        "--url must be http://host:port, for the operator listener has no TLS: forward its port where it is far away"
    )]
    Url,
    #[error("operator.token has characters that no header has")]
    Token,
    #[error("{address}: {source}; is the service running, and is this its operator.listen?")]
    Connect { address: String, source: io::Error },
    #[error("{address}: {source}")]
    Http { address: String, source: hyper::Error },
    #[error("the events of the message were answered with status {0}")]
    Events(u16),
}

impl Service {
    pub(super) fn new(url: &str, token: &str) -> Result<Self, ServiceError> {
        let url = Url::parse(url).ok().filter(|url| url.scheme() == "http").ok_or(ServiceError::Url)?;
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(ServiceError::Url);
        };
        let address = format!("{host}:{port}");
        let authorization = format!("Bearer {}", token.trim());
        if hyper::header::HeaderValue::from_str(&authorization).is_err() {
            return Err(ServiceError::Token);
        }
        Ok(Self { address, prefix: url.path().trim_end_matches('/').to_owned(), authorization })
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, ServiceError> {
        let response = self.call(Method::POST, path, body.to_string()).await?;
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let (retry_after, message_id) = (header(RETRY_AFTER.as_str()), header("x-message-id"));
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(|source| self.broken(source))?.to_bytes();
        Ok(Answer { status, retry_after, message_id, body })
    }

    /// Hands over the data of each event until the service ends the stream.
    pub(super) async fn events(&self, path: &str, mut seen: impl FnMut(&str)) -> Result<(), ServiceError> {
        let response = self.call(Method::GET, path, String::new()).await?;
        if !response.status().is_success() {
            return Err(ServiceError::Events(response.status().as_u16()));
        }
        let mut body = response.into_body();
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|source| self.broken(source))?.into_data() else { continue };
            read.extend_from_slice(&data);
            while let Some(end) = read.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = read.drain(..=end).collect();
                if let Some(data) = str::from_utf8(&line).ok().and_then(|line| line.trim_end().strip_prefix("data: ")) {
                    seen(data);
                }
            }
            if read.len() > LONGEST_EVENT {
                read.clear();
            }
        }
        Ok(())
    }

    async fn call(&self, method: Method, path: &str, body: String) -> Result<Response<Incoming>, ServiceError> {
        let unreachable = |source| ServiceError::Connect { address: self.address.clone(), source };
        let stream = timeout(CONNECT_PATIENCE, TcpStream::connect(&self.address))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(unreachable)?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|source| self.broken(source))?;
        // It ends with the answer, or with this process.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(HOST, &self.address)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .expect("parts of a parsed URL and a checked token fit a request");
        sender.send_request(request).await.map_err(|source| self.broken(source))
    }

    fn broken(&self, source: hyper::Error) -> ServiceError {
        ServiceError::Http { address: self.address.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("http://127.0.0.1:9090", "127.0.0.1:9090", "")]
    #[case("http://[::1]:9090/", "[::1]:9090", "")]
    #[case("http://operators/sms/", "operators:80", "/sms")]
    fn an_address_is_read_from_a_url(#[case] url: &str, #[case] address: &str, #[case] prefix: &str) {
        let service = Service::new(url, "token").unwrap();
        assert_eq!((service.address.as_str(), service.prefix.as_str()), (address, prefix));
    }

    #[rstest]
    fn another_scheme_is_refused(#[values("https://127.0.0.1", "127.0.0.1:9090", "")] url: &str
    ) {
        assert!(Service::new(url, "token").is_err_and(|error| error.to_string().starts_with("--url must be http://")));
    }

    #[test]
    fn a_token_that_no_header_can_bear_is_not_shown() {
        let error = Service::new("http://operators", "se\ncret").err().unwrap();
        assert!(!error.to_string().contains("cret"), "{error}");
    }
}
