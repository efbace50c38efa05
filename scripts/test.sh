#!/usr/bin/env bash
# Runs the built tests; without a filter, then the tests of the server as a process.
#
#   scripts/test.sh [filter]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/run-tests.py "$@" </dev/null
if [ -z "${1:-}" ]; then scripts/test-processes.sh; fi
