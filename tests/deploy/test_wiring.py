"""What deploy/compose.yaml starts, started by hand: a code goes through to DELIVERED.

Each process gets exactly the file's command, environment, user and secrets; in a root file system with nothing but the
binary, read-only; under the file's host names; with the file's ports. Only images are missing.
"""

import http.client
import json
import shutil
import subprocess

import pytest
import yaml

from compose_file import resolve, seconds
from conftest import DEPLOY, ROOT
from containers import container
from processes import PATIENCE

NUMBER = "4526091045"


def call(host, port, method, path, body=None, **headers):
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json", **headers})
    return connection.getresponse()


def test_a_code_is_delivered(compose, tree, rootfs, running):
    authorization = (tree / "secrets/logto_authorization").read_text().strip()
    operator = {"Authorization": "Bearer " + (tree / "secrets/sms_operator_token").read_text().strip()}
    # Logto's call, to the address that its connector is given.
    body = {"to": NUMBER, "type": "SignIn", "payload": {"code": "271828", "locale": "de"}}
    assert call("sms", 8080, "POST", "/send", body, Authorization="Bearer somebody").status == 401
    answer = call("sms", 8080, "POST", "/send", body, Authorization=authorization)
    assert answer.status == 200
    message = answer.headers["X-Message-Id"]
    # `docker compose logs gatewayapi` shows the SMS.
    assert "ExampleShop" in running["gatewayapi"].line_with(f"SMS to +{NUMBER}")
    running["gatewayapi"].line_with("271828 ist Ihr Code")
    # The simulated GatewayAPI's signed reports come back; the events end with the last one.
    events = call("sms", 9090, "GET", f"/api/messages/{message}/events", **operator)
    states = [json.loads(line.removeprefix(b"data: ")) for line in events if line.startswith(b"data: ")]
    assert states[-1]["status"] == "delivered" and states[-1]["delivery"]["status"] == "DELIVERED", states
    assert call("sms", 9090, "GET", "/api/messages", Authorization="Bearer somebody").status == 401


def test_prometheus_finds_its_target(running):
    (scrape,) = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    (target,) = scrape["static_configs"][0]["targets"]
    metrics = call(*target.split(":"), "GET", scrape.get("metrics_path", "/metrics")).read().decode()
    assert "sms_ledger_up 1" in metrics and 'sms_requests_total{outcome="accepted"' in metrics


@pytest.mark.parametrize("name", ["sms", "gatewayapi"])
def test_the_health_check_says_so(compose, tree, rootfs, running, name):
    kind, *command = compose["services"][name]["healthcheck"]["test"]
    line, environment = container(compose, tree, rootfs, name, command)
    assert kind == "CMD" and subprocess.run(line, env=environment, timeout=PATIENCE).returncode == 0


def test_settings_and_templates_of_ones_own_are_in_effect(tree, place, rootfs):
    """deploy/sms.env, and the folder deploy/templates, as RUNBOOK.md has them."""
    copy = place / "with-settings"
    shutil.copytree(tree, copy)
    (copy / "sms.env").write_text("""# Tonight's.
SMS_LIMITS__RANGE__MODE=enforce
SMS_GATEWAYAPI__SENDERS__DK=4512345678
SMS_GATEWAYAPI__SENDER=FromSmsEnv
SMS_TEMPLATES__DIRECTORY=/etc/sms-templates
""")
    shutil.copytree(ROOT / "templates", copy / "templates", dirs_exist_ok=True)
    (copy / "templates/SignIn.json").write_text('{"usageType": "SignIn", "content": {"en": "Our {{code}}"}}')

    def checked(folder):
        check = ["/usr/local/bin/gatewayapi-sms-connector", "check"]
        line, environment = container(resolve(folder), folder, rootfs, "sms", check)
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done
        return done.stdout

    before, after = checked(tree), checked(copy)
    assert "range       monitor" in before and "range       enforce" in after
    assert "SignIn\n  ar " in before and "SignIn\n  en     GSM 03.38, 10 units, 1 segment\n\n" in after
    # What compose.yaml sets itself is set in .env.
    assert "sender:        ExampleShop, DK: 4512345678\n" in after and "FromSmsEnv" not in after


def test_both_end_in_time(compose, running):
    """The last test, on an engine's SIGTERM."""
    assert running["sms"].end(seconds(compose["services"]["sms"]["stop_grace_period"])) == 0
    assert running["gatewayapi"].end(10) == 0
