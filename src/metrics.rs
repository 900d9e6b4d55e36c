//! What monitoring sees: one struct of instruments, each of whose doc comments is its help text.
//!
//! Labels are bounded: no number, no code, no name that a caller may choose.

use std::time::Duration;

use prometheus::{
    CounterVec, Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
    core::{Collector, Desc},
    process_collector::ProcessCollector,
    proto::MetricFamily,
};

use crate::sms::{Country, words};

/// An instrument as monitoring knows it.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    pub name: &'static str,
    /// Its type in this module, such as `IntCounterVec`.
    pub kind: &'static str,
    pub labels: &'static [&'static str],
}

/// Declares the instruments, so that a name, its help and its labels stand in one place.
macro_rules! instruments {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ident($name:literal, [$($label:literal),*] $(, [$($bucket:literal),*])?);)+) => {
        /// What `/metrics` offers besides `process_*`, whether it has been used yet or not.
        pub const INSTRUMENTS: &[Description] =
            &[$(Description { name: $name, kind: stringify!($kind), labels: &[$($label),*] }),+];

        /// All instruments of the process.
        #[derive(Debug)]
        #[allow(clippy::doc_markdown, reason = "a help text is plain text")]
        pub struct Metrics {
            registry: Registry,
            $($(#[doc = $help])+ pub $field: $kind,)+
        }

        impl Metrics {
            /// Instruments at zero.
            pub fn new() -> Self {
                let registry = Registry::new();
                let register = |collector: Box<dyn Collector>| registry.register(collector).expect("names are distinct");
                $(
                    let opts = Opts::new($name, concat!($($help),+).trim());
                    let $field = $kind::instrument(opts, &[$($label),*], &[$($($bucket),*)?]);
                    register(Box::new($field.clone()));
                )+
                register(Box::new(ProcessCollector::for_self()));
                Self { registry, $($field,)+ }
            }
        }
    };
}

instruments! {
    /// Calls of POST /send by outcome and usage type (unknown: refused unread), and test deliveries as usage type test.
    requests: IntCounterVec("sms_requests_total", ["outcome", "usage_type"]);
    /// Calls of POST /send that were answered with the outcome of an earlier equal call.
    repeats: IntCounter("sms_repeats_total", []);
    /// Requests to GatewayAPI by outcome (accepted, rejected, ...) and kind of error.
    gatewayapi_requests: IntCounterVec("sms_gatewayapi_requests_total", ["outcome", "error_kind"]);
    /// Messages in one request to GatewayAPI.
    gatewayapi_batch_size: Histogram("sms_gatewayapi_batch_size", [], [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0]);
    /// Attempts to send a message again after GatewayAPI did not take it.
    retries: IntCounter("sms_retries_total", []);
    /// Outcomes that became known after the person had been answered.
    late_outcomes: IntCounterVec("sms_late_outcomes_total", ["outcome"]);
    /// Time in each stage of a call: validate, admit (limits and ledger), render, gatewayapi (waiting for a
    /// connection included), settle (ledger), total.
    stage_duration: StageDurations("sms_stage_duration_seconds", ["stage"],
        [0.000_01, 0.000_1, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 8.0]);
    /// Segments of the texts that were made to be sent, by encoding. Not all of them were accepted.
    segments: HistogramVec("sms_message_segments", ["encoding"], [1.0, 2.0, 3.0, 5.0, 10.0]);
    /// Messages that wait for a connection to GatewayAPI.
    messages_waiting: IntGauge("sms_messages_waiting", []);
    /// Connections to GatewayAPI that carry a request.
    connections_in_use: IntGauge("sms_gatewayapi_connections_in_use", []);
    /// The circuit breaker: 0 closed, 1 open (answers at once, probes now and then).
    breaker_state: IntGauge("sms_gatewayapi_breaker_state", []);
    /// What GatewayAPI said the accepted messages cost, by currency.
    cost: CounterVec("sms_cost_total", ["currency"]);
    /// The account's credit, by currency.
    credit: GaugeVec("sms_gatewayapi_credit", ["currency"]);
    /// When the credit was last known, in seconds since 1970.
    credit_time: Gauge("sms_gatewayapi_credit_timestamp_seconds", []);
    /// Messages that GatewayAPI accepted, by country (XX: of none).
    accepted: IntCounterVec("sms_accepted_total", ["country"]);
    /// Messages that reached the phone, by the delivery reports, by country.
    delivered: IntCounterVec("sms_delivered_total", ["country"]);
    /// Messages that will not reach the phone, by the delivery reports, by country and group of errors (none, HLR, ...).
    undelivered: IntCounterVec("sms_undelivered_total", ["country", "error_group"]);
    /// From GatewayAPI's acceptance to the phone, where both clocks may be right.
    delivery_seconds: Histogram("sms_delivery_seconds", [],
        [1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0]);
    /// Delivery reports by what they did (applied, duplicate, late, unknown_message), or unknown_state or unreadable.
    delivery_reports: IntCounterVec("sms_delivery_reports_total", ["result"]);
    /// Delivery reports that were refused, by reason (no_signature, several_signatures, malformed, algorithm, signature,
    /// ledger_away).
    delivery_reports_refused: IntCounterVec("sms_delivery_reports_refused_total", ["reason"]);
    /// Messages that a limit refused, by limit.
    limits_refused: IntCounterVec("sms_limits_refused_total", ["limit"]);
    /// Messages that a limit in monitor mode would have refused, by limit.
    limits_monitored: IntCounterVec("sms_limits_monitored_total", ["limit"]);
    /// Numbers, addresses, ranges and countries that the limits remember in memory; bounded.
    limits_subjects: IntGauge("sms_limits_subjects", []);
    /// The spent share of limits.spend.per_day, by currency: 1 is all of it.
    limits_spend_ratio: GaugeVec("sms_limits_spend_ratio", ["currency"]);
    /// Messages to test numbers, which were answered and not sent.
    test_numbers: IntCounter("sms_test_numbers_total", []);
    /// Whether the ledger's database can be written: 1 yes, 0 no.
    ledger_up: IntGauge("sms_ledger_up", []);
    /// Writes that are kept until the ledger's database is back.
    ledger_waiting: IntGauge("sms_ledger_waiting", []);
    /// Writes that were lost because too many were kept already.
    ledger_dropped: IntCounter("sms_ledger_dropped_total", []);
    /// Writes in one transaction.
    ledger_batch_size: Histogram("sms_ledger_batch_size", [], [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0]);
    /// Time that a transaction took.
    ledger_write_seconds: Histogram("sms_ledger_write_seconds", [],
        [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]);
    /// Template sets loaded while running, by result (loaded, refused).
    template_reloads: IntCounterVec("sms_template_reloads_total", ["result"]);
    /// Clients' connections that are open, by listener (public, operator).
    server_connections: IntGaugeVec("sms_server_connections", ["listener"]);
    /// How many connections a listener has room for; further ones wait until one ends.
    server_connections_max: IntGaugeVec("sms_server_connections_max", ["listener"]);
    /// Connections that were given up, by listener and reason (silent, too_much).
    server_connections_given_up: IntCounterVec("sms_server_connections_given_up_total", ["listener", "reason"]);
    /// Constant 1, with the version as label.
    build_info: IntGaugeVec("sms_build_info", ["version"]);
}

impl Metrics {
    /// Takes note of the time that a stage took.
    pub fn stage(&self, stage: Stage, took: Duration) {
        self.stage_duration.0[stage as usize].observe(took.as_secs_f64());
    }

    /// Takes note of a message that GatewayAPI accepted.
    pub fn accepted(&self, country: Option<Country>) {
        self.accepted.with_label_values(&[country_label(country.as_ref())]).inc();
    }

    /// The Prometheus text format.
    pub fn encode(&self) -> String {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).expect("writing to memory succeeds");
        String::from_utf8(text).expect("Prometheus' text format is UTF-8")
    }
}

