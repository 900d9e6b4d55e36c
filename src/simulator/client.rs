//! A client for the simulator's tests: one connection for each request.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, StatusCode, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{io::AsyncReadExt, net::TcpStream};

use super::{Options, Simulator};

/// `simulator:` in base64.
pub const AUTHORIZATION: (&str, &str) = ("authorization", "Basic c2ltdWxhdG9yOg==");
pub const JSON: (&str, &str) = ("content-type", "application/json");

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub fn simulator() -> Simulator {
    Simulator::start(Options::default()).unwrap()
}

pub async fn send(simulator: &Simulator, body: Value) -> Result<Answer, hyper::Error> {
    call(simulator, "POST", "/rest/mtsms", body.to_string()).await
}

pub async fn call(simulator: &Simulator, method: &str, path: &str, body: String) -> Result<Answer, hyper::Error> {
    call_at(simulator.address(), method, path, &[AUTHORIZATION, JSON], body).await
}

pub async fn call_at(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<Answer, hyper::Error> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header(HOST, "simulator");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Answer { status: head.status, headers: head.headers, body })
}

/// Reads until a JSON object has ended, which here is never nested.
pub async fn read_to_end_of_answer(stream: &mut TcpStream) {
    while stream.read_u8().await.unwrap() != b'}' {}
}
