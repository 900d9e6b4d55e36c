//! Puts the parts together, on two listeners.

mod connection;
mod descriptors;
mod listener;
mod listeners;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use actix_web::{App, dev::Server, web};
use arc_swap::ArcSwap;

use self::{
    listener::{ListenError, Listener, Terms},
    listeners::Listeners,
};
use crate::{
    auth::{LogtoAuthorization, ReportVerifier},
    config::{self, Settings},
    gatewayapi::{Capacity, ConnectError, Connector, Dispatcher, Envelope, watch_credit},
    ledger::{Ledger, LedgerError},
    metrics::Metrics,
    routes::{self, Lifecycle, Operators, Public, Sentences},
    send::{FrugalLog, Line},
    sms,
    templates::{TemplateFaults, TemplateOptions, TemplateSet},
    traces::{Tracer, Traces, TracesError},
};

/// Longer than the 5 s after which Logto drops an idle connection: who closes first must not be us.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Prometheus and the page come again sooner than that, or may connect anew.
const OPERATOR_KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Longer than any call takes (`delivery.deadline` is 60 s at most), and than the time between two heartbeats.
const LONGEST_SILENCE: Duration = Duration::from_secs(90);
/// Serving threads beyond this gain nothing: one sends tens of thousands of messages a second.
const MOST_WORKERS: usize = 4;
/// New calls are answered 503 for at least so long, so that a load balancer can notice.
const SHORTEST_DRAIN: Duration = Duration::from_millis(250);
/// For the last answers to leave, in whole seconds.
const LAST_ANSWERS: u64 = 1;
/// For the listeners to close, the last answers included.
const LONGEST_CLOSE: Duration = Duration::from_secs(LAST_ANSWERS + 1);
/// For the ledger to write what waits.
const LAST_WRITES: Duration = Duration::from_secs(3);
/// For the collector to take the spans that wait.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// The service, bound to its ports, not yet running.
pub struct Application {
    public: Server,
    operator: Server,
    ports: Ports,
    lifecycle: Arc<Lifecycle>,
    shutdown_grace: Duration,
    templates: TemplateReloader,
    ledger: Ledger,
    traces: Traces,
}

/// Where the listeners are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    pub public: SocketAddr,
    pub operator: SocketAddr,
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the templates are faulty:\n{0}")]
    Templates(#[from] TemplateFaults),
    #[error(transparent)]
    GatewayApi(#[from] ConnectError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Traces(#[from] TracesError),
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// Loads the templates anew while the service runs.
#[derive(Clone)]
pub struct TemplateReloader {
    current: Arc<ArcSwap<TemplateSet>>,
    directory: Option<PathBuf>,
    options: TemplateOptions,
    metrics: Arc<Metrics>,
}

impl TemplateReloader {
    /// Takes the templates from their directory again. A faulty set is refused, and the old one stays.
    ///
    /// # Errors
    ///
    /// All faults of the new set.
    pub fn reload(&self) -> Result<(), TemplateFaults> {
        let loaded = TemplateSet::load(self.directory.as_deref(), &self.options);
        let result = if loaded.is_ok() { "loaded" } else { "refused" };
        self.metrics.template_reloads.with_label_values(&[result]).inc();
        let templates = loaded?;
        warn_of(&templates);
        self.current.store(Arc::new(templates));
        Ok(())
    }
}

impl Application {
    /// Makes everything and binds the ports.
    ///
    /// # Errors
    ///
    /// When templates, TLS settings, the ledger, the collector's address or our own are unusable.
    pub fn build(settings: &Settings) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::new());
        metrics.build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let lifecycle = Arc::new(Lifecycle::default());
        let templates = load_templates(settings, &metrics)?;
        sms::warm_up();

        let workers = workers(settings);
        let dispatcher = dispatcher(settings, &metrics)?;
        let ledger = Ledger::open(settings, Arc::clone(&metrics))?;
        let traces = Traces::start(&settings.telemetry)?;
        let state = state(settings, &dispatcher, &ledger, &templates, &lifecycle, &metrics, traces.tracer());
        let operators = settings.operator.token.as_ref().map(|tokens| {
            web::Data::new(Operators::new(settings, tokens, Arc::clone(&templates.current), state.clone()))
        });

        let public = Listener::bind("server.listen", settings.server.listen)?;
        let operator = Listener::bind("operator.listen", settings.operator.listen)?;
        let ports = Ports { public: public.address, operator: operator.address };
        let terms = Terms {
            listener: "public",
            workers,
            connections: descriptors::connections(settings.gatewayapi.max_connections),
            keep_alive: KEEP_ALIVE,
            patience: LONGEST_SILENCE,
            half_closed: true,
            last_answers: LAST_ANSWERS,
        };
        let public = public.serve(terms, Arc::clone(&metrics), move || {
            // In the first worker, whose runtime lives as long as the service.
            if dispatcher.settle_here() {
                tokio::spawn(watch_credit(dispatcher.clone()));
            }
            App::new().configure(routes::public(state.clone()))
        })?;
        let terms = Terms {
            listener: "operator",
            workers: 1,
            connections: descriptors::OPERATOR_CONNECTIONS,
            keep_alive: OPERATOR_KEEP_ALIVE,
            // A stream of events ends as soon as its client has gone.
            half_closed: false,
            ..terms
        };
        let operator = operator.serve(terms, Arc::clone(&metrics), move || {
            App::new()
                .wrap(routes::own_site_only())
                .configure(routes::operator(Arc::clone(&metrics), operators.clone()))
        })?;

        let shutdown_grace = settings.server.shutdown_grace.get();
        Ok(Self { public, operator, ports, lifecycle, shutdown_grace, templates, ledger, traces })
    }

    pub const fn ports(&self) -> Ports {
        self.ports
    }

    pub fn templates(&self) -> TemplateReloader {
        self.templates.clone()
    }

    /// Serves until `stop`, then finishes what was accepted and answers 503 to the rest.
    ///
    /// # Errors
    ///
    /// When a listener fails.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let listeners = Listeners { public: self.public, operator: self.operator };
        let stopping = async {
            stop.await;
            tracing::info!("stopping: accepted calls are finished, new ones are refused");
            let (left, ()) =
                tokio::join!(self.lifecycle.drain(self.shutdown_grace), tokio::time::sleep(SHORTEST_DRAIN));
            if left > 0 {
                tracing::error!(left, "server.shutdown_grace is over, and calls are unfinished");
            }
        };
        let served = listeners.run_until(stopping, LONGEST_CLOSE).await;
        tokio::join!(self.ledger.end(LAST_WRITES), self.traces.end(LAST_SPANS));
        served
    }
}

