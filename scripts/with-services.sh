#!/usr/bin/env bash
# Runs a command beside a PostgreSQL and a Redis of its own, which end with it, however it ends.
#
#   scripts/with-services.sh <command> [argument]…
#
# The command finds them by MARTLET_TEST_POSTGRES_URL and MARTLET_TEST_REDIS_URL. If the first is already set, nothing is started.
set -euo pipefail

services=$(cd "$(dirname "$0")" && pwd)/services.sh
readonly services
folder=
command=

main() {
    if [ -n "${MARTLET_TEST_POSTGRES_URL:-}" ]; then exec "$@"; fi
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    start_services
    run "$@"
}

# Tests throw their data away; those of loss start a durable server of their own.
start_services() {
    folder=$(mktemp -d)
    "$services" start --volatile "$folder"
    set -a
    # shellcheck source=/dev/null
    . "$folder/env"
    set +a
}

# In a process group of its own and waited for, so that a signal is heeded at once and reaches every process of the command.
run() {
    local status=0
    set -m
    "$@" </dev/null &
    command=$!
    set +m
    wait "$command" || status=$?
    command=
    return "$status"
}

clean_up() {
    local status=$?
    trap '' INT TERM HUP
    if [ -n "$command" ]; then
        kill -TERM -- "-$command" 2>/dev/null || true
        wait "$command" 2>/dev/null || true
    fi
    if [ -n "$folder" ]; then
        "$services" remove "$folder" || status=1
        rm -rf "$folder"
    fi
    exit "$status"
}

main "$@"
