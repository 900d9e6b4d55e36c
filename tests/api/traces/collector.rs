//! A collector of OpenTelemetry's, as far as the service needs one.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span as WireSpan, span::SpanKind, status::StatusCode as WireStatus},
};
use prost::Message;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Notify,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    Takes,
    Refuses,
    NeverAnswers,
}

/// What came, as it came.
pub struct Export {
    pub path: String,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

#[derive(Clone)]
pub struct Collector {
    pub address: SocketAddr,
    pub exports: Arc<Mutex<Vec<Export>>>,
    exported: Arc<Notify>,
    conduct: Conduct,
}

/// A span with its ids in hexadecimal, and its attributes as text.
#[derive(Debug, Clone)]
pub struct Span {
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub state: String,
    pub kind: SpanKind,
    pub facts: BTreeMap<String, String>,
    /// The error that it ended in.
    pub fault: Option<String>,
    /// Traces that it is linked with.
    pub links: Vec<String>,
    pub start: u64,
    pub end: u64,
}

impl Collector {
    pub async fn start(conduct: Conduct) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let collector = Self { address, exports: Arc::default(), exported: Arc::default(), conduct };
        let accepting = collector.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        collector
    }

    pub async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| self.clone().answer(request));
        // A service that is stopped may hang up.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(self, request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        self.exports.lock().unwrap().push(Export { path: parts.uri.path().to_owned(), headers: parts.headers, body });
        self.exported.notify_one();
        let mut response = Response::new(Full::default());
        match self.conduct {
            Conduct::Takes => {}
            Conduct::Refuses => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
            Conduct::NeverAnswers => std::future::pending().await,
        }
        Ok(response)
    }

    /// Waits for the first spans.
    pub async fn until_exported(&self) {
        self.exported.notified().await;
    }

    /// The settings of a service that hands its spans here.
    pub fn settings(&self) -> String {
        format!("telemetry.otlp_endpoint = \"http://{}\"", self.address)
    }

    pub fn spans(&self) -> Vec<Span> {
        let exports = self.exports.lock().unwrap();
        let requests = exports.iter().map(|export| ExportTraceServiceRequest::decode(export.body.clone()).unwrap());
        let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|resource| {
            let facts = facts(&resource.resource.unwrap().attributes);
            assert_eq!(facts["service.name"], "gatewayapi-sms-connector");
            assert_eq!(facts["service.version"], env!("CARGO_PKG_VERSION"));
            resource.scope_spans
        });
        scopes.flat_map(|scope| scope.spans).map(Span::from).collect()
    }
}

impl From<WireSpan> for Span {
    fn from(span: WireSpan) -> Self {
        assert!(span.events.is_empty(), "no events, into which a log line could get");
        let status = span.status.clone().unwrap_or_default();
        Self {
            kind: span.kind(),
            facts: facts(&span.attributes),
            fault: (status.code() == WireStatus::Error).then_some(status.message),
            links: span.links.iter().map(|link| hexadecimal(&link.trace_id)).collect(),
            trace: hexadecimal(&span.trace_id),
            id: hexadecimal(&span.span_id),
            parent: hexadecimal(&span.parent_span_id),
            state: span.trace_state,
            name: span.name,
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano,
        }
    }
}

fn facts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
