# shellcheck shell=bash
# A PostgreSQL of the tests' own, in a folder of its own. tests/run.sh sources this; for a while in your own shell:
#
#     source tests/postgres.sh; postgres_start; cargo nextest run; postgres_stop

# postgres_install: Debian's package, without the cluster that it would start. Needs tests/steps.sh.
postgres_install() {
    local conf=/etc/postgresql-common/createcluster.conf
    if ! postgres_tools >/dev/null; then
        if [[ ! -e $conf ]]; then
            as_root mkdir -p "${conf%/*}"
            as_root tee "$conf" <<<'create_main_cluster = false' >/dev/null
        fi
        debian_packages postgresql
    fi
    postgres_tools || { echo 'PostgreSQL was installed, but its initdb is not found' >&2; return 1; }
}

# postgres_tools: the folder of the newest version's tools.
postgres_tools() {
    local tool
    tool=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort --version-sort | tail --lines=1)
    [[ -x $tool ]] || tool=$(type -P initdb) || return
    echo "${tool%/*}"
}

# postgres_do COMMAND...: as an ordinary user, because PostgreSQL refuses to run as root.
postgres_do() {
    if ((EUID == 0)); then
        setpriv --reuid=nobody --regid="$(id --group nobody)" --clear-groups env --chdir=/ "$@"
    else
        "$@"
    fi
}

# postgres_start: exports SMS_TEST_POSTGRES, the address of an empty database.
postgres_start() {
    local tools port
    tools=$(postgres_tools) || { echo 'PostgreSQL is not installed: apt-get install postgresql' >&2; return 1; }
    postgres_folder=$(mktemp --directory --tmpdir sms-postgres.XXXXXX)
    if ((EUID == 0)); then chown nobody "$postgres_folder"; fi
    postgres_do "$tools/initdb" --pgdata="$postgres_folder/data" --username=sms --auth=trust --encoding=UTF8 \
        --locale=C --no-instructions >/dev/null || return
    # Somebody else may take the port before the server does.
    for _ in {1..5}; do
        port=$(postgres_free_port)
        if postgres_do "$tools/pg_ctl" start --wait --silent --pgdata="$postgres_folder/data" \
            --log="$postgres_folder/log" --options="-h 127.0.0.1 -p $port -k $postgres_folder -N 500 -c fsync=off"; then
            postgres_do "$tools/createdb" --host=127.0.0.1 --port="$port" --username=sms sms || return
            export SMS_TEST_POSTGRES="postgres://sms@127.0.0.1:$port/sms"
            return
        fi
    done
    cat "$postgres_folder/log" >&2
    return 1
}

# postgres_stop: ends it, and deletes its folder.
postgres_stop() {
    if [[ -n ${postgres_folder-} ]]; then
        postgres_do "$(postgres_tools)/pg_ctl" stop --mode=immediate --silent --pgdata="$postgres_folder/data" || true
        rm -rf "$postgres_folder"
        unset postgres_folder SMS_TEST_POSTGRES
    fi
}

# postgres_free_port: one on which nobody listens.
postgres_free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}
