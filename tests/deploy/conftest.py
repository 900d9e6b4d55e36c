"""What the tests of deploy/ share."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BINARY = Path(os.environ["SMS_TEST_BINARY"])


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
    shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("secrets", ".env"))
    subprocess.run([copy / "secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    return copy
