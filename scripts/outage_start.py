"""Scenarios of outage.py about the start."""

import subprocess
import time
import urllib.parse

from outage_load import together
from outage_postgres import empty_schema, query
from outage_stage import ENVIRONMENT, folder
from server import Server


def late(scene):
    """PostgreSQL is away when the server starts: once for good, once for a moment."""
    with folder() as place, empty_schema(scene.postgres.url) as url:
        server = Server(scene.binary, place, {**ENVIRONMENT, "DATABASE_URL": url, "DATABASE_TIMEOUT": "2s"})
        scene.postgres.crash()
        give_up(scene, server)
        server.environment["DATABASE_TIMEOUT"] = "20s"
        wait_for_it(scene, server)


def give_up(scene, server):
    began = time.monotonic()
    command = [server.binary, "serve"]
    options = {"cwd": server.folder, "env": server.environment, "stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    try:
        done = subprocess.run(command, timeout=20, **options)
        words, code = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        words, code = "it did not end", 0
    took = time.monotonic() - began
    holds = 1.5 <= took <= 5 and "Waiting for the database" in words
    scene.promise("waits for an absent PostgreSQL, and not for ever", holds, f"{took:.1f} s")
    last = words.strip().splitlines()[-1] if words.strip() else ""
    scene.promise("then ends with a status and a message", code > 0 and "database" in last, f"status {code}: {last}")
    password = urllib.parse.urlsplit(scene.postgres.url).password
    scene.promise("the message has no password", password not in words)


def wait_for_it(scene, server):
    def start(number):
        if number:
            return start_server(server)
        time.sleep(1.5)
        scene.postgres.start()
        return time.monotonic()

    came, live = together(2, start)
    figure = "never" if live is None else f"{live - came:.1f} s later"
    scene.promise("starts once PostgreSQL comes", live is not None and live - came < 3, figure)
    server.stop()


def start_server(server):
    """The moment at which it served; `None` when it did not."""
    try:
        server.start()
    except RuntimeError:
        return None
    return time.monotonic()


def two_at_once(scene):
    """Two instances find the same empty schema."""
    for _ in range(2):
        with folder() as first, folder() as second, empty_schema(scene.postgres.url) as url:
            servers = [Server(scene.binary, place, {**ENVIRONMENT, "DATABASE_URL": url}) for place in (first, second)]
            try:
                together(2, lambda number: servers[number].start())
                judge_migrations(scene, servers, url)
            finally:
                for server in servers:
                    server.stop()


def judge_migrations(scene, servers, url):
    recorded = [row[0] for row in query(url, "SELECT id FROM schema_migration ORDER BY id")]
    logs = [server.log.read_text(errors="replace") for server in servers]
    ran = sum(log.count(migration) for log in logs for migration in recorded)
    alive = sum(server.is_running() for server in servers)
    scene.promise("two starts at once: both serve", alive == 2, f"{alive}")
    scene.promise("two starts at once: each migration ran once", ran == len(recorded) > 0, f"{len(recorded)} recorded, {ran} run")
