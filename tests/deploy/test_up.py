"""deploy/up.sh, with a `docker` that writes down how it was called."""

import re
import shutil
import stat
import subprocess
from datetime import datetime, timezone

import pytest

from compose_file import resolve
from conftest import DEPLOY

BASH = shutil.which("bash")
UP = "up --detach --wait --wait-timeout 300 --build"
RUNNING = "ps --services --filter status=running"
ANEW = "up --detach --wait --wait-timeout 300 --no-deps --force-recreate app"


class Machine:
    """deploy/ as it is cloned, and a PATH with a docker of its own."""

    def __init__(self, folder):
        self.deploy = shutil.copytree(DEPLOY, folder / "deploy", ignore=shutil.ignore_patterns("secrets", ".env"))
        self.calls_file, self.bin = folder / "calls", folder / "bin"
        self.bin.mkdir()
        self.tools("bash", "cat", "chmod", "cut", "date", "dirname", "find", "ln", "mkdir", "mktemp", "mv", "openssl", "rm",
                   "sed", "tail")

    def tools(self, *names):
        for name in names:
            (self.bin / name).symlink_to(shutil.which(name))

    def docker(self, version="2.24.0", up="", running="app logto sms gatewayapi", states="", log="echo it says why"):
        """One whose `up` does this, after which these run, and which tells these states and this log."""
        services = running.replace(" ", "\\n")
        (self.bin / "docker").write_text(f"""#!{BASH}
            case "$*" in
            'compose version --short') [[ -n '{version}' ]] && echo '{version}'; exit ;;
            esac
            [[ "$1 $2 $3" == 'compose --file {self.deploy}/compose.yaml' ]] || exit 125
            shift 3
            echo "$*" >>{self.calls_file}
            case $1 in
            up) secrets={self.deploy}/secrets; [[ -s $secrets/logto_setup_key ]] || exit 1; {up or ':'} ;;
            ps) [[ $2 == --services ]] && printf '{services}\\n' || printf '{states}' ;;
            logs) service=${{!#}}; {log} ;;
            esac""")
        (self.bin / "docker").chmod(0o755)

    def up(self, *arguments, cwd=None):
        return subprocess.run([BASH, self.deploy / "up.sh", *arguments], text=True, capture_output=True, cwd=cwd or "/",
                              env={"PATH": str(self.bin)})

    def calls(self):
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


HANDED_OVER = "echo an-id >$secrets/logto_app/id; echo a-secret >$secrets/logto_app/secret"


def test_one_command_makes_the_secrets_and_starts_everything(machine):
    machine.docker(up=HANDED_OVER, log="echo 'ready: sign in at http://localhost:5000'")
    done = machine.up()
    assert done.returncode == 0, done
    assert machine.calls() == [UP, RUNNING, ANEW, setup_log(machine)]
    assert "logto-setup: ready: sign in at http://localhost:5000" in done.stdout
    assert "docker compose -f deploy/compose.yaml logs -f --no-log-prefix gatewayapi" in done.stdout
    assert "a-secret" not in done.stdout + done.stderr
    # And again, from anywhere.
    again = machine.up(cwd=machine.deploy)
    assert again.returncode == 0 and "made " not in again.stdout
    assert machine.calls()[4:7] == machine.calls()[:3]


def setup_log(machine):
    """How the set-up's lines were asked for: those since the start of this run."""
    (asked,) = [call for call in machine.calls() if call.startswith("logs")]
    since = re.fullmatch("logs --no-log-prefix --since (.*) logto-setup", asked)[1]
    assert abs(datetime.now(timezone.utc) - datetime.fromisoformat(since)).total_seconds() < 60
    return asked


def test_what_the_set_up_left_alone_is_told(machine):
    lines = ["connector: HTTP SMS", "sign-in: it was changed in the Console, and stays", "not ready: nobody signs in"]
    machine.docker(log="; ".join(f"echo '{line}'" for line in lines))
    done = machine.up()
    assert all(f"logto-setup: {line}\n" in done.stdout for line in lines) and "localhost:5000" not in done.stdout
    # Nothing to tell of one that did not run.
    machine.docker(log=":")
    assert "logto-setup" not in machine.up("sms").stdout


def test_its_arguments_are_passed_on(machine):
    machine.docker()
    assert machine.up("--pull", "always", "a service").returncode == 0
    assert machine.calls()[0] == f"{UP} --pull always a service"


def test_only_what_runs_is_named(machine):
    machine.docker(running="sms gatewayapi grafana-app")
    done = machine.up("sms")
    assert "localhost:9090" in done.stdout and "localhost:5000" not in done.stdout and "localhost:3002" not in done.stdout


def test_a_running_app_is_made_anew_each_time(machine):
    """It reads its id and secret at its start, and has lost its network where Logto's container has started again."""
    machine.docker(running="logto sms gatewayapi")
    machine.up("sms")
    assert machine.calls()[:2] == [f"{UP} sms", RUNNING] and ANEW not in machine.calls()
    machine.docker(up='[[ $* != *recreate* ]] || exit 1', states="app:running:unhealthy:0\\n")
    done = machine.up()
    assert machine.calls()[5] == ANEW
    assert done.returncode == 1 and "app: unhealthy\n    it says why" in done.stderr and "http://localhost" not in done.stdout


def test_what_did_not_start_is_told_with_its_last_lines(machine):
    states = ["postgres running healthy 0", "logto-key exited  0", "logto-setup exited  1", "sms restarting  78",
              "grafana running unhealthy 0", "gatewayapi running  0", "app created  0"]
    machine.docker(up="exit 1", states="".join(f"{state}\n".replace(" ", ":") for state in states), log="echo $service says why")
    done = machine.up()
    assert done.returncode == 1 and "http://localhost" not in done.stdout
    assert done.stderr.splitlines() == [
        "", "logto-setup: exited (1)", "    logto-setup says why", "", "sms: restarting (78)", "    sms says why",
        "", "grafana: unhealthy", "    grafana says why", "", "app: not started", "    app says why",
        "", "not everything started: docker compose -f deploy/compose.yaml logs NAME tells more"]


