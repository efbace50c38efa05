#!/usr/bin/env python3
"""Measures the release binary beside the same work in Go (gin, pgx), on one PostgreSQL server and the same data, in one run.

    python3 Benchmarks/peers.py                     [--workloads W3,W4] [--connections 32] [--rounds 5] [--duration 3]

Takes a folder with the peers and their own bench.py (../shared/peers; nothing is written there), works in a copy in var/peers and
measures with their functions. Both sides answer wrk in turns, and each round begins with the other one. Prints tables and writes
var/peers.json. Exit status 1 when anything was answered with an error, an answer differs, or a save is missing in the database.
Installs packages and starts PostgreSQL as another user, so it needs to be root.
"""

import argparse
import contextlib
import pathlib
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import peers_check
import peers_data
import peers_report
import peers_setup
import report
from postgres import Postgres
from server import free_port

DATABASE = "martlet_bench"
DISTURBED = 0.12  # the share of the machine that others may use during a run
STORED = {"gin": ("bookmarks", "user_id", "created_at"), "martlet": ("bookmark", "owner_id", "saved_at")}
WRITTEN = "{1} >= '00000000-0000-4000-8000-000000000901' AND {2} > '2026-08-21'"  # what W5 adds; the data end the day before


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    peers_setup.forget_other_databases()
    peers_setup.install()
    peers_setup.copy(options.peers, options.folder)
    tools = peers_setup.tools(options.folder)
    peers_setup.build(options.folder)
    with peers_setup.services(options.folder, tools.ENV):
        peers_setup.seed(options.folder)
        found = report.heading() | {"options": {name: str(value) for name, value in vars(options).items()}}
        with contextlib.ExitStack() as stack:
            sides = start(tools, options, stack)
            found["faults"] = peers_check.faults(tools, sides, options.workloads)
            found["runs"] = [] if found["faults"] else list(runs(tools, sides, options))
    found["faults"] += [fault for run in found["runs"] for fault in run["faults"]]
    found["summary"] = peers_report.summary(found["runs"])
    peers_report.show(found)
    report.save(found, ROOT / "var" / "peers.json")
    return 1 if found["faults"] else 0


def parse_options():
    parser = argparse.ArgumentParser(description="Measures the release binary beside the same work in Go.")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/release/martlet")
    parser.add_argument("--peers", type=pathlib.Path, default=ROOT.parent / "shared/peers")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "var/peers", help="the working copy; kept, so that it is built once")
    parser.add_argument("--workloads", default=",".join(peers_report.WORKLOADS))
    parser.add_argument("--connections", default="32,256")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--duration", type=int, default=3, help="seconds of each measurement; one more before it warms up")
    parser.add_argument("--pipelines", type=int, default=2, help="DATABASE_PIPELINES, taken out of the pool's connections")
    parser.add_argument("--fresh-tokens", action="store_true", help="so many tokens that the server cannot remember having verified one")
    options = parser.parse_args()
    options.workloads = options.workloads.split(",")
    options.connections = [int(number) for number in options.connections.split(",")]
    if unknown := set(options.workloads) - set(peers_report.WORKLOADS):
        parser.error(f"no such workload: {', '.join(sorted(unknown))}; there are {', '.join(peers_report.WORKLOADS)}")
    options.binary, options.folder = options.binary.resolve(), options.folder.resolve()
    return options


# MARK: The two sides


def start(tools, options, stack):
    """Both servers, running, on databases of their own in the same PostgreSQL server."""
    ours, theirs = prepare_database(tools, options), Postgres(tools.ENV["DATABASE_URL"])
    tokens = peers_data.Tokens(tools.ENV["JWT_SECRET"], options.fresh_tokens)
    peers_data.write_requests(options.folder, tokens)
    tools.STD["W5"]["bodies"] = "data/new_bodies.txt"

    entries = peers_data.write_map(options.folder, start_command(tools, options, ours.url))
    workloads = {name: {**tools.STD[name], **entries[name]} for name in ("W0", *peers_report.WORKLOADS)}
    sides = [
        Side(tools.builtin("gin"), theirs),
        Side(tools.Peer("martlet", f"http://127.0.0.1:{free_port()}", workloads, entries["start"]), ours),
    ]
    for side in sides:
        stack.callback(side.peer.down)
        side.peer.up()
    return sides


