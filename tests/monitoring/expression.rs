//! Expressions against what the service offers: which metrics one reads, and which labels it may name.

use std::collections::{BTreeMap, BTreeSet};

use gatewayapi_sms_connector::metrics::{INSTRUMENTS, Metrics};
use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, BinaryExpr, Call, Expr, LabelModifier, VectorSelector},
};

pub type Labels = BTreeSet<String>;

/// What Prometheus gives every series of a target; `namespace` in Kubernetes only.
const OF_THE_TARGET: [&str; 3] = ["job", "instance", "namespace"];

/// A metric as an expression may use it.
struct Metric {
    labels: Labels,
    /// Read through `rate` or `increase` only.
    is_counter: bool,
}

/// All that an expression may read.
pub struct Offer {
    metrics: BTreeMap<String, Metric>,
    /// Words that a label may have, by metric and label; only those of which all are known.
    values: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Offer {
    /// What the service declares; `text` is what it says at its start, in Prometheus' format, and `words` what the README
    /// says of each metric.
    pub fn of(text: &str, words: &BTreeMap<String, BTreeSet<String>>) -> Self {
        let mut metrics = BTreeMap::new();
        for instrument in INSTRUMENTS {
            let labels = instrument.labels.iter().copied();
            let is_histogram = matches!(instrument.kind, "Histogram" | "HistogramVec" | "StageDurations");
            let is_counter = is_histogram || instrument.kind.contains("Counter");
            if is_histogram {
                for part in ["_sum", "_count"] {
                    metrics.insert(format!("{}{part}", instrument.name), metric(labels.clone(), true));
                }
                metrics.insert(format!("{}_bucket", instrument.name), metric(labels.chain(["le"]), true));
            } else {
                metrics.insert(instrument.name.to_owned(), metric(labels, is_counter));
            }
        }
        // Of the process: whatever this one has, which is of the same kind.
        for name in Metrics::new().encode().lines().filter_map(|line| line.split(' ').next()) {
            if name.starts_with("process_") {
                metrics.insert(name.to_owned(), metric([], name.ends_with("_total")));
            }
        }
        // Prometheus' own.
        metrics.insert("up".to_owned(), metric([], false));
        metrics.insert("ALERTS".to_owned(), metric(["alertname", "alertstate", "severity", "service"], false));
        Self { metrics, values: values(text, words) }
    }

    pub fn has(&self, name: &str) -> bool {
        self.metrics.contains_key(name) || INSTRUMENTS.iter().any(|instrument| instrument.name == name)
    }

    /// Adds what a recording rule makes.
    pub fn record(&mut self, name: &str, labels: Labels) {
        let known =
            self.metrics.entry(name.to_owned()).or_insert_with(|| Metric { labels: Labels::new(), is_counter: false });
        known.labels.extend(labels);
    }

    /// The labels of an expression's result.
    ///
    /// # Errors
    ///
    /// What the service or Prometheus does not know.
    pub fn labels_of(&self, promql: &str) -> Result<Labels, String> {
        let expr = parser::parse(promql).map_err(|error| format!("{promql}: {error}"))?;
        self.labels(&expr, false).map_err(|fault| format!("{promql}: {fault}"))
    }

    fn labels(&self, expr: &Expr, in_rate: bool) -> Result<Labels, String> {
        match expr {
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(Labels::new()),
            Expr::Paren(paren) => self.labels(&paren.expr, in_rate),
            Expr::Unary(unary) => self.labels(&unary.expr, in_rate),
            Expr::Subquery(subquery) => self.labels(&subquery.expr, false),
            Expr::VectorSelector(selector) => self.select(selector, in_rate),
            Expr::MatrixSelector(matrix) => self.select(&matrix.vs, in_rate),
            Expr::Call(call) => self.call(call),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Aggregate(aggregate) => {
                let inner = self.labels(&aggregate.expr, false)?;
                match &aggregate.modifier {
                    None => Ok(Labels::new()),
                    Some(LabelModifier::Include(by)) => known(&by.labels, &inner),
                    Some(LabelModifier::Exclude(without)) => Ok(&inner - &known(&without.labels, &inner)?),
                }
                .map(|labels| if is_topk(&aggregate.op.to_string()) { inner } else { labels })
            }
            Expr::Extension(_) => Err("an extension".to_owned()),
        }
    }

    fn select(&self, selector: &VectorSelector, in_rate: bool) -> Result<Labels, String> {
        let name = selector.name.as_deref().ok_or("a selector without a metric")?;
        let metric = self.metrics.get(name).ok_or_else(|| format!("no metric {name}"))?;
        if metric.is_counter != in_rate {
            let fault =
                if in_rate { "a gauge in rate() or increase()" } else { "a counter without rate() or increase()" };
            return Err(format!("{name}: {fault}"));
        }
        for matcher in &selector.matchers.matchers {
            if !metric.labels.contains(&matcher.name) {
                return Err(format!("{name} has no label {}", matcher.name));
            }
            self.check_values(name, matcher)?;
        }
        Ok(metric.labels.clone())
    }

    /// A word that a label never has would silently match nothing.
    fn check_values(&self, name: &str, matcher: &Matcher) -> Result<(), String> {
        let Some(values) = self.values.get(&(name.to_owned(), matcher.name.clone())) else { return Ok(()) };
        let words = match matcher.op {
            MatchOp::Equal | MatchOp::NotEqual => vec![matcher.value.as_str()],
            MatchOp::Re(_) | MatchOp::NotRe(_) => matcher.value.split('|').collect(),
        };
        match words.iter().find(|word| !values.contains(**word)) {
            Some(word) => Err(format!("{name}: {} is never {word}", matcher.name)),
            None => Ok(()),
        }
    }

    fn call(&self, call: &Call) -> Result<Labels, String> {
        let in_rate = matches!(call.func.name, "rate" | "irate" | "increase");
        let mut labels = Labels::new();
        for argument in &call.args.args {
            labels.extend(self.labels(argument, in_rate)?);
        }
        if call.func.name == "histogram_quantile" && !labels.remove("le") {
            return Err("histogram_quantile() of what has no le".to_owned());
        }
        Ok(labels)
    }

    fn binary(&self, binary: &BinaryExpr) -> Result<Labels, String> {
        let (left, right) = (self.labels(&binary.lhs, false)?, self.labels(&binary.rhs, false)?);
        if let Some(LabelModifier::Include(on)) =
            binary.modifier.as_ref().and_then(|modifier| modifier.matching.as_ref())
        {
            known(&on.labels, &left)?;
            known(&on.labels, &right)?;
        }
        Ok(if left.is_empty() { right } else { left })
    }
}

fn metric<'a>(labels: impl IntoIterator<Item = &'a str>, is_counter: bool) -> Metric {
    Metric { labels: labels.into_iter().chain(OF_THE_TARGET).map(str::to_owned).collect(), is_counter }
}

