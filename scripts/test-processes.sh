#!/usr/bin/env bash
# Tests of the built server as a process: killed while it writes, traced while it commits, stopped while it is busy, fed with garbage.
#
#   scripts/test-processes.sh [binary]
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${1:-.build/debug/martlet}

scripts/step.sh "Killing the server 20 times while it writes" scripts/durability.py --binary "$binary" --rounds 20 --seed 1
scripts/step.sh "Tracing that a write is synced before it is acknowledged" scripts/fsync-trace.sh "$binary"
scripts/step.sh "Stopping the server while it is busy" scripts/drain.py --binary "$binary"
scripts/step.sh "Serving while the log cannot be written" scripts/log-outage.py --binary "$binary"
scripts/step.sh "Sending 10 MB of random and mutated requests" scripts/fuzz.py --binary "$binary" --megabytes 10 --seed 1
