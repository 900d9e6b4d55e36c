use std::process::ExitCode;

fn main() -> ExitCode {
    gatewayapi_sms_connector::cli::run()
}
