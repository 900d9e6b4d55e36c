//! A message as the ledger keeps it: no code, no text, no plain number, no plain address.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::departure::Departure;
use crate::{
    gatewayapi::{ErrorCode, Failure, Receipt},
    limits::{Pseudonym, Touched},
    sms::{Cost, Country, DeliveryStatus, Encoding, ErrorGroup, MessageId, Outcome, Timestamp, UsageType},
};

/// A row when it is opened, before anything leaves.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: MessageId,
    pub admitted_at: Timestamp,
    pub usage_type: UsageType,
    /// `+45******45`.
    pub masked_number: String,
    /// The subjects by which it was counted, or would have been.
    pub touched: Touched,
    /// The limits count it.
    pub is_counted: bool,
    /// The limits count it by its address, too.
    pub is_ip_counted: bool,
}

impl Entry {
    /// The subjects by which it is counted; `None`: it is exempt.
    pub fn counted(&self) -> Option<Touched> {
        self.is_counted.then(|| Touched { ip: self.touched.ip.filter(|_| self.is_ip_counted), ..self.touched })
    }
}

/// What closes a row. Where it does not know a value, a known one stays.
#[derive(Debug, Clone)]
pub struct Settlement {
    pub id: MessageId,
    pub settled_at: Timestamp,
    /// When it was handed over for sending.
    pub sent_at: Option<Timestamp>,
    pub outcome: Outcome,
    pub locale: Option<String>,
    pub encoding: Option<Encoding>,
    pub segments: Option<u32>,
    pub template_variant: Option<Arc<str>>,
    pub error_kind: Option<&'static str>,
    pub error_code: Option<ErrorCode>,
    pub gatewayapi_id: Option<u64>,
    pub cost: Option<Cost>,
}

impl Settlement {
    /// With nothing but an outcome.
    pub const fn of(id: MessageId, outcome: Outcome, settled_at: Timestamp) -> Self {
        Self {
            id,
            settled_at,
            sent_at: None,
            outcome,
            locale: None,
            encoding: None,
            segments: None,
            template_variant: None,
            error_kind: None,
            error_code: None,
            gatewayapi_id: None,
            cost: None,
        }
    }

    #[must_use]
    pub fn with(self, receipt: &Receipt) -> Self {
        Self { gatewayapi_id: Some(receipt.id), cost: receipt.cost, ..self }
    }

    #[must_use]
    pub fn because(self, failure: &Failure) -> Self {
        Self { error_kind: Some(failure.kind.as_str()), error_code: failure.code, ..self }
    }
}

/// A message, as operators see it: no code, no text, no plain number.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageRecord {
    pub id: MessageId,
    /// The newest thing known: a delivery status, else the outcome, else `open`.
    #[schema(examples("delivered"))]
    pub status: String,
    #[schema(value_type = UsageType)]
    pub usage_type: String,
    /// ISO 3166-1, where the number has one.
    #[schema(examples("DK"))]
    pub country: Option<String>,
    /// Masked.
    #[schema(examples("+45******45"))]
    pub to: String,
    pub admitted_at: Timestamp,
    /// When it was handed over for sending.
    pub sent_at: Option<Timestamp>,
    /// When its outcome was known.
    pub settled_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    /// What became of it on its way to GatewayAPI; none while it is open.
    #[schema(value_type = Option<Outcome>)]
    pub outcome: Option<String>,
    /// Why it was not accepted.
    #[schema(examples("recipient"))]
    pub error_kind: Option<String>,
    /// GatewayAPI's, such as `0x0215`.
    #[serde(serialize_with = "as_code")]
    #[schema(value_type = Option<String>, examples("0x0215"))]
    pub error_code: Option<u32>,
    /// The language of the template.
    #[schema(examples("en"))]
    pub locale: Option<String>,
    /// Changes with the template's text.
    pub template_variant: Option<String>,
    #[schema(value_type = Option<Encoding>)]
    pub encoding: Option<String>,
    pub segments: Option<u32>,
    pub gatewayapi_id: Option<u64>,
    /// In the currency's unit.
    #[schema(examples(0.12))]
    pub cost: Option<f64>,
    /// ISO 4217.
    #[schema(examples("DKK"))]
    pub currency: Option<String>,
    pub delivery: Option<DeliveryRecord>,
}

