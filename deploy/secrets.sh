#!/usr/bin/env bash
# The secrets of compose.yaml, one file each in deploy/secrets/.
#
#     deploy/secrets.sh                     makes those that are missing; up.sh calls it
#     deploy/secrets.sh gatewayapi_token    asks for your token of GatewayAPI, which makes it real
#
# A file that holds something is never changed: to replace a secret, delete its file first.
set -euo pipefail
umask 077
CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
# shellcheck source=deploy/settings.sh
source ./settings.sh

# The folder keeps others on this machine out. The files in it are readable because containers, which see single files,
# run as users of their own.
mkdir -p secrets
chmod 700 secrets
# Here the set-up of Logto, with its own user, leaves the web app's id and secret.
mkdir -p secrets/logto_app
chmod 777 secrets/logto_app || { echo 'delete deploy/secrets/logto_app, which another user made' >&2; exit 1; }
# A run that was killed leaves these.
find secrets -name '.new.*' -mmin +60 -exec rm -f {} +

# holds NAME: whether it is there with something in it. An earlier version of this script left files without their random
# part where openssl was missing; they hold nothing either.
holds() {
    local value
    [[ -f secrets/$1 ]] || return 1
    value=$(<"secrets/$1")
    [[ -n ${value//[[:space:]]/} && $value != 'Bearer ' && $value != 'postgres://sms:@postgres/sms' ]]
}

# keep NAME VALUE: whole or not at all; and where two of this script run at once, the first one's value stays.
keep() {
    new=$(mktemp secrets/.new.XXXXXX)
    printf '%s\n' "$2" >"$new"
    chmod 444 "$new"
    if [[ -e secrets/$1 ]] && ! holds "$1"; then
        mv -f "$new" "secrets/$1"
    elif ! ln "$new" "secrets/$1" 2>/dev/null; then
        if holds "$1"; then
            rm -f "$new"
            return
        fi
        # A file system without hard links.
        mv -n "$new" "secrets/$1"
    fi
    rm -f "$new"
    new=
    printf 'made deploy/secrets/%s\n' "$1"
}
new=
trap '[[ -z $new ]] || rm -f "$new"' EXIT

random() {
    local value
    if ! value=$(openssl rand -hex 32) || ! [[ $value =~ ^[0-9a-f]{64}$ ]]; then
        echo 'openssl made no secret; nothing was written for it' >&2
        return 1
    fi
    printf '%s' "$value"
}

make_missing() {
    local name value
    command -v openssl >/dev/null || { echo 'openssl is needed, and not installed' >&2; return 1; }
    for name in postgres_password logto_db_password sms_db_password sms_pseudonym_key sms_operator_token \
        delivery_report_secret simulator_report_secret simulator_token grafana_admin_password app_secret_key \
        logto_setup_key; do
        holds "$name" && continue
        value=$(random)
        keep "$name" "$value"
    done
    if ! holds logto_authorization; then
        value=$(random)
        keep logto_authorization "Bearer $value"
    fi
    # Compose's network is this machine's own, and its PostgreSQL has no certificate.
    holds sms_ledger_url || keep sms_ledger_url "postgres://sms:$(<secrets/sms_db_password)@postgres/sms?sslmode=disable"
    # Made real by an earlier version, which let the simulator have GatewayAPI's report secret.
    [[ -z $(setting GATEWAYAPI_TOKEN_FILE) ]] || set_missing DELIVERY_REPORT_SECRET_FILE ./secrets/delivery_report_secret
}

# ask NAME: from the terminal without showing it, or from standard input.
ask() {
    local value
    if holds "$1"; then
        echo "deploy/secrets/$1 is there already; delete it to set another" >&2
        return 1
    fi
    [[ ! -t 0 ]] || printf '%s: ' "$1" >&2
    read -rs value || [[ -n $value ]]
    [[ ! -t 0 ]] || echo >&2
    [[ -n $value ]] || { echo "nothing was entered" >&2; return 1; }
    keep "$1" "$value"
}

# set_missing NAME VALUE: in .env, unless it has a value there.
set_missing() {
    local line_end=
    [[ -z $(setting "$1") ]] || return 0
    [[ ! -s .env || -z $(tail -c 1 .env) ]] || line_end=$'\n'
    printf '%s%s=%s\n' "$line_end" "$1" "$2" >>.env
}

# The token last: whatever fails before, the simulator never gets it.
make_real() {
    set_missing GATEWAYAPI_ENDPOINT https://gatewayapi.eu/rest/mtsms
    set_missing DELIVERY_REPORT_SECRET_FILE ./secrets/delivery_report_secret
    set_missing GATEWAYAPI_TOKEN_FILE ./secrets/gatewayapi_token
    printf 'deploy/.env now names the token and %s\n' "$(setting GATEWAYAPI_ENDPOINT)"
    echo "(GatewayAPI's EU platform is https://gatewayapi.eu/rest/mtsms, the global one https://gatewayapi.com/rest/mtsms)"
}

is_real() {
    [[ -n $(setting GATEWAYAPI_ENDPOINT) && -n $(setting DELIVERY_REPORT_SECRET_FILE) && -n $(setting GATEWAYAPI_TOKEN_FILE) ]]
}

case ${1-} in
'') make_missing ;;
gatewayapi_token)
    if holds gatewayapi_token && ! is_real; then
        echo 'deploy/secrets/gatewayapi_token is there already and stays; deploy/.env was not complete' >&2
    else
        ask gatewayapi_token
    fi
    make_real
    ;;
*)
    echo "there is no secret $1 to ask for" >&2
    exit 2
    ;;
esac
