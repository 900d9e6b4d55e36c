"""The commands of deploy/RUNBOOK.md, which people type at night."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import BINARY, DEPLOY
from test_systemd import CREDENTIALS, INSTALLED, SECRET, UNIT, settings

RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text()
PROGRAM = INSTALLED.rsplit("/", 1)[1]
TRANSIENT = Path(__file__).with_name("transient.py")
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


def row(way):
    """Of the table that says how a setting or a secret is changed: the cells for a setting, a secret, and a restart."""
    table = RUNBOOK.split("\n## Change a setting or a secret\n")[1].split("\n## ")[0]
    return re.search(rf"^\| {way} \| (.+) \| (.+) \| (.+) \|$", table, re.MULTILINE).groups()


def code(cell):
    return re.findall("`(.+?)`", cell)


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


@pytest.fixture
def machine(tmp_path, programs):
    """The unit as deploy/README.md has it installed, in a mount namespace; there a line is typed."""
    etc, state = tmp_path / "etc", tmp_path / "state"
    (etc / "gatewayapi-sms-connector/secrets").mkdir(parents=True)
    (state / UNIT.stem).mkdir(parents=True)
    for each in settings(UNIT)["LoadCredential"]:
        (etc / each.split(":")[1].removeprefix("/etc/")).write_text(f"{SECRET}\n")
    # It says how it was started, and runs.
    started = programs / "started"
    started.write_text(f'#!/bin/sh\npwd\nenv\nexec {BINARY} "$@"\n')
    systemd_run = programs / "systemd-run"
    systemd_run.write_text(f'#!/bin/sh\nexec {sys.executable} {TRANSIENT} {shutil.which("systemd-run")} {INSTALLED} {started} "$@"\n')
    started.chmod(0o755), systemd_run.chmod(0o755)
    script = f'mount --bind {etc} /etc && mount --bind {state} /var/lib && {{ {commands("systemd")}\neval "$1"; }}'

    def type_there(line, sms_env):
        (etc / "gatewayapi-sms-connector/sms.env").write_text(sms_env)
        return subprocess.run(["unshare", "--mount", "bash", "-c", script, "bash", line], text=True, capture_output=True,
                              env={"PATH": f"{programs}:{os.environ['PATH']}", "SMS_STRAY": "of the shell"})

    return type_there


def test_with_systemd_it_has_the_settings_and_secrets_of_the_unit(machine, tmp_path):
    executed = tmp_path / "executed"
    done = machine("sms check", f"""# For systemd this is no shell.
SMS_GATEWAYAPI__SENDER=Kvik Butik
SMS_TEMPLATES__VARIABLES__SHOP=$(touch {executed}) `touch {executed}`; touch {executed}
""")
    assert done.returncode == 0, done
    assert "sender:        Kvik Butik\n" in done.stdout and not executed.exists()
    unit = settings(UNIT)
    credentials = dict(each.split(":") for each in unit["LoadCredential"])
    environment = dict(line.split("=", 1) for line in done.stdout.splitlines() if line.startswith("SMS_"))
    for each in unit["Environment"]:
        name, value = each.split("=", 1)
        assert environment.pop(name) == credentials.get(value.removeprefix("%d/"), value)
    assert environment.keys() == {"SMS_GATEWAYAPI__SENDER", "SMS_TEMPLATES__VARIABLES__SHOP"}
    assert done.stdout.splitlines()[0] == unit["WorkingDirectory"][0].replace("%S", "/var/lib")


def test_with_systemd_words_stay_whole_and_a_failure_is_one(machine):
    done = machine("""sms render SignIn --payload '{"code": "1 2"}'""", "SMS_GATEWAYAPI__SENDER=Kvik Butik\n")
    assert done.returncode == 0 and "1 2" in done.stdout, done
    assert machine("sms check", "SMS_GATEWAYAPI__SENDR=Kvik\n").returncode != 0


def test_with_compose_a_setting_is_where_it_counts():
    """Else a line would be dropped without a word."""
    setting, secret, restart = row("Docker Compose")
    sms = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["sms"]
    assert f"`deploy/{sms['env_file'][0]['path']}`" in setting
    by_variable = dict(re.findall(r"`(SMS_\w+)` \(`([\w.]+)`\)", setting))
    keys = {f"SMS_{key.upper().replace('.', '__')}": variable for variable, key in by_variable.items()}
    # Those that have their variables, but for what secrets.sh writes.
    assert keys == {name: found[1] for name, value in sms["environment"].items()
                    if (found := re.match(r"\$\{(SMS_\w+)", value))}
    assert "`deploy/secrets`" in secret
    assert code(restart)[0] == "docker compose -f deploy/compose.yaml up -d --no-deps --force-recreate sms"


def test_elsewhere_a_setting_is_where_it_counts():
    setting, secret, restart = row("Kubernetes")
    assert (DEPLOY / "kubernetes/overlays/example" / code(setting)[0]).exists()
    name = yaml.safe_load((DEPLOY / "kubernetes/base/deployment.yaml").read_text())["metadata"]["name"]
    assert code(restart)[0] == f"kubectl -n sms rollout restart deployment/{name}"
    assert f"kubectl -n sms create secret generic {name} " in (DEPLOY / "README.md").read_text() and "README.md" in secret
    setting, secret, restart = row("systemd")
    assert code(setting) == settings(UNIT)["EnvironmentFile"]
    assert code(secret)[0].rsplit("/", 1)[0] == CREDENTIALS
    assert code(restart)[0] == f"systemctl restart {UNIT.stem}"


def test_a_secret_has_one_name_everywhere(compose):
    names = dict(re.findall(r"`(\w+)` \(`([\w.]+)`\)", RUNBOOK.split("The files of secrets are ")[1].split("\n\n")[0]))
    assert len(names) == 3
    for name, key in names.items():
        variable = f"SMS_{key.upper().replace('.', '__')}_FILE"
        assert compose["services"]["sms"]["environment"][variable] == f"/run/secrets/{name}"
        assert f"{variable}=%d/{name}" in settings(UNIT)["Environment"]
        assert f"--from-file={name}" in (DEPLOY / "README.md").read_text()


@pytest.mark.parametrize("way", ["Docker Compose", "Kubernetes", "systemd"])
def test_the_log_is_counted(programs, way):
    log = "\n".join([
        '{"outcome": "limited", "limit": "number", "duration_ms": 0.2}',
        "no JSON",
        '{"outcome": "accepted", "duration_ms": 31.5}',
        '{"outcome": "accepted", "duration_ms": 29}',
        '{"outcome": "accepted", "message": "an outcome came after its message had been answered"}',
        "",
    ])
    for name in ("docker", "kubectl", "journalctl"):
        (programs / name).write_text(f"#!/bin/sh\ncat <<'END'\n{log}END\n")
        (programs / name).chmod(0o755)
    counting = RUNBOOK.split("and then these:\n\n")[1].split("\n\n")[0]
    done = typed(way, f"{counting}\noutcomes", programs)
    assert [line.split() for line in done.stdout.splitlines()] == [["2", "accepted", "-"], ["1", "limited", "number"]], done.stderr