def prepare_database(tools, options):
    """An empty database, migrated by the binary itself and filled with the peers' data."""
    address = f"127.0.0.1:{tools.ENV['PG_PORT']}"
    Postgres(f"postgresql://postgres@{address}/postgres").run(
        "SET client_min_messages = warning", f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE} OWNER peers"
    )
    url = f"postgresql://peers@{address}/{DATABASE}"
    print("==> loading the peers' data into our schema", flush=True)
    peers_data.load(options.binary, url, options.folder)
    return Postgres(url)


def start_command(tools, options, url):
    """For as many connections to PostgreSQL as the Go peer's pool has, and not one more."""
    environment = {
        "PORT": "{port}",
        "DATABASE_URL": url,
        "DATABASE_POOL_SIZE": str(int(tools.ENV["POOL"]) - options.pipelines),
        "DATABASE_MAX_OVERFLOW": "0",
        "DATABASE_PIPELINES": str(options.pipelines),
        "JWT_SECRET_KEY": tools.ENV["JWT_SECRET"],
        "SECRET_KEY": tools.ENV["JWT_SECRET"],
        "LOG_LEVEL": "error",
        "RATE_LIMIT_ENABLED": "false",
        "OVERLOAD_PROTECTION": "false",
    }
    return {"cmd": [str(options.binary), "serve"], "cwd": "run", "env": environment}


class Side:
    """One of the two servers, and where it stores what it is told to."""

    def __init__(self, peer, database):
        self.peer, self.name, self.database = peer, peer.name, database
        self.table, self.written = STORED[self.name][0], WRITTEN.format(*STORED[self.name])

    def saved(self):
        return int(self.database.value(f"SELECT count(*) FROM {self.table} WHERE {self.written}"))

    def forget_saved(self):
        self.database.run(f"DELETE FROM {self.table} WHERE {self.written}", f"VACUUM {self.table}")


# MARK: Measuring


def runs(tools, sides, options):
    superuser = Postgres(f"postgresql://postgres@127.0.0.1:{tools.ENV['PG_PORT']}/postgres")
    for number in range(options.rounds):
        order = sides if number % 2 == 0 else sides[::-1]
        for workload in options.workloads:
            for connections in options.connections:
                for side in order:
                    run = measure(tools, side, superuser, workload, connections, options.duration)
                    peers_report.progress(number, run)
                    yield run | {"round": number}


def measure(tools, side, superuser, workload, connections, seconds):
    """The quietest of up to three runs of wrk, after a warm-up; all of them must be without a fault."""
    warm_up = tools.wrk(side.peer, workload, connections, 1)
    where = {"side": side.name, "workload": workload, "connections": connections}
    attempts = []
    while len(attempts) < 3 and not any(run["foreign"] < DISTURBED for run in attempts):
        attempts.append(where | attempt(tools, side, superuser, workload, connections, seconds))
    if workload == "W5":
        side.forget_saved()
    return min(attempts, key=lambda run: run["foreign"]) | {"faults": list(faults([warm_up | where, *attempts]))}


def attempt(tools, side, superuser, workload, connections, seconds):
    """What one run did and cost. The database's cost is that of all processes of the PostgreSQL server, whoever's connection they serve."""
    before = side.saved()
    superuser.settle()
    redis = [int((pathlib.Path(tools.P) / "run/redis.pid").read_text())]
    run = tools.measure(side.peer, workload, connections, seconds, [superuser.processes.root], redis)
    return run | {"saved": side.saved() - before}


def faults(runs):
    """Every answer of 400 or more and every trouble with a connection; for saves, also what the database says of them."""
    for run in runs:
        where = f"{run['side']} {run['workload']} with {run['connections']} connections"
        if run["errors"]:
            yield f"{where}: {run['errors']} of {run['n']} requests failed"
        # wrk leaves while each connection waits for one more answer, and so it did after the run before.
        if run["workload"] == "W5" and "saved" in run and not run["n"] <= run["saved"] <= run["n"] + 2 * run["connections"]:
            yield f"{where}: {run['n']} saves were answered, {run['saved']} are in the database"


if __name__ == "__main__":
    sys.exit(main())
