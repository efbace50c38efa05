#!/usr/bin/env bash
# Runs one step of the build quietly: its name, a sign of life twice a minute, its duration; its whole output if it fails.
#
#   scripts/step.sh "Building the server" swift build -c release
#
# On a terminal the command draws its own progress. VERBOSE=1 shows everything anywhere.
set -euo pipefail

readonly title=$1
shift
started=$SECONDS
printf '==> %s\n' "$title"

run_openly() { "$@"; }

run_quietly() {
    local status=0
    log=$(mktemp)
    show_signs_of_life &
    heartbeat=$!
    trap 'kill "$heartbeat" 2>/dev/null; rm -f "$log"' EXIT
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then cat "$log"; else grep -E 'warning: ' "$log" | sort -u | head -n 20 || true; fi
    return "$status"
}

# Waits by `read` on a pipe into which nobody writes: a `sleep` could outlive this script.
show_signs_of_life() {
    exec {silence}<> <(:)
    while ! read -r -t 30 -u "$silence" && kill -0 $$; do
        printf '    %3d s  %.120s\n' $((SECONDS - started)) "$(tail -n 1 "$log")"
    done 2>/dev/null
}

status=0
if [ -t 1 ] || [ -n "${VERBOSE:-}" ]; then
    run_openly "$@" || status=$?
else
    run_quietly "$@" || status=$?
fi
if [ "$status" -ne 0 ]; then
    printf '==> %s: failed (status %d) after %d s\n' "$title" "$status" $((SECONDS - started)) >&2
    exit "$status"
fi
printf '    done in %d s\n' $((SECONDS - started))
