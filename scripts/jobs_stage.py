"""What the scripts about jobs have in common: workers as processes, a database to look into, and promises to keep or break."""

import contextlib
import os
import pathlib
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from outage_postgres import connection_environment, empty_schema, program, query
from server import Client, Server

LEASE = 2.0

ENVIRONMENT = {
    "MARTLET_TEST_ROUTES": "true",
    "LOG_LEVEL": "warning",
    "JOBS_LEASE": f"{LEASE:.0f}s",
    "DRAIN_DELAY": "10ms",
    "SHUTDOWN_TIMEOUT": "1s",
    "SECRET_KEY": secrets.token_hex(32),
    "JWT_SECRET_KEY": secrets.token_hex(32),
}


class Report:
    """Promises, each printed as it is found kept or broken."""

    def __init__(self, script, engine):
        self.script, self.engine = script, engine
        self.count, self.broken = 0, []

    def promise(self, what, holds, figure=""):
        line = f"{self.engine}: {what}: {'yes' if holds else 'NO'}" + (f" ({figure})" if figure else "")
        print(f"{self.script}: {line}", flush=True)
        self.count += 1
        if not holds:
            self.broken.append(line)

    @contextlib.contextmanager
    def to_the_end(self):
        """What is awaited in vain is a broken promise."""
        try:
            yield
        except RuntimeError as problem:
            self.promise("goes on to the end", False, str(problem))

    def status(self):
        """The exit status, after the sentences that explain it."""
        for line in self.broken:
            print(f"{self.script}: BROKEN: {line}", file=sys.stderr)
        return 1 if self.broken or not self.count else 0


class Stage:
    """An empty database, with the server that enqueues and the workers that were started on it."""

    def __init__(self, binary, folder, database, chance):
        self.binary, self.folder, self.database, self.chance = str(pathlib.Path(binary).resolve()), pathlib.Path(folder), database, chance
        self.environment = ENVIRONMENT | {"DATABASE_URL": database.url}
        self.workers = []

    def server(self, **environment):
        """One that leaves jobs to others, unless told otherwise."""
        return Server(self.binary, self.folder, {**self.environment, "JOBS_IN_SERVER": "false", **environment})

    def worker(self, **environment):
        worker = Worker(self.binary, self.folder, f"worker-{len(self.workers) + 1}", {**self.environment, **environment})
        self.workers.append(worker)
        return worker.start()

    def traps(self):
        return sum(worker.log().count("Fatal error") + worker.log().count("Crash:") for worker in self.workers)

    def close(self):
        for worker in self.workers:
            worker.kill()


@contextlib.contextmanager
def stage(binary, url, chance):
    """One on SQLite, or on a schema of its own at the URL of a PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="martlet-jobs-") as folder, contextlib.ExitStack() as stack:
        database = SQLite(folder) if url is None else PostgreSQL(stack.enter_context(empty_schema(url)))
        staged = Stage(binary, folder, database, chance)
        stack.callback(staged.close)
        yield staged


class Worker:
    """A `martlet work` of one's own."""

    def __init__(self, binary, folder, name, environment):
        self.binary, self.folder, self.name = binary, folder, name
        self.environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), **environment}
        self.process = None

    def start(self):
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "work"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def await_words(self, words, patience=30.0):
        await_that(lambda: words in self.log(), f"{self.name} says '{words}'", patience)
        return self

    def log(self):
        return (self.folder / f"{self.name}.log").read_text(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, which ends a stopped process too."""
        self.process.kill()
        self.process.wait()

    def stop(self, patience=30.0):
        """Asks it to end; returns its exit status and the seconds it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(patience), time.monotonic() - began
        except subprocess.TimeoutExpired:
            self.kill()
            return None, time.monotonic() - began


class SQLite:
    engine = "SQLite"
    milliseconds = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"

    def __init__(self, folder):
        self.path = pathlib.Path(folder).resolve() / "martlet.db"
        self.url = f"sqlite://{self.path}"

    def rows(self, sql):
        with contextlib.closing(sqlite3.connect(self.path, timeout=60, isolation_level=None)) as connection:
            return [[str(cell) for cell in row] for row in connection.execute(sql)]

    def age(self, column):
        """How many milliseconds ago that was."""
        return f"({self.milliseconds} - {column})"


class PostgreSQL:
    engine = "PostgreSQL"

    def __init__(self, url):
        self.url = url

    def rows(self, sql):
        return query(self.url, sql)

    @contextlib.contextmanager
    def holding(self, select):
        """While the rows of a SELECT belong to another transaction."""
        session = subprocess.Popen(
            [program("psql"), "-X", "-q", "-A", "-t"], env={**os.environ, **connection_environment(self.url)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            print(f"BEGIN; {select} FOR UPDATE;", file=session.stdin, flush=True)
            session.stdout.readline()
            yield
        finally:
            session.communicate("ROLLBACK;")

    def age(self, column):
        return f"(extract(epoch FROM clock_timestamp() - {column}) * 1000)"


class Board:
    """What the database says of the jobs."""

    def __init__(self, database):
        self.database = database

    def make_effects(self):
        self.database.rows("CREATE TABLE test_effect (number BIGINT NOT NULL)")

    def states(self):
        rows = self.database.rows("SELECT state, count(*) FROM job WHERE kind = 'test.errand' GROUP BY state")
        return {state: int(count) for state, count in rows}

    def count(self, condition, table="job"):
        return int(self.database.rows(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0])

    def unfinished(self):
        return self.count("kind = 'test.errand' AND finished_at IS NULL")

    def effects(self):
        """How often each number was written."""
        return {int(number): int(count) for number, count in self.database.rows("SELECT number, count(*) FROM test_effect GROUP BY number")}

    def leases(self):
        """How many have not ended."""
        return self.count(f"{self.database.age('lease_until')} < 0", "job_worker")

    def end_leases(self):
        """Behind their workers' backs."""
        self.database.rows("UPDATE job_worker SET lease_until = started_at")

    def orphans(self, milliseconds):
        """How many jobs run under a lease that ended longer ago than that."""
        lease = "SELECT 1 FROM job_worker WHERE job_worker.id = job.worker_id"
        return self.count(f"state = 'running' AND NOT EXISTS ({lease} AND {self.database.age('lease_until')} <= {milliseconds})")


def enqueue(port, count, first, milliseconds=0, has_effect=True):
    body = {"count": count, "first": first, "milliseconds": milliseconds, "has_effect": has_effect}
    Client(port).must(204, "POST", "/test/jobs", body)


def await_that(condition, what, patience=30.0):
    """Returns after how many seconds it held."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + patience:
            raise RuntimeError(f"not within {patience:.0f} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - began
