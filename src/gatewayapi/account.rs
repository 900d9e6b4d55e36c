//! The account's credit, which runs out at night.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, de};

use super::{
    connection::{Answer, NoAnswer},
    dispatch::Dispatcher,
    error::{Failure, FailureKind},
    wire,
};
use crate::sms::Currency;

/// What the account has left.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Credit {
    #[serde(rename = "credit", deserialize_with = "number_or_text")]
    pub amount: f64,
    #[serde(deserialize_with = "currency")]
    pub currency: Currency,
}

/// Why the credit is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreditError {
    #[error("GatewayAPI can't be reached")]
    Unreachable,
    #[error("GatewayAPI refused: {0}")]
    Refused(Failure),
    #[error("GatewayAPI's answer can't be read")]
    Unreadable,
    #[error("all connections are busy")]
    Busy,
}

/// Beside the endpoint: `GET /rest/me`.
pub(super) const RESOURCE: &str = "me";

/// The connection is not kept from messages for long.
const PATIENCE: Duration = Duration::from_secs(3);
const FIRST_ASKED: Duration = Duration::from_secs(1);
const ASKED_EVERY: Duration = Duration::from_secs(300);
/// Where it may soon be told: no connection was free, or GatewayAPI did not answer, or could not just then.
const ASKED_AGAIN: Duration = Duration::from_secs(30);

impl Dispatcher {
    /// Asks `GET /rest/me`, on a connection that no message needs.
    ///
    /// # Errors
    ///
    /// Also when there is no such connection.
    pub async fn credit(&self) -> Result<Credit, CreditError> {
        let lent = self.lend_idle().ok_or(CreditError::Busy)?;
        let answer = lent.connection().get(RESOURCE, PATIENCE).await;
        tokio::spawn(lent.drive());
        read(answer)
    }
}

/// Keeps the credit's metrics up to date, for as long as the process runs.
pub async fn watch_credit(dispatcher: Dispatcher) {
    tokio::time::sleep(FIRST_ASKED).await;
    loop {
        let told = dispatcher.credit().await;
        let pause = pause_after(&told);
        match told {
            Ok(credit) => {
                let metrics = dispatcher.metrics();
                metrics.credit.with_label_values(&[credit.currency.as_str()]).set(credit.amount);
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                metrics.credit_time.set(now.as_secs_f64());
            }
            Err(CreditError::Busy) => {}
            Err(error) => tracing::warn!(%error, "the account's credit is not known"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// A refusal of the account or of the question, and an answer of another kind, stay as they are until somebody acts.
const fn pause_after(told: &Result<Credit, CreditError>) -> Duration {
    match told {
        Err(CreditError::Busy | CreditError::Unreachable) => ASKED_AGAIN,
        Err(CreditError::Refused(failure))
            if matches!(failure.kind, FailureKind::NotSent(_) | FailureKind::Unknown(_)) =>
        {
            ASKED_AGAIN
        }
        Ok(_) | Err(CreditError::Refused(_) | CreditError::Unreadable) => ASKED_EVERY,
    }
}

fn read(answer: Result<Answer, NoAnswer>) -> Result<Credit, CreditError> {
    let Answer { status, retry_after, body } = answer.map_err(|_| CreditError::Unreachable)?;
    if status != 200 {
        return Err(CreditError::Refused(wire::refused(status, retry_after, body.as_deref()).failure));
    }
    let credit: Credit = serde_json::from_slice(&body.unwrap_or_default()).map_err(|_| CreditError::Unreadable)?;
    if credit.amount.is_finite() { Ok(credit) } else { Err(CreditError::Unreadable) }
}

fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.trim().parse().map_err(de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn answered(status: u16, body: &str) -> Result<Credit, CreditError> {
        read(Ok(Answer { status, retry_after: None, body: Some(body.into()) }))
    }

    #[rstest]
    #[case(r#"{"credit":1234.56,"currency":"DKK","id":1}"#)]
    #[case(r#"{"credit":"1234.56","currency":"DKK","id":1}"#)]
    fn the_credit_is_a_number_or_a_text(#[case] body: &str) {
        let credit = Credit { amount: 1234.56, currency: Currency::parse("DKK").unwrap() };
        assert_eq!(answered(200, body), Ok(credit));
    }

    #[rstest]
    #[case::told(answered(200, r#"{"credit":1,"currency":"DKK"}"#), ASKED_EVERY)]
    #[case::unreadable(answered(200, "<html>"), ASKED_EVERY)]
    #[case::token_refused(answered(401, ""), ASKED_EVERY)]
    #[case::not_found(answered(404, ""), ASKED_EVERY)]
    #[case::down(answered(503, ""), ASKED_AGAIN)]
    #[case::rate_limited(answered(429, ""), ASKED_AGAIN)]
    #[case::no_answer(read(Err(NoAnswer::TimedOut)), ASKED_AGAIN)]
    #[case::not_connected(read(Err(NoAnswer::NotWritten)), ASKED_AGAIN)]
    #[case::busy(Err(CreditError::Busy), ASKED_AGAIN)]
    fn it_is_asked_again_soon_where_that_may_help(#[case] told: Result<Credit, CreditError>, #[case] pause: Duration) {
        assert_eq!(pause_after(&told), pause);
    }

    #[test]
    fn a_refused_token_is_told_from_an_answer_that_is_none() {
        let body =
            r#"{"code":"0x0223","incident_uuid":"d8127429-fa0c-4316-b1f2-e610c3958f43","message":"Invalid API key"}"#;
        let refused = answered(401, body).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "GatewayAPI refused: credentials, status 401, code 0x0223, incident d8127429-fa0c-4316-b1f2-e610c3958f43"
        );
        assert_eq!(answered(403, "").unwrap_err().to_string(), "GatewayAPI refused: feature, status 403");
        assert_eq!(answered(200, r#"{"credit":"much","currency":"DKK"}"#), Err(CreditError::Unreadable));
        assert_eq!(answered(200, r#"{"credit":1,"currency":"kroner"}"#), Err(CreditError::Unreadable));
        assert_eq!(read(Err(NoAnswer::TimedOut)), Err(CreditError::Unreachable));
    }
}
