"""The commands of deploy/RUNBOOK.md, which people type at night."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from conftest import BINARY, DEPLOY
from test_systemd import INSTALLED, SECRET, UNIT, settings

RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text()
PROGRAM = INSTALLED.rsplit("/", 1)[1]
HANDED_OVER = 'for word in "$@"; do printf "%s\\n" "$word"; done'


def commands(way):
    """The lines of the shell for one way to run it, under their comment."""
    block = RUNBOOK.split(f"    # {way}\n")[1]
    return re.match(r"(?:    .*\n)+", block)[0]


@pytest.fixture
def programs(tmp_path):
    """A PATH, in which docker and kubectl say what they were called with."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("docker", "kubectl"):
        (folder / name).write_text(f"#!/bin/sh\n{HANDED_OVER}\n")
        (folder / name).chmod(0o755)
    return folder


def typed(way, line, path):
    """What comes when somebody types the commands of the way, and then the line."""
    return subprocess.run([shutil.which("bash"), "-c", f"{commands(way)}\n{line}"], text=True, capture_output=True,
                          env={"PATH": f"{path}:{os.environ['PATH']}"})


@pytest.mark.parametrize("way, before", [
    ("Docker Compose", ["compose", "-f", "deploy/compose.yaml", "exec", "-T", "sms"]),
    ("Kubernetes", ["-n", "sms", "exec", "deployment/gatewayapi-sms-connector", "--"]),
])
def test_the_program_is_run_where_its_settings_are(programs, way, before):
    line = "sms render SignIn --payload '{\"code\": \"1 2\"}'"
    done = typed(way, line, programs)
    assert done.stdout.splitlines() == [*before, PROGRAM, "render", "SignIn", "--payload", '{"code": "1 2"}'], done.stderr


def test_compose_and_kubernetes_know_the_names():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert "sms" in compose["services"]
    deployment = yaml.safe_load((DEPLOY / "kubernetes/base/deployment.yaml").read_text())
    name = deployment["metadata"]["name"]
    assert f"deployment/{name}" in commands("Kubernetes")
    assert f"app.kubernetes.io/name={name}" in commands("Kubernetes")
    assert deployment["metadata"]["labels"]["app.kubernetes.io/name"] == name
    assert f"journalctl --unit {UNIT.stem} " in commands("systemd")


def test_with_systemd_it_has_the_settings_and_secrets_of_the_unit(tmp_path):
    """In a mount namespace with an /etc of its own, as deploy/README.md has it made."""
    etc, programs = tmp_path / "etc", tmp_path / "bin"
    (etc / "gatewayapi-sms-connector/secrets").mkdir(parents=True)
    (etc / "gatewayapi-sms-connector/sms.env").write_text("SMS_GATEWAYAPI__SENDER=Kvik-Butik\n")
    for each in settings(UNIT)["LoadCredential"]:
        (etc / each.split(":")[1].removeprefix("/etc/")).write_text(f"{SECRET}\n")
    programs.mkdir()
    (programs / PROGRAM).symlink_to(BINARY)
    script = f'mount --bind "$1" /etc && {{ {commands("systemd")}\nsms check; }}'
    done = subprocess.run(["unshare", "--mount", "bash", "-c", script, "bash", etc], text=True, capture_output=True,
                          env={"PATH": f"{programs}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    assert "Kvik-Butik" in done.stdout
    unit = {value.split("=")[0] for value in settings(UNIT)["Environment"] if "%d/" in value}
    assert set(re.findall(r"\bSMS_\w+(?==secrets/)", commands("systemd"))) == unit


@pytest.mark.parametrize("way", ["Docker Compose", "Kubernetes", "systemd"])
def test_the_log_is_counted(programs, way):
    log = """{"outcome": "limited", "limit": "number"}\nno JSON\n{"outcome": "accepted"}\n{"outcome": "accepted"}\n"""
    for name in ("docker", "kubectl", "journalctl"):
        (programs / name).write_text(f"#!/bin/sh\ncat <<'END'\n{log}END\n")
        (programs / name).chmod(0o755)
    counting = RUNBOOK.split("and then these:\n\n")[1].split("\n\n")[0]
    done = typed(way, f"{counting}\noutcomes", programs)
    assert [line.split() for line in done.stdout.splitlines()] == [["2", "accepted", "-"], ["1", "limited", "number"]], done.stderr
