//! GatewayAPI's JSON.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::error::{ErrorCode, Failure, FailureKind, Unknown, classify};
use crate::{
    config::{self, Class, Endpoint, Priority},
    sms::{Cost, Country, Currency, Encoding, MessageId, MessageText, Msisdn, Sender},
};

/// One message to one number.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    pub id: MessageId,
    pub msisdn: Msisdn,
    pub country: Option<Country>,
    pub sender: &'a Sender,
    pub text: &'a MessageText,
    pub encoding: Encoding,
    /// What is billed for.
    pub segments: u32,
}

/// What all messages of the service have in common, so that any of them can travel in one list.
#[derive(Debug, Clone)]
pub struct Envelope {
    class: Option<Class>,
    priority: Option<Priority>,
    /// Seconds.
    validity_period: u64,
    label: Option<String>,
    callback_url: Option<Endpoint>,
}

/// GatewayAPI's word that it accepted a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// GatewayAPI's own id of the message.
    pub id: u64,
    /// Its share of what its request cost, where GatewayAPI told.
    pub cost: Option<Cost>,
}

#[derive(Serialize)]
struct MessageJson<'a> {
    message: &'a str,
    recipients: [RecipientJson; 1],
    sender: &'a str,
    encoding: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<&'static str>,
    validity_period: u64,
    userref: MessageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

#[derive(Serialize)]
struct RecipientJson {
    msisdn: u64,
}

/// Bytes of a message of one segment.
const USUAL_LENGTH: usize = 384;

impl Envelope {
    pub fn of(settings: &config::Settings) -> Self {
        let gatewayapi = &settings.gatewayapi;
        Self {
            class: gatewayapi.class,
            priority: gatewayapi.priority,
            validity_period: gatewayapi.validity_period.get().as_secs(),
            label: gatewayapi.label.clone(),
            callback_url: settings.delivery_reports.url.clone(),
        }
    }

    /// The message as one JSON object.
    pub(super) fn encode(&self, message: Message<'_>) -> Bytes {
        let object = MessageJson {
            message: message.text.as_str(),
            recipients: [RecipientJson { msisdn: message.msisdn.digits() }],
            sender: message.sender.as_str(),
            encoding: message.encoding.as_str(),
            class: self.class.map(Class::as_str),
            priority: self.priority.map(Priority::as_str),
            validity_period: self.validity_period,
            userref: message.id,
            callback_url: self.callback_url.as_ref().map(|endpoint| endpoint.url().as_str()),
            label: self.label.as_deref(),
        };
        let mut json = Vec::with_capacity(USUAL_LENGTH);
        serde_json::to_writer(&mut json, &object).expect("strings and numbers are JSON");
        json.into()
    }
}

/// Bytes of the body that [`body`] makes of these objects.
pub(super) fn length<'a>(objects: impl ExactSizeIterator<Item = &'a Bytes>) -> usize {
    let brackets_and_commas = if objects.len() == 1 { 0 } else { objects.len() + 1 };
    objects.map(Bytes::len).sum::<usize>() + brackets_and_commas
}

/// The body of a request: one object alone, or a list. An object that is left out leaves white space, so that the
/// length stays what was promised.
pub(super) fn body<'a>(objects: impl ExactSizeIterator<Item = Option<&'a Bytes>>, length: u64) -> Bytes {
    let length = length as usize;
    let mut body = BytesMut::with_capacity(length);
    let is_list = objects.len() != 1;
    for object in objects.flatten() {
        if is_list {
            body.put_u8(if body.is_empty() { b'[' } else { b',' });
        }
        body.put_slice(object);
    }
    if is_list {
        body.put_u8(b']');
    }
    body.resize(length, b' ');
    body.freeze()
}

/// A read answer to a list of messages.
pub(super) struct Accepted {
    /// One for each message, in order.
    ids: Vec<u64>,
    /// Of all of them.
    pub(super) cost: Option<Cost>,
}

impl Accepted {
    /// One for each message, in order. Each bears a part of the cost by its segments.
    pub(super) fn receipts(&self, segments: &[u32]) -> Vec<Receipt> {
        let mut shares = self.cost.map(|cost| cost.shares(segments)).unwrap_or_default().into_iter();
        self.ids.iter().map(|&id| Receipt { id, cost: shares.next() }).collect()
    }
}

/// A refusal, and the numbers that it names as the reason.
pub(super) struct Refused {
    pub(super) failure: Failure,
    pub(super) named: Vec<u64>,
}

