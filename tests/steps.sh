# shellcheck shell=bash
# What .ci/run and tests/run.sh share; they source it.

current_step=start
trap 'code=$?; ((code == 0)) || printf "\n==> FAILED (exit %d): %s\n" "$code" "$current_step" >&2; at_exit' EXIT

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

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
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

# cargo_tool NAME VERSION [OPTION...]: installs cargo-NAME where it is missing or of another version.
cargo_tool() {
    local name=$1 version=$2 installed=none
    shift 2
    read -r _ installed _ < <(cargo "$name" --version 2>/dev/null) || true
    [[ $installed == "$version" ]] || cargo install "cargo-$name" --locked --version "$version" "$@"
}
