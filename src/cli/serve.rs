//! `serve`: the service, until it is told to stop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CliError;
use crate::{
    config::{Loaded, Settings, Source},
    server::{Application, TemplateReloader},
    telemetry,
};

pub(super) async fn run(source: &Source) -> Result<(), CliError> {
    let Loaded { settings, warnings } = Settings::load(source)?;
    telemetry::init(&settings.log).map_err(|error| CliError::Other(error.to_string()))?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let application = Application::build(&settings)?;
    let ports = application.ports();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        public = %ports.public,
        operator = %ports.operator,
        gatewayapi = settings.gatewayapi.endpoint.url().host_str(),
        "the service is ready"
    );
    run_until_signal(application).await?;
    tracing::info!("the service has stopped");
    Ok(())
}

/// Runs until SIGTERM or SIGINT; SIGHUP loads the templates anew.
pub(super) async fn run_until_signal(application: Application) -> io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let reloading = reload_on(signal(SignalKind::hangup())?, application.templates());
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = reloading => {}
        }
    };
    application.run_until(stop).await
}

async fn reload_on(mut hangup: Signal, templates: TemplateReloader) {
    while hangup.recv().await.is_some() {
        match templates.reload() {
            Ok(()) => tracing::info!("the templates were loaded anew"),
            Err(faults) => tracing::error!(%faults, "the new templates are faulty; the old ones stay"),
        }
    }
    // The runtime sends no more signals; there is nothing to stop for.
    std::future::pending::<()>().await;
}
