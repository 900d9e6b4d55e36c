//! Hands spans to a collector, over OTLP/HTTP.
//!
//! Ended spans wait in a bounded queue, from which a thread of OpenTelemetry's takes them. What finds no room, or what
//! the collector does not take, is lost, and the log says how much: a call never waits for it.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_proto::{
    tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter, SpanLimits},
};
use prost::Message;
use reqwest::{
    Client, Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;
use tokio::runtime::Handle;
use url::Url;
use uuid::Uuid;

use super::{
    Tracer, TracesError, config,
    queue::{Losses, Queue, Room},
};
use crate::{http_client, tls};

/// For a whole exchange with the collector.
const PATIENCE: Duration = Duration::from_secs(5);
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_ANSWER: usize = 64 * 1024;

/// What hands spans to the collector, where one is configured.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Requests to the collector are made in the runtime in which this is called.
    ///
    /// # Errors
    ///
    /// When the settings are unusable.
    pub fn start(settings: &config::Telemetry) -> Result<Self, TracesError> {
        let Some(endpoint) = &settings.otlp_endpoint else { return Ok(Self(None)) };
        // Everything is said here, so that no variable of the environment (`OTEL_…`) says otherwise.
        let resource = Resource::builder_empty()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", Uuid::new_v4().to_string()))
            .build();
        let room = Arc::new(Room::default());
        let collector = Collector::of(settings, endpoint, &resource, Arc::clone(&room))?;
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Queue::new(collector, room))
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio))))
            .with_span_limits(SpanLimits::default())
            .with_resource(resource)
            .build();
        Ok(Self(Some(provider)))
    }

    pub fn tracer(&self) -> Tracer {
        Tracer(self.0.as_ref().map(|provider| provider.tracer(env!("CARGO_PKG_NAME"))))
    }

    /// Hands over what waits, but for no longer than `patience`.
    pub async fn end(self, patience: Duration) {
        let Some(provider) = self.0 else { return };
        // It blocks, and the collector is talked to in this very runtime.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(patience)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last spans did not come to the collector in time");
        }
    }
}

#[derive(Debug)]
struct Collector {
    client: Client,
    url: Url,
    resource: ResourceAttributesWithSchema,
    runtime: Handle,
    room: Arc<Room>,
    not_taken: Losses,
}

impl Collector {
    fn of(
        settings: &config::Telemetry,
        endpoint: &config::Endpoint,
        resource: &Resource,
        room: Arc<Room>,
    ) -> Result<Self, TracesError> {
        let tls = tls::of_http(settings.extra_ca_file.as_deref().map(Path::new)).map_err(TracesError::ExtraCa)?;
        let headers = settings.otlp_headers.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        let client = http_client::builder(endpoint, tls, CONNECT_PATIENCE)
            .default_headers(read_headers(headers)?)
            .timeout(PATIENCE)
            .build()
            .map_err(|error| TracesError::Client(error.to_string()))?;
        let mut url = endpoint.url().clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v1", "traces"]);
        }
        Ok(Self {
            client,
            url,
            resource: resource.into(),
            runtime: Handle::current(),
            room,
            not_taken: Losses::default(),
        })
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.room.leave(spans);
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(ExportTraceServiceRequest { resource_spans }.encode_to_vec());
        // The thread that waits here has no runtime of its own.
        let taken = self.runtime.spawn(async { taken(request.send().await).await }).await;
        let (lost, reason) = match taken {
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(refused)) => (refused.min(spans), "refused".to_owned()),
            Ok(Err(reason)) => (spans, reason),
            Err(_) => (spans, "the service has stopped".to_owned()),
        };
        self.not_taken.count(lost, Instant::now(), |spans| not_taken(spans, Some(&reason)));
        Err(OTelSdkError::InternalFailure(reason))
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.not_taken.tell_rest(|spans| not_taken(spans, None));
        Ok(())
    }
}

fn not_taken(spans: usize, reason: Option<&str>) {
    tracing::warn!(spans, reason, "the collector did not take spans: they are lost");
}

/// How many spans of a request the collector refused, or why it took none. The address may hold credentials, so it is
/// not told.
async fn taken(answer: Result<Response, reqwest::Error>) -> Result<usize, String> {
    let mut answer = answer.map_err(|error| if error.is_timeout() { "timed out" } else { "unreachable" })?;
    if !answer.status().is_success() {
        return Err(format!("HTTP {}", answer.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Ok(0);
        }
        body.extend_from_slice(&chunk);
    }
    let partial_success = ExportTraceServiceResponse::decode(body.as_slice()).ok().and_then(|it| it.partial_success);
    Ok(partial_success.map_or(0, |partial| usize::try_from(partial.rejected_spans).unwrap_or_default()))
}

/// `name=value`, separated by commas or line breaks.
fn read_headers(text: &str) -> Result<HeaderMap, TracesError> {
    let read = |entry: &str| {
        let (name, value) = entry.split_once('=')?;
        let mut value = HeaderValue::from_str(value.trim()).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
    };
    let entries = text.split([',', '\n']).filter(|entry| !entry.trim().is_empty());
    entries.enumerate().map(|(at, entry)| read(entry).ok_or(TracesError::Header(at + 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_a_wrong_one_is_told_by_its_place() {
        let headers = read_headers("authorization=Basic dTpw==, x-scope-orgid = 7\n").unwrap();
        assert_eq!(
            (headers["authorization"].to_str().unwrap(), headers["x-scope-orgid"].to_str().unwrap()),
            ("Basic dTpw==", "7")
        );
        assert!(read_headers("").unwrap().is_empty());
        for wrong in ["a=1,secret", "a=1,=secret", "a=1,b c=secret", "a=1,b=sec\u{1}ret"] {
            let refusal = read_headers(wrong).unwrap_err().to_string();
            assert_eq!(refusal, "telemetry.otlp_headers: entry 2 is not name=value, with what a header may hold");
        }
    }
}
