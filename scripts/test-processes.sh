#!/usr/bin/env bash
# Tests of the built program as a process: killed while it writes or works, traced while it commits, paused, stopped while it is busy,
# fed with garbage.
#
#   scripts/test-processes.sh [binary]
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${1:-.build/debug/martlet}

scripts/step.sh "Killing the server 20 times while it writes" scripts/durability.py --binary "$binary" --rounds 20 --seed 1
scripts/step.sh "Killing the server 20 times while requests are repeated" scripts/idempotency-kill.py --binary "$binary" --rounds 20 --seed 1
scripts/step.sh "Tracing that a write is synced before it is acknowledged" scripts/fsync-trace.sh "$binary"
scripts/step.sh "Stopping the server while it is busy" scripts/drain.py --binary "$binary"
scripts/step.sh "Connecting more often than there are descriptors" scripts/descriptors.py --binary "$binary"
scripts/step.sh "Replacing and crashing workers under load" scripts/workers.py --binary "$binary"
scripts/step.sh "Serving while the log cannot be written" scripts/log-outage.py --binary "$binary"
scripts/step.sh "Following spans to a collector, and taking it away" scripts/tracing.py --binary "$binary"
scripts/step.sh "Killing workers 8 times while jobs come in" scripts/jobs-kill.py --binary "$binary" --jobs 1500 --kills 8
scripts/step.sh "Pausing workers, and stopping them while they are busy" scripts/jobs-pause.py --binary "$binary" --pauses 1
scripts/step.sh "Sending 10 MB of random and mutated requests" scripts/fuzz.py --binary "$binary" --megabytes 10 --seed 1

if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
    scripts/step.sh "Scraping two servers with a Prometheus, and raising an alert" scripts/metrics-prometheus.py --binary "$binary"
else
    echo '==> NOT TESTED: metrics with a real Prometheus, which is not installed; run scripts/setup.sh test' >&2
    if [ -n "${CI:-}" ]; then exit 1; fi
fi

# What follows starts PostgreSQL itself. Without its programs the rest is still worth running, but not where nothing may be left out.
if ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null &&
    ! compgen -G '/usr/pgsql-*/bin/initdb' >/dev/null && ! compgen -G '/opt/homebrew/opt/postgresql@*/bin/initdb' >/dev/null; then
    echo '==> NOT TESTED: outages of PostgreSQL, which is not installed; run scripts/setup.sh test' >&2
    if [ -n "${CI:-}" ]; then exit 1; else exit 0; fi
fi
# shellcheck disable=SC2016
scripts/step.sh "Killing the server 10 times while it writes to PostgreSQL" scripts/with-services.sh bash -c \
    'exec scripts/durability.py --binary "$0" --rounds 10 --seed 1 --database-url "$MARTLET_TEST_POSTGRES_URL"' "$binary"
# shellcheck disable=SC2016
scripts/step.sh "Killing one of two servers 10 times while requests are repeated on PostgreSQL" scripts/with-services.sh bash -c \
    'exec scripts/idempotency-kill.py --binary "$0" --rounds 10 --seed 1 --servers 2 --database-url "$MARTLET_TEST_POSTGRES_URL"' "$binary"
# shellcheck disable=SC2016
scripts/step.sh "Following spans from HTTP to PostgreSQL" scripts/with-services.sh bash -c \
    'exec scripts/tracing.py --binary "$0" --database-url "$MARTLET_TEST_POSTGRES_URL"' "$binary"
# shellcheck disable=SC2016
scripts/step.sh "Killing and pausing workers on PostgreSQL" scripts/with-services.sh bash -c \
    'scripts/jobs-kill.py --binary "$0" --jobs 1500 --kills 8 --database-url "$MARTLET_TEST_POSTGRES_URL" &&
    scripts/jobs-pause.py --binary "$0" --pauses 1 --database-url "$MARTLET_TEST_POSTGRES_URL"' "$binary"
scripts/step.sh "Taking PostgreSQL away while the server is busy" scripts/outage.py --binary "$binary" --seed 1
scripts/step.sh "Taking Redis away from two servers" scripts/redis-outage.py --binary "$binary" --seed 1
