#!/usr/bin/env bash
# Runs the built tests and shows each result; the lines that only say that a test began are left out. Without a filter, then the tests of
# the server as a process.
#
#   scripts/test.sh [filter]
set -euo pipefail
cd "$(dirname "$0")/.."

arguments=(--skip-build --parallel --disable-xctest)
if [ -n "${1:-}" ]; then arguments+=(--filter "$1"); fi
swift test "${arguments[@]}" </dev/null 2>&1 | { grep --line-buffered -v '^◇ ' || true; }
if [ -z "${1:-}" ]; then scripts/test-processes.sh; fi
