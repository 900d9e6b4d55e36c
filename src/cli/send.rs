//! `send`: a test delivery through a running service, and what becomes of it.

mod service;

use std::time::{Duration, Instant};

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use self::service::{Answer, Service};
use super::{CliError, load_leniently, reachable, render::object, visible::visible};
use crate::{
    config::{Secrets, Source},
    sms::{DeliveryStatus, MessageId},
};

/// Longer than the longest `delivery.deadline`.
const PATIENCE: Duration = Duration::from_secs(75);

#[derive(Args)]
#[expect(clippy::doc_markdown, reason = "the help text shows no markup")]
pub(super) struct SendArgs {
    /// With the calling code, such as +4526091045.
    number: String,
    /// SignIn, Register, ForgotPassword, OrganizationInvitation, Generic, UserPermissionValidation,
    /// BindNewIdentifier, MfaVerification or BindMfa. Not given: Generic.
    #[arg(long = "type", value_name = "TYPE")]
    usage_type: Option<String>,
    /// The person's language, as Logto's payload.locale.
    #[arg(long, value_name = "TAG")]
    locale: Option<String>,
    /// The values, as in Logto's request. Without a code, it is 000000.
    #[arg(long, value_name = "JSON", value_parser = object)]
    payload: Option<Map<String, Value>>,
    /// Follows the message, and fails unless it is delivered within this time, 60s where none is given.
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "60s",
        value_parser = humantime::parse_duration
    )]
    wait: Option<Duration>,
    /// Where the service's operator listener is; plain http. Not given: operator.listen, on this machine.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// A message, as far as it is shown.
#[derive(Deserialize)]
struct Message {
    status: String,
    cost: Option<f64>,
    currency: Option<String>,
    delivery: Option<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    status: String,
    error_group: Option<String>,
    error_code: Option<String>,
}

#[derive(Deserialize)]
struct Accepted {
    id: String,
    outcome: String,
    message: Option<Message>,
}

/// Why it was not accepted.
#[derive(Deserialize)]
struct Problem {
    detail: String,
    error_code: Option<String>,
    person_reads: Option<String>,
}

pub(super) async fn run(args: SendArgs, source: Source) -> Result<(), CliError> {
    let settings = load_leniently(source)?;
    let Some(token) = settings.operator.token.iter().flat_map(Secrets::iter).next() else {
        return Err(other("operator.token is not set: set SMS_OPERATOR__TOKEN to the running service's"));
    };
    let url = args.url.unwrap_or_else(|| format!("http://{}", reachable(settings.operator.listen)));
    let service = Service::new(&url, token).map_err(|error| other(&error.to_string()))?;
    let delivery =
        json!({ "to": args.number, "type": args.usage_type, "locale": args.locale, "payload": args.payload });

    let begun = Instant::now();
    let answer = timeout(PATIENCE, service.post("/api/messages", &delivery))
        .await
        .map_err(|_| other("the service did not answer"))?
        .map_err(|error| other(&error.to_string()))?;
    let (id, shown) = match answer.status {
        200 => {
            let Ok(Accepted { id, outcome, message }) = serde_json::from_slice(&answer.body) else {
                return Err(other("the answer is not this service's"));
            };
            if outcome == "test_number" {
                println!("a test number: nothing was sent");
                return Ok(());
            }
            println!("admitted as {}", visible(&id));
            println!("{}", message.as_ref().map_or(visible(&outcome), |message| described(message, begun.elapsed())));
            (id, message.map(|message| message.status))
        }
        // It may have been sent, and a report would tell.
        504 if args.wait.is_some() && answer.message_id.is_some() => {
            println!("{}", refusal(&answer));
            (answer.message_id.unwrap_or_default(), None)
        }
        _ => return Err(CliError::Other(refusal(&answer))),
    };
    match args.wait {
        Some(wait) => follow(&service, &id, shown, begun, wait).await,
        None => Ok(()),
    }
}

/// Prints each state until the last one, or until the time is over.
async fn follow(
    service: &Service,
    id: &str,
    mut shown: Option<String>,
    begun: Instant,
    wait: Duration,
) -> Result<(), CliError> {
    let Some(id) = MessageId::parse(id) else { return Err(other("the answer is not this service's")) };
    let mut last = None;
    let path = format!("/api/messages/{id}/events");
    let following = service.events(&path, |event| {
        let Ok(message) = serde_json::from_str::<Message>(event) else { return };
        if shown.as_ref() != Some(&message.status) {
            println!("{}", described(&message, begun.elapsed()));
            shown = Some(message.status.clone());
        }
        last = Some(message);
    });
    let ended = timeout(wait, following).await;
    if let Ok(Err(error)) = ended {
        return Err(other(&error.to_string()));
    }
    verdict(last.as_ref(), begun.elapsed())
}

