//! The commands, as an operator types them.

#![allow(clippy::unwrap_used, reason = "a test ends where it can't go on")]

use std::{
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The binary, away from any configuration.
fn connector(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewayapi-sms-connector"));
    command.args(arguments).current_dir(directory).env_clear();
    command
}

fn configured(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = connector(directory, arguments);
    command
        .env("SMS_LOGTO__AUTHORIZATION", "Bearer what Logto knows")
        .env("SMS_GATEWAYAPI__API_TOKEN", "the token")
        .env("SMS_GATEWAYAPI__SENDER", "ExampleShop")
        // Nobody listens there: no test asks the real one.
        .env("SMS_GATEWAYAPI__ENDPOINT", "http://127.0.0.1:9/rest/mtsms")
        .env("SMS_SERVER__LISTEN", "127.0.0.1:0")
        .env("SMS_OPERATOR__LISTEN", "127.0.0.1:0");
    command
}

fn run(mut command: Command) -> (Output, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    (output, stdout, stderr)
}

/// A started command, ended with the test.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line of its output that holds a text.
    fn line_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "it ended before it said `{text}`");
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Its exit code, and the rest of its output.
    fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_missing_key_stops_the_start_with_one_sentence() {
    let directory = TempDir::new().unwrap();
    for arguments in [&["serve"][..], &[], &["check"]] {
        let (output, _, stderr) = run(connector(directory.path(), arguments));
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr.starts_with("error: logto.authorization is not set"), "{stderr}");
        assert!(stderr.contains("set SMS_LOGTO__AUTHORIZATION"), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_configuration_file_is_read_from_its_usual_place_or_where_told() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("config")).unwrap();
    let file = directory.path().join("config/local.toml");
    std::fs::write(&file, "delivery.max_segment = 2\n").unwrap();
    let (_, _, stderr) = run(configured(directory.path(), &["check"]));
    assert!(stderr.contains("unknown key delivery.max_segment in config/local.toml"), "{stderr}");
    std::fs::write(directory.path().join("other.toml"), "gatewayapi.sender = \"Other\"\n").unwrap();
    let mut command = configured(directory.path(), &["--config", "other.toml", "check"]);
    command.env_remove("SMS_GATEWAYAPI__SENDER");
    let (output, stdout, stderr) = run(command);
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("sender:        Other"), "{stdout}");
}

#[test]
fn check_shows_how_each_template_travels() {
    let directory = TempDir::new().unwrap();
    let (output, stdout, _) = run(configured(directory.path(), &["check"]));
    assert!(output.status.success());
    assert_eq!(stdout.matches("1 segment").count(), 250, "nine usage types, and the invitation without a code too");
    assert!(stdout.contains("ru     UCS-2, because of `к` (U+043A)"), "{stdout}");
    assert!(stdout.trim_end().ends_with("everything is in order, but see the warnings"), "{stdout}");
}

