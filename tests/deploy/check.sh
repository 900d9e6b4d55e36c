#!/usr/bin/env bash
# Checks deploy/ without a container engine, a cluster or systemd as the first process; see README.md here.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
source tests/steps.sh
source tests/postgres.sh

venv=$target/deploy-venv

install_packages() {
    debian_tool ip iproute2
    debian_tool jq jq
    debian_tool openssl openssl
    debian_tool systemd-analyze systemd
    [[ -e /usr/lib/$(uname -m)-linux-gnu/libseccomp.so.2 ]] || debian_packages libseccomp2
}

step 'deployment: Debian packages' install_packages
step 'deployment: PostgreSQL' postgres_install
step 'deployment: Node' node_install
step 'deployment: Python packages' python_environment "$venv" tests/deploy/requirements.txt
step "deployment: Logto's packages" npm_packages tests/deploy
step 'deployment: the service' service_build

# Root in namespaces of its own: no port is taken, and nothing that is mounted is seen outside.
current_step='deployment: namespaces'
as_root unshare --net --mount true || {
    echo 'the tests of deploy/ need a root that may make namespaces (unshare): a virtual machine, or a privileged container' >&2
    exit 1
}
tools=$(postgres_tools)
step 'deployment: tests' as_root unshare --net --mount \
    env PYTHONPATH="$PWD/tests" PYTHONDONTWRITEBYTECODE=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 \
    SMS_TEST_BINARY="$(realpath "$service")" SMS_TEST_POSTGRES_TOOLS="$tools" \
    "$(realpath "$venv")/bin/python" -m pytest -q -rs -p no:cacheprovider "$@" tests/deploy