fn verdict(last: Option<&Message>, after: Duration) -> Result<(), CliError> {
    let status = last.map_or("unknown".to_owned(), |message| visible(&message.status));
    let delivery = last.and_then(|message| message.delivery.as_ref());
    match delivery.map(|delivery| (DeliveryStatus::of_report(&delivery.status), delivery)) {
        // The network took it and reports no more.
        Some((DeliveryStatus::Delivered | DeliveryStatus::Accepted, _)) => Ok(()),
        Some((known, delivery)) if known.is_final() => {
            let Delivery { error_group, error_code, .. } = delivery;
            let why: String = [error_group, error_code].into_iter().flatten().map(|why| format!(", {why}")).collect();
            Err(CliError::Other(format!("the message was not delivered: {status}{}", visible(&why))))
        }
        _ => Err(CliError::Other(format!(
            "not known to be delivered after {:.0} s, the last state is `{status}`; delivery reports need \
             delivery_reports.secret",
            after.as_secs_f64()
        ))),
    }
}

/// `accepted after 0.1 s (0.03 EUR)`.
fn described(message: &Message, after: Duration) -> String {
    let Message { status, cost, currency, delivery } = message;
    let cost = cost.zip(currency.as_deref()).filter(|_| delivery.is_none());
    let cost = cost.map(|(cost, currency)| format!(" ({cost} {currency})")).unwrap_or_default();
    visible(&format!("{status} after {:.1} s{cost}", after.as_secs_f64()))
}

/// In plain words, what the service says against it.
fn refusal(answer: &Answer) -> String {
    match answer.status {
        401 => return "the service does not know this operator.token".to_owned(),
        404 => return "no operators' interface there: is operator.token set for the service?".to_owned(),
        _ => {}
    }
    let Ok(Problem { detail, error_code, person_reads }) = serde_json::from_slice(&answer.body) else {
        return format!("status {}, and an answer that is not this service's", answer.status);
    };
    let code = error_code.map(|code| format!(" ({code})")).unwrap_or_default();
    let wait = answer.retry_after.as_ref().map(|wait| format!("; try again in {wait} s")).unwrap_or_default();
    let why = visible(&format!("{detail}{code}{wait}"));
    match person_reads {
        Some(sentence) => format!("{why}\na person would read: {}", visible(&sentence)),
        None => why,
    }
}

fn other(sentence: &str) -> CliError {
    CliError::Other(sentence.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(json!({"status": "accepted", "cost": 0.03, "currency": "EUR"}), "accepted after 3.2 s (0.03 EUR)")]
    #[case(json!({"status": "accepted"}), "accepted after 3.2 s")]
    #[case(
        json!({"status": "delivered", "cost": 0.03, "currency": "EUR", "delivery": {"status": "DELIVERED"}}),
        "delivered after 3.2 s"
    )]
    fn a_state_is_one_line(#[case] message: Value, #[case] expected: &str) {
        let message = serde_json::from_value(message).unwrap();
        assert_eq!(described(&message, Duration::from_millis(3210)), expected);
    }

    #[rstest]
    #[case(json!({"status": "delivered", "delivery": {"status": "DELIVERED"}}), None)]
    #[case(json!({"status": "accepted", "delivery": {"status": "ACCEPTED"}}), None)]
    #[case(
        json!({
            "status": "undeliverable",
            "delivery": {"status": "UNDELIVERABLE", "error_group": "HLR", "error_code": "0x1001"},
        }),
        Some("the message was not delivered: undeliverable, HLR, 0x1001")
    )]
    #[case(json!({"status": "accepted"}), Some("not known to be delivered after 60 s, the last state is `accepted`"))]
    #[case(json!({"status": "enroute", "delivery": {"status": "ENROUTE"}}), Some("not known to be delivered"))]
    fn only_a_delivered_message_is_a_success(#[case] message: Value, #[case] problem: Option<&str>) {
        let message = serde_json::from_value(message).unwrap();
        let verdict = verdict(Some(&message), Duration::from_secs(60)).map_err(|error| error.to_string());
        match problem {
            None => assert_eq!(verdict, Ok(())),
            Some(begin) => assert!(verdict.as_ref().unwrap_err().starts_with(begin), "{verdict:?}"),
        }
    }

    #[test]
    fn a_refusal_is_told_in_plain_words() {
        let answer = |status, body: Value| Answer {
            status,
            retry_after: Some("24".to_owned()),
            message_id: None,
            body: body.to_string().into(),
        };
        let limited = json!({"detail": "the limit number (cooldown)", "person_reads": "Please wait."});
        assert_eq!(
            refusal(&answer(429, limited)),
            "the limit number (cooldown); try again in 24 s\na person would read: Please wait."
        );
        let steering = json!({"detail": "a\u{1b}[2J\nb", "person_reads": "\u{202e}c", "error_code": "\r"});
        assert_eq!(
            refusal(&answer(502, steering)),
            "a\u{FFFD}[2J\u{FFFD}b (\u{FFFD}); try again in 24 s\na person would read: \u{FFFD}c"
        );
        assert!(refusal(&answer(401, json!({}))).contains("does not know this operator.token"));
        assert!(refusal(&answer(502, json!({}))).contains("status 502"));
    }
}
