"""The scripts, called as people call them."""

import os
import re
import shutil
import subprocess

import pytest

from conftest import DEPLOY, ROOT

SCRIPTS = sorted(
    file for folder in ("deploy", "tests") for file in (ROOT / folder).rglob("*.sh") if "node_modules" not in file.parts
)


@pytest.fixture
def elsewhere(tmp_path):
    """deploy/ in the working folder, and another one where an exported CDPATH looks first."""
    shutil.copytree(DEPLOY, tmp_path / "here/deploy", ignore=shutil.ignore_patterns("secrets", ".env"))
    (tmp_path / "there/deploy/kubernetes").mkdir(parents=True)

    def call(*command):
        return subprocess.run([shutil.which("bash"), *command], cwd=tmp_path / "here", capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "CDPATH": str(tmp_path / "there")})

    return call


def test_secrets_are_made_beside_the_script_whatever_cdpath_says(elsewhere, tmp_path):
    done = elsewhere("deploy/secrets.sh")
    assert done.returncode == 0 and done.stdout.startswith("made deploy/secrets/"), done.stderr
    assert (tmp_path / "here/deploy/secrets/sms_operator_token").exists()
    assert not (tmp_path / "there/deploy/secrets").exists()


def test_settings_are_read_beside_the_script_whatever_cdpath_says(elsewhere, tmp_path):
    (tmp_path / "here/deploy/.env").write_text("SMS_SENDER=Mine\n")
    assert elsewhere("-euc", "source deploy/settings.sh && setting SMS_SENDER").stdout == "Mine"


def test_up_finds_itself_whatever_cdpath_says(elsewhere, tmp_path):
    docker = tmp_path / "docker"
    docker.write_text(f"#!{shutil.which('bash')}\n[[ $* != 'compose version --short' ]] || {{ echo 2.24.0; exit; }}\n"
                      f"[[ $1 == compose && $2 == --file && $3 == {tmp_path}/here/deploy/compose.yaml ]]\n")
    docker.chmod(0o755)
    done = elsewhere("-c", f"PATH={tmp_path}:$PATH && bash deploy/up.sh sms")
    assert done.returncode == 0, done.stderr


def test_the_rules_are_printed_whatever_cdpath_says(elsewhere):
    done = elsewhere("deploy/kubernetes/prometheus-rule.sh")
    assert done.returncode == 0 and done.stdout.startswith("apiVersion: ") and "  groups:" in done.stdout, done.stderr


def test_no_script_goes_where_cdpath_leads():
    assert len(SCRIPTS) >= 10
    unsafe = re.compile(r"^(?!.*CDPATH='' cd -- ).*\bcd .*(dirname|BASH_SOURCE)", re.MULTILINE)
    assert {str(file): found[0] for file in SCRIPTS if (found := unsafe.search(file.read_text()))} == {}
