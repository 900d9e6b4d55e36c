"""What the tests of deploy/ share."""

import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

import pytest

from compose_file import resolve, seconds
from containers import NOBODY, TOOLS, container, environment_of, secrets_of
from processes import Running

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BINARY = Path(os.environ["SMS_TEST_BINARY"])


def longest_stop():
    """Seconds from SIGTERM to the end: for accepted calls, for the listeners to close, for the ledger's last writes."""
    source = "".join(file.read_text() for file in [ROOT / "src/server.rs", *(ROOT / "src/server").glob("*.rs")])
    answers = int(re.search(r"LAST_ANSWERS: u64 = (\d+)", source)[1])
    assert "LONGEST_CLOSE: Duration = Duration::from_secs(LAST_ANSWERS + 1)" in source
    writes = int(re.search(r"LAST_WRITES: Duration = Duration::from_secs\((\d+)\)", source)[1])
    default = tomllib.loads((ROOT / "config/default.toml").read_text())
    return seconds(default["server"]["shutdown_grace"]) + answers + 1 + writes


# Whoever stops it kills it only some seconds later, for a machine may be busy.
SHORTEST_PATIENCE = longest_stop() + 5


@pytest.fixture(scope="session")
def loopback():
    """The network of this run has a loopback, and nothing else."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


@pytest.fixture(scope="session")
def place():
    """A folder that other users get into: theirs are the processes of containers and units."""
    with tempfile.TemporaryDirectory(prefix="sms-deploy.", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def rootfs(place):
    """The image, as far as the binary needs it: itself and the libraries that it names."""
    root = place / "rootfs"
    for folder in ("etc", "run", "usr/local/bin", "app/data", "proc"):
        (root / folder).mkdir(parents=True)
    shutil.copy(BINARY, root / "usr/local/bin")
    for word in subprocess.run(["ldd", BINARY], check=True, capture_output=True, text=True).stdout.split():
        if word.startswith("/"):
            (root / word[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, root / word[1:])
    return root


@pytest.fixture(scope="session")
def tree(place):
    """A copy of deploy/ with its secrets made, as on a machine where nobody has an account."""
    copy = place / "deploy"
    shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("secrets", ".env", "sms.env"))
    subprocess.run([copy / "secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    return copy


@pytest.fixture(scope="session")
def hosts(place, rootfs, loopback):
    """The file's host names, for this run alone."""
    names = place / "hosts"
    names.write_text("127.0.0.1 localhost postgres sms gatewayapi\n")
    shutil.copy(names, rootfs / "etc")
    subprocess.run(["mount", "--bind", names, "/etc/hosts"], check=True)
    yield
    subprocess.run(["umount", "/etc/hosts"], check=True)


@pytest.fixture(scope="session")
def compose(tree):
    return resolve(tree)


@pytest.fixture(scope="session")
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
        subprocess.run([DEPLOY / "postgres/init.sh"], check=True, cwd="/",
                       env={"PATH": f"{TOOLS}:{os.environ['PATH']}", "PGHOST": str(folder),
                            **environment_of(compose, tree, "postgres")})
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
