#!/usr/bin/env bash
# Runs all tests, and installs what they need besides Rust.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
source tests/steps.sh
source tests/postgres.sh
source tests/monitoring.sh
at_exit() { postgres_stop; }

install_packages() {
    c_tools
    debian_tool curl curl
    debian_tool kill procps
}

install_browser() {
    debian_tool chromium chromium
    npm_packages tests/browser
}

# With the binary that the tests before have built.
test_page() {
    SMS_TEST_BINARY=$binary \
        node --test --test-reporter=spec tests/browser/*.test.mjs
}

install_web_app() {
    python_environment "$target/python-flask" examples/python-flask/{,tests/}requirements.txt
}

# The whole story needs the service's binary, which the tests before have built.
test_web_app() {
    SMS_TEST_BINARY=$binary PYTHONDONTWRITEBYTECODE=1 \
        "$target/python-flask/bin/python" -m pytest --quiet -p no:cacheprovider examples/python-flask/tests
}

test_metrics() {
    SMS_TEST_BINARY=$binary monitoring_metrics
}

# The page's vendored bundles must be what their build gives.
check_bundles() {
    npm_packages tests/bundles
    node tests/bundles/build.mjs --check
}

install_schemathesis() {
    python_environment "$target/openapi/venv" tests/openapi/requirements.txt
}

step 'Debian packages' install_packages
step 'PostgreSQL' postgres_install
step 'PostgreSQL for the tests' postgres_start
step 'Node' node_install
step "Logto's packages" npm_packages tests/node
step 'Chromium and its driver' install_browser
step "the page's bundles" check_bundles
step 'cargo-nextest' cargo_tool nextest 0.9.143 --no-default-features --features default-no-update
step 'doc tests' cargo test --locked --doc
# With the benches, each of which runs once, untimed.
step 'tests' cargo nextest run --locked --all-targets
step 'the page in Chromium' test_page
step 'deployment' env SMS_TEST_BINARY="$binary" tests/deploy/check.sh
step 'schemathesis' install_schemathesis
# With the binary that the tests made.
step "the interface's document" "$target/openapi/venv/bin/python" tests/openapi/run.py
# The service as its neighbours see it does the same on the other database.
step 'tests on PostgreSQL' env SMS_TEST_LEDGER=postgres cargo nextest run --locked --test api
step "the web app's packages" install_web_app
step 'the web app and a first sign-in' test_web_app
step 'promtool' promtool_install
step 'alerts' monitoring_rules
step 'metrics' test_metrics
# The features that a plain build leaves out: of the packages only the own one is built anew.
step 'tests of traces' cargo nextest run --locked --features otlp --lib --test api -E 'test(traces::) or test(telemetry::)'
