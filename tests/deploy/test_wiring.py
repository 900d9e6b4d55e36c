"""What deploy/compose.yaml starts, started by hand: a code goes through to DELIVERED.

Each process gets exactly the file's command, environment, user and secrets; in a root file system with nothing but the
binary, read-only; under the file's host names; with the file's ports. Only images are missing.
"""

import http.client
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from compose_file import resolve, seconds
from conftest import DEPLOY
from processes import Running

TOOLS = Path(os.environ["SMS_TEST_POSTGRES_TOOLS"])
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
NUMBER = "4526091045"

# A container: its secrets, a read-only root of its own, and no capabilities.
CONTAINER = """
mount --bind "$ROOTFS" "$ROOTFS" && mount -t tmpfs -o mode=755 none "$ROOTFS/run" && mkdir "$ROOTFS/run/secrets" || exit
for secret in $SECRETS; do
    : >"$ROOTFS/run/secrets/${secret%%=*}"
    mount --bind "${secret#*=}" "$ROOTFS/run/secrets/${secret%%=*}" || exit
done
mount -o remount,bind,ro "$ROOTFS" && cd "$ROOTFS" || exit
user=$CONTAINER_USER
unset ROOTFS SECRETS CONTAINER_USER
exec setpriv --no-new-privs --bounding-set=-all,+setuid,+setgid,+sys_chroot chroot --userspec="$user" . "$@"
"""


@pytest.fixture(scope="module")
def hosts(place, rootfs, loopback):
    """The file's host names, for this run alone."""
    names = place / "hosts"
    names.write_text("127.0.0.1 localhost postgres sms gatewayapi\n")
    shutil.copy(names, rootfs / "etc")
    subprocess.run(["mount", "--bind", names, "/etc/hosts"], check=True)
    yield
    subprocess.run(["umount", "/etc/hosts"], check=True)


@pytest.fixture(scope="module")
def compose(tree):
    return resolve(tree)


def secrets_of(compose, tree, name):
    return {secret: tree / compose["secrets"][secret]["file"] for secret in compose["services"][name]["secrets"]}


def container(compose, tree, rootfs, name, command=None):
    """The command line and environment of a service's container."""
    service = compose["services"][name]
    secrets = " ".join(f"{secret}={file.resolve()}" for secret, file in secrets_of(compose, tree, name).items())
    # The image's entrypoint, and its command where the file has none.
    command = command or ["/usr/local/bin/gatewayapi-sms-connector", *service.get("command", ["serve"])]
    environment = {"PATH": os.environ["PATH"], "ROOTFS": str(rootfs), "SECRETS": secrets, "CONTAINER_USER": service["user"]}
    return ["unshare", "--mount", "sh", "-c", CONTAINER, "sh", *command], environment | service.get("environment", {})


@pytest.fixture(scope="module")
def postgres(compose, tree, place, hosts):
    """A PostgreSQL with the passwords of the file, set up by its init script."""
    folder = place / "postgres"
    folder.mkdir()
    shutil.chown(folder, 65534, 65534)
    password = secrets_of(compose, tree, "postgres")["postgres_password"]
    shutil.copy(password, folder / "password")
    subprocess.run([*NOBODY, TOOLS / "initdb", f"--pgdata={folder}/data", "--username=postgres", "--auth-local=trust",
                    "--auth-host=scram-sha-256", f"--pwfile={folder}/password", "--encoding=UTF8", "--no-instructions"],
                   check=True, stdout=subprocess.DEVNULL, cwd="/")
    server = [*NOBODY, TOOLS / "postgres", "-D", folder / "data", "-h", "0.0.0.0", "-k", folder, "-c", "fsync=off"]
    with Running(server, cwd="/") as running:
        running.line_with("ready to accept connections")
        environment = compose["services"]["postgres"]["environment"]
        for name, file in secrets_of(compose, tree, "postgres").items():
            environment = {each: str(file) if value == f"/run/secrets/{name}" else value for each, value in environment.items()}
        subprocess.run([DEPLOY / "postgres/init.sh"], check=True, cwd="/",
                       env={"PATH": f"{TOOLS}:{os.environ['PATH']}", "PGHOST": str(folder), **environment})
        yield running


@pytest.fixture(scope="module")
def running(compose, tree, rootfs, postgres):
    """The simulated GatewayAPI and the service."""
    def start(name):
        command, environment = container(compose, tree, rootfs, name)
        return Running(command, env=environment)

    with start("gatewayapi") as gatewayapi:
        gatewayapi.line_with("listens at")
        with start("sms") as sms:
            sms.line_with("the service is ready")
            yield {"gatewayapi": gatewayapi, "sms": sms}


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
    assert kind == "CMD" and subprocess.run(line, env=environment).returncode == 0


def test_logto_gets_its_database(compose, tree, postgres, tmp_path):
    """Its command line, with an `npm` that seeds as Logto does: it makes a role, a table, and lets the role read it."""
    npm = tmp_path / "npm"
    npm.write_text(f"""#!/bin/sh
        case "$*" in
        'run cli db seed -- --swe') exec {TOOLS}/psql --quiet --set=ON_ERROR_STOP=1 "$DB_URL" --command="
            create role tenants noinherit; create role one login password 'one' in role tenants;
            create table codes (code text); alter table codes enable row level security;
            grant select on codes to tenants; insert into codes values ('seeded');" ;;
        'run alteration deploy latest') exec {TOOLS}/psql --quiet "$DB_URL" --command="alter table codes add column altered text" ;;
        start) echo "reads $({TOOLS}/psql --tuples-only --no-align "$DB_URL" --command='select code, altered from codes')" ;;
        esac""")
    npm.chmod(0o755)
    logto = compose["services"]["logto"]
    secrets = secrets_of(compose, tree, "logto")
    mounted = "mount -t tmpfs none /run && mkdir /run/secrets && cp {} /run/secrets && exec \"$@\"".format(
        " ".join(str(file) for file in secrets.values()))
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, "sh", *logto["entrypoint"], *logto["command"]], capture_output=True,
        text=True, env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **logto["environment"]})
    assert (done.returncode, done.stdout) == (0, "reads seeded|\n"), done
    # Its role does not get at the service's database.
    password = secrets["logto_db_password"].read_text().strip()
    other = subprocess.run([TOOLS / "psql", f"postgres://logto:{password}@postgres/sms", "--command=select 1"],
                           capture_output=True, text=True)
    assert "permission denied for database" in other.stderr


def test_both_end_in_time(compose, running):
    """The last test, on an engine's SIGTERM."""
    assert running["sms"].end(seconds(compose["services"]["sms"]["stop_grace_period"])) == 0
    assert running["gatewayapi"].end(10) == 0
