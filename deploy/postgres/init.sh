#!/usr/bin/env bash
# PostgreSQL runs this once, on an empty volume: a role and a database each for Logto and for the service.
set -euo pipefail

# psql reads the passwords itself, so that they are in no command line; and the server logs no statement that fails. Logto
# makes a role for each of its tenants, and they connect, too.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="${POSTGRES_USER:-postgres}" --dbname=postgres <<'SQL'
\set logto `cat "$LOGTO_DB_PASSWORD_FILE"`
\set sms `cat "$SMS_DB_PASSWORD_FILE"`
set log_min_error_statement = panic;
create role logto login createrole password :'logto';
create database logto owner logto;
create role sms login password :'sms';
create database sms owner sms;
revoke all on database sms from public;
SQL
