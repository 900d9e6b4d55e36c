use std::time::Duration;

use serde_json::{Map, Value};

use crate::sms::{DeliveryReport, DeliveryStatus, MessageId, Timestamp};

/// How far GatewayAPI's clock may be ahead of ours. What is later is no time.
const AHEAD: Duration = Duration::from_secs(24 * 3600);
const LONGEST_STATUS_NAME: usize = 32;

/// What GatewayAPI signed, as far as we use it. Holds no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Ours, by its `userref`; `None` where the account sends other messages, too.
    pub message: Option<MessageId>,
    pub gatewayapi_id: u64,
    pub status: DeliveryStatus,
    /// A status that we don't know, if it looks like the name of one.
    pub unknown_status: Option<String>,
    pub time: Timestamp,
    pub error_code: Option<u32>,
}

impl Event {
    /// `None`: it is no delivery report, for it lacks a status or an id. Other fields may be odd and don't lose the
    /// report; one without a usable time was made `now`.
    pub fn of_claims(claims: &Map<String, Value>, now: Timestamp) -> Option<Self> {
        let name = claims.get("status")?.as_str()?;
        let gatewayapi_id = claims.get("id").and_then(whole_number).and_then(|id| u64::try_from(id).ok())?;
        let status = DeliveryStatus::of_report(name);
        let is_name = |name: &&str| {
            name.len() <= LONGEST_STATUS_NAME && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        };
        let time = claims.get("time").and_then(whole_number).map(Timestamp::from_seconds);
        Some(Self {
            message: claims.get("userref").and_then(Value::as_str).and_then(MessageId::parse),
            gatewayapi_id,
            status,
            unknown_status: Some(name).filter(|_| status == DeliveryStatus::Unknown).filter(is_name).map(str::to_owned),
            time: time.filter(|time| (Timestamp::default()..=now.plus(AHEAD)).contains(time)).unwrap_or(now),
            error_code: claims.get("code").and_then(error_code),
        })
    }

    pub const fn report_of(&self, message: MessageId) -> DeliveryReport {
        let Self { gatewayapi_id, status, time, error_code, .. } = *self;
        DeliveryReport { message, gatewayapi_id, status, time, error_code }
    }
}

/// A number, though it may be written as a text or with a fraction.
fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `"0x1001"`, also without its `0x`, or the number itself.
fn error_code(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|code| code.try_into().ok()),
        Value::String(text) => {
            let text = text.trim();
            let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
            u32::from_str_radix(digits, 16).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    const ID: &str = "019a8d3c-5c5e-7a62-9d0e-0c3b1f1f8f01";

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    /// A report with one field as a test wants it.
    fn with(field: &str, value: Value) -> Option<Event> {
        let mut claims = json!({"id": 1000001, "msisdn": 4587654321u64, "time": 1450000000, "status": "DELIVERED",
            "error": null, "code": null, "userref": ID, "country_code": "DK", "country_prefix": 45});
        claims[field] = value;
        Event::of_claims(claims.as_object().unwrap(), now())
    }

    #[test]
    fn a_report_as_documented_is_read() {
        let event = with("error", Value::Null).unwrap();
        let expected = Event {
            message: MessageId::parse(ID),
            gatewayapi_id: 1000001,
            status: DeliveryStatus::Delivered,
            unknown_status: None,
            time: Timestamp::from_seconds(1450000000),
            error_code: None,
        };
        assert_eq!(event, expected);
    }

    #[rstest]
    #[case::no_status("status", Value::Null)]
    #[case::status_of_another_kind("status", json!(3))]
    #[case::no_id("id", Value::Null)]
    #[case::negative_id("id", json!(-1))]
    fn without_id_or_status_it_is_no_report(#[case] field: &str, #[case] value: Value) {
        assert_eq!(with(field, value), None);
    }

    #[rstest]
    #[case::null(Value::Null)]
    #[case::missing_in_spirit(json!(""))]
    #[case::not_ours(json!("order 7"))]
    #[case::number(json!(7))]
    fn a_foreign_reference_is_no_message_of_ours(#[case] userref: Value) {
        assert_eq!(with("userref", userref).unwrap().message, None);
    }

    #[rstest]
    #[case(json!("0x1001"), Some(0x1001))]
    #[case(json!("0X1001"), Some(0x1001))]
    #[case(json!("1001"), Some(0x1001))]
    #[case(json!(4097), Some(0x1001))]
    #[case(json!(""), None)]
    #[case(json!("none"), None)]
    #[case(json!("0x1ffffffff"), None)]
    #[case(json!(-1), None)]
    #[case(json!([4097]), None)]
    fn a_code_is_read_in_any_form(#[case] code: Value, #[case] expected: Option<u32>) {
        assert_eq!(with("code", code).unwrap().error_code, expected);
    }

    #[rstest]
    #[case(json!(1450000000.7), 1450000000)]
    #[case(json!("1450000000"), 1450000000)]
    #[case(json!(-1), 1800000000)]
    #[case(json!(1e300), 1800000000)]
    #[case(Value::Null, 1800000000)]
    #[case(json!("yesterday"), 1800000000)]
    #[case(json!(1800086400), 1800086400)]
    #[case(json!(1800086401), 1800000000)]
    fn an_odd_time_is_read_or_is_now(#[case] time: Value, #[case] seconds: i64) {
        assert_eq!(with("time", time).unwrap().time, Timestamp::from_seconds(seconds));
    }

    #[rstest]
    #[case("TELEPORTED", Some("TELEPORTED"))]
    #[case("delivered", Some("delivered"))]
    #[case("UNKNOWN", Some("UNKNOWN"))]
    #[case("TO 4587654321", None)]
    #[case("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", None)]
    fn an_unknown_status_is_named_if_it_looks_like_a_name(#[case] status: &str, #[case] expected: Option<&str>) {
        let event = with("status", json!(status)).unwrap();
        assert_eq!((event.status, event.unknown_status.as_deref()), (DeliveryStatus::Unknown, expected));
    }
}
