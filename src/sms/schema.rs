//! The words as the interface's document has them: their names come from the very types.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Object, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

use super::{DeliveryStatus, Encoding, MessageId, Timestamp, UsageType};

/// A text that is one of these.
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>, description: &str) -> RefOr<Schema> {
    text().enum_values(Some(names)).description(Some(description)).into()
}

fn text() -> ObjectBuilder {
    Object::builder().schema_type(Type::String)
}

fn formatted(format: &str, description: &str, example: &str) -> RefOr<Schema> {
    text()
        .format(Some(SchemaFormat::Custom(format.to_owned())))
        .description(Some(description))
        .examples([example])
        .into()
}

impl ToSchema for UsageType {}
impl PartialSchema for UsageType {
    fn schema() -> RefOr<Schema> {
        one_of(Self::ALL.map(Self::as_str), "What a message is for, in Logto's words.")
    }
}

impl ToSchema for DeliveryStatus {}
impl PartialSchema for DeliveryStatus {
    fn schema() -> RefOr<Schema> {
        one_of(Self::ALL.map(Self::as_str), "What GatewayAPI reports about a message that it accepted.")
    }
}

impl ToSchema for Encoding {}
impl PartialSchema for Encoding {
    fn schema() -> RefOr<Schema> {
        let description = "GatewayAPI's name for the alphabet: `UTF8` means GSM 03.38.";
        one_of([Self::Gsm7, Self::Ucs2].map(Self::as_str), description)
    }
}

impl ToSchema for MessageId {}
impl PartialSchema for MessageId {
    fn schema() -> RefOr<Schema> {
        let description = "Names one message everywhere: in `X-Message-Id`, in the log, and as GatewayAPI's `userref`.";
        formatted("uuid", description, "019aaf3c-7f2e-7b54-9d6e-3a1c5e8f9b20")
    }
}

impl ToSchema for Timestamp {}
impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        formatted("date-time", "A moment, in UTC.", "2026-11-22T12:00:00.250Z")
    }
}
