#!/usr/bin/env bash
# Starts everything in compose.yaml, with the secrets that are missing, and waits until a person can sign in.
#
#     deploy/up.sh                   what else it is given goes to `docker compose up`: options, or the services to start
#
# It may be run again at any time: after a change in deploy/.env, a `git pull`, a new token.
set -euo pipefail
deploy=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=deploy/settings.sh
source "$deploy/settings.sh"

fail() {
    echo "$*" >&2
    exit 1
}

compose() {
    docker compose --file "$deploy/compose.yaml" "$@"
}

command -v docker >/dev/null || fail 'Docker is needed, and not installed: https://docs.docker.com/get-docker'
version=$(docker compose version --short 2>/dev/null) || fail 'Docker has no Compose: install its plugin, 2.24 or newer'
[[ $version =~ ^v?([0-9]+)\.([0-9]+) ]] || fail "Docker Compose has a version that can't be read: $version"
((BASH_REMATCH[1] > 2 || (BASH_REMATCH[1] == 2 && BASH_REMATCH[2] >= 24))) ||
    fail "Docker Compose 2.24 or newer is needed; this is $version"

# fingerprint FILE...: another one for other secrets, and nothing can be told from it, as some of them are random.
fingerprint() {
    # What is not there, Compose tells.
    (cd "$deploy" && { cat -- "$@" 2>/dev/null || true; }) | openssl dgst -sha256 -r | cut -c -64
}

# What Ctrl-C stops has not failed.
stopped() {
    echo 'stopped; deploy/up.sh goes on where it was' >&2
    exit 130
}

# bring_up OPTION...: each waits 300 s at most for what it depends on. Pulling and building have their time.
bring_up() {
    local code=0
    compose up --detach --wait --wait-timeout 300 "$@" || code=$?
    case $code in
    0) ;;
    # Compose was stopped. Where the signal reached both, bash does not always come to its own trap.
    130) stopped ;;
    *) not_started >&2 ;;
    esac
}

runs() {
    [[ $'\n'$running$'\n' == *$'\n'$1$'\n'* ]]
}

# not_started: tells what doesn't run as it should, with its last lines.
not_started() {
    local service state health code
    while IFS=: read -r service state health code; do
        case $state:$health:$code in running:healthy:* | running::* | exited::0) continue ;; esac
        if [[ $state == running ]]; then state=$health; elif ((code)); then state+=" ($code)"; fi
        [[ $state != created ]] || state='not started'
        printf '\n%s: %s\n' "$service" "$state"
        compose logs --no-log-prefix --since "$start" --tail=10 "$service" 2>&1 </dev/null | sed 's/^/    /'
    done < <(compose ps --all --format '{{.Service}}:{{.State}}:{{.Health}}:{{.ExitCode}}')
    echo
    fail 'not everything started: docker compose -f deploy/compose.yaml logs NAME tells more'
}

"$deploy/secrets.sh"
# Containers, with users of their own, read these; git makes them by the umask.
chmod -R a+rX "$deploy"/{grafana,logto,postgres,prometheus,templates}
# A container that runs once at each start has the lines of earlier ones, too.
start=$(date -u +%Y-%m-%dT%H:%M:%SZ)
# Compose doesn't look into secrets: these labels make it start a service anew that has others.
token=${GATEWAYAPI_TOKEN_FILE-$(setting GATEWAYAPI_TOKEN_FILE)}
reports=${DELIVERY_REPORT_SECRET_FILE-$(setting DELIVERY_REPORT_SECRET_FILE)}
SECRETS_OF_SMS=$(fingerprint "${token:-secrets/simulator_token}" "${reports:-secrets/simulator_report_secret}" \
    secrets/{logto_authorization,sms_ledger_url,sms_pseudonym_key,sms_operator_token})
SECRETS_OF_GATEWAYAPI=$(fingerprint secrets/simulator_{token,report_secret})
export SECRETS_OF_SMS SECRETS_OF_GATEWAYAPI
trap stopped INT
bring_up --build "$@"
running=$(compose ps --services --filter status=running)
# It reads its id and secret at its start, and is cut off by a start of Logto, whose network it has.
if runs app; then
    bring_up --no-deps --force-recreate app
fi

# tell SERVICE LINE: where it runs.
tell() {
    if runs "$1"; then echo "$2"; fi
}
echo
# What it made, what it left alone, and whether a person can sign in now.
setup=$(compose logs --no-log-prefix --since "$start" logto-setup || true)
if [[ -n $setup ]]; then printf '%s\n\n' "$setup" | sed '/./s/^/logto-setup: /'; fi
tell logto "http://localhost:3002    Logto's Console, where the first visitor becomes the administrator"
tell sms "http://localhost:9090    what became of each message; the token is in deploy/secrets/sms_operator_token"
tell gatewayapi "
Each SMS, until deploy/secrets.sh gatewayapi_token and deploy/up.sh make it real:
    docker compose -f deploy/compose.yaml logs -f --no-log-prefix gatewayapi"
console=${LOGTO_ADMIN_ENDPOINT-$(setting LOGTO_ADMIN_ENDPOINT)}
if runs logto && ! [[ ${console:-http://localhost} =~ ^https?://(localhost|127\.0\.0\.1)([:/]|$) ]]; then
    echo "
Logto's Console is at $console. Whoever opens it first becomes its administrator: create yours first, if there is none." >&2
fi
