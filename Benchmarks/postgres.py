"""A PostgreSQL server to measure on: a private, durable one that ends with the benchmark, or the one of MARTLET_TEST_POSTGRES_URL."""

import contextlib
import os
import pathlib
import secrets
import shlex
import subprocess
import tempfile
import urllib.parse

from processes import ProcessTree

SERVICES = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "services.sh"
VARIABLE = "MARTLET_TEST_POSTGRES_URL"
PSQL = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]


class Unavailable(Exception):
    """There is no PostgreSQL server, and none could be started; says why."""


@contextlib.contextmanager
def server(folder):
    """The configured server, or one of its own in `folder`."""
    if url := os.environ.get(VARIABLE):
        yield Postgres(url)
        return
    try:
        services("start", folder)
        yield Postgres(variables(folder / "env")[VARIABLE])
    finally:
        services("remove", folder)  # also what a failed start has left


def services(action, folder):
    with tempfile.TemporaryFile("w+") as output:  # not a pipe: what is started may hold it open
        status = subprocess.run([SERVICES, action, folder], stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode
        output.seek(0)
        if status != 0:
            raise Unavailable(f"scripts/services.sh {action} ended with status {status}:\n{output.read()}")


def variables(path):
    """The NAME=value lines of a file for the shell."""
    words = shlex.split(path.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


class Postgres:
    """A running server, by its URL; statements go through psql."""

    dialect = "postgres"

    def __init__(self, url):
        self.url = url
        self.processes = self._processes()
        self._can_checkpoint = True

    def run(self, *statements, url=None, **how):
        """Runs statements one by one, since some (VACUUM) refuse to share a transaction."""
        commands = [argument for statement in statements for argument in ("-c", statement)]
        subprocess.run([*PSQL, *commands], env=environment(url or self.url), stdin=subprocess.DEVNULL, check=True, **how)

    def column(self, query, url=None):
        """The first column of each row."""
        run = subprocess.run(
            [*PSQL, "-c", query], env=environment(url or self.url), stdin=subprocess.DEVNULL, check=True, stdout=subprocess.PIPE, text=True)
        return run.stdout.splitlines()

    def value(self, query, url=None):
        return self.column(query, url)[0]

    def milliseconds(self, end, start):
        return f"extract(epoch FROM {end} - {start}) * 1000"

    @contextlib.contextmanager
    def database(self, folder):
        """An empty schema, dropped at the end; gives the URL whose tables are there."""
        schema = f"martlet_bench_{secrets.token_hex(6)}"
        self.run(f"CREATE SCHEMA {schema}")
        try:
            yield with_search_path(self.url, schema)
        finally:
            self.run("SET client_min_messages = warning", f"DROP SCHEMA {schema} CASCADE")

    def tidy(self, url):
        """Does at once what autovacuum would do some minutes later, in the middle of a round."""
        self.run("VACUUM (ANALYZE) account, bookmark", url=url)

    def settle(self):
        """Writes out what was changed so far, so that its cost does not fall into the next measurement."""
        if not self._can_checkpoint:
            return
        try:
            self.run("CHECKPOINT", stderr=subprocess.PIPE)
        except subprocess.CalledProcessError as error:
            self._can_checkpoint = False
            print(f"==> a round may pay for the writes of the one before it: {error.stderr.decode().strip()}", flush=True)

    def _processes(self):
        """The postmaster with all its children; None when the server runs on another machine."""
        psql = subprocess.Popen(PSQL, env=environment(self.url), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            print("SELECT pg_backend_pid();", file=psql.stdin, flush=True)
            return local_postmaster(int(psql.stdout.readline()))
        except (BrokenPipeError, ValueError):
            raise Unavailable(f"the PostgreSQL server of {VARIABLE} does not answer") from None
        finally:
            psql.communicate()


def local_postmaster(backend):
    """The parent of a backend, which is alive because its connection is open."""
    try:
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{backend}/status").read_text().splitlines())
    except FileNotFoundError:
        return None
    return ProcessTree(int(status["PPid"])) if status["Name"].strip() == "postgres" else None


def environment(url):
    """The URL in the variables that psql reads, since a password among its arguments would be everybody's to see."""
    parts = urllib.parse.urlsplit(url)
    found = {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port or ""),
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
        "PGDATABASE": parts.path.removeprefix("/"),
    }
    given = {name: urllib.parse.unquote(value) for name, value in found.items() if value}
    return {**os.environ, **given, **{f"PG{name.upper()}": value for name, value in urllib.parse.parse_qsl(parts.query)}}


def with_search_path(url, schema):
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