def test_it_does_not_wait_for_ever(machine):
    """Compose would: what restarts again and again never gets well, and never ends."""
    machine.docker()
    machine.up("--wait-timeout", "5")
    assert machine.calls()[0] == f"{UP} --wait-timeout 5", "the last one counts"


def test_containers_can_read_what_is_mounted_whatever_the_umask_was(machine):
    """But for the secrets: those are others' business."""
    machine.docker()
    for file in [machine.deploy, *machine.deploy.rglob("*")]:
        file.chmod(file.stat().st_mode & ~0o077)
    assert machine.up().returncode == 0
    services = resolve(machine.deploy)["services"].values()
    sources = {volume.split(":")[0] for service in services for volume in service.get("volumes", [])}
    mounted = [machine.deploy / source for source in sources if source.startswith("./") and not source.startswith("./secrets")]
    assert mounted
    for file in [each for source in mounted for each in (source, *source.rglob("*"))]:
        readable = 0o555 if file.is_dir() else 0o444
        assert stat.S_IMODE(file.stat().st_mode) & readable == readable, file
    assert stat.S_IMODE((machine.deploy / "secrets").stat().st_mode) == 0o700


def fingerprints(machine):
    """What `up` was given for the service and the simulated GatewayAPI."""
    file = machine.deploy / "fingerprints"
    machine.docker(up=f'echo "$SECRETS_OF_SMS $SECRETS_OF_GATEWAYAPI" >{file}', running="sms")
    assert machine.up().returncode == 0
    given = file.read_text().split()
    assert len(given) == 2 and all(re.fullmatch("[0-9a-f]{64}", each) for each in given)
    return given


@pytest.mark.parametrize("name", ["sms", "gatewayapi"])
def test_a_changed_secret_changes_what_compose_sees(machine, name):
    assert fingerprints(machine) == fingerprints(machine)
    (machine.deploy / ".env").write_text("GATEWAYAPI_TOKEN_FILE='./secrets/mine'\nDELIVERY_REPORT_SECRET_FILE=../report\n")
    (machine.deploy / "secrets/mine").touch()
    (machine.deploy.parent / "report").touch()
    before = fingerprints(machine)
    resolved = resolve(machine.deploy)
    index = ["sms", "gatewayapi"].index(name)
    for secret in resolved["services"][name]["secrets"]:
        file = machine.deploy / resolved["secrets"][secret]["file"].strip("'")
        file.chmod(0o644)
        file.write_text("another")
        after = fingerprints(machine)
        assert after[index] != before[index] and after[1 - index] == before[1 - index], secret
        before = after


@pytest.mark.parametrize("address, warned", [
    ("https://admin.example.com", True), ("http://192.0.2.1:3002", True), ("http://localhost.example.com", True),
    ("", False), ("http://localhost:3002", False), ("http://localhost", False), ("http://127.0.0.1:3002/", False),
])
@pytest.mark.parametrize("running", ["logto", "sms"])
def test_a_console_that_others_reach_is_warned_of(machine, address, warned, running):
    machine.docker(running=running)
    (machine.deploy / ".env").write_text(f"LOGTO_ADMIN_ENDPOINT={address}\n")
    done = machine.up()
    assert ("becomes its administrator: create yours first" in done.stderr) is (warned and running == "logto")


def test_who_stops_it_is_told_nothing_wrong(machine):
    machine.docker(up="kill -INT $PPID; exit 130")
    done = machine.up()
    assert done.returncode == 130 and "stopped; deploy/up.sh goes on" in done.stderr and "not everything" not in done.stderr
    assert machine.calls() == [UP] and "http://localhost" not in done.stdout


@pytest.mark.parametrize("up, calls", [("exit 130", [UP]), ("[[ $* != *recreate* ]] || exit 130", [UP, RUNNING, ANEW])])
def test_a_compose_that_was_stopped_says_so_by_its_code(machine, up, calls):
    """Bash may not come to its own trap where the signal reaches both."""
    machine.docker(up=up)
    done = machine.up()
    assert done.returncode == 130 and "stopped; deploy/up.sh goes on" in done.stderr and "not everything" not in done.stderr
    assert machine.calls() == calls and "http://localhost" not in done.stdout


@pytest.mark.parametrize("version, told", [
    ("", "Docker has no Compose"),
    ("2.23.3", "2.24 or newer is needed; this is 2.23.3"),
    ("1.29.2", "2.24 or newer is needed; this is 1.29.2"),
    ("dev", "a version that can't be read: dev"),
])
def test_an_old_compose_is_told_before_anything_is_made(machine, version, told):
    machine.docker(version)
    done = machine.up()
    assert done.returncode == 1 and told in done.stderr
    assert machine.calls() == [] and not (machine.deploy / "secrets").exists()


@pytest.mark.parametrize("version", ["2.24.0", "v2.39.4-desktop.1", "5.2.0", "2.24.0-0ubuntu1"])
def test_a_newer_compose_will_do(machine, version):
    machine.docker(version)
    assert machine.up().returncode == 0


def test_no_docker_is_told(machine):
    done = machine.up()
    assert done.returncode == 1 and done.stderr.startswith("Docker is needed, and not installed")


def test_without_secrets_nothing_is_started(machine):
    machine.docker()
    (machine.bin / "openssl").unlink()
    done = machine.up()
    assert done.returncode != 0 and "openssl is needed" in done.stderr and machine.calls() == []
