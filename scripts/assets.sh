#!/usr/bin/env bash
# Puts the files of Swagger UI, which /docs shows, into var/assets/swagger-ui. They are never committed.
# They come from a wheel on PyPI, pinned by version and checksum. Without network the server runs as well, less that page.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly swagger_ui=5.33.1
readonly wheel='drf-spectacular-sidecar==2026.10.1'  # the release that carries that version
readonly checksum=sha256:fe1d005d8ac9b5d0472f2fe5deeb2e7d6dcffaa24118044f22578b4b8c4b31f2
readonly folder=var/assets/swagger-ui

main() {
    [ "$(cat "$folder/VERSION" 2>/dev/null)" != "$swagger_ui" ] || return 0

    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    if ensure_pip && download && unpack; then
        printf '    Swagger UI %s is in %s\n' "$swagger_ui" "$folder"
    else
        printf '    warning: Swagger UI %s could not be %s, so /docs will only say how to get it; all else works.\n' "$swagger_ui" "$(fault)"
    fi
}

ensure_pip() {
    python3 -m pip --version >/dev/null 2>&1 && return 0
    command -v apt-get >/dev/null || return 1
    printf '    installing python3-pip with apt-get\n'
    local root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    "${root[@]}" apt-get update -qq </dev/null || true
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends python3 python3-pip </dev/null >/dev/null
}

# Hashes in the requirements file make pip refuse anything but this very file.
download() {
    printf '%s --hash=%s\n' "$wheel" "$checksum" >"$work/requirements.txt"
    python3 -m pip --quiet --disable-pip-version-check --timeout 20 --retries 1 download --no-deps --only-binary :all: \
        --require-hashes --dest "$work" --requirement "$work/requirements.txt" </dev/null 2>"$work/pip.log"
}

fault() {
    if grep -qs 'DO NOT MATCH THE HASHES' "$work/pip.log"; then
        echo "accepted, since PyPI sent a file with another checksum"
    else
        echo "fetched from PyPI"
    fi
}

# VERSION is moved in last: a folder that has it is complete.
unpack() {
    mkdir -p "$folder"
    python3 - "$work" "$folder" "$swagger_ui" <<'PYTHON'
import pathlib, sys, zipfile

work, folder, version = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
inside = "drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist/"
with zipfile.ZipFile(next(work.glob("*.whl"))) as wheel:
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "LICENSE"):
        (folder / name).write_bytes(wheel.read(inside + name))
(folder / "VERSION").write_text(version + "\n")
PYTHON
}

main