/// `XX` where a number is of no country, as ISO 3166 leaves it to users.
pub fn country_label(country: Option<&Country>) -> &str {
    country.map_or("XX", Country::as_str)
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

words! {
    /// Stages of a call, as the metric names them.
    pub enum Stage {
        Validate = "validate",
        Admit = "admit",
        Render = "render",
        GatewayApi = "gatewayapi",
        Settle = "settle",
        Total = "total",
    }
}

/// The content type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What [`instruments!`] needs to make an instrument of any kind. The options are constants, so they are valid.
trait Instrument {
    fn instrument(opts: Opts, labels: &[&str], buckets: &[f64]) -> Self;
}

macro_rules! kinds {
    (plain: $($plain:ident)+; labelled: $($labelled:ident)+) => {
        $(impl Instrument for $plain {
            fn instrument(opts: Opts, _: &[&str], _: &[f64]) -> Self {
                Self::with_opts(opts).expect("constant options")
            }
        })+
        $(impl Instrument for $labelled {
            fn instrument(opts: Opts, labels: &[&str], _: &[f64]) -> Self {
                Self::new(opts, labels).expect("constant options")
            }
        })+
    };
}

kinds!(plain: IntCounter IntGauge Gauge; labelled: IntCounterVec IntGaugeVec GaugeVec CounterVec);

impl Instrument for Histogram {
    fn instrument(opts: Opts, _: &[&str], buckets: &[f64]) -> Self {
        Self::with_opts(HistogramOpts::from(opts).buckets(buckets.to_vec())).expect("constant options")
    }
}

impl Instrument for HistogramVec {
    fn instrument(opts: Opts, labels: &[&str], buckets: &[f64]) -> Self {
        Self::new(HistogramOpts::from(opts).buckets(buckets.to_vec()), labels).expect("constant options")
    }
}

/// A histogram for each stage, looked up once.
#[derive(Debug, Clone)]
pub struct StageDurations([Histogram; Stage::ALL.len()], HistogramVec);

impl Instrument for StageDurations {
    fn instrument(opts: Opts, labels: &[&str], buckets: &[f64]) -> Self {
        let all = HistogramVec::instrument(opts, labels, buckets);
        Self(Stage::ALL.map(|stage| all.with_label_values(&[stage.as_str()])), all)
    }
}

impl Collector for StageDurations {
    fn desc(&self) -> Vec<&Desc> {
        self.1.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.1.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruments_doc_comment_is_its_help_text() {
        let metrics = Metrics::new();
        metrics.requests.with_label_values(&["accepted", "SignIn"]).inc();
        let text = metrics.encode();
        assert!(text.contains("# HELP sms_requests_total Calls of POST /send by outcome and usage type (unknown: refused unread), and test \
            deliveries as usage type test.\n"), "{text}");
        assert!(text.contains("sms_requests_total{outcome=\"accepted\",usage_type=\"SignIn\"} 1\n"), "{text}");
        assert!(text.contains("process_resident_memory_bytes"), "{text}");
    }
}