/// The newest delivery report of a message.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryRecord {
    #[schema(value_type = DeliveryStatus)]
    pub status: String,
    /// When that state was reached, by GatewayAPI's clock.
    pub time: Timestamp,
    /// Where on its way it failed.
    #[schema(examples("HLR"))]
    pub error_group: Option<String>,
    #[serde(serialize_with = "as_code")]
    #[schema(value_type = Option<String>, examples("0x1001"))]
    pub error_code: Option<u32>,
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_code<S: Serializer>(code: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    match code {
        Some(code) => serializer.collect_str(&format_args!("{code:#06x}")),
        None => serializer.serialize_none(),
    }
}

impl MessageRecord {
    /// The status that stands for what is known.
    pub fn status_of(outcome: Option<&str>, delivery: Option<&str>) -> String {
        delivery.map(str::to_lowercase).or_else(|| outcome.map(ToOwned::to_owned)).unwrap_or_else(|| "open".to_owned())
    }

    /// Nothing more is to be expected.
    pub fn is_final(&self) -> bool {
        let outcome = self.outcome.as_deref().and_then(Outcome::from_name);
        match &self.delivery {
            Some(delivery) => DeliveryStatus::of_report(&delivery.status).is_final(),
            None => outcome.is_some_and(|outcome| !outcome.may_have_left()),
        }
    }
}

/// Which messages to show.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub number: Option<Pseudonym>,
    pub status: Option<String>,
    pub usage_type: Option<UsageType>,
    pub country: Option<Country>,
    pub since: Option<Timestamp>,
    /// Older than this one: where the page before ended.
    pub before: Option<MessageId>,
    pub limit: usize,
}

/// What a delivery report did to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Applied,
    /// The row says so already.
    Duplicate,
    /// The row has a final state, or a later one.
    Late,
    UnknownMessage,
}

impl Effect {
    /// For metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::UnknownMessage => "unknown_message",
        }
    }

    /// What a report does to a row whose newest report was `current`: a final state stays, a transient one gives way to
    /// any that is not older.
    pub fn of(status: DeliveryStatus, time: Timestamp, current: Option<(DeliveryStatus, Timestamp)>) -> Self {
        match current {
            Some((known, _)) if known == status => Self::Duplicate,
            Some((known, _)) if known.is_final() => Self::Late,
            Some((_, known)) if !status.is_final() && time < known => Self::Late,
            _ => Self::Applied,
        }
    }
}

/// A report that found its row, or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    pub effect: Effect,
    pub country: Option<Country>,
    /// `None`: no row was found.
    pub departure: Option<Departure>,
    /// What became of the message was unknown until this report. Not so where our own answer is still under way: that
    /// one tells of the acceptance.
    pub newly_accepted: bool,
}

impl Reported {
    pub const UNKNOWN: Self =
        Self { effect: Effect::UnknownMessage, country: None, departure: None, newly_accepted: false };
}

/// The group of a report's code, for the row.
pub(super) fn error_group(code: Option<u32>) -> Option<&'static str> {
    code.map(|code| ErrorGroup::of(code).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeliveryStatus::{Buffered, Delivered, Enroute, Expired};
    use rstest::rstest;

    #[rstest]
    #[case::first(Buffered, 10, None, Effect::Applied)]
    #[case::next(Enroute, 11, Some((Buffered, 10)), Effect::Applied)]
    #[case::in_the_same_second(Enroute, 10, Some((Buffered, 10)), Effect::Applied)]
    #[case::older(Buffered, 9, Some((Enroute, 10)), Effect::Late)]
    #[case::final_though_older(Delivered, 9, Some((Enroute, 10)), Effect::Applied)]
    #[case::again(Delivered, 12, Some((Delivered, 10)), Effect::Duplicate)]
    #[case::transient_after_final(Enroute, 12, Some((Delivered, 10)), Effect::Late)]
    #[case::final_after_final(Expired, 12, Some((Delivered, 10)), Effect::Late)]
    fn a_final_state_stays(
        #[case] status: DeliveryStatus,
        #[case] time: i64,
        #[case] current: Option<(DeliveryStatus, i64)>,
        #[case] expected: Effect,
    ) {
        let current = current.map(|(status, time)| (status, Timestamp::from_seconds(time)));
        assert_eq!(Effect::of(status, Timestamp::from_seconds(time), current), expected);
    }
}
