//! `POST /delivery-reports`: GatewayAPI's word on what became of a message that it had accepted.
//!
//! GatewayAPI repeats whatever is not answered 2xx for a day. So all that it signed is answered 200, even what means
//! nothing to us, for that would not change; and only a ledger that is away asks for the repetition, by 503.

mod event;

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{HeaderValue, RETRY_AFTER},
    },
    web,
};
use tokio::time::timeout;

use self::event::Event;
use super::{Public, plain};
use crate::{
    auth::ReportVerifier,
    ledger::{Effect, Reported},
    metrics::{Metrics, country_label},
    sms::{DeliveryStatus, ErrorGroup, Timestamp},
};

/// GatewayAPI's are a few hundred bytes.
const LONGEST_BODY: usize = 64 * 1024;
/// What has not come by then does not hold up the answer: its connection is closed instead.
const BODY_PATIENCE: Duration = Duration::from_millis(500);

/// The signature's claims are the report. The body is read only so that the connection can be used again.
#[utoipa::path(
    post,
    path = "/delivery-reports",
    operation_id = "report",
    tag = "GatewayAPI",
    summary = "Report on a message",
    description = "GatewayAPI's webhook, which tells what became of a message. Only there with \
        `delivery_reports.secret`. The claims of the signature are the report: `id`, `status`, `time`, `userref`, and for \
        a failure `code`. The body repeats them and is not read.",
    security(("report" = [])),
    responses(
        (status = 200, description = "Noted, whatever it says.", body = String, content_type = "text/plain",
            example = "Noted.\n"),
        (status = 401, description = "It is not signed with a secret that is known here.", body = String,
            content_type = "text/plain", example = "This report is not signed with a secret that is known here.\n"),
        (status = 503, description = "It can't be kept now, and should be repeated.", body = String,
            content_type = "text/plain", headers(("Retry-After" = u32, description = "Seconds to wait.")),
            example = "This report can't be kept now: please repeat it.\n")
    )
)]
pub(super) async fn post(
    request: HttpRequest,
    body: web::Payload,
    state: web::Data<Public>,
    verifier: web::Data<ReportVerifier>,
) -> HttpResponse {
    let (answer, _) =
        tokio::join!(take(&request, &state, &verifier), timeout(BODY_PATIENCE, body.to_bytes_limited(LONGEST_BODY)));
    answer
}

/// Also while the service is about to stop: a report takes milliseconds.
async fn take(request: &HttpRequest, state: &Public, verifier: &ReportVerifier) -> HttpResponse {
    let now = Timestamp::now();
    let event = match verifier.verify(request.headers()) {
        Ok(claims) => claims.and_then(|claims| Event::of_claims(&claims, now)),
        Err(error) => {
            refused(state, error.as_str());
            return plain(StatusCode::UNAUTHORIZED, "This report is not signed with a secret that is known here.\n");
        }
    };
    let Some(event) = event else {
        state.metrics.delivery_reports.with_label_values(&["unreadable"]).inc();
        tracing::warn!("GatewayAPI signed something that is no delivery report");
        return noted();
    };
    let reported = match event.message {
        None => Ok(Reported::UNKNOWN),
        Some(message) => state.ledger.report(event.report_of(message)).await,
    };
    match reported {
        Ok(reported) => {
            count(&event, reported, &state.metrics);
            log(&event, reported);
            noted()
        }
        Err(_) => {
            refused(state, "ledger_away");
            let mut answer =
                plain(StatusCode::SERVICE_UNAVAILABLE, "This report can't be kept now: please repeat it.\n");
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            answer
        }
    }
}

fn noted() -> HttpResponse {
    plain(StatusCode::OK, "Noted.\n")
}

fn refused(state: &Public, reason: &'static str) {
    state.metrics.delivery_reports_refused.with_label_values(&[reason]).inc();
    if state.refusals.takes(Timestamp::now()) {
        tracing::warn!(reason, "a delivery report was refused");
    }
}

fn count(event: &Event, reported: Reported, metrics: &Metrics) {
    let is_known = event.status != DeliveryStatus::Unknown;
    let result = if is_known { reported.effect.as_str() } else { "unknown_state" };
    metrics.delivery_reports.with_label_values(&[result]).inc();

    if reported.newly_accepted {
        metrics.accepted(reported.country);
    }
    if reported.effect != Effect::Applied || !event.status.is_final() {
        return;
    }
    let country = country_label(reported.country.as_ref());
    match event.status {
        DeliveryStatus::Delivered => {
            metrics.delivered.with_label_values(&[country]).inc();
            let took = reported.departure.and_then(|departure| departure.time_to(event.time, Timestamp::now()));
            if let Some(took) = took {
                metrics.delivery_seconds.observe(took.as_secs_f64());
            }
        }
        // The network took the message and will tell no more: whether it reached the phone stays unknown.
        DeliveryStatus::Accepted => {}
        _ => {
            let group = error_group(event).unwrap_or("none");
            metrics.undelivered.with_label_values(&[country, group]).inc();
        }
    }
}

fn log(event: &Event, reported: Reported) {
    tracing::info!(
        message_id = event.message.map(tracing::field::display),
        status = event.status.as_str(),
        unknown_status = event.unknown_status,
        effect = reported.effect.as_str(),
        error_group = error_group(event),
        gatewayapi_code = event.error_code.map(|code| format!("{code:#06x}")),
        "GatewayAPI reported on a message"
    );
}

fn error_group(event: &Event) -> Option<&'static str> {
    event.error_code.map(|code| ErrorGroup::of(code).as_str())
}