#[test]
fn check_shows_ledger_and_limits_and_touches_neither() {
    let directory = TempDir::new().unwrap();
    let (output, stdout, _) = run(configured(directory.path(), &["check"]));
    assert!(output.status.success());
    assert!(stdout.contains("ledger:        SQLite data/ledger.db\nretention:     30d\n"), "{stdout}");
    assert!(stdout.contains("number      enforce  1 in 25s, 5/10m, 8/1h, 15/24h\n"), "{stdout}");
    assert!(stdout.contains("spend       enforce  no budget\n"), "{stdout}");
    assert!(stdout.contains("\nwarning: limits.countries.allow is empty: "), "{stdout}");
    assert!(stdout.contains("\nwarning: delivery_reports.secret is not set: "), "{stdout}");
    assert!(!directory.path().join("data").exists(), "a check makes no ledger");

    let mut command = configured(directory.path(), &["check"]);
    command
        // Nobody listens there: a check asks no database.
        .env("SMS_LEDGER__URL", "postgres://sms:TOPSECRET@127.0.0.1:9/sms")
        .env("SMS_LEDGER__PSEUDONYM_KEY", "0123456789abcdef")
        .env("SMS_DELIVERY_REPORTS__SECRET", "what GatewayAPI knows")
        .env("SMS_LIMITS__COUNTRIES__ALLOW", "SE,DK")
        .env("SMS_LIMITS__COUNTRY__OVERRIDE__SE", "100/24h,20/1h")
        .env("SMS_LIMITS__SERVICE__MODE", "off")
        .env("SMS_LIMITS__SPEND__PER_DAY__EUR", "12.5")
        .env("SMS_LIMITS__TEST_NUMBERS", "+4526091045");
    let (output, stdout, stderr) = run(command);
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.contains("ledger:        PostgreSQL 127.0.0.1:9/sms\n"), "{stdout}");
    assert!(stdout.contains("countries   enforce  DK SE\n"), "{stdout}");
    assert!(stdout.contains("country     monitor  50/24h, 10/1h; SE: 100/24h, 20/1h\n"), "{stdout}");
    assert!(stdout.contains("service     off      no rates\n"), "{stdout}");
    assert!(stdout.contains("spend       enforce  12.5 EUR a day\n"), "{stdout}");
    assert!(stdout.contains("always_allow: 0, deny: 0, test_numbers: 1, trusted_networks: 0\n"), "{stdout}");
    assert!(!stdout.contains("26091045") && !stdout.contains("TOPSECRET"), "{stdout}");
    assert!(stdout.trim_end().ends_with("everything is in order"), "{stdout}");
}

#[test]
fn check_names_every_fault_of_the_templates() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("templates")).unwrap();
    for usage_type in ["SignIn", "Register", "ForgotPassword", "Generic"] {
        let texts = json!({"en": "{{code}}", "fr": "{{#if code}}", "de": ""});
        let file = json!({"usageType": usage_type, "syntax": "handlebars", "content": texts});
        std::fs::write(directory.path().join(format!("templates/{usage_type}.json")), file.to_string()).unwrap();
    }
    let mut command = configured(directory.path(), &["check"]);
    command.env("SMS_TEMPLATES__DIRECTORY", "templates");
    let (output, _, stderr) = run(command);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("templates/SignIn.json, usage type SignIn, locale fr: line 1, column"), "{stderr}");
    assert_eq!(stderr.matches("locale de: the text is empty").count(), 4, "{stderr}");
}

#[test]
fn check_shows_no_text_that_steers_the_terminal() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("templates")).unwrap();
    let check = |text: &str| {
        for usage_type in ["SignIn", "Register", "ForgotPassword", "Generic"] {
            let file = json!({"usageType": usage_type, "syntax": "handlebars", "content": {"en": text}}).to_string();
            std::fs::write(directory.path().join(format!("templates/{usage_type}.json")), file).unwrap();
        }
        let mut command = configured(directory.path(), &["check"]);
        command.env("SMS_TEMPLATES__DIRECTORY", "templates");
        let (_, stdout, stderr) = run(command);
        let steers = |character: char| character != '\n' && (character.is_control() || character == '\u{202e}');
        assert!(!stdout.contains(steers) && !stderr.contains(steers), "{stdout:?} {stderr:?}");
        stdout + &stderr
    };
    assert!(check("\u{202e}{{code}}").contains("because of `\u{FFFD}` (U+202E)"));
    assert!(check("{{code}} {{\u{1b}[2J}}").contains("error: the templates are faulty:\n"));
    assert!(check("{{code}} {{#if \u{202e}}}").contains("error: the templates are faulty:\n"));
}

#[test]
fn check_online_asks_for_the_credit() {
    let directory = TempDir::new().unwrap();
    let mut simulator = Running::start(connector(directory.path(), &["simulator", "--listen", "127.0.0.1:0"]));
    let introduction = simulator.line_with("listens at http://");
    let endpoint = introduction.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let check = |token: &str| {
        let mut command = configured(directory.path(), &["check", "--online"]);
        command.env("SMS_GATEWAYAPI__ENDPOINT", endpoint).env("SMS_GATEWAYAPI__API_TOKEN", token);
        run(command)
    };
    let (output, stdout, _) = check("simulator");
    assert!(output.status.success());
    assert!(stdout.contains("the credit is 1234.56 DKK"), "{stdout}");
    let (output, _, stderr) = check("wrong");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("GatewayAPI refused: credentials, status 401"), "{stderr}");
}

