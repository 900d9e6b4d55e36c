# shellcheck shell=bash
# What deploy/.env says, for up.sh and secrets.sh. Compose reads it itself, after the environment.

env_file=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/.env

# setting NAME: its value, in the forms that Compose knows. The last line counts; quotes or a comment alone are no value.
setting() {
    local line value='' quoted="^(['\"])([^'\"]*)"
    local form="^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*[=:][[:space:]]*(.*)\$"
    [[ -f $env_file ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        if [[ $line =~ $form ]]; then value=${BASH_REMATCH[2]}; fi
    done <"$env_file"
    if [[ $value =~ $quoted ]]; then
        value=${BASH_REMATCH[2]}
    else
        value=${value%%[[:space:]]#*}
        [[ $value != '#'* ]] || value=
    fi
    value=${value#"${value%%[![:space:]]*}"}
    printf '%s' "${value%"${value##*[![:space:]]}"}"
}
