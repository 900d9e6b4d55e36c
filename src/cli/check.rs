//! `check`: what the service would run with.

mod limits;

use std::sync::Arc;

use clap::Args;

use super::{CliError, render::describe, visible::visible_lines};
use crate::{
    config::{Loaded, Settings, Source},
    gatewayapi::{Capacity, Connector, Dispatcher, Envelope},
    metrics::Metrics,
    server::StartError,
    sms::{Payload, UsageType, measure},
    templates::{TemplateOptions, TemplateSet, samples},
    traces::Traces,
};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Also asks GatewayAPI for the account's credit, which tests endpoint and token.
    #[arg(long)]
    online: bool,
}

pub(super) async fn run(args: CheckArgs, source: &Source) -> Result<(), CliError> {
    let Loaded { settings, mut warnings } = Settings::load(source)?;
    let gatewayapi = &settings.gatewayapi;
    println!(
        "configuration: {}",
        source.file.as_ref().map_or("environment only".into(), |file| file.display().to_string())
    );
    println!("GatewayAPI:    {}", gatewayapi.endpoint.url());
    println!("sender:        {}{}", gatewayapi.sender, senders(&settings));
    if gatewayapi.sender.may_be_altered() {
        warnings.push("gatewayapi.sender has characters that some networks replace: use a-z, A-Z, 0-9".to_owned());
    }
    if gatewayapi.sender.is_numeric() && !settings.templates.variables.contains_key("brand") {
        warnings.push("the sender is a number, and so is {{brand}}: set templates.variables.brand".to_owned());
    }
    let connector = Connector::of(gatewayapi).map_err(StartError::from)?;
    let _traces = Traces::start(&settings.telemetry).map_err(StartError::from)?;

    let templates = TemplateSet::load(settings.templates.directory.as_deref(), &TemplateOptions::of(&settings))?;
    print_templates(&templates)?;
    warnings.extend(templates.warnings().iter().map(ToString::to_string));
    println!("ledger:        {}", settings.ledger.url);
    println!("retention:     {}", settings.ledger.retention);
    println!("limits:");
    for line in limits::describe(&settings.limits) {
        println!("  {line}");
    }
    println!();
    for warning in &warnings {
        println!("warning: {}", visible_lines(warning));
    }
    if args.online {
        println!("{}", credit(&settings, &connector).await?);
    }
    println!("everything is in order{}", if warnings.is_empty() { "" } else { ", but see the warnings" });
    Ok(())
}

fn senders(settings: &Settings) -> String {
    settings.gatewayapi.senders.iter().map(|(country, sender)| format!(", {}: {sender}", country.as_str())).collect()
}

/// Each template with a usual request's values.
fn print_templates(templates: &TemplateSet) -> Result<(), CliError> {
    for (usage_type, locales) in templates.iter() {
        println!("\n{usage_type}");
        for locale in locales.iter() {
            for sample in samples(usage_type, locale) {
                println!(
                    "  {locale:6} {}{}",
                    describe_template(templates, usage_type, &sample)?,
                    without_code(&sample)
                );
            }
        }
    }
    println!();
    Ok(())
}

fn describe_template(templates: &TemplateSet, usage_type: UsageType, sample: &Payload) -> Result<String, CliError> {
    let rendered = templates.render(usage_type, sample).map_err(|error| CliError::Other(error.to_string()))?;
    Ok(describe(measure(rendered.text.as_str())))
}

fn without_code(sample: &Payload) -> &'static str {
    if sample.code().is_some() { "" } else { " (without a code)" }
}

async fn credit(settings: &Settings, connector: &Connector) -> Result<String, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::Other(format!("GatewayAPI: {error}"));
    let capacity = Capacity { connections: 1, max_batch: 1, max_waiting: 1 };
    let metrics = Arc::new(Metrics::new());
    let dispatcher =
        Dispatcher::new(connector, capacity, Envelope::of(settings), metrics).map_err(|error| failed(&error))?;
    let credit = dispatcher.credit().await.map_err(|error| failed(&error))?;
    Ok(format!("GatewayAPI answers: the credit is {} {}", credit.amount, credit.currency.as_str()))
}
