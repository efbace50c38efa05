#!/usr/bin/env bash
# Shows with strace that a write is on the disk before it is acknowledged: between the server's reading of a POST and its sending of
# the 201 there must be an fdatasync or fsync that succeeded. Exit status 1 when the answer comes first.
#
#   scripts/fsync-trace.sh [binary]      default: .build/release/martlet
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

main() {
    binary=$(realpath "${1:-$here/../.build/release/martlet}")
    work=$(mktemp -d)
    trap clean_up EXIT
    start_server
    base=http://127.0.0.1:$port
    token=$(register)
    trace_one_post
    judge
}

server=
tracer=

start_server() {
    local attempt
    for attempt in $(seq 20); do
        port=$((20000 + RANDOM % 10000))
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    cd "$work"
    PORT=$port DATABASE_URL=sqlite://$work/trace.db LOG_LEVEL=error \
        SECRET_KEY=$(openssl rand -hex 32) JWT_SECRET_KEY=$(openssl rand -hex 32) \
        "$binary" serve >"$work/server.log" 2>&1 </dev/null &
    server=$!
    for attempt in $(seq 300); do
        curl -sf -o /dev/null "http://127.0.0.1:$port/health/live" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    fail "the server did not start (after $attempt tries): $(tail -n 5 "$work/server.log")"
}

register() {
    curl -sS --fail-with-body "$base/api/v1/auth/register" -H 'Content-Type: application/json' \
        -d '{"email":"trace@example.org","username":"trace","password":"correct-horse-staple-7"}' |
        sed -nE 's/.*"access_token" *: *"([^"]+)".*/\1/p'
}

trace_one_post() {
    strace -f -tt -s 128 -o "$work/trace" -p "$server" \
        -e trace=fdatasync,fsync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg 2>"$work/strace.log" &
    tracer=$!
    local attempt
    for attempt in $(seq 100); do
        grep -q attached "$work/strace.log" && break
        kill -0 "$tracer" 2>/dev/null || fail "strace could not attach: $(cat "$work/strace.log")"
        sleep 0.1
    done
    [ "$attempt" -lt 100 ] || fail "strace did not attach: $(cat "$work/strace.log")"
    status=$(curl -sS -o "$work/answer" -w '%{http_code}' "$base/api/v1/bookmarks" -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/json' -d '{"url":"https://example.org/traced","title":"Traced"}')
    [ "$status" = 201 ] || fail "the POST was answered with $status: $(cat "$work/answer")"
    kill -INT "$tracer"
    wait "$tracer" 2>/dev/null || true
    tracer=
}

# strace splits a call that another thread interrupts into "<unfinished ...>" and "resumed": a sync counts where it returned 0,
# the answer where it was begun.
judge() {
    awk '
        /POST \/api\/v1\/bookmarks/ && !request { request = NR; print; next }
        !request { next }
        /(fdatasync|fsync).*= 0$/ && !answer { synced = NR; print; next }
        /(fdatasync|fsync)\(/ && !answer { print; next }
        /"HTTP\/1\.1 201/ && !answer { answer = NR; print }
        END {
            if (!request || !answer) { print "fsync-trace: the trace lacks the request or the answer"; exit 2 }
            if (!synced) { print "fsync-trace: FAILED: the answer was sent before anything was synced"; exit 1 }
            print "fsync-trace: the write was synced before it was acknowledged"
        }
    ' "$work/trace"
}

clean_up() {
    [ -z "$tracer" ] || kill "$tracer" 2>/dev/null || true
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$work"
}

fail() {
    printf 'fsync-trace: %s\n' "$*" >&2
    exit 2
}

main "$@"