fn load_templates(settings: &Settings, metrics: &Arc<Metrics>) -> Result<TemplateReloader, TemplateFaults> {
    let directory = settings.templates.directory.clone();
    let options = TemplateOptions::of(settings);
    let templates = TemplateSet::load(directory.as_deref(), &options)?;
    warn_of(&templates);
    for result in ["loaded", "refused"] {
        metrics.template_reloads.with_label_values(&[result]);
    }
    let current = Arc::new(ArcSwap::from_pointee(templates));
    Ok(TemplateReloader { current, directory, options, metrics: Arc::clone(metrics) })
}

fn warn_of(templates: &TemplateSet) {
    for warning in templates.warnings() {
        tracing::warn!(%warning, "a template should be looked at");
    }
}

fn workers(settings: &Settings) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match settings.server.workers {
        0 => cores.min(MOST_WORKERS),
        workers => workers,
    }
}

fn dispatcher(settings: &Settings, metrics: &Arc<Metrics>) -> Result<Dispatcher, ConnectError> {
    let config::GatewayApi { max_connections: connections, max_batch, max_waiting, .. } = settings.gatewayapi;
    let connector = Connector::of(&settings.gatewayapi)?;
    let capacity = Capacity { connections, max_batch, max_waiting };
    Ok(Dispatcher::new(&connector, capacity, Envelope::of(settings), Arc::clone(metrics))?)
}

fn state(
    settings: &Settings,
    dispatcher: &Dispatcher,
    ledger: &Ledger,
    templates: &TemplateReloader,
    lifecycle: &Arc<Lifecycle>,
    metrics: &Arc<Metrics>,
    tracer: Tracer,
) -> web::Data<Public> {
    let templates = Arc::clone(&templates.current);
    let line = Line::new(settings, templates, dispatcher.clone(), ledger.clone(), Arc::clone(metrics), tracer);
    web::Data::new(Public {
        authorization: LogtoAuthorization::of(&settings.logto.authorization),
        line: Arc::new(line),
        ledger: ledger.clone(),
        report_verifier: settings.delivery_reports.secret.as_ref().map(|secrets| Arc::new(ReportVerifier::of(secrets))),
        lifecycle: Arc::clone(lifecycle),
        metrics: Arc::clone(metrics),
        refusals: FrugalLog::default(),
        sentences: Sentences::new(&settings.templates.default_locale),
        deadline: settings.delivery.deadline.get(),
    })
}
