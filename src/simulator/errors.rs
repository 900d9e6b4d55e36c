//! What GatewayAPI says when it says no.

use std::borrow::Cow;

use serde::Serialize;
use uuid::Uuid;

/// One code of GatewayAPI's error index.
pub(super) struct ErrorCode {
    pub code: u16,
    /// HTTP.
    pub status: u16,
    /// As it is answered: `%1` and `%2` stand for the answer's variables.
    pub message: &'static str,
    /// For help texts: status, code and message.
    pub what: &'static str,
}

macro_rules! error_codes {
    ($($status:literal $code:literal $message:literal,)*) => {
        /// Every code that the contract names, and one with each low byte that has the same meaning everywhere.
        ///
        /// Source: <https://gatewayapi.com/docs/error-codes/>; the messages from 0x021E on are in our words. The index
        /// gives the generic codes (0x0101 to 0x0109) no HTTP status: most of theirs are chosen so that the status
        /// alone would mislead, since the code decides.
        pub(super) const ERROR_CODES: &[ErrorCode] = &[$(ErrorCode {
            code: $code,
            status: $status,
            message: $message,
            what: concat!("HTTP ", $status, " ", stringify!($code), ": ", $message),
        },)*];
    };
}

error_codes! {
    500 0x0101 "Unknown error",
    500 0x0102 "Generic NACK",
    503 0x0103 "Operation not permitted",
    500 0x0104 "Input/output error",
    503 0x0105 "Shutting down",
    422 0x0106 "Insufficient resources",
    500 0x0107 "Permission denied",
    500 0x0108 "Invalid argument",
    400 0x0109 "Resource temporarily unavailable",
    401 0x0210 "Invalid username: %1",
    401 0x0211 "Invalid password",
    401 0x0212 "Invalid IP-address: %1",
    403 0x0213 "Unauthorized IP-address: %1",
    403 0x0214 "Temporary blacklist for MSISDN %1 with hash %2",
    403 0x0215 "MSISDN %1 blacklisted",
    403 0x0216 "Insufficient credit",
    403 0x0217 "Unauthorized destination: country %1",
    422 0x0218 "Unknown message class id %1",
    403 0x0219 "E-mail not enabled for account",
    403 0x021A "HLR not enabled for account",
    403 0x021B "Phonebook not enabled for account",
    403 0x021C "MMS not enabled for account",
    403 0x021D "SMS not enabled for account",
    500 0x021E "Message class not configured",
    403 0x021F "Unauthorized destination: operator",
    400 0x0220 "Invalid request",
    400 0x0221 "Missing argument",
    400 0x0222 "Malformed argument",
    401 0x0223 "Invalid API key",
    401 0x0224 "Invalid signature",
    401 0x0225 "Invalid nonce",
    401 0x0226 "Invalid timestamp",
    401 0x0229 "Invalid token",
    403 0x022A "Account frozen",
    422 0x0310 "Duplicate recipient %1",
    422 0x0311 "Priority not available",
    422 0x0312 "Message filtered by content",
}

impl ErrorCode {
    pub fn find(code: u16) -> Option<&'static Self> {
        ERROR_CODES.iter().find(|known| known.code == code)
    }
}

/// An answer that refuses the whole request.
#[derive(Debug)]
pub(super) struct Refusal {
    /// HTTP.
    pub status: u16,
    code: Option<u16>,
    message: Cow<'static, str>,
    variables: Vec<String>,
}

impl Refusal {
    /// With a code of the error index.
    pub fn coded(code: u16, variables: Vec<String>) -> Self {
        let (status, message) = match ErrorCode::find(code) {
            Some(known) => (known.status, known.message),
            None => (500, "Unknown error"),
        };
        Self { status, code: Some(code), message: message.into(), variables }
    }

    /// Without a code: only the status tells what is meant.
    pub fn uncoded(status: u16, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: None, message: message.into(), variables: Vec::new() }
    }

    /// A request that is no message.
    pub fn malformed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::uncoded(400, message)
    }

    #[cfg(test)]
    pub const fn code(&self) -> Option<u16> {
        self.code
    }

    pub fn body(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Body {
            #[serde(skip_serializing_if = "Option::is_none")]
            code: Option<String>,
            incident_uuid: String,
            message: Cow<'static, str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            variables: Option<Vec<String>>,
        }
        Body {
            code: self.code.map(|code| format!("0x{code:04X}")),
            incident_uuid: Uuid::now_v7().to_string(),
            message: self.message.clone(),
            variables: self.code.map(|_| self.variables.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_coded_refusal_has_exactly_the_four_documented_keys() {
        let refusal = Refusal::coded(0x0213, vec!["1.2.3.4".to_owned()]);
        let mut body = serde_json::to_value(refusal.body()).unwrap();
        let incident = body["incident_uuid"].take();
        assert_eq!(incident.as_str().unwrap().len(), 36);
        let message = "Unauthorized IP-address: %1";
        assert_eq!(
            body,
            json!({"code": "0x0213", "incident_uuid": null, "message": message, "variables": ["1.2.3.4"]})
        );
    }

    #[test]
    fn an_uncoded_refusal_has_neither_code_nor_variables() {
        let body = serde_json::to_value(Refusal::malformed("No").body()).unwrap();
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["incident_uuid", "message"]);
    }

    #[test]
    fn the_code_of_another_index_is_answered_as_it_is() {
        let body = serde_json::to_value(Refusal::coded(0x0ABC, Vec::new()).body()).unwrap();
        assert_eq!(body["code"], "0x0ABC");
    }
}
