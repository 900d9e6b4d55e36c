//! Reads a request to send as strictly as GatewayAPI may: types of its own, so a mistake in the service's types shows.

use std::{collections::HashSet, fmt, num::NonZeroU8};

use hyper::Uri;
use serde::{Deserialize, Deserializer, de};

use super::{
    errors::Refusal,
    received::{Class, Destination, Encoding, Priority},
};
use crate::sms::measure;

/// Recipients of one message.
const MOST_RECIPIENTS: usize = 10_000;

/// One message object as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    #[serde(rename = "message")]
    pub text: String,
    pub recipients: Vec<Recipient>,
    pub sender: Option<String>,
    #[serde(default)]
    pub encoding: Encoding,
    class: Option<String>,
    #[serde(default)]
    pub priority: Priority,
    #[serde(default)]
    pub destaddr: Destination,
    pub validity_period: Option<u64>,
    pub userref: Option<String>,
    pub callback_url: Option<String>,
    pub label: Option<String>,
    max_parts: Option<NonZeroU8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipient {
    #[serde(deserialize_with = "digits")]
    pub msisdn: u64,
}

/// Reads the messages of a request and holds each, and all together, against GatewayAPI's rules.
///
/// # Errors
///
/// The answer that refuses them all.
pub(super) fn parse(body: &[u8]) -> Result<Vec<Message>, Refusal> {
    let messages: Vec<Message> = match body.trim_ascii_start().first() {
        Some(b'[') => serde_json::from_slice(body),
        _ => serde_json::from_slice(body).map(|message| vec![message]),
    }
    .map_err(|error| Refusal::malformed(format!("Not a message: {error}")))?;
    let Some((first, others)) = messages.split_first() else {
        return Err(Refusal::malformed("No message"));
    };
    for message in &messages {
        message.check()?;
    }
    if others.iter().any(|message| message.class().ok() != first.class().ok()) {
        return Err(Refusal::malformed("All messages of a request need the same class"));
    }
    if others.iter().any(|message| message.label != first.label) {
        return Err(Refusal::malformed("All messages of a request need the same label"));
    }
    Ok(messages)
}

impl Message {
    pub fn class(&self) -> Result<Class, Refusal> {
        let name = self.class.as_deref().unwrap_or(Class::Standard.as_str());
        Class::from_name(name).ok_or_else(|| Refusal::coded(0x0218, vec![name.to_owned()]))
    }

    pub fn max_parts(&self) -> Option<u8> {
        self.max_parts.map(NonZeroU8::get)
    }

    /// The phone shows the text as it is.
    pub fn is_lossless(&self) -> bool {
        self.encoding == Encoding::Ucs2 || measure(&self.text).first_outside_gsm.is_none()
    }

    /// The parts that are billed, in the encoding that was asked for rather than the best one.
    pub fn parts(&self) -> u32 {
        let stand_in = |character: char| match self.encoding {
            // What a gateway commonly makes of a character that the alphabet lacks.
            Encoding::Utf8 if measure(character.encode_utf8(&mut [0; 4])).first_outside_gsm.is_some() => '?',
            Encoding::Utf8 => character,
            // Characters of the same width that force UCS-2.
            Encoding::Ucs2 if character.len_utf16() == 2 => '\u{1F389}',
            Encoding::Ucs2 => '\u{436}',
        };
        measure(&self.text.chars().map(stand_in).collect::<String>()).segments
    }

    fn check(&self) -> Result<(), Refusal> {
        let broken = [
            (self.text.is_empty(), "message: empty"),
            (!(1..=MOST_RECIPIENTS).contains(&self.recipients.len()), "recipients: 1 to 10000"),
            (!self.sender.as_deref().is_none_or(is_sender), "sender: at most 11 characters or 15 digits"),
            (self.validity_period.is_some_and(|seconds| seconds < 60), "validity_period: at least 60"),
            (!self.userref.as_deref().is_none_or(is_userref), "userref: 1 to 64 ASCII characters"),
            (!self.callback_url.as_deref().is_none_or(is_web_address), "callback_url: not a URL"),
            (self.label.as_deref() == Some(""), "label: empty"),
            (self.max_parts().is_some_and(|most| self.parts() > u32::from(most)), "max_parts: the message is longer"),
        ];
        if let Some((_, rule)) = broken.into_iter().find(|(broken, _)| *broken) {
            return Err(Refusal::malformed(rule));
        }
        let class = self.class()?;
        if self.priority.is_urgent() && class != Class::Premium {
            return Err(Refusal::coded(0x0311, Vec::new()));
        }
        let mut seen = HashSet::with_capacity(self.recipients.len());
        if let Some(twice) = self.recipients.iter().find(|recipient| !seen.insert(recipient.msisdn)) {
            return Err(Refusal::coded(0x0310, vec![twice.msisdn.to_string()]));
        }
        // GatewayAPI holds links against a list of the account's; this account has listed none.
        let text = self.text.to_ascii_lowercase();
        if text.contains("http://") || text.contains("https://") {
            return Err(Refusal::coded(0x0312, Vec::new()));
        }
        Ok(())
    }
}

fn is_sender(sender: &str) -> bool {
    match sender.len() {
        0 => false,
        length if sender.bytes().all(|byte| byte.is_ascii_digit()) => length <= 15,
        _ => sender.chars().count() <= 11 && !sender.chars().any(char::is_control),
    }
}

fn is_userref(userref: &str) -> bool {
    (1..=64).contains(&userref.len()) && userref.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

fn is_web_address(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some())
}

/// An `msisdn`: an integer, or a string of digits. At most 15 digits, the first of them not 0.
fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = u64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("1 to 15 digits with country code")
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
            match number {
                1..=999_999_999_999_999 => Ok(number),
                _ => Err(E::custom("msisdn: 1 to 15 digits with country code")),
            }
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<u64, E> {
            let all_digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
            match text.parse() {
                Ok(number) if all_digits => self.visit_u64(number),
                _ => Err(E::custom("msisdn: 1 to 15 digits with country code")),
            }
        }
    }

    deserializer.deserialize_any(Visitor)
}

#[cfg(test)]
mod tests;
