"""deploy/secrets.sh where something is missing or half done."""

import os
import re
import shutil
import stat
import subprocess

import pytest

from compose_file import resolve
from conftest import DEPLOY

@pytest.fixture
def copy(tmp_path):
    """deploy/ as it is cloned."""
    return shutil.copytree(DEPLOY, tmp_path / "deploy", ignore=shutil.ignore_patterns("secrets", ".env"))


def run(copy, *arguments, entered=None, path=os.environ["PATH"]):
    return subprocess.run([shutil.which("bash"), copy / "secrets.sh", *arguments], input=entered or "", text=True,
                          capture_output=True, env={"PATH": path})


def content(copy):
    return {file.name: file.read_text() for file in (copy / "secrets").iterdir() if file.is_file()}


def ledger_url(made):
    return f"postgres://sms:{made['sms_db_password'].strip()}@postgres/sms?sslmode=disable\n"


@pytest.fixture
def tools(tmp_path):
    """A PATH with what the script calls, but openssl."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in ("bash", "cat", "chmod", "dirname", "find", "ln", "mkdir", "mktemp", "mv", "rm", "tail"):
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def test_nothing_is_written_without_openssl(copy, tools):
    done = run(copy, path=str(tools))
    assert done.returncode != 0 and "openssl is needed" in done.stderr
    assert content(copy) == {}


@pytest.mark.parametrize("broken", ["exit 1", "exit 0", "echo abc", "echo $RANDOM; exit 1"])
def test_nothing_is_written_when_openssl_fails(copy, tools, broken):
    (tools / "openssl").write_text(f"#!{shutil.which('bash')}\n{broken}\n")
    (tools / "openssl").chmod(0o755)
    done = run(copy, path=str(tools))
    assert done.returncode != 0 and "openssl made no secret" in done.stderr
    assert content(copy) == {}


def test_what_is_empty_is_made_and_what_holds_something_stays(copy):
    (copy / "secrets").mkdir()
    for name in ("sms_operator_token", "sms_pseudonym_key"):
        (copy / "secrets" / name).touch()
    # What an earlier version left behind without openssl.
    (copy / "secrets/logto_authorization").write_text("Bearer \n")
    (copy / "secrets/sms_ledger_url").write_text("postgres://sms:@postgres/sms\n")
    (copy / "secrets/simulator_token").write_text("mine")
    done = run(copy)
    assert done.returncode == 0, done.stderr
    made = content(copy)
    assert made.pop("simulator_token") == "mine"
    assert re.fullmatch(r"Bearer [0-9a-f]{64}\n", made.pop("logto_authorization"))
    assert made.pop("sms_ledger_url") == ledger_url(made)
    assert all(re.fullmatch(r"[0-9a-f]{64}\n", value) for value in made.values()), made.keys()
    assert len(set(made.values())) == len(made)


def test_an_address_of_the_database_from_before_stays(copy):
    (copy / "secrets").mkdir()
    (copy / "secrets/sms_ledger_url").write_text("postgres://sms:old@postgres/sms\n")
    assert run(copy).returncode == 0
    assert content(copy)["sms_ledger_url"] == "postgres://sms:old@postgres/sms\n"


def make_real(copy, token="real"):
    return run(copy, "gatewayapi_token", entered=f"{token}\n")


def sent(copy):
    """Where the service sends its messages, and with which token."""
    resolved = resolve(copy)
    token = (copy / resolved["secrets"]["gatewayapi_token"]["file"]).read_text()
    return resolved["services"]["sms"]["environment"]["SMS_GATEWAYAPI__ENDPOINT"], token


REAL = ("https://gatewayapi.eu/rest/mtsms", "real\n")


def test_a_last_line_without_its_end_keeps_its_value(copy):
    (copy / ".env").write_text("SMS_SENDER=ExampleShop")
    assert make_real(copy).returncode == 0
    assert (copy / ".env").read_text().startswith("SMS_SENDER=ExampleShop\n")
    assert sent(copy) == REAL


@pytest.mark.parametrize("empty", ["", '""', "''", "  ", "\r", " # the EU's", '"" # the EU\'s', "'' #", '" "'])
def test_an_empty_endpoint_does_not_send_the_token_to_the_simulator(copy, empty):
    (copy / ".env").write_bytes(f"GATEWAYAPI_ENDPOINT={empty}\nGATEWAYAPI_TOKEN_FILE=\n".encode())
    assert make_real(copy).returncode == 0
    assert sent(copy) == REAL


@pytest.mark.parametrize("line", [
    "GATEWAYAPI_ENDPOINT={}", "export GATEWAYAPI_ENDPOINT={}", "GATEWAYAPI_ENDPOINT: {}", '  GATEWAYAPI_ENDPOINT = "{}" # global',
    "GATEWAYAPI_ENDPOINT:'{}'", "GATEWAYAPI_ENDPOINT={} # global", "GATEWAYAPI_ENDPOINT={}\r",
])
def test_a_setting_is_read_as_compose_reads_it(copy, line):
    (copy / ".env").write_text(f"GATEWAYAPI_ENDPOINT=\n{line.format('https://gatewayapi.com/rest/mtsms')}\n")
    source = 'source "$1/settings.sh" && setting GATEWAYAPI_ENDPOINT'
    done = subprocess.run([shutil.which("bash"), "-euc", source, "bash", copy], capture_output=True, text=True, check=True)
    assert done.stdout == "https://gatewayapi.com/rest/mtsms"
    assert make_real(copy).returncode == 0
    assert (copy / ".env").read_text().count("GATEWAYAPI_ENDPOINT") == 2, "it stays"


def test_an_endpoint_that_is_set_stays(copy):
    (copy / ".env").write_text("GATEWAYAPI_ENDPOINT=https://gatewayapi.com/rest/mtsms\n")
    assert make_real(copy).returncode == 0
    assert sent(copy) == ("https://gatewayapi.com/rest/mtsms", "real\n")


def test_what_could_not_be_written_is_completed_later(copy):
    # Not even root writes to a folder.
    (copy / ".env").mkdir()
    assert make_real(copy).returncode != 0
    (copy / ".env").rmdir()
    again = make_real(copy, "another")
    assert again.returncode == 0 and "is there already and stays" in again.stderr
    assert sent(copy) == REAL
    assert make_real(copy, "another").returncode == 1
    assert sent(copy) == REAL


@pytest.mark.parametrize("value", ["-n", "-e", "-neE", r"a\nb"])
def test_a_value_is_kept_as_it_was_entered(copy, value):
    assert run(copy, "gatewayapi_token", entered=f"{value}\n").returncode == 0
    assert content(copy)["gatewayapi_token"] == f"{value}\n"


def test_the_simulators_secrets_are_worthless_once_it_is_real(copy):
    def held(name):
        resolved = resolve(copy)
        files = [resolved["secrets"][secret]["file"] for secret in resolved["services"][name]["secrets"]]
        return {(copy / file).read_text() for file in files}

    assert run(copy).returncode == 0
    assert held("gatewayapi") <= held("sms")
    assert make_real(copy).returncode == 0
    assert not held("gatewayapi") & held("sms")
    assert content(copy)["delivery_report_secret"] in held("sms")


def test_what_an_earlier_version_made_real_keeps_its_report_secret(copy):
    (copy / ".env").write_text("GATEWAYAPI_TOKEN_FILE=./secrets/gatewayapi_token\n")
    assert run(copy).returncode == 0
    assert resolve(copy)["secrets"]["delivery_report_secret"]["file"] == "./secrets/delivery_report_secret"


def test_the_set_up_of_logto_writes_where_nobody_else_on_this_machine_gets(copy):
    assert run(copy).returncode == 0
    folder = copy / "secrets/logto_app"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777 and list(folder.iterdir()) == []
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    # What an earlier try or somebody's umask has left.
    folder.chmod(0o755)
    assert run(copy).returncode == 0 and stat.S_IMODE(folder.stat().st_mode) == 0o777
    # What is in it stays.
    (folder / "id").write_text("mine")
    assert run(copy).returncode == 0 and (folder / "id").read_text() == "mine"


def test_what_an_earlier_version_asked_for_is_left_alone(copy):
    (copy / "secrets").mkdir()
    for name in ("logto_app_id", "logto_app_secret"):
        (copy / "secrets" / name).write_text("pasted\n")
    assert run(copy).returncode == 0
    assert content(copy)["logto_app_id"] == content(copy)["logto_app_secret"] == "pasted\n"
    done = run(copy, "logto_app_id", entered="x\n")
    assert done.returncode == 2 and "no secret logto_app_id to ask for" in done.stderr


def test_two_at_once_end_with_the_same_secrets(copy):
    command = [shutil.which("bash"), copy / "secrets.sh"]
    for _ in range(5):
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
        ended = [(each.communicate(), each.returncode) for each in both]
        assert [code for _, code in ended] == [0] * 4, ended
        made = [line for (out, _), _ in ended for line in out.splitlines()]
        assert len(made) == len(set(made)) == len(content(copy)), "each was made once"
        assert content(copy)["sms_ledger_url"] == ledger_url(content(copy))
        shutil.rmtree(copy / "secrets")


def test_what_a_killed_run_left_is_removed(copy):
    (copy / "secrets").mkdir()
    left, fresh = copy / "secrets/.new.killed", copy / "secrets/.new.other"
    left.touch()
    fresh.touch()
    os.utime(left, (0, 0))
    assert run(copy).returncode == 0
    assert not left.exists() and fresh.exists(), "another run may be about to use it"