#[test]
fn openapi_prints_the_document_also_to_a_reader_who_goes() {
    let directory = TempDir::new().unwrap();
    let (output, stdout, _) = run(connector(directory.path(), &["openapi"]));
    assert!(output.status.success());
    let document: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(document["paths"]["/send"]["post"]["responses"]["504"].is_object(), "{stdout}");
    assert!(document["paths"]["/api/messages/{id}/events"]["get"].is_object(), "{stdout}");

    let mut command = connector(directory.path(), &["openapi"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn render_prints_text_encoding_and_segments() {
    let directory = TempDir::new().unwrap();
    let render = |arguments: &[&str]| run(connector(directory.path(), &[&["render"], arguments].concat()));
    let (_, stdout, _) = render(&["SignIn", "--locale", "de"]);
    assert!(stdout.starts_with("Example: 123456 ist Ihr Code für die Anmeldung."), "{stdout}");
    assert!(stdout.contains("locale de, GSM 03.38, "), "{stdout}");
    assert!(stdout.contains(" units, 1 segment\n"), "{stdout}");

    let arguments = ["Generic", "--content", "{{code}} – {{list.0.name}}", "--payload"];
    let (_, stdout, _) = render(&[&arguments[..], &[r#"{"code":"042","list":[{"name":"x"}]}"#, "--json"]].concat());
    let rendered: Value = serde_json::from_str(&stdout).unwrap();
    let expected = json!({"text": "042 – x", "encoding": "UCS2", "segments": 1, "units": 7, "locale": "en"});
    assert_eq!(rendered, expected);

    let (_, stdout, _) = render(&["Generic", "--content", "{{code}} – {{list.0.name}}"]);
    assert!(stdout.contains("UCS-2, because of `–` (U+2013)"), "{stdout}");
    assert!(stdout.contains("`list` has no value"), "{stdout}");

    // Text that steers the terminal is shown, and handed over as it is where a program reads it.
    let steering = ["Generic", "--content", "{{code}}\u{1b}[2J\n\u{202e}{{na\u{7}me}}"];
    let (_, stdout, _) = render(&steering);
    assert!(stdout.starts_with("123456\u{FFFD}[2J\n\u{FFFD}"), "{stdout:?}");
    assert!(!stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{stdout:?}");
    let (_, stdout, _) = render(&[&steering[..], &["--json"]].concat());
    let rendered: Value = serde_json::from_str(&stdout).unwrap();
    assert!(rendered["text"].as_str().unwrap().starts_with("123456\u{1b}[2J\n\u{202e}"), "{stdout:?}");

    let (output, _, stderr) = render(&["Generic", "--payload", "[]"]);
    assert!(!output.status.success());
    assert!(stderr.contains("not a JSON object"), "{stderr}");
}

#[test]
fn the_sandbox_prints_a_call_that_works_and_shows_what_arrived() {
    let directory = TempDir::new().unwrap();
    let mut command = connector(directory.path(), &["sandbox", "--latency", "0ms"]);
    command.env("SMS_SERVER__LISTEN", "127.0.0.1:0").env("SMS_OPERATOR__LISTEN", "127.0.0.1:0");
    let mut sandbox = Running::start(command);
    let curl = sandbox.line_with("curl -i http://127.0.0.1:");
    let output = Command::new("sh").args(["-c", curl.trim()]).output().unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    sandbox.line_with("SMS to +4526091045");
    assert!(sandbox.line_with("is your sign-in code").contains("Example: 123456"));
    sandbox.signal("-INT");
    assert_eq!(sandbox.ended().0, Some(0));
}

/// Its tokens are known to everybody, so a file that was written for the service must not show it to the world.
#[test]
fn the_sandbox_listens_on_this_machine_whatever_a_file_says() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("config")).unwrap();
    let [public, operator] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [public, operator] = [public, operator].map(|listener| listener.local_addr().unwrap().port());
    let file = format!("server.listen = \"0.0.0.0:{public}\"\noperator.listen = \"0.0.0.0:{operator}\"\n");
    std::fs::write(directory.path().join("config/local.toml"), file).unwrap();
    let mut sandbox = Running::start(connector(directory.path(), &["sandbox"]));
    sandbox.line_with(&format!("curl -i http://127.0.0.1:{public}/send"));
    sandbox.line_with(&format!("a page at http://127.0.0.1:{operator}/"));
    let is_free = |port: u16| TcpListener::bind(("127.0.0.2", port)).is_ok();
    assert!(is_free(public) && is_free(operator), "it has a port of all addresses");
    drop(sandbox);

    // In a container somebody outside has to get in, and says so.
    let mut command = connector(directory.path(), &["sandbox"]);
    command.env("SMS_SERVER__LISTEN", "127.0.0.1:0").env("SMS_OPERATOR__LISTEN", "0.0.0.0:0");
    let mut sandbox = Running::start(command);
    let port = sandbox.line_with("a page at http://").split([':', '/']).nth(5).unwrap().parse().unwrap();
    assert!(!is_free(port));
}

/// A sandbox, and the environment that its operators need.
fn sandbox(directory: &Path) -> (Running, Vec<(&'static str, String)>) {
    let mut command = connector(directory, &["sandbox", "--latency", "20ms"]);
    command.env("SMS_SERVER__LISTEN", "127.0.0.1:0").env("SMS_OPERATOR__LISTEN", "0.0.0.0:0");
    let mut sandbox = Running::start(command);
    let line = sandbox.line_with(" send 4526091046 --wait --url http://127.0.0.1:");
    let token = line.trim().strip_prefix("SMS_OPERATOR__TOKEN=").unwrap().split(' ').next().unwrap();
    let (_, port) = line.trim().rsplit_once(':').unwrap();
    // Found by the configuration, as on the service's own machine.
    let environment =
        vec![("SMS_OPERATOR__TOKEN", token.to_owned()), ("SMS_OPERATOR__LISTEN", format!("0.0.0.0:{port}"))];
    (sandbox, environment)
}

#[test]
fn send_follows_a_test_delivery_through_a_running_service() {
    let directory = TempDir::new().unwrap();
    let (mut sandbox, environment) = sandbox(directory.path());
    let send = |arguments: &[&str]| {
        let mut command = connector(directory.path(), &[&["send"], arguments].concat());
        command.envs(environment.clone());
        run(command)
    };
    let (output, stdout, stderr) = send(&["+45 26 09 10 46", "--type", "SignIn", "--locale", "de", "--wait"]);
    assert!(output.status.success(), "{stdout}{stderr}");
    let lines: Vec<_> = stdout.lines().collect();
    assert!(lines[0].starts_with("admitted as 01"), "{stdout}");
    assert!(lines[1..].iter().all(|line| line.contains(" after ")), "{stdout}");
    assert!(lines.last().unwrap().starts_with("delivered after "), "{stdout}");
    assert!(sandbox.line_with("für die Anmeldung").contains("000000"));

    let (output, stdout, stderr) = send(&["4526050002", "--wait=20s", "--payload", r#"{"code":"271828"}"#]);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stderr.starts_with("error: the message was not delivered: undeliverable, HLR, 0x1001"), "{stderr}");

    // Nobody ever reports on this one.
    let (output, stdout, stderr) = send(&["4526050008", "--wait=2s"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<_> = stdout.lines().collect();
    assert!(lines[1].starts_with("accepted after ") && lines[1].ends_with(" DKK)"), "{stdout}");
    assert!(stderr.starts_with("error: not known to be delivered after "), "{stderr}");
    assert!(stderr.contains(" s, the last state is `accepted`; "), "{stderr}");
    let (output, stdout, _) = send(&["4526050006"]);
    assert!(output.status.success() && stdout.lines().count() == 2, "{stdout}");
}

#[test]
fn send_says_in_plain_words_why_not() {
    let directory = TempDir::new().unwrap();
    let (_sandbox, environment) = sandbox(directory.path());
    let send = |arguments: &[&str], token: Option<&str>| {
        let mut command = connector(directory.path(), &[&["send"], arguments].concat());
        command.envs(environment.clone());
        match token {
            Some("") => command.env_remove("SMS_OPERATOR__TOKEN"),
            Some(token) => command.env("SMS_OPERATOR__TOKEN", token),
            None => &mut command,
        };
        let (output, stdout, stderr) = run(command);
        assert_eq!(output.status.code(), Some(1), "{stdout}");
        assert!(!stderr.contains("26091046") && !stderr.contains("operator-token"), "{stderr}");
        stderr
    };
    assert!(
        send(&["4526020533"], None).starts_with("error: GatewayAPI: recipient (0x0215)\na person would read: No text")
    );
    assert!(send(&["12"], None).starts_with("error: the number can't be a mobile number: "));
    assert!(send(&["4526091046", "--type", "Signin"], None).contains("`type` must be one of: SignIn"));
    assert!(send(&["4526091046"], Some("a wrong one")).contains("does not know this operator.token"));
    assert!(send(&["4526091046"], Some("")).contains("operator.token is not set: set SMS_OPERATOR__TOKEN"));
    assert!(send(&["4526091046", "--url", "http://127.0.0.1:9"], None).contains("is the service running"));
    assert!(send(&["4526091046", "--url", "https://127.0.0.1"], None).contains("--url must be http://"));
    let (output, ..) = {
        let mut command = connector(directory.path(), &["send", "4526091046"]);
        command.envs(environment.clone());
        run(command)
    };
    assert!(output.status.success());
    let again = send(&["4526091046"], None);
    assert!(again.starts_with("error: the limit number (cooldown); try again in 2"), "{again}");
}

/// A port on which nobody listens. The system gives those above to whoever asks for any.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(20_000..32_000);
        if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            return port;
        }
    }
}

#[test]
fn serve_answers_healthcheck_reloads_on_hangup_and_ends_well_on_terminate() {
    let directory = TempDir::new().unwrap();
    // Any free port: healthcheck must find it in the configuration.
    let port = free_port();
    let with_port = |arguments: &[&str]| {
        let mut command = configured(directory.path(), arguments);
        command.env("SMS_SERVER__LISTEN", format!("0.0.0.0:{port}")).env("SMS_LOG__LEVEL", "trace");
        command
    };
    assert_eq!(run(with_port(&["healthcheck"])).0.status.code(), Some(1), "nothing listens yet");
    let mut service = Running::start(with_port(&[]));
    let warning: Value = serde_json::from_str(&service.line_with("limits.countries.allow is empty")).unwrap();
    assert_eq!(warning["level"], "WARN");
    service.line_with("delivery_reports.secret is not set");
    let ready: Value = serde_json::from_str(&service.line_with("the service is ready")).unwrap();
    assert_eq!(ready["public"], format!("0.0.0.0:{port}"));
    assert_eq!(run(with_port(&["healthcheck"])).0.status.code(), Some(0));

    service.signal("-HUP");
    service.line_with("the templates were loaded anew");

    let mut another = with_port(&["serve"]);
    // With a ledger of its own: it is the port that both want.
    another.env("SMS_LEDGER__URL", "sqlite::memory:");
    let (output, _, stderr) = run(another);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr.contains("server.listen"), "{stderr}");

    // An idle connection must not hold the stop.
    let _idle = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let begun = Instant::now();
    service.signal("-TERM");
    let (code, output) = service.ended();
    assert_eq!(code, Some(0));
    assert!(output.contains("the service has stopped"), "{output}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(!output.contains("the token") && !output.contains("what Logto knows"), "{output}");
}

#[test]
fn every_command_has_help() {
    let directory = TempDir::new().unwrap();
    for command in ["serve", "sandbox", "check", "render", "send", "simulator", "healthcheck", "openapi"] {
        let (output, stdout, _) = run(connector(directory.path(), &[command, "--help"]));
        assert!(output.status.success() && stdout.contains("Usage:"), "{command}: {stdout}");
    }
    let (_, stdout, _) = run(connector(directory.path(), &["simulator", "--help"]));
    assert!(stdout.contains("+4526020533"), "{stdout}");
}
