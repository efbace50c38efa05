#!/usr/bin/env bash
# A private PostgreSQL and a private Redis, on free ports of the loopback address, with passwords of their own; nothing else is touched.
#
#   scripts/services.sh start [--volatile] [folder]   starts what does not run yet; default folder: var/services
#   scripts/services.sh stop [folder]                 stops both and keeps their data
#   scripts/services.sh status [folder]               says what runs; status 3 unless both do
#   scripts/services.sh remove [folder]               stops both and removes their data
#
# While they run, <folder>/env has their URLs and process ids. Every command may be repeated, also after the machine went down.
# --volatile writes several times faster, for data that need not outlive a crash of the machine.
set -euo pipefail

main() {
    local command=${1:-} volatile=
    shift || usage
    if [ "${1:-}" = --volatile ]; then volatile=1; shift; fi
    [ $# -le 1 ] || usage
    find_places "${1:-$(dirname "$0")/../var/services}"
    case $command in
        start) start "$volatile" ;;
        stop) stop ;;
        status) status ;;
        remove) remove ;;
        *) usage ;;
    esac
}

usage() { fail "usage: scripts/services.sh start [--volatile] [folder] | stop [folder] | status [folder] | remove [folder]"; }

# PostgreSQL's files are in the folder, unless its user cannot get there: then `place` says where they are.
find_places() {
    mkdir -p "$1"
    folder=$(cd "$1" && pwd -P)
    place=$folder
    if [ -s "$folder/place" ]; then place=$(<"$folder/place"); fi
    data=$place/postgres
    redis=$folder/redis
    umask 077  # from here on, files with passwords and data are made
}

start() {
    find_programs
    if [ ! -s "$folder/password" ]; then random_text >"$folder/password"; fi
    if ! postgres_pid >/dev/null; then start_postgres "$1"; fi
    if ! redis_pid >/dev/null; then start_redis "$1"; fi
    await_answers
    write_environment
}

stop() {
    rm -f "$folder/env"
    # SIGINT ends sessions and writes everything; SIGQUIT is like a crash, which the next start recovers from.
    end postgres_pid INT 60 || end postgres_pid QUIT 10 || fail "PostgreSQL (process $(postgres_pid)) does not end."
    end redis_pid TERM 30 || end redis_pid KILL 10 || fail "Redis (process $(redis_pid)) does not end."
}

status() {
    local pid outcome=0
    if pid=$(postgres_pid); then say "PostgreSQL runs as process $pid"; else say "PostgreSQL does not run"; outcome=3; fi
    if pid=$(redis_pid); then say "Redis runs as process $pid"; else say "Redis does not run"; outcome=3; fi
    return "$outcome"
}

remove() {
    stop
    rm -rf "$data" "$redis"
    if [ "$place" != "$folder" ]; then rmdir "$place"; fi
    rm -f "$folder"/{place,password,postgres.port,postgres.log,redis.port}
    rmdir "$folder" 2>/dev/null || true  # further files in it are not ours
}

# --- PostgreSQL: it refuses to run as root, and then runs as the user that its package made.

as_postgres() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    elif command -v setpriv >/dev/null; then
        (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@")
    else
        (cd / && runuser -u postgres -- "$@")
    fi
}

start_postgres() {
    if [ ! -e "$data/martlet.conf" ]; then make_cluster; fi
    forget_reused_pid
    for _ in 1 2 3 4 5; do  # another program may take the port between the choice and the start
        choose_port postgres
        postgres_configuration "$1" | as_postgres tee "$data/martlet.conf" >/dev/null
        if as_postgres "$programs/pg_ctl" start -D "$data" -l "$data/server.log" -w -t 120 >/dev/null 2>&1 </dev/null; then return; fi
        rm -f "$folder/postgres.port"
    done
    as_postgres tail -n 20 "$data/server.log" >&2 || true
    fail "PostgreSQL does not start; its last words are above."
}

# What an interrupted run left is no cluster: the file martlet.conf is made last.
make_cluster() {
    let_postgres_in
    rm -rf "$data"
    mkdir "$data"
    if [ "$(id -u)" = 0 ]; then chown postgres: "$data"; fi
    # The shell between is for the pipe, which only the user that made it may open by name.
    # shellcheck disable=SC2016
    as_postgres bash -c '"$@" --pwfile=<(cat)' - "$programs/initdb" -D "$data" -U martlet --auth=scram-sha-256 --encoding=UTF8 \
        --locale="$(utf8_locale)" --no-sync --no-instructions <"$folder/password" >"$folder/postgres.log" 2>&1 || {
        cat "$folder/postgres.log" >&2
        fail "initdb failed; its message is above."
    }
    echo "include 'martlet.conf'" | as_postgres tee -a "$data/postgresql.conf" >/dev/null
    as_postgres touch "$data/martlet.conf"
}

# Below a folder such as /root, which only its owner may pass, another user cannot have files.
let_postgres_in() {
    [ "$(id -u)" = 0 ] || return 0
    id postgres >/dev/null 2>&1 || fail "PostgreSQL does not run as root, and there is no user called postgres."
    chmod a+x "$folder"
    if ! as_postgres test -x "$folder"; then
        place=$(mktemp -d /var/tmp/martlet-services-XXXXXX)
        chmod a+x "$place"
        echo "$place" >"$folder/place"
        data=$place/postgres
    fi
}

