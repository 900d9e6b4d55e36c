//! Delivery reports: GatewayAPI calls them delivery status notifications.

mod post;

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    gateway::{Gateway, now},
    inbox::State,
    magic::Fate,
    prices::{country_code, country_prefix},
    received::Received,
};
use post::{Address, Post};

/// How delivery reports are sent.
#[derive(Clone)]
pub struct Reports {
    /// Signs each report; the webhook's authentication token at GatewayAPI.
    pub secret: Option<String>,
    /// Before each state of a message.
    pub delay: Duration,
    /// Where reports go of messages without a `callback_url`; the account's default webhook at GatewayAPI.
    pub url: Option<String>,
    /// Before the first repetition of a report that was not answered with 2xx; it doubles each time.
    pub retry_after: Duration,
    /// A request to send is answered only after all states of its messages were reported, whether or not the webhook
    /// took the reports.
    pub before_answer: bool,
    /// What the reports of every message say, in order. `None`: what its [number](super::magic_numbers) chooses.
    pub states: Option<Vec<ReportedState>>,
}

/// What one report says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedState {
    pub status: &'static str,
    pub fault: Option<ReportedFault>,
}

/// Why a message did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedFault {
    /// Such as `0x1001`.
    pub code: &'static str,
    pub error: &'static str,
}

impl ReportedState {
    pub const fn of(status: &'static str) -> Self {
        Self { status, fault: None }
    }

    pub const fn failed(status: &'static str, code: &'static str, error: &'static str) -> Self {
        Self { status, fault: Some(ReportedFault { code, error }) }
    }
}

impl Default for Reports {
    fn default() -> Self {
        Self {
            secret: None,
            delay: Duration::from_millis(500),
            url: None,
            retry_after: Duration::from_secs(1),
            before_answer: false,
            states: None,
        }
    }
}

/// The longest delay between two repetitions.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// When it is given up: GatewayAPI repeats a report for at least a day.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

/// The body of a report, and the claims of its signature.
#[derive(Serialize)]
struct Event {
    id: u64,
    msisdn: u64,
    /// Unix seconds.
    time: u64,
    status: &'static str,
    error: Option<&'static str>,
    code: Option<&'static str>,
    userref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_prefix: Option<u16>,
}

/// Tells one message's whole fate. Each state is reported after the one before it; a report that has to be repeated
/// does not hold up the next, so it may arrive after it.
pub(super) async fn report(gateway: Arc<Gateway>, message: Received) {
    let Some(reports) = &gateway.reports else { return };
    let everywhere = gateway.report_url();
    let url = everywhere.as_ref().or(message.callback_url.as_ref()).or(reports.url.as_ref());
    let address = url.and_then(|url| Address::parse(url));
    let states = reports.states.as_deref().unwrap_or_else(|| Fate::of(message.msisdn).reports());
    let mut repetitions = JoinSet::new();
    for &ReportedState { status, fault } in states {
        tokio::time::sleep(reports.delay).await;
        let state =
            State { status, error: fault.map(|fault| fault.error), code: fault.map(|fault| fault.code), time: now() };
        gateway.inbox.set_state(&message, state);
        let Some(address) = &address else { continue };
        let post = Post::new(address.clone(), reports.secret.as_deref(), &event(&message, state));
        if post.is_answered().await {
            gateway.reports_answered.send_modify(|count| *count += 1);
        } else {
            repetitions.spawn(repeat(Arc::clone(&gateway), post, reports.retry_after));
        }
    }
    gateway.told(message.request);
    while repetitions.join_next().await.is_some() {}
}

async fn repeat(gateway: Arc<Gateway>, post: Post, retry_after: Duration) {
    let mut delay = retry_after;
    let mut waited = Duration::ZERO;
    while waited < GIVEN_UP_AFTER {
        tokio::time::sleep(delay).await;
        if post.is_answered().await {
            gateway.reports_answered.send_modify(|count| *count += 1);
            return;
        }
        waited += delay.max(Duration::from_millis(1));
        delay = (delay * 2).min(LONGEST_DELAY);
    }
}

fn event(message: &Received, state: State) -> Event {
    Event {
        id: message.id,
        msisdn: message.msisdn,
        time: state.time,
        status: state.status,
        error: state.error,
        code: state.code,
        userref: message.userref.clone(),
        country_code: country_code(message.msisdn),
        country_prefix: country_prefix(message.msisdn),
    }
}

#[cfg(test)]
mod tests;
