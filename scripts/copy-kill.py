#!/usr/bin/env python3
"""Copies a large database from SQLite to PostgreSQL and back, killing the copy on the way, and compares what arrived.

    scripts/copy-kill.py [--binary .build/release/martlet] [--rows 200000] [--kills 3] [--seed 1]

Each way: the copy is started, gets SIGKILL at random moments, is started again until it finishes by itself. Meanwhile a writer changes the
source, so that there is something to catch up with. The checksums that the copies print must be equal on either side, and those of the way
back those of the way there. The server is the one at MARTLET_TEST_POSTGRES_URL; a schema is made there and dropped.
"""

import argparse
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    options = parse_options()
    server = os.environ.get("MARTLET_TEST_POSTGRES_URL") or sys.exit("Set MARTLET_TEST_POSTGRES_URL, or run this by `make test`.")
    schema = "copy_" + uuid.uuid4().hex
    chance = random.Random(options.seed)
    psql(server, f"CREATE SCHEMA {schema}")
    try:
        with tempfile.TemporaryDirectory(prefix="martlet-copy-") as folder:
            target = server + ("&" if "?" in server else "?") + f"options=-csearch_path%3D{schema}"
            return there_and_back(Program(options.binary, folder), target, options, chance)
    finally:
        psql(server, f"DROP SCHEMA {schema} CASCADE")


def parse_options():
    parser = argparse.ArgumentParser(description="Checks that a copy of the data survives SIGKILL.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def there_and_back(program, postgres, options, chance):
    first, last = (f"sqlite://{program.folder}/{name}.db" for name in ("first", "last"))
    program.run("migrate", DATABASE_URL=first)
    fill(program.folder / "first.db", options.rows, chance)
    with Writer(program.folder / "first.db"):
        there = copy(program, first, postgres, "SQLite to PostgreSQL", options.kills, chance)
    back = copy(program, postgres, last, "PostgreSQL to SQLite", options.kills, chance)
    if there != back:
        sys.exit(f"copy-kill: what came back is not what was sent:\n{there}\n{back}")
    check_search(program.folder / "last.db")
    print(f"copy-kill: equal both ways (seed {options.seed})")
    return 0


def copy(program, source, target, name, kills, chance):
    """Runs the copy until it ends by itself, killing it `kills` times, and returns the checksums of the tables."""
    command = ("data", "copy", "--from", source, "--to", target, "--migrate")
    killed, working, patience = 0, 0.0, 1.0
    while True:
        started = time.perf_counter()
        process = program.start(*command)
        try:
            output, errors = process.communicate(timeout=chance.uniform(0.3, 1.0) * patience if killed < kills else None)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed, patience = killed + 1, patience * 2
            working += time.perf_counter() - started
            continue
        working += time.perf_counter() - started
        break
    if process.returncode != 0:
        sys.exit(f"copy-kill: {name} ended with {process.returncode}:\n{output}\n{errors}")
    if killed < kills:
        sys.exit(f"copy-kill: {name} was done after {killed} kills: give more --rows")
    rows = checksums(output)
    total = sum(count for count, _ in rows.values())
    held = re.search(r"held for (\d+) ms", output)[1]
    print(f"{name}: {total} rows, {killed} kills, {working:.1f} s of work, writes held {held} ms")
    print(output)
    return rows


def checksums(output):
    """What the target holds, by table."""
    lines = re.findall(r"^(\w+) +(\d+) +(\d+) +([0-9a-f]{16}) +([0-9a-f]{16}) +equal", output, re.MULTILINE)
    if len(lines) != 4:
        sys.exit(f"copy-kill: the copy printed no table of four equal tables:\n{output}")
    return {name: (int(rows), checksum) for name, _, rows, _, checksum in lines}


class Program:
    """The binary with a working folder and secrets of its own."""

    def __init__(self, binary, folder):
        self.binary = str(pathlib.Path(binary).resolve())
        if not os.access(self.binary, os.X_OK):
            sys.exit(f"{self.binary} is not there: run `make build` first.")
        self.folder = pathlib.Path(folder)
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "LOG_LEVEL": "error",
            "SECRET_KEY": secrets.token_hex(32),
            "JWT_SECRET_KEY": secrets.token_hex(32),
        }

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            [self.binary, *arguments], cwd=self.folder, env=self.environment | environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def run(self, *arguments, **environment):
        process = self.start(*arguments, **environment)
        output, errors = process.communicate()
        if process.returncode != 0:
            sys.exit(f"{arguments[0]} ended with {process.returncode}:\n{output}\n{errors}")


