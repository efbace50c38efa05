"""What the scenarios of outage.py have in common: a server on the private PostgreSQL, and what must hold whatever happens to it."""

import contextlib
import tempfile
import urllib.parse

from outage_load import Load, longest
from outage_postgres import empty_schema
from server import Client, Server

TIMEOUT = 4.0
TOLERANCE = 1.0  # for a clock that ticks, and a busy machine

ENVIRONMENT = {
    "REQUEST_TIMEOUT": f"{TIMEOUT:.0f}s",
    "MARTLET_TEST_ROUTES": "true",
    "LOG_LEVEL": "notice",
    "ARGON2_MEMORY_KIB": "64",
    "JWT_EXPIRE_MINUTES": "1440",
}


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="martlet-outage-server-") as path:
        yield path


@contextlib.contextmanager
def serving(scene, environment=None, through=None):
    """A server on a schema of its own, and the token of an account; `through` is the port of a proxy."""
    with folder() as place, empty_schema(scene.postgres.url) as url:
        url = url if through is None else by_port(url, through)
        with Server(scene.binary, place, {**ENVIRONMENT, "DATABASE_URL": url, **(environment or {})}) as server:
            yield server, Client(server.port).register("caller")
            judge_end(scene, server)


def by_port(url, port):
    parts = urllib.parse.urlsplit(url)
    login, _, address = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}@{address.partition(':')[0]}:{port}").geturl()


def judge_end(scene, server):
    """It neither trapped nor hangs."""
    was_running = server.is_running()
    status = server.stop(patience=10)
    words = server.log.read_text(errors="replace")
    traps = words.count("Fatal error") + words.count("Crash:")
    scene.promise("no trap, and it ends when told to", was_running and status == 0 and traps == 0, f"status {status}, {traps} in the log")


@contextlib.contextmanager
def loaded(scene, server, token):
    """A load whose callers, at the end, must have seen only what they may see, in time, and find what was acknowledged."""
    with Load(server.port, token) as load:
        yield load
    judge_answers(scene, load)
    judge_time(scene, load)
    missing = load.missing()
    figure = f"{len(load.acknowledged)} acknowledged, {len(missing)} missing"
    scene.promise("acknowledged writes are there", not missing and bool(load.acknowledged), figure)


def judge_answers(scene, load):
    improper = [seen for seen in load.seen if not (seen.is_success or seen.is_refusal or seen.status == 504)]
    count = {word: sum(1 for seen in load.seen if test(seen)) for word, test in KINDS.items()}
    figure = ", ".join(f"{number} {word}" for word, number in count.items())
    scene.promise("only 2xx, 503 with Retry-After and code, 504", not improper, figure + (f"; first: {improper[0]}" if improper else ""))
    lives = [seen for seen in load.live if seen.status != 200 or seen.seconds > TOLERANCE]
    scene.promise("live stays 200", not lives and bool(load.live), f"{len(load.live)} asked, {longest(load.live) * 1000:.0f} ms at most")


KINDS = {
    "2xx": lambda seen: seen.is_success,
    "503": lambda seen: seen.status == 503,
    "504": lambda seen: seen.status == 504,
    "other": lambda seen: not seen.is_success and seen.status not in (503, 504),
}


def judge_time(scene, load):
    slowest = max(load.seen, key=lambda seen: seen.seconds)
    scene.promise(f"no request takes longer than its {TIMEOUT:.0f} s", slowest.seconds <= TIMEOUT + TOLERANCE, str(slowest))


def judge_recovery(scene, what, seconds, patience=5.0):
    figure = "never" if seconds is None else f"{seconds:.2f} s"
    scene.promise(f"serves again within {patience:.0f} s {what}", seconds is not None and seconds <= patience, figure)
