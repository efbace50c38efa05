#!/usr/bin/env bash
# Installs what is missing, by name, and nothing else; a second run finds everything and is done in a moment.
#
#   scripts/setup.sh [run|test|services|bench|lint]      default: run
set -euo pipefail
cd "$(dirname "$0")/.."

readonly oldest_swift=6.2
readonly libraries=(libsqlite3-dev libpq-dev libargon2-dev libcrypt-dev libdeflate-dev libqrencode-dev libcurl4-openssl-dev)
readonly servers=(postgresql redis-server)

main() {
    local purpose=${1:-run}
    case $purpose in
        run) require "${libraries[@]}" pkg-config curl ;;
        test) require "${libraries[@]}" pkg-config curl strace openssl python3 pgbouncer prometheus zbar-tools "${servers[@]}" ;;
        services) require "${servers[@]}" ;;
        bench) require "${libraries[@]}" pkg-config curl wrk python3 "${servers[@]}" ;;
        lint) require shellcheck python3 ;;
        *) fail "usage: scripts/setup.sh [run|test|services|bench|lint]" ;;
    esac
    check_swift
    if [ "$purpose" = run ] || [ "$purpose" = test ]; then scripts/assets.sh; fi
}

# require <package>…: installs the missing ones on Debian and its relatives; elsewhere checks and says what to install.
require() {
    if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
        install_with_apt "$@"
    else
        check_without_apt "$@"
    fi
}

install_with_apt() {
    local missing=() package
    for package in "$@"; do
        present "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
        fail "not installed: ${missing[*]}. As root, run: apt-get install ${missing[*]}"
    say "installing ${missing[*]} with apt-get"
    as_root apt-get update -qq </dev/null ||
        say "the package lists could not be refreshed; trying the ones at hand"
    keep_servers_off "${missing[@]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null ||
        fail "apt-get could not install ${missing[*]}. Its message is above; repair that, then run this again."
}

# The programs are needed, not servers of the system: scripts/services.sh starts its own. Without this, Debian makes a cluster of
# PostgreSQL, starts it, Redis and Prometheus at once, and again whenever the machine starts.
keep_servers_off() {
    local package
    for package in "$@"; do
        case $package in
            postgresql)
                as_root mkdir -p /etc/postgresql-common/createcluster.d
                echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.d/martlet.conf >/dev/null
                say "no cluster of the system is made, by /etc/postgresql-common/createcluster.d/martlet.conf"
                ;;
            redis-server | prometheus)
                if [ -d /run/systemd/system ]; then
                    as_root systemctl mask --quiet "$package.service"
                    say "$package does not start with the machine; systemctl unmask $package changes that"
                else
                    forbid_starting
                fi
                ;;
        esac
    done
}

# How packages ask whether they may start something (Debian policy 9.3.3), where systemd does not say so. Only while this script runs.
forbid_starting() {
    [ -e /usr/sbin/policy-rc.d ] && return
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee /usr/sbin/policy-rc.d >/dev/null
    as_root chmod 755 /usr/sbin/policy-rc.d
}

# A library is present when its package is; a tool also when it came some other way.
present() {
    case $1 in
        postgresql) command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
        zbar-tools) command -v zbarimg >/dev/null ;;
        lib*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

check_without_apt() {
    local missing=() package
    for package in "$@"; do
        present_elsewhere "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    say "not found: ${missing[*]}. This script installs them on Debian and Ubuntu only. Elsewhere:"
    say "  macOS:   brew install pkgconf sqlite libpq argon2 libdeflate qrencode curl openssl wrk shellcheck postgresql@17 redis prometheus zbar"
    say "           export PKG_CONFIG_PATH=\$(brew --prefix libpq)/lib/pkgconfig"
    say "  Fedora:  dnf install pkgconf sqlite-devel libpq-devel libargon2-devel libdeflate-devel qrencode-devel libcurl-devel curl strace openssl wrk ShellCheck postgresql-server redis golang-github-prometheus zbar"
    fail "Install what is missing, then run this again."
}

present_elsewhere() {
    case $1 in
        libsqlite3-dev) pkg-config --exists sqlite3 2>/dev/null ;;
        libpq-dev) pkg-config --exists libpq 2>/dev/null ;;
        postgresql) command -v initdb >/dev/null || compgen -G '/opt/homebrew/opt/postgresql@*/bin/initdb' >/dev/null ;;
        libargon2-dev) pkg-config --exists libargon2 2>/dev/null ;;
        libqrencode-dev) pkg-config --exists libqrencode 2>/dev/null ;;
        zbar-tools) command -v zbarimg >/dev/null ;;
        libdeflate-dev) pkg-config --exists libdeflate 2>/dev/null ;;
        libcurl4-openssl-dev) pkg-config --exists libcurl 2>/dev/null ;;
        strace) [ "$(uname)" != Linux ] || command -v strace >/dev/null ;;  # exists on Linux only
        *) command -v "$1" >/dev/null ;;
    esac
}

check_swift() {
    local found
    command -v swift >/dev/null ||
        fail "Swift is not installed. Get $oldest_swift or later from https://www.swift.org/install/ and run this again."
    found=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
    [ "$(printf '%s\n%s\n' "$oldest_swift" "${found:-0}" | sort -V | head -n 1)" = "$oldest_swift" ] ||
        fail "Swift $oldest_swift or later is needed; this is ${found:-of an unknown version}. See https://www.swift.org/install/"
}

say() { printf '    %s\n' "$*"; }

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

main "$@"
