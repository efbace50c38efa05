"""A PostgreSQL of one's own that may be killed, frozen and started again; services.sh makes it, and it keeps what it acknowledged."""

import contextlib
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import time
import urllib.parse

from server import ROOT

SERVICES = ROOT / "scripts/services.sh"


class Postgres:
    """`with Postgres(folder) as postgres:` runs one in the folder and removes it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.url = None
        self.pid = None
        self.frozen = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.thaw()
        subprocess.run([SERVICES, "remove", self.folder], check=True, stdin=subprocess.DEVNULL)

    @property
    def port(self):
        return urllib.parse.urlsplit(self.url).port

    def start(self):
        """Returns when it accepts connections."""
        subprocess.run([SERVICES, "start", self.folder], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        lines = (self.folder / "env").read_text().splitlines()
        environment = dict(line.split("=", 1) for line in lines)
        self.url = environment["MARTLET_TEST_POSTGRES_URL"]
        self.pid = int(environment["POSTGRES_PID"])

    def crash(self):
        """What `pg_ctl stop -m immediate` does; returns when it is gone."""
        children = self.children()
        os.kill(self.pid, signal.SIGQUIT)
        while any(is_running(pid) for pid in [self.pid, *children]):
            time.sleep(0.005)

    def await_answers(self, patience=30):
        """The moment at which it accepted connections and answered."""
        end = time.monotonic() + patience
        while True:
            try:
                query(self.url, "SELECT 1")
                return time.monotonic()
            except RuntimeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def freeze(self):
        """Stops its processes where they are; connections to it stay open."""
        self.frozen = [self.pid]
        os.kill(self.pid, signal.SIGSTOP)
        for child in self.children():
            self.frozen.append(child)
            signal_if_there(child, signal.SIGSTOP)

    def thaw(self):
        for pid in reversed(self.frozen):
            signal_if_there(pid, signal.SIGCONT)
        self.frozen = []

    def children(self):
        table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
        rows = (map(int, line.split()) for line in table.splitlines())
        return [pid for pid, parent in rows if parent == self.pid]

    def sessions(self, application="martlet"):
        """Process id and state of each session of the application."""
        rows = query(self.url, f"SELECT pid, state FROM pg_stat_activity WHERE application_name = '{application}'")
        return [(int(pid), state) for pid, state in rows]

    def await_calm(self, patience):
        """The sessions that still do something when none does, or patience ends; and after how many seconds that was."""
        began, busy = time.monotonic(), None
        while busy != [] and time.monotonic() < began + patience:
            busy = [f"{pid} {state}" for pid, state in self.sessions() if state != "idle"]
        return busy, time.monotonic() - began


@contextlib.contextmanager
def empty_schema(url):
    """The same database's URL for a new schema in it, which is dropped at the end."""
    name = "outage_" + secrets.token_hex(6)
    query(url, f"CREATE SCHEMA {name}")
    try:
        yield url + ("&" if "?" in url else "?") + urllib.parse.urlencode({"options": f"-csearch_path={name}"})
    finally:
        query(url, f"DROP SCHEMA {name} CASCADE")


def query(url, sql):
    """The rows, as lists of texts."""
    command = [program("psql"), "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql]
    environment = {**os.environ, **connection_environment(url)}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"psql: {done.stderr.strip()}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def connection_environment(url):
    """The URL for libpq's programs, whose arguments other users could read."""
    parts = urllib.parse.urlsplit(url)
    options = urllib.parse.parse_qs(parts.query).get("options", [""])[0]
    given = {
        "PGHOST": parts.hostname,
        "PGPORT": parts.port and str(parts.port),
        "PGUSER": parts.username and urllib.parse.unquote(parts.username),
        "PGPASSWORD": parts.password and urllib.parse.unquote(parts.password),
        "PGDATABASE": parts.path.removeprefix("/"),
        "PGOPTIONS": f"{options} -c client_min_messages=warning",
        "PGCONNECT_TIMEOUT": "5",
    }
    return {name: value for name, value in given.items() if value}


def program(name):
    """Where a program of PostgreSQL is; `None` when it is not installed. services.sh looks in the same places."""
    folders = ["/opt/homebrew/opt", "/usr", "/usr/lib/postgresql"]
    patterns = ["postgresql@*/bin", "pgsql-*/bin", "*/bin"]
    found = [path for folder, pattern in zip(folders, patterns) for path in sorted(pathlib.Path(folder).glob(f"{pattern}/{name}"))]
    return shutil.which(name) or (str(found[-1]) if found else None)


def is_running(pid):
    """A process that only waits to be noticed by its parent is not."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return done.returncode == 0 and not done.stdout.startswith("Z")


def signal_if_there(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
