//! `GET /api/messages/{id}/events`: a message's state now, and each change of it, as server-sent events.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    http::{
        Method, StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue},
    },
    web::{self, Bytes},
};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    time::sleep,
};
use utoipa::ToSchema;

use super::{
    Operators,
    answers::{Busy, Unauthorized, UnknownMessage},
    messages::find,
    problem,
};
use crate::{ledger::MessageRecord, routes::Public, sms::MessageId};

/// Each asks the ledger three times a second.
pub(super) const MOST_STREAMS: usize = 100;
/// Another replica may write the row, so the ledger is asked rather than told of.
const PAUSE: Duration = Duration::from_millis(300);
/// So that proxies keep the connection, and a client that has gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(5 * 60);

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
/// nginx would wait for more.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

#[utoipa::path(
    get,
    path = "/messages/{id}/events",
    operation_id = "followMessage",
    tag = "Messages",
    summary = "Follow a message",
    description = "Server-sent events: its state now, and each change. The data of each `state` event is a message as \
        JSON on one line. The stream ends after the last state, or after 5 minutes.",
    security(("operator" = [])),
    params(("id" = MessageId, Path, description = "The message's id, as in `X-Message-Id`.")),
    responses(Unauthorized, UnknownMessage, Busy,
        (status = 200, description = "Its states.", body = Event, content_type = "text/event-stream",
            example = "event: state\ndata: {\"id\":\"019aaf3c-7f2e-7b54-9d6e-3a1c5e8f9b20\",\"status\":\"accepted\"}\n\n"))
)]
pub(super) async fn get(request: HttpRequest, id: web::Path<String>, state: web::Data<Operators>) -> HttpResponse {
    let Ok(place) = Arc::clone(&state.streams).try_acquire_owned() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", "too many streams of events are open");
    };
    let message = match find(&id, &state.shared.ledger).await {
        Ok(message) => message,
        Err(error) => return error,
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((CONTENT_TYPE, EVENT_STREAM)).insert_header((BUFFERING, HeaderValue::from_static("no")));
    if request.method() == Method::HEAD {
        return response.finish();
    }
    let (events, stream) = mpsc::channel(1);
    tokio::spawn(tell(message, state.shared.clone(), events, place));
    response.body(Stream(stream))
}

/// Until nothing more is to be expected, the client goes, or the service stops.
async fn tell(
    mut message: MessageRecord,
    shared: web::Data<Public>,
    events: mpsc::Sender<Bytes>,
    _place: OwnedSemaphorePermit,
) {
    let begun = Instant::now();
    let mut told_at = begun;
    let mut event = state_event(&message);
    loop {
        if let Some(event) = event.take() {
            told_at = Instant::now();
            if events.send(event).await.is_err() {
                return;
            }
        }
        if message.is_final() || begun.elapsed() >= LONGEST || shared.lifecycle.is_draining() {
            return;
        }
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = events.closed() => return,
        }
        match shared.ledger.message(message.id).await {
            Ok(Some(changed)) if changed != message => {
                event = state_event(&changed);
                message = changed;
            }
            // Its time in the ledger is over.
            Ok(None) => return,
            // A ledger that is away may come back.
            Ok(Some(_)) | Err(_) if told_at.elapsed() >= HEARTBEAT => event = Some(Bytes::from_static(b":\n\n")),
            Ok(Some(_)) | Err(_) => {}
        }
    }
}

fn state_event(message: &MessageRecord) -> Option<Bytes> {
    // JSON has no line breaks here, so it is one line of data.
    serde_json::to_string(message).ok().map(|json| format!("event: state\ndata: {json}\n\n").into())
}

/// A server-sent event.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the interface's document has it; it is written as text")]
struct Event {
    /// `state`.
    #[schema(examples("state"))]
    event: &'static str,
    /// A `Message` as JSON, on one line.
    #[schema(content_media_type = "application/json")]
    data: String,
}

struct Stream(mpsc::Receiver<Bytes>);

impl MessageBody for Stream {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(Ok))
    }
}