fn known(labels: &[String], among: &Labels) -> Result<Labels, String> {
    match labels.iter().find(|label| !among.contains(*label)) {
        Some(label) => Err(format!("no label {label} there, only {among:?}")),
        None => Ok(labels.iter().cloned().collect()),
    }
}

fn is_topk(operator: &str) -> bool {
    matches!(operator, "topk" | "bottomk")
}

/// The words of a label of which the service starts all at zero, and those that the README adds.
fn values(text: &str, words: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut values = BTreeMap::<_, BTreeSet<String>>::new();
    for line in text.lines().filter(|line| line.starts_with("sms_")) {
        let Some((name, rest)) = line.split_once('{') else { continue };
        for pair in rest.split_once('}').map_or("", |(pairs, _)| pairs).split(',') {
            let Some((label, value)) = pair.split_once('=') else { continue };
            if ["outcome", "error_kind", "usage_type", "limit", "stage", "result"].contains(&label) {
                let of_label = values.entry((name.to_owned(), label.to_owned())).or_default();
                of_label.insert(value.trim_matches('"').to_owned());
            }
        }
    }
    for ((name, _), of_label) in &mut values {
        of_label.extend(words.get(name).into_iter().flatten().cloned());
    }
    for (name, label) in [
        ("sms_delivery_reports_total", "result"),
        ("sms_delivery_reports_refused_total", "reason"),
        ("sms_undelivered_total", "error_group"),
    ] {
        if let Some(words) = words.get(name) {
            values.insert((name.to_owned(), label.to_owned()), words.clone());
        }
    }
    values
}

#[test]
fn what_nobody_offers_is_found() {
    let text = "sms_requests_total{outcome=\"accepted\",usage_type=\"SignIn\"} 0\n";
    let offer = Offer::of(text, &BTreeMap::new());
    for good in [
        "sum by (job, outcome) (increase(sms_requests_total{outcome=\"accepted\"}[5m]))",
        "histogram_quantile(0.9, sum by (le) (rate(sms_delivery_seconds_bucket[5m])))",
        "max(sms_ledger_up) == 0 or absent(up{job=\"sms\"})",
    ] {
        assert!(offer.labels_of(good).is_ok(), "{:?}", offer.labels_of(good));
    }
    for (bad, fault) in [
        ("sum(rate(sms_request_total[5m]))", "no metric sms_request_total"),
        ("sms_ledger_up{country=\"DK\"}", "sms_ledger_up has no label country"),
        ("sum by (limit) (rate(sms_accepted_total[5m]))", "no label limit there"),
        ("sms_ledger_up > on (country) sms_ledger_waiting", "no label country there"),
        ("sum(sms_accepted_total)", "a counter without rate()"),
        ("increase(sms_ledger_up[5m])", "a gauge in rate()"),
        ("rate(sms_requests_total{outcome=~\"accepted|acepted\"}[5m])", "outcome is never acepted"),
        ("sum(rate(sms_delivery_seconds[5m]))", "no metric sms_delivery_seconds"),
        ("histogram_quantile(0.9, sum by (job) (rate(sms_delivery_seconds_bucket[5m])))", "no le"),
        ("sum by (job (up)", ""),
    ] {
        let found = offer.labels_of(bad).expect_err(bad);
        assert!(found.contains(fault), "{bad}: {found}");
    }
}
