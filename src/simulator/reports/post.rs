use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, StatusCode, Uri,
    client::conn::http1,
    header::{CONNECTION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use tokio::net::TcpStream;

/// A report waits so long for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a webhook listens: `http` only, since the simulator's webhooks are on the same machine.
#[derive(Clone)]
pub(super) struct Address {
    host: String,
    port: u16,
    /// Host and port as the URL has them.
    authority: String,
    /// With the query.
    path: String,
}

impl Address {
    pub fn parse(url: &str) -> Option<Self> {
        let url: Uri = url.parse().ok().filter(|url: &Uri| url.scheme_str() == Some("http"))?;
        Some(Self {
            host: url.host()?.trim_matches(['[', ']']).to_owned(),
            port: url.port_u16().unwrap_or(80),
            authority: url.authority()?.as_str().rsplit('@').next()?.to_owned(),
            path: url.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

/// One report on its way; each repetition is the same to the byte.
pub(super) struct Post {
    address: Address,
    body: Bytes,
    signature: Option<String>,
}

#[derive(Debug, thiserror::Error)]
enum PostError {
    #[error("can't connect")]
    Connect(#[from] io::Error),
    #[error("no answer")]
    Http(#[from] hyper::Error),
}

impl Post {
    pub fn new(address: Address, secret: Option<&str>, event: &impl Serialize) -> Self {
        let signature = secret.map(|secret| {
            jsonwebtoken::encode(&Header::default(), event, &EncodingKey::from_secret(secret.as_bytes()))
                .expect("any bytes are an HS256 key, and an event is an object")
        });
        let body = serde_json::to_vec(event).expect("text keys and numbers are JSON").into();
        Self { address, body, signature }
    }

    /// Sends it; true when the webhook answered 2xx in time.
    pub async fn is_answered(&self) -> bool {
        let sent = tokio::time::timeout(PATIENCE, self.send()).await;
        match sent {
            Ok(Ok(status)) if status.is_success() => return true,
            Ok(Ok(status)) => tracing::debug!(status = status.as_u16(), "a delivery report was refused"),
            Ok(Err(error)) => tracing::debug!(%error, "a delivery report did not arrive"),
            Err(_) => tracing::debug!("a delivery report was not answered in time"),
        }
        false
    }

    async fn send(&self) -> Result<StatusCode, PostError> {
        let stream = TcpStream::connect((self.address.host.as_str(), self.address.port)).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let (status, _) = tokio::join!(
            async move {
                let answer = sender.send_request(self.request()).await?;
                Ok(answer.status())
            },
            connection
        );
        status
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::post(self.address.path.as_str())
            .header(HOST, self.address.authority.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close");
        if let Some(signature) = &self.signature {
            request = request.header("X-Gwapi-Signature", signature.as_str());
        }
        request.body(Full::new(self.body.clone())).expect("parts of a parsed URL and base64 fit a request")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("http://127.0.0.1:3001/reports?a=b", ("127.0.0.1", 3001, "127.0.0.1:3001", "/reports?a=b"))]
    #[case("http://connector", ("connector", 80, "connector", "/"))]
    #[case("http://user:secret@[::1]:8080/", ("::1", 8080, "[::1]:8080", "/"))]
    fn an_address_is_read_from_a_url(#[case] url: &str, #[case] expected: (&str, u16, &str, &str)) {
        let Address { host, port, authority, path } = Address::parse(url).unwrap();
        assert_eq!((&*host, port, &*authority, &*path), expected);
    }

    #[rstest]
    fn only_plain_http_is_spoken(#[values("https://example.com/", "/path", "", "example.com")] url: &str
    ) {
        assert!(Address::parse(url).is_none());
    }
}
