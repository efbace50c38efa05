#!/usr/bin/env python3
"""Kills a writing server again and again and checks that every acknowledged write is there after the restart.

    scripts/durability.py [--binary .build/release/martlet] [--rounds 20] [--seed 1] [--database-url postgresql://…]

Each round: eight writers POST bookmarks as fast as they can; at a random moment the server gets SIGKILL; it is started again on
the same database; every identifier that was ever answered with 201 is read back. Exit status 1 when one is missing.
Without a URL the database is SQLite's. Of a PostgreSQL a new schema is used, which is dropped at the end; only our server is killed.
What this cannot show is a power cut, where the operating system's cache is lost too: see fsync-trace.sh.
"""

import argparse
import contextlib
import http.client
import random
import sys
import tempfile
import threading
import time

from outage_postgres import empty_schema
from server import ROOT, Client, Server

WRITERS = 8


def main():
    options = parse_options()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="martlet-durability-") as folder, database(options.database_url) as database_setting:
        with Server(options.binary, folder, {"JWT_EXPIRE_MINUTES": "1440", **database_setting}) as server:
            token = Client(server.port).register("writer")
            acknowledged, missing = {}, []
            for round_number in range(1, options.rounds + 1):
                latest = write_until_killed(server, token, round_number, chance.uniform(0.05, 1.0))
                acknowledged |= latest
                restart_seconds = server.start()
                # What survived one kill is looked for again after the last.
                missing = lost(server, token, acknowledged if round_number == options.rounds else latest)
                print(
                    f"round {round_number:2}: {len(acknowledged)} acknowledged, {len(missing)} missing, "
                    f"restart {restart_seconds * 1000:.0f} ms"
                )
                if missing:
                    break
    print(f"durability: {round_number} kills, {len(acknowledged)} acknowledged writes, {len(missing)} missing (seed {options.seed})")
    return 1 if missing or not acknowledged else 0


def parse_options():
    parser = argparse.ArgumentParser(description="Checks that acknowledged writes survive SIGKILL.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", help="a PostgreSQL; default: SQLite in a folder that is removed")
    return parser.parse_args()


@contextlib.contextmanager
def database(url):
    """What to set so that the server uses an empty database."""
    if url is None:
        yield {}
    else:
        with empty_schema(url) as schema_url:
            yield {"DATABASE_URL": schema_url}


def write_until_killed(server, token, round_number, seconds):
    """The identifiers answered with 201, each with the link it was given for."""
    acknowledged, refusals = {}, []
    writers = [
        threading.Thread(target=write, args=(server.port, token, f"{round_number}-{number}", acknowledged, refusals))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    time.sleep(seconds)
    server.kill()
    for writer in writers:
        writer.join()
    if refusals:
        raise RuntimeError(f"a write was refused: {refusals[0]}")
    return acknowledged


def write(port, token, name, acknowledged, refusals):
    client = Client(port, token)
    for count in range(1_000_000):
        link = f"https://example.org/{name}/{count}"
        try:
            status, answer = client.send("POST", "/api/v1/bookmarks", {"url": link, "title": f"Page {name} {count}"})
        except (OSError, http.client.HTTPException, ValueError):
            return  # the server died: this write was not acknowledged
        if status != 201:
            refusals.append(f"{status} {answer}")
            return
        acknowledged[answer["id"]] = link


def lost(server, token, acknowledged):
    client = Client(server.port, token)
    return [identifier for identifier, link in acknowledged.items() if not holds(client, identifier, link)]


def holds(client, identifier, link):
    status, answer = client.send("GET", f"/api/v1/bookmarks/{identifier}")
    return status == 200 and answer["url"] == link


if __name__ == "__main__":
    sys.exit(main())
