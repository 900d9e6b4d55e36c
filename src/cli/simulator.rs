//! `simulator`: the simulated GatewayAPI alone.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::broadcast::error::RecvError,
};

use super::visible::visible;
use crate::simulator::{Behaviour, Options, Received, Reports, Simulator, magic_numbers};

/// Run a simulated GatewayAPI and show each SMS that it receives.
///
/// No SMS is sent and no account is needed. Point the service's GatewayAPI endpoint at it, with the same token. Some
/// numbers make it misbehave: see the table below.
#[derive(Clone, Args)]
#[expect(clippy::doc_markdown, reason = "the help text shows no markup")]
#[command(after_long_help = magic_table())]
pub struct SimulatorArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9200")]
    listen: SocketAddr,

    /// The API token to let in
    #[arg(long, default_value = "simulator")]
    token: String,

    /// A file that holds the API token
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,

    /// What each answer waits for, such as 250ms or 3s
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    latency: Duration,

    /// Open connections that are let in; GatewayAPI lets in 40 from one IP address
    #[arg(long, value_name = "COUNT", default_value_t = 40)]
    max_connections: usize,

    /// How it behaves, whoever the recipients are
    ///
    /// normal; rate-limiting (429); failing or failing:STATUS (503); dead (never answers); dropping (closes connections
    /// without an answer); dropping-after-acceptance; garbling (accepts and answers nonsense); account-fault or
    /// account-fault:CODE (0x0216, insufficient credit)
    #[arg(long, default_value = "normal")]
    behaviour: Behaviour,

    /// Sign delivery reports with this secret
    #[arg(long, value_name = "SECRET")]
    report_secret: Option<String>,

    /// A file that holds that secret
    #[arg(long, value_name = "FILE", conflicts_with = "report_secret")]
    report_secret_file: Option<PathBuf>,

    /// Where delivery reports go of messages without a callback_url; plain http
    #[arg(long, value_name = "URL")]
    report_url: Option<String>,

    /// The time before each state of a message, such as 1s
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    report_delay: Duration,
}

impl SimulatorArgs {
    fn options(self) -> Result<Options, io::Error> {
        Ok(Options {
            listen: self.listen,
            token: self.token_file.as_deref().map_or(Ok(self.token), secret)?,
            max_connections: self.max_connections,
            latency: self.latency,
            behaviour: self.behaviour,
            reports: Some(Reports {
                secret: match self.report_secret_file.as_deref() {
                    Some(file) => Some(secret(file)?),
                    None => self.report_secret,
                },
                url: self.report_url,
                delay: self.report_delay,
                ..Reports::default()
            }),
            ..Options::default()
        })
    }

    /// The token as a shell reads it: the output names the file of one that is kept in a file.
    fn token_in_a_shell(&self) -> String {
        match &self.token_file {
            Some(file) => format!("\"$(cat {}):\"", quoted(&file.display().to_string())),
            None => quoted(&format!("{}:", self.token)),
        }
    }
}

/// As a shell reads it back, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The content of a file, without the line break that editors and `echo` end it with.
fn secret(file: &Path) -> Result<String, io::Error> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    let content = fs::read_to_string(file).map_err(named)?;
    let secret = content.trim_end_matches(['\r', '\n']);
    if secret.is_empty() { Err(named(io::ErrorKind::InvalidData.into())) } else { Ok(secret.to_owned()) }
}

/// Simulates GatewayAPI until Ctrl-C or SIGTERM.
///
/// # Errors
///
/// When it can't read a secret's file, can't listen, or can't write to standard output.
pub async fn run(args: SimulatorArgs) -> Result<(), io::Error> {
    let (token, behaviour) = (args.token_in_a_shell(), args.behaviour);
    let mut terminate = signal(SignalKind::terminate())?;
    let simulator = Simulator::start(args.options()?)?;
    let mut messages = simulator.subscribe();
    print(&introduction(&simulator.endpoint(), &token, behaviour))?;
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Ok(message) => print(&show(&message))?,
                Err(RecvError::Lagged(missed)) => print(&format!("({missed} messages are not shown)\n"))?,
                Err(RecvError::Closed) => break,
            },
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
            // The first process of a container is not ended by signals that it leaves alone.
            _ = terminate.recv() => break,
        }
    }
    simulator.stop().await;
    Ok(())
}

