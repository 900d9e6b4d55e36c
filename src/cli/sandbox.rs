//! `sandbox`: the service and a simulated GatewayAPI in one process, to try it without any account.

use clap::Args;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{CliError, PRESET, serve::run_until_signal, simulator::show};
use crate::{
    config::{Loaded, Settings, Source},
    server::{Application, Ports},
    simulator::{self, Received, Simulator},
    telemetry,
};

/// Over the presets: where the sandbox differs from a service for the world.
const LOCAL_ONLY: &str = r#"server.listen = "127.0.0.1:8080""#;

/// Over everything: a configured secret is neither sent to the simulated GatewayAPI nor printed.
const ITS_OWN_SECRETS: &str = r#"
    gatewayapi.api_token = "sandbox"
    logto.authorization = "Bearer sandbox"
"#;

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// How long the simulated GatewayAPI takes to answer, such as 80ms.
    #[arg(long, value_name = "DURATION", default_value = "80ms", value_parser = humantime::parse_duration)]
    latency: std::time::Duration,
}

pub(super) async fn run(args: SandboxArgs, mut source: Source) -> Result<(), CliError> {
    let options = simulator::Options { token: "sandbox".to_owned(), latency: args.latency, ..Default::default() };
    let gatewayapi = Simulator::start(options)?;
    source.preset = Some(format!("{PRESET}\n{LOCAL_ONLY}"));
    // Whatever a configuration file says: a sandbox never talks to the real GatewayAPI.
    source.forced = Some(format!("gatewayapi.endpoint = \"{}\"\n{ITS_OWN_SECRETS}", gatewayapi.endpoint()));
    let Loaded { settings, .. } = Settings::load(&source)?;
    telemetry::init(&settings.log).map_err(|error| CliError::Other(error.to_string()))?;
    let application = Application::build(&settings)?;
    println!("{}", welcome(&settings, application.ports()));
    tokio::spawn(print_received(gatewayapi.subscribe()));
    run_until_signal(application).await?;
    gatewayapi.stop().await;
    Ok(())
}

fn welcome(settings: &Settings, ports: Ports) -> String {
    let authorization = settings.logto.authorization.iter().next().unwrap_or_default();
    let Ports { public, operator } = ports;
    format!(
        "This is a sandbox: GatewayAPI is simulated, and no message leaves this machine.\n\n\
         Send a code, as Logto would:\n\n  \
         curl -i http://{public}/send -H 'Authorization: {authorization}' -H 'Content-Type: application/json' \
         -d '{{\"to\":\"4526091045\",\"type\":\"SignIn\",\"payload\":{{\"code\":\"123456\",\"locale\":\"en\"}}}}'\n\n\
         The same code to the same number counts as a repeat for a minute: change the code to send again.\n\
         `simulator --help` lists numbers that make GatewayAPI refuse, fail or be slow.\n\n\
         For operators: http://{operator}/metrics\n"
    )
}

async fn print_received(mut received: Receiver<Received>) {
    loop {
        match received.recv().await {
            Ok(message) => println!("{}", show(&message)),
            Err(RecvError::Lagged(missed)) => println!("({missed} more messages)"),
            Err(RecvError::Closed) => return,
        }
    }
}
