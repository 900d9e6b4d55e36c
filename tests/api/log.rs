//! Every log line of the tests, at the lowest level, and what must not be in any.

use std::{
    collections::BTreeSet,
    io,
    sync::{Mutex, Once},
};

use gatewayapi_sms_connector::{
    config::{Log, LogFormat, LogLevel},
    telemetry,
};
use serde_json::Value;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static FORBIDDEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on, in this process.
pub fn capture() {
    static CAPTURE: Once = Once::new();
    CAPTURE.call_once(|| {
        let log = Log { level: LogLevel::Trace, format: LogFormat::Json };
        tracing::subscriber::set_global_default(telemetry::subscriber(&log, false, || Sink)).unwrap();
    });
}

/// Must not appear in any line.
pub fn forbid(secret: &str) {
    FORBIDDEN.lock().unwrap().insert(secret.to_owned());
}

/// Number, code and address of a call must not appear in any line, nor the number without its calling code.
pub fn forbid_call(call: &Value) {
    let digits: String = call["to"].as_str().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let national = digits.len().saturating_sub(8);
    forbid(&digits[national..]);
    forbid(&digits);
    for secret in [&call["payload"]["code"], &call["payload"]["link"], &call["ip"]] {
        secret.as_str().into_iter().for_each(forbid);
    }
}

pub fn text() -> String {
    String::from_utf8(LINES.lock().unwrap().clone()).unwrap()
}

/// The lines of one message.
pub fn lines_of(message_id: &str) -> Vec<Value> {
    let lines = text();
    lines.lines().filter(|line| line.contains(message_id)).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Looks at the lines since the last look.
pub fn assert_clean() {
    static LOOKED_AT: Mutex<usize> = Mutex::new(0);
    let text = text();
    let begin = std::mem::replace(&mut *LOOKED_AT.lock().unwrap(), text.len());
    let forbidden = FORBIDDEN.lock().unwrap();
    // Whole words, for there are thousands of numbers, and digits stand in ids too.
    let is_number = |secret: &str| secret.bytes().all(|byte| byte.is_ascii_digit());
    let (numbers, words): (Vec<_>, Vec<_>) = forbidden.iter().partition(|secret| is_number(secret));
    let numbers: BTreeSet<&str> = numbers.into_iter().map(String::as_str).filter(|number| number.len() >= 6).collect();
    for line in text[begin..].lines() {
        let (_time, rest) = line.split_once(r#""level""#).expect("a line of ours");
        let shown =
            rest.split(|character: char| !character.is_ascii_alphanumeric()).find(|word| numbers.contains(word));
        assert_eq!(shown, None, "{line}");
        let shown = words.iter().find(|word| !word.is_empty() && rest.contains(word.as_str()));
        assert_eq!(shown, None, "{line}");
    }
}