#[derive(Deserialize)]
struct AcceptedJson {
    /// What acceptance is.
    ids: Vec<Value>,
    /// Of any form: an odd one must not turn an acceptance into something else.
    #[serde(default)]
    usage: Value,
}

/// Each field of any form: an odd one must not hide the others.
#[derive(Deserialize, Default)]
struct ErrorJson {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    incident_uuid: Value,
    #[serde(default)]
    variables: Value,
}

/// Reads the answer to a request of `messages` messages. `body` is `None` where it broke off or was too long.
pub(super) fn read(
    status: u16,
    retry_after: Option<Duration>,
    body: Option<&[u8]>,
    messages: usize,
) -> Result<Accepted, Refused> {
    if (200..300).contains(&status) {
        let read = body.and_then(|body| serde_json::from_slice::<AcceptedJson>(body).ok());
        let ids = read.as_ref().and_then(|accepted| accepted.ids.iter().map(whole_number).collect::<Option<Vec<_>>>());
        return match ids.filter(|ids| ids.len() == messages) {
            Some(ids) => Ok(Accepted { ids, cost: read.and_then(|accepted| cost(&accepted.usage)) }),
            None => {
                let failure = Failure { status: Some(status), ..Failure::unknown(Unknown::Unreadable) };
                Err(Refused { failure, named: Vec::new() })
            }
        };
    }
    Err(refused(status, retry_after, body))
}

/// Reads an answer that is no 2xx.
pub(super) fn refused(status: u16, retry_after: Option<Duration>, body: Option<&[u8]>) -> Refused {
    let error: ErrorJson = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let code = error.code.as_str().and_then(ErrorCode::parse);
    let kind = classify(status, code);
    let retry_after = retry_after.filter(|_| matches!(kind, FailureKind::NotSent(_)));
    // Of no other form, as it goes to the log: a text may hold a number.
    let incident = error.incident_uuid.as_str().and_then(|incident| Uuid::try_parse(incident).ok());
    let incident = incident.map(|incident| incident.to_string());
    let named = error.variables.as_array().into_iter().flatten().filter_map(whole_number).collect();
    Refused { failure: Failure { kind, status: Some(status), code, incident, retry_after }, named }
}

fn cost(usage: &Value) -> Option<Cost> {
    let currency = Currency::parse(usage["currency"].as_str()?)?;
    let total = &usage["total_cost"];
    Cost::of(total.as_f64().or_else(|| total.as_str()?.parse().ok())?, currency)
}