fn introduction(endpoint: &str, token: &str, behaviour: Behaviour) -> String {
    let message = r#"{"message":"123456","recipients":[{"msisdn":4526091045}]}"#;
    format!(
        "A simulated GatewayAPI listens at {endpoint} (behaviour: {behaviour}). No SMS is sent.\n\
         Try it:\n\n  \
         curl -u {token} --json '{message}' {endpoint}\n\n\
         Each message that it receives is shown here. Ctrl-C stops it.\n"
    )
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A received message for a person at a terminal: number, text and all.
pub fn show(message: &Received) -> String {
    let sender = message.sender.as_deref().map_or_else(|| "GatewayAPI's default sender".to_owned(), visible);
    let parts = if message.parts == 1 { "1 part".to_owned() } else { format!("{} parts", message.parts) };
    let mut shown = format!(
        "┌ SMS to +{} from {sender} · {parts}, {} · {}, {}\n",
        message.msisdn,
        message.encoding.as_str(),
        message.class.as_str(),
        message.priority.as_str(),
    );
    for line in message.text.split('\n') {
        shown.push_str("│ ");
        shown.push_str(&visible(line));
        shown.push('\n');
    }
    if !message.lossless {
        shown.push_str("│ (sent as UTF8 with characters outside GSM 03.38: the phone may show others)\n");
    }
    shown.push_str("└ id ");
    // Writing to a string can't fail.
    let _ = write!(shown, "{}", message.id);
    if let Some(userref) = &message.userref {
        let _ = write!(shown, ", userref {}", visible(userref));
    }
    shown.push('\n');
    shown
}

fn magic_table() -> String {
    let mut table = "Magic numbers:\n".to_owned();
    for (number, what) in magic_numbers() {
        // Writing to a string can't fail.
        let _ = writeln!(table, "  {number}  {what}");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Parser)]
    enum Command {
        Simulator(SimulatorArgs),
    }

    fn parse(arguments: &[&str]) -> Result<SimulatorArgs, clap::Error> {
        let Command::Simulator(args) = Command::try_parse_from([&["connector", "simulator"], arguments].concat())?;
        Ok(args)
    }

    fn received(changes: impl FnOnce(&mut Received)) -> Received {
        let mut message = Received {
            id: 1_000_001,
            msisdn: 4_526_091_045,
            sender: Some("ExampleShop".to_owned()),
            text: "123456 is your code.\nThank you".to_owned(),
            encoding: crate::simulator::Encoding::Utf8,
            class: crate::simulator::Class::Premium,
            priority: crate::simulator::Priority::Urgent,
            destination: crate::simulator::Destination::Mobile,
            validity_period: None,
            label: None,
            userref: Some("ref".to_owned()),
            callback_url: None,
            max_parts: None,
            parts: 1,
            request: 1,
            lossless: true,
        };
        changes(&mut message);
        message
    }

    #[test]
    fn the_arguments_are_consistent_and_have_defaults() {
        Command::command().debug_assert();
        let options = parse(&[]).unwrap().options().unwrap();
        assert_eq!((options.listen.to_string().as_str(), options.token.as_str()), ("127.0.0.1:9200", "simulator"));
        assert_eq!(
            (options.max_connections, options.latency, options.behaviour),
            (40, Duration::ZERO, Behaviour::Normal)
        );
        let reports = options.reports.unwrap();
        assert_eq!((reports.delay, reports.secret, reports.url), (Duration::from_secs(1), None, None));
    }

    #[test]
    fn the_arguments_choose_the_options() {
        let arguments = "--listen 0.0.0.0:1 --token t --latency 250ms --max-connections 2 --behaviour failing:500 \
            --report-secret s --report-url http://localhost/ --report-delay 0s";
        let options = parse(&arguments.split_whitespace().collect::<Vec<_>>()).unwrap().options().unwrap();
        assert_eq!((options.listen.port(), options.token.as_str(), options.max_connections), (1, "t", 2));
        assert_eq!((options.latency, options.behaviour), (Duration::from_millis(250), Behaviour::Failing(500)));
        let reports = options.reports.unwrap();
        assert_eq!(reports.delay, Duration::ZERO);
        assert_eq!((reports.secret.as_deref(), reports.url.as_deref()), (Some("s"), Some("http://localhost/")));
        assert!(parse(&["--behaviour", "moody"]).is_err());
    }

    #[test]
    fn secrets_come_from_files_too_and_are_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let (token, secret) = (folder.path().join("token"), folder.path().join("secret"));
        fs::write(&token, "from a file\n").unwrap();
        fs::write(&secret, "signs\r\n").unwrap();
        let (token, secret) = (token.to_str().unwrap(), secret.to_str().unwrap());
        let args = parse(&["--token-file", token, "--report-secret-file", secret]).unwrap();
        assert_eq!(args.token_in_a_shell(), format!("\"$(cat '{token}'):\""));
        let options = args.options().unwrap();
        assert_eq!(options.token, "from a file");
        assert_eq!(options.reports.unwrap().secret.as_deref(), Some("signs"));
        let missing = parse(&["--token-file", "/missing"]).unwrap().options().err().unwrap().to_string();
        assert!(missing.starts_with("/missing: "), "{missing}");
        fs::write(folder.path().join("empty"), "\n").unwrap();
        let empty = folder.path().join("empty");
        assert!(parse(&["--token-file", empty.to_str().unwrap()]).unwrap().options().is_err(), "anybody would know it");
        assert!(parse(&["--token", "t", "--token-file", token]).is_err());
        assert!(parse(&["--report-secret", "s", "--report-secret-file", secret]).is_err());
    }

    #[test]
    fn a_pasted_token_is_one_word_of_the_shell() {
        assert_eq!(parse(&["--token", "a'; b"]).unwrap().token_in_a_shell(), r"'a'\''; b:'");
        assert_eq!(parse(&["--token-file", "a'b"]).unwrap().token_in_a_shell(), r#""$(cat 'a'\''b'):""#);
    }

    #[test]
    fn the_long_help_ends_with_every_magic_number() {
        let help = parse(&["--help"]).err().unwrap().to_string();
        let (_, table) = help.split_once("Magic numbers:").unwrap();
        for (number, what) in magic_numbers() {
            assert!(table.contains(&format!("{number}  {what}")), "{number}");
        }
        assert!(!parse(&["-h"]).err().unwrap().to_string().contains("Magic numbers:"));
    }

    #[test]
    fn a_message_is_shown_in_full() {
        assert_eq!(
            show(&received(|_| ())),
            "┌ SMS to +4526091045 from ExampleShop · 1 part, UTF8 · premium, URGENT\n\
             │ 123456 is your code.\n│ Thank you\n└ id 1000001, userref ref\n"
        );
    }

    #[test]
    fn what_a_phone_may_not_show_is_said() {
        let shown = show(&received(|message| (message.lossless, message.parts) = (false, 2)));
        assert!(shown.contains("2 parts") && shown.contains("outside GSM 03.38"), "{shown}");
    }

    #[test]
    fn a_message_does_not_steer_the_terminal() {
        let shown = show(&received(|message| {
            message.text = "\u{1b}[2Jgone\r".to_owned();
            message.sender = Some("\u{7}".to_owned());
        }));
        assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown:?}");
    }

    #[test]
    fn the_example_names_endpoint_and_token() {
        let text = introduction("http://127.0.0.1:9200/rest/mtsms", "'t:'", Behaviour::Normal);
        assert!(text.contains("curl -u 't:' --json") && text.contains("http://127.0.0.1:9200/rest/mtsms"));
    }
}