def fill(path, rows, chance):
    """Accounts with sessions, refresh tokens and bookmarks, `rows` bookmarks in all."""
    started = time.perf_counter()
    identifiers = lambda count: [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(count)]
    accounts, sessions, bookmarks = identifiers(max(1, rows // 200)), identifiers(max(1, rows // 100)), identifiers(rows)
    words = "Übersicht naïve 日本語 swift postgres e\u0301 👩‍👩‍👧‍👦 compilers".split()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous = off")
        database.execute("PRAGMA foreign_keys = on")
        database.executemany(
            "INSERT INTO account VALUES (?, ?, ?, ?, 'hash', ?)",
            [(account, f"u{n}@example.org", f"user{n}", None if n % 3 else f"User {n}", 1_700_000_000_123 + n) for n, account in enumerate(accounts)],
        )
        database.executemany(
            "INSERT INTO session VALUES (?, ?, ?, ?)",
            [(session, accounts[n % len(accounts)], 1_700_000_000_000 + n, None if n % 2 else 1_800_000_000_001) for n, session in enumerate(sessions)],
        )
        database.executemany(
            "INSERT INTO refresh_token VALUES (?, ?, ?, ?, NULL)",
            [(chance.randbytes(32), session, n, n + 1) for n, session in enumerate(sessions)],
        )
        database.executemany(BOOKMARK, (bookmark(n, identifier, chance.choice(accounts), chance, words) for n, identifier in enumerate(bookmarks)))
    database.close()
    print(f"filled {rows} bookmarks in {time.perf_counter() - started:.1f} s")


BOOKMARK = """
    INSERT INTO bookmark (id, owner_id, url, normal_form, title, notes, category, tags, saved_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def bookmark(number, identifier, owner, chance, words):
    url, title = f"https://example.org/{number}", " ".join(chance.choices(words, k=4)) + f" {number}"
    tags = json.dumps(sorted(set(chance.choices(words, k=3))), ensure_ascii=False, separators=(",", ":"))
    moment = 1_600_000_000_000 + number
    return identifier, owner, url, url, title, title if number % 2 else None, None if number % 5 else "work", tags, moment, moment


class Writer:
    """Changes rows of the source, some hundred a second, for as long as the copy runs. A write waits while the copy holds writes."""

    def __init__(self, path):
        self.path, self.ended, self.writes, self.failure = path, threading.Event(), 0, None
        self.thread = threading.Thread(target=self.write)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        if self.failure:
            sys.exit(f"copy-kill: the writer failed: {self.failure}")
        print(f"{self.writes} rows were changed meanwhile")

    def write(self):
        try:
            with sqlite3.connect(self.path, timeout=60, isolation_level=None) as database:
                database.execute("PRAGMA foreign_keys = on")
                while not self.ended.wait(0.005):
                    self.writes += 1
                    self.change(database, self.writes)
        except sqlite3.Error as error:
            self.failure = error

    def change(self, database, number):
        place = str(uuid.uuid4())
        if number % 50 == 0:
            database.execute("DELETE FROM account WHERE id = (SELECT id FROM account WHERE id > ? ORDER BY id LIMIT 1)", (place,))
        elif number % 3 == 0:
            database.execute("DELETE FROM bookmark WHERE id = (SELECT id FROM bookmark WHERE id > ? ORDER BY id LIMIT 1)", (place,))
        else:
            database.execute(
                "UPDATE bookmark SET title = ? WHERE id = (SELECT id FROM bookmark WHERE id > ? ORDER BY id LIMIT 1)", (f"changed {number}", place)
            )


def check_search(path):
    """The copy's search index arose with its rows."""
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO bookmark_search (bookmark_search, rank) VALUES ('integrity-check', 1)")
        found = database.execute("SELECT count(*) FROM bookmark_search WHERE bookmark_search MATCH 'title:compilers'").fetchone()[0]
        expected = database.execute("SELECT count(*) FROM bookmark WHERE title LIKE '%compilers%'").fetchone()[0]
    database.close()
    if found != expected or not found:
        sys.exit(f"copy-kill: the search finds {found} of {expected} bookmarks")


def psql(server, statement):
    if not shutil.which("psql"):
        sys.exit("psql is not there: install postgresql-client.")
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, server], check=True, env=os.environ | {"PGOPTIONS": "--client-min-messages=warning"})


if __name__ == "__main__":
    sys.exit(main())