/// An id or a number, written as a number or as text.
fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let text = value.as_str()?;
        text.strip_prefix('+').unwrap_or(text).parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::Outcome;
    use rstest::rstest;

    fn accepted(body: &str, messages: usize) -> Option<Vec<u64>> {
        read(200, None, Some(body.as_bytes()), messages).ok().map(|accepted| accepted.ids)
    }

    fn refused(status: u16, body: &str) -> Refused {
        super::refused(status, Some(Duration::from_secs(3)), Some(body.as_bytes()))
    }

    #[test]
    fn an_id_per_message_is_acceptance() {
        let body = r#"{"ids":[1,2],"usage":{"countries":{"DK":2},"currency":"DKK","total_cost":1},"more":[]}"#;
        assert_eq!(accepted(body, 2), Some(vec![1, 2]));
        assert_eq!(accepted(r#"{"ids":[7]}"#, 1), Some(vec![7]));
    }

    #[test]
    fn a_2xx_that_does_not_answer_for_each_message_is_unknown() {
        for body in [r#"{"ids":[]}"#, r#"{"ids":[1,2]}"#, "<html>", "", r#"{"code":"0x0215"}"#] {
            let refused = read(200, None, Some(body.as_bytes()), 1).err().unwrap();
            assert_eq!(refused.failure.kind, FailureKind::Unknown(Unknown::Unreadable), "{body}");
        }
    }

    #[rstest]
    #[case::whole_number(r#"{"currency":"DKK","total_cost":1}"#, Some(1_000_000))]
    #[case::fraction(r#"{"currency":"DKK","total_cost":0.12}"#, Some(120_000))]
    #[case::text(r#"{"currency":"DKK","total_cost":"0.12"}"#, Some(120_000))]
    #[case::negative(r#"{"currency":"DKK","total_cost":-0.12}"#, None)]
    #[case::absurd(r#"{"currency":"DKK","total_cost":1e300}"#, None)]
    #[case::not_a_number(r#"{"currency":"DKK","total_cost":"NaN"}"#, None)]
    #[case::unknown_currency(r#"{"currency":"kroner","total_cost":0.12}"#, None)]
    #[case::no_currency(r#"{"total_cost":0.12}"#, None)]
    fn a_cost_is_read_in_any_form_that_means_something(#[case] usage: &str, #[case] micros: Option<i64>) {
        let body = format!(r#"{{"ids":[1],"usage":{usage}}}"#);
        let accepted = read(200, None, Some(body.as_bytes()), 1).ok().unwrap();
        let currency = Currency::parse("DKK").unwrap();
        assert_eq!(accepted.cost, micros.map(|micros| Cost { micros, currency }));
    }

    #[test]
    fn each_message_of_a_list_bears_a_part_of_its_cost() {
        let body = br#"{"ids":[7,8,9],"usage":{"currency":"DKK","total_cost":0.48}}"#;
        let receipts = read(200, None, Some(body), 3).ok().unwrap().receipts(&[1, 2, 1]);
        let borne: Vec<_> = receipts.iter().map(|receipt| (receipt.id, receipt.cost.unwrap().micros)).collect();
        assert_eq!(borne, [(7, 120_000), (8, 240_000), (9, 120_000)]);
        let without = read(200, None, Some(br#"{"ids":[7,8]}"#), 2).ok().unwrap().receipts(&[1, 1]);
        assert_eq!(without, [7, 8].map(|id| Receipt { id, cost: None }));
    }

    #[test]
    fn a_refusal_keeps_code_and_incident_and_names_numbers() {
        let refused = refused(
            403,
            r#"{"code":"0x0215","incident_uuid":"d8127429-fa0c-4316-b1f2-e610c3958f43",
                "message":"Blacklisted: %1","variables":["+4526091045", "x", 4526091046]}"#,
        );
        assert_eq!(refused.failure.code, Some(ErrorCode(0x0215)));
        assert_eq!(refused.failure.incident.as_deref(), Some("d8127429-fa0c-4316-b1f2-e610c3958f43"));
        assert_eq!(refused.failure.retry_after, None);
        assert_eq!(refused.named, [4_526_091_045, 4_526_091_046]);
    }

    #[test]
    fn an_odd_field_hides_neither_an_acceptance_nor_a_code() {
        for usage in ["null", "{}", "7", r#"{"currency":null,"total_cost":null}"#, r#"{"total_cost":"0.12"}"#] {
            assert_eq!(accepted(&format!(r#"{{"ids":[1],"usage":{usage}}}"#), 1), Some(vec![1]), "{usage}");
        }
        assert_eq!(accepted(r#"{"ids":["421332671"]}"#, 1), Some(vec![421_332_671]));
        for odd in [r#""variables":null"#, r#""variables":{"1":2}"#, r#""incident_uuid":7"#, r#""message":[]"#] {
            let refused = refused(403, &format!(r#"{{"code":"0x0215",{odd}}}"#));
            assert_eq!(refused.failure.code, Some(ErrorCode(0x0215)), "{odd}");
        }
    }

    #[test]
    fn a_refusal_that_is_not_json_counts_by_its_status() {
        let refused = refused(503, "<html>Service Unavailable</html>");
        assert_eq!(refused.failure.kind.outcome(), Outcome::NotSent);
        assert_eq!(refused.failure.retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn an_incident_that_is_none_is_not_logged() {
        for text in ["to +4526091045\\n", "a4526091045", "4526091045"] {
            assert_eq!(refused(400, &format!(r#"{{"incident_uuid":"{text}"}}"#)).failure.incident, None, "{text}");
        }
    }

    #[test]
    fn several_objects_are_a_list() {
        let objects = [Bytes::from_static(b"{\"a\":1}"), Bytes::from_static(b"{}")];
        let of = |objects: &[Bytes]| body(objects.iter().map(Some), length(objects.iter()) as u64);
        assert_eq!(of(&objects[..1]), "{\"a\":1}");
        assert_eq!(of(&objects), "[{\"a\":1},{}]");
        let second_left_out = objects.iter().enumerate().map(|(index, object)| (index == 0).then_some(object));
        assert_eq!(body(second_left_out, 12), "[{\"a\":1}]   ");
    }
}
