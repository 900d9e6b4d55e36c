//! `sandbox`: the service and a simulated GatewayAPI in one process, to try it without any account.

use std::net::{Ipv4Addr, Ipv6Addr};

use clap::Args;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{CliError, PRESET, reachable, serve::run_until_signal, simulator::show};
use crate::{
    config::{Loaded, Settings, Source},
    server::{Application, Ports},
    simulator::{self, Received, Reports, Simulator},
    telemetry,
};

const OPERATOR_TOKEN: &str = "sandbox-operator-token";
const REPORT_SECRET: &str = "sandbox-report-secret";

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// How long the simulated GatewayAPI takes to answer, such as 80ms.
    #[arg(long, value_name = "DURATION", default_value = "80ms", value_parser = humantime::parse_duration)]
    latency: std::time::Duration,
}

pub(super) async fn run(args: SandboxArgs, mut source: Source) -> Result<(), CliError> {
    let reports = Reports { secret: Some(REPORT_SECRET.to_owned()), ..Reports::default() };
    let options = simulator::Options {
        token: "sandbox".to_owned(),
        latency: args.latency,
        reports: Some(reports),
        ..Default::default()
    };
    let gatewayapi = Simulator::start(options)?;
    source.preset = Some(PRESET.to_owned());
    source.forced = Some(its_own(&gatewayapi.endpoint()));
    let Loaded { mut settings, .. } = Settings::load(&source)?;
    keep_from_the_world(&mut settings, &source);
    settings.is_sandbox = true;
    telemetry::init(&settings.log).map_err(|error| CliError::Other(error.to_string()))?;
    let application = Application::build(&settings)?;
    let ports = application.ports();
    gatewayapi.report_to(format!("http://{}/delivery-reports", reachable(ports.public)));
    println!("{}", welcome(&settings, ports));
    tokio::spawn(print_received(gatewayapi.subscribe()));
    run_until_signal(application).await?;
    gatewayapi.stop().await;
    Ok(())
}

/// Over everything, whatever a configuration file says: a sandbox never talks to the real GatewayAPI, no configured secret
/// is sent to the simulated one or printed, and no real ledger gets made-up messages.
fn its_own(endpoint: &str) -> String {
    format!(
        r#"
        gatewayapi.endpoint = "{endpoint}"
        gatewayapi.api_token = "sandbox"
        logto.authorization = "Bearer sandbox"
        operator.token = "{OPERATOR_TOKEN}"
        delivery_reports.secret = "{REPORT_SECRET}"
        ledger.url = "sqlite::memory:"
        "#
    )
}

/// Anybody knows a sandbox's tokens. A file that was written for the service only says which ports it has; who wants others
/// to reach the sandbox says so in its environment, as in a container.
fn keep_from_the_world(settings: &mut Settings, source: &Source) {
    let listeners =
        [("server.listen", &mut settings.server.listen), ("operator.listen", &mut settings.operator.listen)];
    for (key, listen) in listeners {
        if !listen.ip().is_loopback() && !source.is_in_environment(key) {
            listen.set_ip(if listen.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
    }
}

fn welcome(settings: &Settings, ports: Ports) -> String {
    let authorization = settings.logto.authorization.iter().next().unwrap_or_default();
    let (public, operator) = (reachable(ports.public), reachable(ports.operator));
    // As it was started, which may be from a folder of a build.
    let program = std::env::args().next().unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned());
    format!(
        "This is a sandbox: GatewayAPI is simulated, no message leaves this machine, and nothing is kept.\n\n\
         Send a code, as Logto would:\n\n  \
         curl -i http://{public}/send -H 'Authorization: {authorization}' -H 'Content-Type: application/json' \
         -d '{{\"to\":\"4526091045\",\"type\":\"SignIn\",\"payload\":{{\"code\":\"123456\",\"locale\":\"en\"}}}}'\n\n\
         The same code to the same number counts as a repeat for a minute, and another one has to wait 25 s (the limit \
         per number): for more, change the number.\n\
         `simulator --help` lists numbers that make GatewayAPI refuse, fail or be slow.\n\n\
         For operators: a page at http://{operator}/ (its token: {OPERATOR_TOKEN}), http://{operator}/metrics, a test \
         delivery, and what became of the messages:\n\n  \
         SMS_OPERATOR__TOKEN={OPERATOR_TOKEN} {program} send 4526091046 --wait --url http://{operator}\n  \
         curl http://{operator}/api/messages -H 'Authorization: Bearer {OPERATOR_TOKEN}'\n"
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0.0.0.0:81", None, "127.0.0.1:81")]
    #[case("192.0.2.1:81", None, "127.0.0.1:81")]
    #[case("[::]:81", None, "[::1]:81")]
    #[case("127.0.0.2:81", None, "127.0.0.2:81")]
    #[case("127.0.0.1:81", Some("0.0.0.0:82"), "0.0.0.0:82")]
    #[case("0.0.0.0:81", Some(""), "127.0.0.1:81")]
    fn only_the_environment_lets_others_in(
        #[case] file: &str,
        #[case] environment: Option<&str>,
        #[case] listens: &str,
        #[values("server", "operator")] section: &str,
    ) {
        let variable = format!("SMS_{}__LISTEN", section.to_uppercase());
        let mut source = Source {
            preset: Some(format!("{PRESET}\n{section}.listen = \"{file}\"")),
            environment: environment.map(|value| (variable.into(), value.into())).into_iter().collect(),
            ..Source::default()
        };
        source.forced = Some(its_own("http://127.0.0.1:9/"));
        let Loaded { mut settings, .. } = Settings::load(&source).unwrap();
        keep_from_the_world(&mut settings, &source);
        let listen = if section == "server" { settings.server.listen } else { settings.operator.listen };
        assert_eq!(listen.to_string(), listens);
    }
}
