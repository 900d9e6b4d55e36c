#!/bin/sh
# Lets setup.mjs into Logto's Management API, for a quarter of an hour.
#
# Logto's seed makes an application m-default in the tenant admin, for machines, which may do everything in the tenant
# default. Its own secret is not read: ours is added beside it, with an end, in the table that Logto has for several secrets
# of an application (since 1.20). A second run sets the end anew. Only Logto's own role may write there.
set -eu

key=$(cat "$LOGTO_SETUP_KEY_FILE" 2>/dev/null) || key=
case $key in *[!0-9a-f]*) key= ;; esac
if [ ${#key} != 64 ]; then
    echo 'deploy/secrets/logto_setup_key holds no key: delete it, and run deploy/up.sh' >&2
    exit 1
fi
PGPASSWORD=$(cat "$LOGTO_DB_PASSWORD_FILE")
export PGPASSWORD
# The key is copied from psql's input, so that it is in no command line, and in no statement that the server logs when one
# fails.
given=$(printf '%s\n' "$key" | psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
    --host=postgres --username=logto --dbname=logto \
    --command='create temporary table given (key text)' \
    --command='\copy given from pstdin' \
    --command="
        insert into application_secrets (tenant_id, application_id, name, value, expires_at)
        select tenant_id, id, 'deploy/logto/setup.mjs', key, now() + interval '15 minutes'
        from applications, given where tenant_id = 'admin' and id = 'm-default'
        on conflict (tenant_id, application_id, name) do update set value = excluded.value, expires_at = excluded.expires_at
        returning 'given'")
if [ "$given" != given ]; then
    echo 'this Logto has no application m-default in its tenant admin: set it up by hand, as docs/first-sign-in.md says' >&2
    exit 1
fi
echo 'setup.mjs may use the Management API for 15 minutes'
