//! The field's words: numbers, senders, usage types, segments. Pure, no I/O.

mod cost;
mod delivery_status;
mod message_id;
mod message_text;
mod msisdn;
mod outcome;
mod payload;
mod schema;
mod segment;
mod sender;
mod timestamp;
mod usage_type;
mod words;

pub use cost::{Cost, Currency};
pub use delivery_status::{DeliveryReport, DeliveryStatus, ErrorGroup};
pub use message_id::MessageId;
pub use message_text::MessageText;
pub use msisdn::{Country, LineType, Msisdn, NumberError, Recipient, warm_up};
pub use outcome::Outcome;
pub use payload::Payload;
pub use schema::one_of;
pub use segment::{Costly, Encoding, Measure, WhyCostly, costly, measure, segment_starts};
pub use sender::{Sender, SenderError, Senders};
pub use timestamp::Timestamp;
pub use usage_type::UsageType;
pub(crate) use words::words;
