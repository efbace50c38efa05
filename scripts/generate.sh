#!/usr/bin/env bash
# Writes the committed files that are made from the code. A file changes only when its command succeeded.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly martlet=.build/debug/martlet

# write <file> <argument>…
write() {
    local file=$1 fresh
    shift
    fresh=$(mktemp)
    "$martlet" "$@" >"$fresh" </dev/null
    cat "$fresh" >"$file"
    rm -f "$fresh"
}

write docs/openapi.json openapi
write docs/permissions.md permissions
write docs/configuration.md settings --markdown
write .env.example settings --env
