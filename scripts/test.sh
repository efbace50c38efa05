#!/usr/bin/env bash
# Runs the built tests and shows each result; the lines that only say that a test began are left out.
#
#   scripts/test.sh [filter]
set -euo pipefail
cd "$(dirname "$0")/.."

arguments=(--skip-build --parallel --disable-xctest)
if [ -n "${1:-}" ]; then arguments+=(--filter "$1"); fi
swift test "${arguments[@]}" </dev/null 2>&1 | { grep --line-buffered -v '^◇ ' || true; }
