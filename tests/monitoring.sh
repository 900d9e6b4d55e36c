# shellcheck shell=bash
# Prometheus' own check of the rules in deploy/prometheus, and of what the service tells it. tests/run.sh sources it, and
# tests/steps.sh before it, which says where `target` is, and builds the service.
# shellcheck disable=SC2154

promtool() {
    "$(type -P promtool || echo "$target/debian/usr/bin/promtool")" "$@"
}

# The binary alone: the package would start a server.
promtool_install() {
    type -P promtool >/dev/null || [[ -x $target/debian/usr/bin/promtool ]] && return
    as_root apt-get update --quiet
    # Anew, and moved when it is whole: an earlier run may have been cut.
    rm -rf "$target/debian" "$target/debian.new"
    mkdir -p "$target/debian.new"
    (
        CDPATH='' cd -- "$target/debian.new" || return
        apt-get download prometheus
        dpkg-deb --extract prometheus_*.deb .
        rm prometheus_*.deb
    )
    mv "$target/debian.new" "$target/debian"
}

monitoring_rules() {
    promtool check rules deploy/prometheus/alerts.yml
    promtool test rules deploy/prometheus/alerts.test.yml deploy/prometheus/alerts.long.test.yml
    # With the rules here instead of where a container has them.
    sed "s|/etc/prometheus/|$PWD/deploy/prometheus/|" deploy/prometheus/prometheus.yml >"$target/prometheus.yml"
    promtool check config "$target/prometheus.yml"
}

# The names, types and help texts that a sandbox tells, once a message has been sent. The sandbox ends with the subshell.
monitoring_metrics() (
    local line='' pid url metrics
    service_build
    # Without what the other tests are told: the service refuses variables that it does not know.
    unset "${!SMS_@}"
    coproc sandbox {
        exec env SMS_SERVER__LISTEN=127.0.0.1:0 SMS_OPERATOR__LISTEN=127.0.0.1:0 "$service" sandbox
    }
    # shellcheck disable=SC2154 # coproc sets sandbox and sandbox_PID.
    pid=$sandbox_PID
    trap 'kill "$pid" && wait "$pid" || true' EXIT
    until [[ $line =~ (http://[0-9.]+:[0-9]+)/metrics ]]; do
        read -r -t 30 line <&"${sandbox[0]}" || { echo 'the sandbox did not start' >&2; return 1; }
    done
    url=${BASH_REMATCH[1]}
    curl --silent --show-error --fail --output /dev/null "$url/api/messages" --header 'Authorization: Bearer sandbox-operator-token' \
        --header 'Content-Type: application/json' --data '{"to":"+4526091045"}'
    metrics=$(curl --silent --show-error --fail "$url/metrics")
    grep --quiet '^sms_accepted_total{country="DK"} 1$' <<<"$metrics"
    promtool check metrics <<<"$metrics"
)
