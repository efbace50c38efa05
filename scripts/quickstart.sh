#!/usr/bin/env bash
# Runs README.md's quickstart as it stands: each ```sh block between <!-- quickstart --> and <!-- /quickstart -->, in order, in one
# shell that stops at the first failure. An answer of 4xx or 5xx to curl is a failure.
#
#   scripts/quickstart.sh [base URL]     of a running, empty server; default: http://127.0.0.1:8080
#   scripts/quickstart.sh --print        only shows the blocks
set -euo pipefail
cd "$(dirname "$0")/.."

readonly written_url=http://127.0.0.1:8080

main() {
    if [ "${1:-}" = --print ]; then
        blocks
        return
    fi
    local base=${1:-$written_url} script
    script=$(blocks)
    [ -n "$script" ] || fail "README.md has no \`\`\`sh block between <!-- quickstart --> and <!-- /quickstart -->."
    script=${script//"$written_url"/"$base"}
    script=${script//"http://localhost:8080"/"$base"}
    { prelude; printf '%s\n' "$script"; } | shown_blocks | run ||
        fail "the block shown last failed. The quickstart of README.md does not work as written."
    printf '==> quickstart: every block passed\n'
}

# The blocks' text, each after a line "#block".
blocks() {
    awk '
        /^<!-- quickstart -->/  { inside = 1; next }
        /^<!-- \/quickstart -->/ { inside = 0; next }
        inside && !block && /^```(sh|bash)[ \t\r]*$/ { block = 1; print "#block"; next }
        block && /^```[ \t\r]*$/ { block = 0; next }
        block { print }
    ' README.md
}

# curl leaves the answer on the screen and fails when the status is an error, unless the block asks for its own handling.
prelude() {
    cat <<'SHELL'
curl() {
    local argument
    for argument in "$@"; do
        case $argument in --fail*|-f*|-[a-zA-Z]f*|-[a-zA-Z][a-zA-Z]f*) command curl "$@"; return ;; esac
    done
    command curl --fail-with-body "$@"
}
SHELL
}

# Puts before each block a command that prints it.
shown_blocks() {
    awk '
        function flush() { if (text != "") printf "cat <<\047END_OF_BLOCK\047\n\n%sEND_OF_BLOCK\n%sprintf \047\\n\047\n", shown, text; text = ""; shown = "" }
        $0 == "#block" { flush(); seen = 1; next }
        seen { shown = shown "> " $0 "\n"; text = text $0 "\n"; next }
        { print }
        END { flush() }
    '
}

run() {
    local script
    script=$(mktemp)
    cat >"$script"
    local status=0
    bash -eu -o pipefail "$script" </dev/null || status=$?
    rm -f "$script"
    return "$status"
}

fail() {
    printf 'quickstart: %s\n' "$*" >&2
    exit 1
}

main "$@"
