//! GatewayAPI: a typed client, and the dispatcher that shares its few connections among many messages.
//!
//! Facts are those of GatewayAPI's REST documentation (<https://gatewayapi.com/docs/apis/rest/>).

mod account;
mod breaker;
mod connection;
mod dispatch;
mod error;
mod retry;
mod wire;

pub use self::{
    account::{Credit, CreditError, watch_credit},
    connection::{ConnectError, Connector},
    dispatch::{Capacity, Dispatcher, LateOutcome},
    error::{AccountFault, ErrorCode, Failure, FailureKind, NotSent, Rejection, Unknown},
    retry::{Decision, decide},
    wire::{Envelope, Message, Receipt},
};