utf8_locale() { if [ "$(uname)" = Darwin ]; then echo en_US.UTF-8; else echo C.UTF-8; fi; }

postgres_configuration() {
    cat <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''  # their paths must be short
max_connections = 400
END
    # The tests throw this data away, and tests of loss start a durable server of their own.
    if [ -n "$1" ]; then printf '%s = off\n' fsync synchronous_commit full_page_writes; fi
}

postgres_pid() { running "$data/postmaster.pid" "-D $data"; }

# --- Redis

start_redis() {
    mkdir -p "$redis"
    for _ in 1 2 3 4 5; do
        choose_port redis
        redis_configuration "$1" >"$redis/redis.conf"
        redis-server "$redis/redis.conf" >/dev/null </dev/null
        if await 3 redis_pid; then return; fi
        rm -f "$folder/redis.port"
    done
    tail -n 20 "$redis/server.log" >&2 || true
    fail "Redis does not start; its last words are above."
}

redis_configuration() {
    cat <<END
bind 127.0.0.1
port $port
requirepass $(<"$folder/password")
daemonize yes
pidfile "$redis/redis.pid"
logfile "$redis/server.log"
dir "$redis"
set-proc-title no
END
    if [ -n "$1" ]; then printf '%s\n' 'save ""' 'appendonly no'; else echo 'appendonly yes'; fi
}

redis_pid() { running "$redis/redis.pid" "$redis/redis.conf"; }

# --- Both

find_programs() {
    local candidate
    programs=
    for candidate in "$(dirname "$(command -v initdb || echo /-/-)")" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin; do
        if [ -x "$candidate/initdb" ]; then programs=$candidate; fi
    done
    [ -n "$programs" ] || fail "PostgreSQL is not installed: run scripts/setup.sh test."
    command -v redis-server >/dev/null || fail "Redis is not installed: run scripts/setup.sh test."
}

# choose_port <service>: the port of last time, so that its URL stays, or another free one.
choose_port() {
    port=
    if [ -s "$folder/$1.port" ]; then port=$(<"$folder/$1.port"); fi
    while [ -z "$port" ] || (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((20000 + RANDOM % 12000)); done
    echo "$port" >"$folder/$1.port"
}

await_answers() {
    await 30 postgres_answers || fail "PostgreSQL does not answer; see $data/server.log."
    await 30 redis_answers || fail "Redis does not answer; see $redis/server.log."
}

await() {
    local deadline=$((SECONDS + $1))
    until "$2" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

# Also makes the database, which initdb does not.
postgres_answers() {
    local ask=("$programs/psql" -X -q -h 127.0.0.1 -p "$(<"$folder/postgres.port")" -U martlet)
    PGPASSWORD=$(<"$folder/password") "${ask[@]}" -d martlet -c 'SELECT 1' ||
        PGPASSWORD=$(<"$folder/password") "${ask[@]}" -d postgres -c 'CREATE DATABASE martlet'
}

redis_answers() {
    [ "$(REDISCLI_AUTH=$(<"$folder/password") redis-cli -h 127.0.0.1 -p "$(<"$folder/redis.port")" ping)" = PONG ]
}

write_environment() {
    local login
    login=$(<"$folder/password")
    cat >"$folder/env.new" <<END
MARTLET_TEST_POSTGRES_URL=postgresql://martlet:$login@127.0.0.1:$(<"$folder/postgres.port")/martlet
MARTLET_TEST_REDIS_URL=redis://default:$login@127.0.0.1:$(<"$folder/redis.port")/0
POSTGRES_PID=$(postgres_pid)
REDIS_PID=$(redis_pid)
END
    mv "$folder/env.new" "$folder/env"
}

# running <file> <words>: the process id in the file's first line, if that process has these words on its command line. After a crash
# the number may belong to another program, which must not be stopped.
running() {
    local pid
    pid=$(head -n 1 "$1" 2>/dev/null) && [ -n "$pid" ] && [[ "$(command_line "$pid") " == *"$2 "* ]] && echo "$pid"
}

command_line() {
    if [ -d /proc/self ]; then tr '\0' ' ' <"/proc/$1/cmdline"; else ps -ww -o args= -p "$1"; fi 2>/dev/null
}

# PostgreSQL does not start while any process has the number of its last one. Only then is the file removed: it also tells PostgreSQL
# of its own orphans.
forget_reused_pid() {
    local pid
    if pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) && kill -0 "$pid" 2>/dev/null; then rm -f "$data/postmaster.pid"; fi
}

# end <service>_pid <signal> <seconds>: done when the process is gone, or only waits to be noticed by its parent.
end() {
    local pid deadline=$((SECONDS + $3))
    pid=$("$1") || return 0
    kill "-$2" "$pid"
    while "$1" >/dev/null; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

random_text() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

say() { printf '%s\n' "$*"; }

fail() {
    printf 'services: %s\n' "$*" >&2
    exit 1
}

main "$@"
