//! From request to answer.

mod body;
mod reply;
mod send;

use std::future;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, Response, body::Incoming, header::AUTHORIZATION, http::request::Parts};
use serde_json::{Value, json};

use super::{
    behaviour::Behaviour,
    errors::Refusal,
    gateway::Gateway,
    inbox::State,
    prices::{self, CURRENCY, Country, country_code},
    received::Received,
};
use body::{Body, Dropped};
use reply::Reply;

pub(super) const SEND: &str = "/rest/mtsms";
pub(super) const ACCOUNT: &str = "/rest/me";
const PRICES: &str = "/api/prices/list/sms/json";

/// Bytes of a request: ten thousand recipients in each of many messages fit.
const LONGEST_REQUEST: usize = 16 << 20;

impl Gateway {
    /// Answers one request.
    ///
    /// # Errors
    ///
    /// When the connection is to be closed without an answer.
    pub async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LONGEST_REQUEST).collect().await.map_err(|_| Dropped)?.to_bytes();
        let number = if is_send(&head) { self.count_request() } else { 0 };
        let reply = self.reply(&head, &body, number);
        self.until_told(number).await;
        self.until_released(head.uri.path()).await;
        let latency = self.latency();
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match reply {
            Reply::Answer(answer) => Ok(answer.map(Body::whole)),
            Reply::Late(delay, answer) => {
                tokio::time::sleep(delay).await;
                Ok(answer.map(Body::whole))
            }
            Reply::CutShort(answer) => Ok(answer.map(Body::cut_short)),
            Reply::Closed => Err(Dropped),
            Reply::Never => future::pending().await,
        }
    }

    fn reply(&self, head: &Parts, body: &Bytes, number: usize) -> Reply {
        match self.behaviour() {
            Behaviour::Normal => self.route(head, body, number),
            Behaviour::RateLimiting => Reply::status(429),
            Behaviour::Failing(status) => Reply::status(status),
            Behaviour::Dead => Reply::Never,
            Behaviour::Dropping => Reply::Closed,
            Behaviour::DroppingAfterAcceptance => self.route(head, body, number).or_if_success(Reply::Closed),
            Behaviour::Garbling => self.route(head, body, number).or_if_success(Reply::html(200)),
            Behaviour::AccountFault(code) => Reply::refusal(&Refusal::coded(code, Vec::new())),
        }
    }

    fn route(&self, head: &Parts, body: &Bytes, number: usize) -> Reply {
        let path = head.uri.path();
        let reply = match (&head.method, path, path.strip_prefix("/rest/mtsms/")) {
            (&Method::POST, SEND, _) => self.authorize(head).and_then(|()| send::send(self, head, body, number)),
            (&Method::GET, ACCOUNT, _) => self.authorize(head).map(|()| Reply::ok(&self.account())),
            (&Method::GET, PRICES, _) => Ok(Reply::ok(&prices::list())),
            (&Method::GET, _, Some(id)) => self.authorize(head).and_then(|()| self.message(id)),
            (_, SEND | ACCOUNT | PRICES, _) | (_, _, Some(_)) => Err(Refusal::uncoded(405, "Method not allowed")),
            _ => Err(Refusal::uncoded(404, "Not found")),
        };
        reply.unwrap_or_else(|refusal| Reply::refusal(&refusal))
    }

    /// HTTP Basic with the token as the user and an empty password.
    fn authorize(&self, head: &Parts) -> Result<(), Refusal> {
        let credentials = head
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
            .and_then(|(_, encoded)| BASE64_STANDARD.decode(encoded).ok())
            .and_then(|decoded| String::from_utf8(decoded).ok())
            .unwrap_or_default();
        match credentials.split_once(':') {
            Some((user, "")) if user == self.token => Ok(()),
            Some((user, _)) if user == self.token => Err(Refusal::coded(0x0211, Vec::new())),
            Some((user, _)) => Err(Refusal::coded(0x0210, vec![user.to_owned()])),
            None => Err(Refusal::coded(0x0210, Vec::new())),
        }
    }

    fn account(&self) -> Value {
        let credit = if self.credit_as_text { json!("1234.56") } else { json!(1234.56) };
        json!({"credit": credit, "currency": CURRENCY, "id": 1})
    }

    fn message(&self, id: &str) -> Result<Reply, Refusal> {
        let entries = id.parse().map(|id| self.inbox.find(id)).unwrap_or_default();
        let Some((message, _)) = entries.first() else {
            return Err(Refusal::uncoded(404, "Not found"));
        };
        Ok(Reply::ok(&json!({
            "id": message.id,
            "message": message.text,
            "sender": message.sender,
            "class": message.class.as_str(),
            "encoding": message.encoding.as_str(),
            "priority": message.priority.as_str(),
            "userref": message.userref,
            "label": message.label,
            "validity_period": message.validity_period,
            "callback_url": message.callback_url,
            "recipients": entries.iter().map(|(message, state)| recipient(message, *state)).collect::<Value>(),
        })))
    }
}

fn is_send(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.path() == SEND
}

fn recipient(message: &Received, state: Option<State>) -> Value {
    let code = country_code(message.msisdn);
    let country = code.as_deref().and_then(Country::find);
    json!({
        "msisdn": message.msisdn,
        "country": code,
        "csms": message.parts,
        // Before the first report.
        "dsnstatus": state.map_or("SCHEDULED", |state| state.status),
        "dsnerror": state.and_then(|state| state.error),
        "dsnerrorcode": state.and_then(|state| state.code),
        "dsntime": state.map(|state| state.time),
        "mcc": country.map(|country| country.mcc),
        "mnc": country.map(|_| 1),
    })
}

#[cfg(test)]
mod tests;
