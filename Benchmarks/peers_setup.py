"""Makes a working copy of the peers run: what the Go peer needs is installed and built, PostgreSQL started, the data loaded."""

import argparse
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = """
golang-go golang-1.19 python3-venv golang-github-gin-gonic-gin-dev golang-github-jackc-pgx-v4-dev golang-github-gin-contrib-gzip-dev
golang-github-gin-contrib-cors-dev golang-github-golang-jwt-jwt-dev golang-gopkg-redis.v5-dev golang-github-google-uuid-dev
golang-github-json-iterator-go-dev
""".split()
SEEDING = ("asyncpg", "async-timeout", "PyJWT")  # what their seed.py imports; the rest of their list is for other peers


def copy(source, folder):
    """Copies the peers, or what changed of them since the last time; what they build and load stays."""
    if not (source / "bench.py").is_file():
        sys.exit(f"{source} does not hold the peers; name their folder with --peers.")
    for path in source.rglob("*"):
        if path.is_file():
            copy_writable(path, folder / path.relative_to(source))
    (folder / "wrk.lua").replace(folder / "wrk.standard.lua")
    shutil.copy(ROOT / "Benchmarks" / "wrk" / "peers.lua", folder / "wrk.lua")


def copy_writable(source, target):
    """The original may be read-only; PostgreSQL's user has to get through the folders."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy2(source, target)
    target.chmod(source.stat().st_mode | 0o200)


def tools(folder):
    """The functions of the peers' bench.py, without the last line, which would run it."""
    body, call, rest = (folder / "bench.py").read_text().rstrip().rpartition("\nmain()")
    if not call or rest:
        sys.exit(f"{folder}/bench.py does not end as expected, with main().")
    module = types.ModuleType("peers_bench")
    module.__file__ = str(folder / "bench.py")
    exec(compile(body, module.__file__, "exec"), module.__dict__)
    module.OPT = argparse.Namespace(attach=False, port_offset=0, noise=1, retries=0)
    return module


def forget_other_databases():
    """Their scripts take these from the environment where they are set, and empty the tables that they find there."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)


def install():
    """What is missing of the tools, by name."""
    subprocess.run([ROOT / "scripts" / "setup.sh", "bench"], check=True)
    missing = [package for package in PACKAGES if not is_installed(package)]
    if missing:
        print(f"==> installing {' '.join(missing)}", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=quiet, check=True)


def is_installed(package):
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True).stdout == "installed"


@contextlib.contextmanager
def services(folder, environment):
    """PostgreSQL and Redis of the peers, on their own ports."""
    for name in ("PG_PORT", "REDIS_PORT"):
        refuse_taken(int(environment[name]), name)
    try:
        logged(folder, "./db.sh", "start")
        yield
    finally:
        logged(folder, "./db.sh", "stop")


def refuse_taken(port, name):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            sys.exit(f"Something listens on port {port} already. If an earlier run left it: `./db.sh stop` there. Or set {name}.")


def build(folder):
    """Builds the Go peer."""
    for name in ("run", "data", "results"):
        (folder / name).mkdir(exist_ok=True)
    if not (folder / "venv" / "bin" / "python").exists():
        logged(folder, "/usr/bin/python3", "-m", "venv", "venv")
    logged(folder, "venv/bin/pip", "install", "-q", *seeding_requirements(folder))
    logged(folder, "./goapp/build.sh")


def seed(folder):
    """Makes the data and loads them, once; needs PostgreSQL."""
    logged(folder, "venv/bin/python", "seed.py")


def seeding_requirements(folder):
    lines = (folder / "requirements.lock").read_text().split()
    return [line for line in lines if line.partition("==")[0] in SEEDING]


def logged(folder, *command):
    """Runs a command of the peers; its words are kept, and shown when it fails."""
    log = folder / "run" / "setup.log"
    with open(log, "w") as output:
        status = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
    if status != 0:
        sys.exit(f"{' '.join(command)} ended with status {status}:\n{log.read_text()}")
