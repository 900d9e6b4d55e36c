#!/usr/bin/env bash
# Checks deploy/ without a container engine, a cluster or systemd as the first process; see README.md here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/steps.sh
source tests/postgres.sh

venv=target/deploy-venv
binary=${CARGO_TARGET_DIR:-target}/debug/gatewayapi-sms-connector

debian_tool ip iproute2
debian_tool jq jq
debian_tool openssl openssl
debian_tool systemd-analyze systemd
[[ -e /usr/lib/$(uname -m)-linux-gnu/libseccomp.so.2 ]] || debian_packages libseccomp2
python3 -c 'import ensurepip, sys; assert sys.version_info >= (3, 11)' 2>/dev/null ||
    debian_packages python3 python3-venv
[[ -x $venv/bin/pytest && ! tests/deploy/requirements.txt -nt $venv/installed ]] || {
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement tests/deploy/requirements.txt
    touch "$venv/installed"
}
[[ tests/deploy/node_modules/.package-lock.json -nt tests/deploy/package-lock.json ]] ||
    npm --prefix tests/deploy ci --ignore-scripts --no-audit --no-fund --loglevel=error

docker compose version 2>/dev/null || echo 'docker compose is not installed: the schema of its file stands for it'
kubectl version --client 2>/dev/null || echo 'kubectl is not installed: kustomize.py stands for it'

# The one that the tests have built: a plain build would make every package anew, with other features.
[[ -x $binary ]] || cargo build --locked --quiet
# Root in namespaces of its own: no port is taken, and nothing that is mounted is seen outside.
as_root unshare --net --mount env PYTHONDONTWRITEBYTECODE=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 \
    SMS_TEST_BINARY="$(realpath "$binary")" \
    SMS_TEST_POSTGRES_TOOLS="$(postgres_tools)" "$PWD/$venv/bin/pytest" -q -p no:cacheprovider "$@" tests/deploy
