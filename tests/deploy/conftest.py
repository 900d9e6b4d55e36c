"""What the tests of deploy/ share."""

import os
import shutil
import subprocess
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
def tree(tmp_path_factory):
    """A copy of deploy/ with its secrets made, as on a machine where nobody has an account."""
    copy = tmp_path_factory.mktemp("tree") / "deploy"
    shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("secrets", ".env"))
    subprocess.run([copy / "secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    return copy
