#!/usr/bin/env bash
# The checks that need no build: Swift's layout, the shell scripts, and files that outgrew one idea.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly longest_file=600

swift format lint --strict --parallel --recursive Sources Tests
shellcheck --severity=style scripts/*.sh .ci/run
python3 -c 'import ast, sys; [ast.parse(open(path).read(), path) for path in sys.argv[1:]]' scripts/*.py Benchmarks/*.py

too_long=$(find Sources Tests -name '*.swift' -exec awk -v most="$longest_file" \
    'END { if (NR > most) printf "%s: %d lines, more than %d: split it by idea\n", FILENAME, NR, most }' {} \;)
if [ -n "$too_long" ]; then
    printf '%s\n' "$too_long" >&2
    exit 1
fi
