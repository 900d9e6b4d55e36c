//! The field's words: numbers, senders, usage types, segments. Pure, no I/O.

mod message_id;
mod message_text;
mod msisdn;
mod payload;
mod segment;
mod sender;
mod usage_type;

pub use message_id::MessageId;
pub use message_text::MessageText;
pub use msisdn::{Country, LineType, Msisdn, NumberError, Recipient, warm_up};
pub use payload::Payload;
pub use segment::{Encoding, Measure, measure};
pub use sender::{Sender, SenderError};
pub use usage_type::UsageType;
