//! The commands.

mod check;
mod healthcheck;
mod openapi;
mod render;
mod sandbox;
mod send;
mod serve;
mod simulator;
mod visible;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use self::visible::visible_lines;
use crate::{
    config::{self, ConfigError, Loaded, Settings, Source},
    server::StartError,
    templates::TemplateFaults,
};

/// Sends Logto's verification codes as SMS through GatewayAPI.
///
/// Logto's HTTP SMS connector calls it (POST /send); it chooses the text in the person's language and hands it to
/// GatewayAPI. Without a command it serves. To try it without any account: gatewayapi-sms-connector sandbox.
#[derive(Parser)]
#[expect(clippy::doc_markdown, reason = "the help text shows no markup")]
#[command(version, max_term_width = 100)]
struct Cli {
    /// A TOML file over the defaults; config/local.toml is read where present and nothing else is named.
    ///
    /// config/default.toml lists all keys. The environment is over the file: SMS_GATEWAYAPI__API_TOKEN is
    /// gatewayapi.api_token, and SMS_GATEWAYAPI__API_TOKEN_FILE names a file that holds it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the service (also without a command).
    ///
    /// SIGTERM finishes what was accepted and ends; SIGHUP loads the templates anew.
    Serve,
    /// Runs the service with a simulated GatewayAPI: no account, no configuration.
    Sandbox(sandbox::SandboxArgs),
    /// Checks configuration and templates, and shows which limits stand and how each template travels.
    Check(check::CheckArgs),
    /// Prints a rendered message, its encoding and segments.
    Render(render::RenderArgs),
    /// Sends a test message through the running service.
    ///
    /// It goes along the very line of Logto's calls, limits and all, and needs operator.token as the service has it.
    Send(send::SendArgs),
    /// Runs the simulated GatewayAPI alone.
    Simulator(simulator::SimulatorArgs),
    /// For containers: succeeds when the service is ready.
    Healthcheck,
    /// Prints the OpenAPI document: the interface of both listeners.
    Openapi,
}

/// Why a command failed, as one sentence for whoever typed it.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Start(#[from] StartError),
    #[error("the templates are faulty:\n{0}")]
    Templates(#[from] TemplateFaults),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Other(String),
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let Cli { config, command } = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let source = Source {
        file: config.or_else(config::default_file),
        environment: std::env::vars_os().collect(),
        ..Source::default()
    };
    let result = match command.unwrap_or(Command::Serve) {
        Command::Serve => runtime.block_on(serve::run(&source)),
        Command::Sandbox(args) => runtime.block_on(sandbox::run(args, source)),
        Command::Check(args) => runtime.block_on(check::run(args, &source)),
        Command::Render(args) => render::run(args, source),
        Command::Send(args) => runtime.block_on(send::run(args, source)),
        Command::Simulator(args) => runtime.block_on(simulator::run(args)).map_err(CliError::from),
        Command::Healthcheck => healthcheck::run(source),
        Command::Openapi => openapi::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &CliError) -> ExitCode {
    eprintln!("error: {}", visible_lines(&error.to_string()));
    ExitCode::FAILURE
}

/// Stands in for what must be configured, for commands that send nothing.
const PRESET: &str = r#"
    logto.authorization = "Bearer sandbox"
    gatewayapi.api_token = "sandbox"
    gatewayapi.sender = "Example"
"#;

/// Settings for a command that sends nothing: what must be configured may be missing.
fn load_leniently(mut source: Source) -> Result<Settings, ConfigError> {
    source.preset = Some(PRESET.to_owned());
    let Loaded { settings, .. } = Settings::load(&source)?;
    Ok(settings)
}

/// A listener on all addresses is reached on this machine's own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_the_loopback() {
        let asked = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(asked("[::]:8080"), "[::1]:8080");
        assert_eq!(asked("10.0.0.3:81"), "10.0.0.3:81");
    }
}
