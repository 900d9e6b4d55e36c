# shellcheck shell=bash
# What .ci/run, tests/run.sh and tests/deploy/check.sh share; they source it.

# Where cargo builds, and where the tests put what they make; and the service there.
target=${CARGO_TARGET_DIR:-target}
# shellcheck disable=SC2034 # They use it.
binary=$target/debug/gatewayapi-sms-connector

current_step=start

finish() {
    local code=$?
    ((code == 0)) || printf '\n==> FAILED (exit %d): %s\n' "$code" "$current_step" >&2
    at_exit
}
trap finish EXIT

# at_exit: what a script wants done in any case; it may declare its own.
at_exit() { :; }

# step NAME COMMAND...: runs it, and says how long it took.
step() {
    local name=$1 start=$SECONDS
    shift
    current_step=$name
    printf '\n==> %s\n' "$name"
    "$@"
    printf '==> %s: %d s\n' "$name" $((SECONDS - start))
}

# With this PATH: sudo has one of its own, without a Node that is elsewhere.
as_root() {
    if ((EUID == 0)); then "$@"; else sudo env PATH="$PATH" "$@"; fi
}

# debian_packages NAME...: installs them.
debian_packages() {
    as_root apt-get update --quiet
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends "$@"
}

# debian_tool COMMAND PACKAGE...: installs the packages where the command is missing.
debian_tool() {
    local command=$1
    shift
    type -P "$command" >/dev/null || debian_packages "$@"
}

# Some crates compile C code of theirs.
c_tools() {
    debian_tool cc gcc libc6-dev
    debian_tool make make
}

# service_build: sets `service`, as it is now: SMS_TEST_BINARY where the caller has just built it, otherwise built here. With a
# test, because a plain build would make every package anew, with other features.
service_build() {
    # shellcheck disable=SC2034 # They use it.
    service=${SMS_TEST_BINARY:-$binary}
    if [[ -z ${SMS_TEST_BINARY-} ]]; then
        c_tools
        cargo test --locked --quiet --no-run --test layering
    fi
}

# cargo_tool NAME VERSION [OPTION...]: installs cargo-NAME where it is missing or of another version.
cargo_tool() {
    local name=$1 version=$2 installed=none
    shift 2
    read -r _ installed _ < <(cargo "$name" --version 2>/dev/null) || true
    [[ $installed == "$version" ]] || cargo install "cargo-$name" --locked --version "$version" "$@"
}

# Debian 12's. Logto's packages ask for 22, but what the tests use of them runs on 18.
oldest_node=18

node_is_there() {
    command -v npm >/dev/null && node -e "process.exit(parseInt(process.versions.node) < $oldest_node ? 1 : 0)" 2>/dev/null
}

node_install() {
    node_is_there || debian_packages nodejs npm
    node_is_there || { echo "the tests need Node $oldest_node or newer, with npm" >&2; return 1; }
}

# npm_packages FOLDER: installs what its lock file names. npm writes the hidden lock file when it has finished.
npm_packages() {
    [[ $1/node_modules/.package-lock.json -nt $1/package-lock.json ]] ||
        npm --prefix "$1" ci --ignore-scripts --no-audit --no-fund
}

python_is_there() {
    python3 -c 'import ensurepip, sys; assert sys.version_info >= (3, 11)' 2>/dev/null
}

# python_environment FOLDER REQUIREMENTS...: Python with exactly the packages that the files name, by their hashes. It is
# made anew where they are others, or Python or the place is; what it is made of is written down when it is whole.
python_environment() {
    local folder=$1 made_of
    shift
    python_is_there || debian_packages python3 python3-venv
    python_is_there || { echo 'the tests need Python 3.11 or newer, with venv' >&2; return 1; }
    made_of=$(realpath --canonicalize-missing "$folder" && python3 --version && cat "$@") || return
    if [[ $made_of == "$(cat "$folder/made-of" 2>/dev/null)" ]]; then return; fi
    rm -f "$folder/made-of" && python3 -m venv --clear "$folder" &&
        "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
            "${@/#/--requirement=}" &&
        "$folder/bin/pip" check &&
        printf '%s\n' "$made_of" >"$folder/made-of"
}
