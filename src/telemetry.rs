//! Where log lines go, and which.

use std::io::{self, IsTerminal};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

use crate::config::{Log, LogFormat, LogLevel};

/// Writes log lines to the standard output, from now on.
///
/// # Errors
///
/// When the process writes log lines already.
pub fn init(log: &Log) -> Result<(), TryInitError> {
    subscriber(log, io::stdout().is_terminal(), io::stdout).try_init()
}

/// A subscriber that writes to any sink.
pub fn subscriber<W>(log: &Log, is_terminal: bool, sink: W) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let pretty = match log.format {
        LogFormat::Auto => is_terminal,
        LogFormat::Json => false,
        LogFormat::Pretty => true,
    };
    let lines = if pretty {
        fmt::layer().compact().with_target(false).with_ansi(is_terminal).with_writer(sink).boxed()
    } else {
        fmt::layer().json().flatten_event(true).with_target(false).with_current_span(false).with_writer(sink).boxed()
    };
    tracing_subscriber::registry().with(lines.with_filter(filter(log.level)))
}

/// Our own lines at the level that was asked for. Libraries may warn and no more: at lower levels they show numbers
/// (`rlibphonenumber`) and what goes over the wire.
fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("rlibphonenumber", LevelFilter::OFF)
        // A line for each request that is not HTTP: anybody could fill the log.
        .with_target("actix_http::h1", LevelFilter::OFF)
        .with_target(env!("CARGO_CRATE_NAME"), level)
}
