use std::time::Duration;

use hyper::{header::CONTENT_TYPE, http::request::Parts};
use serde::Serialize;

use super::reply::Reply;
use crate::simulator::{
    errors::Refusal,
    gateway::Gateway,
    magic::{Magic, Trick},
    message::{self, Message},
    prices::{Usage, country_code},
    received::Received,
};

/// The answer to messages that were accepted.
#[derive(Serialize)]
struct Accepted {
    ids: Vec<u64>,
    usage: Usage,
    /// "More keys may be added": here to an answer that is too long.
    #[serde(skip_serializing_if = "String::is_empty")]
    padding: String,
}

impl Accepted {
    fn of(messages: &[Received]) -> Self {
        let mut ids: Vec<_> = messages.iter().map(|message| message.id).collect();
        // The recipients of one message stand together.
        ids.dedup();
        Self { ids, usage: Usage::of(messages), padding: String::new() }
    }
}

/// Answers a request to send. The first magic number among its recipients decides for all its messages.
pub(super) fn send(gateway: &Gateway, head: &Parts, body: &[u8], number: usize) -> Result<Reply, Refusal> {
    // GatewayAPI also takes forms here, and takes a body for JSON when its type says so.
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::malformed("Content-Type: not application/json"));
    }
    let messages = message::parse(body)?;
    let magic = messages
        .iter()
        .flat_map(|message| &message.recipients)
        .find_map(|recipient| Magic::of(recipient.msisdn).map(|magic| (magic, recipient.msisdn)));
    match magic {
        None => Ok(accept(gateway, messages, number)),
        Some((Magic::Code(code), msisdn)) => Err(Refusal::coded(code, variables(code, msisdn))),
        Some((Magic::Status(status), _)) => Ok(Reply::status(status)),
        Some((Magic::Trick(trick), msisdn)) => Ok(play(gateway, trick, msisdn, messages, number)),
    }
}

fn accept(gateway: &Gateway, messages: Vec<Message>, number: usize) -> Reply {
    Reply::ok(&Accepted::of(&gateway.accept(messages, number)))
}

fn play(gateway: &Gateway, trick: Trick, msisdn: u64, messages: Vec<Message>, number: usize) -> Reply {
    match trick {
        Trick::Silence => Reply::Never,
        Trick::CutShort => accept(gateway, messages, number).cut_short(),
        Trick::Closed => accept(gateway, messages, number).or_if_success(Reply::Closed),
        Trick::Garbage => accept(gateway, messages, number).or_if_success(Reply::html(200)),
        Trick::NoIds => Reply::ok(&Accepted::of(&[])),
        Trick::Oversized => {
            let accepted = Accepted::of(&gateway.accept(messages, number));
            Reply::ok(&Accepted { padding: "x".repeat(65 << 10), ..accepted })
        }
        Trick::HtmlOnce if gateway.refuses(msisdn, 1) => Reply::html(503),
        Trick::RateLimitedOnce if gateway.refuses(msisdn, 1) => Reply::status(429),
        Trick::UnavailableTwice if gateway.refuses(msisdn, 2) => Reply::status(503),
        Trick::HtmlOnce | Trick::RateLimitedOnce | Trick::UnavailableTwice => accept(gateway, messages, number),
        Trick::Slow(seconds) => accept(gateway, messages, number).late(Duration::from_secs(seconds)),
    }
}

/// What `%1` stands for in the message of an error code. Two of them name the recipient, which nobody may log.
fn variables(code: u16, msisdn: u64) -> Vec<String> {
    match code {
        0x0212 | 0x0213 => vec!["192.0.2.1".to_owned()],
        0x0215 | 0x0310 => vec![msisdn.to_string()],
        0x0217 => country_code(msisdn).into_iter().collect(),
        0x0218 => vec!["7".to_owned()],
        // 0x0214 among them: variables may be missing though a message has places for them.
        _ => Vec::new(),
    }
}
