#!/usr/bin/env python3
"""Measures the release binary on SQLite and PostgreSQL: start, memory, five kinds of requests over 20,000 bookmarks, and jobs.

    make bench                                    or: python3 Benchmarks/bench.py [--only find,list] [--duration 5] [--rounds 3]

PostgreSQL is a private, durable server that ends with the run, or the one of MARTLET_TEST_POSTGRES_URL, in a schema of its own.
The load generator shares the machine, so figures compare with figures of the same machine only. Prints a table and writes
var/bench.json. Exit status 1 when any request of any round, warm-up included, was answered with an error or not at all.
"""

import argparse
import contextlib
import json
import pathlib
import random
import signal
import sqlite3
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import corpus
import jobs
import load
import postgres
import report
from server import Client, Server


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="martlet-bench-")))
        folder.chmod(0o711)  # PostgreSQL's own user walks through it
        engines = available_engines(options, folder, stack)
        found = report.heading() | {"options": vars(options) | {"binary": str(options.binary)}}
        found["engines"] = measure_everything(engines, options, folder)
    report.show(found)
    report.save(found, ROOT / "var" / "bench.json")
    return 1 if report.errors(found) else 0


def parse_options():
    parser = argparse.ArgumentParser(description="Measures the release binary.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--duration", type=int, default=5, help="seconds of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2, help="of wrk")
    parser.add_argument("--bookmarks", type=int, default=20_000)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=20_000, help="how many are enqueued and done in each round")
    parser.add_argument("--only", default=",".join([*load.SCENARIOS, "jobs"]), help="scenarios, separated by commas")
    parser.add_argument("--engines", help="sqlite, postgres, or both with a comma; default: both, where PostgreSQL is installed")
    options = parser.parse_args()
    only = known(options.only, [*load.SCENARIOS, "jobs"], parser)
    options.only, options.with_jobs = [name for name in only if name in load.SCENARIOS], "jobs" in only
    options.engines = options.engines and known(options.engines, report.ENGINES, parser)
    return options


def known(names, all_names, parser):
    if unknown := set(names.split(",")) - set(all_names):
        parser.error(f"no such thing: {', '.join(sorted(unknown))}; there are {', '.join(all_names)}")
    return [name for name in all_names if name in names.split(",")]


def available_engines(options, folder, stack):
    """The engines by name. PostgreSQL may be missing, unless it was asked for."""
    engines = {"sqlite": SQLite()}
    if options.engines is None or "postgres" in options.engines:
        try:
            engines["postgres"] = stack.enter_context(postgres.server(folder / "services"))
        except postgres.Unavailable as error:
            if options.engines:
                sys.exit(str(error))
            say(f"WITHOUT POSTGRESQL: {error}")
    return {name: engine for name, engine in engines.items() if name in (options.engines or engines)}


class SQLite:
    """The engine inside the server: its work is the server's own."""

    dialect = "sqlite"
    processes = None

    @contextlib.contextmanager
    def database(self, folder):
        yield f"sqlite://{folder}/martlet.db"

    def run(self, *statements, url):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite://"), timeout=60, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def column(self, query, url):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite://"), timeout=60, isolation_level=None)) as connection:
            return [row[0] for row in connection.execute(query)]

    def value(self, query, url):
        return self.column(query, url)[0]

    def milliseconds(self, end, start):
        return f"{end} - {start}"

    def tidy(self, url):
        pass

    def settle(self):
        pass


class Side:
    """A server on one engine, with what wrk needs to know of it."""

    def __init__(self, name, engine, folder, options, stack):
        self.engine, self.database, self.settle, self.tidy = name, engine.processes, engine.settle, engine.tidy
        self.folder = folder / name
        self.folder.mkdir()
        self.url = stack.enter_context(engine.database(self.folder))
        self.server = stack.enter_context(server(options, self.folder, self.url))
        self.environment = {}


def server(options, folder, url):
    return Server(options.binary, folder, {"DATABASE_URL": url, "JWT_EXPIRE_MINUTES": "1440"})


def measure_everything(engines, options, folder):
    results = {name: {} for name in engines}
    if options.only:
        measure_requests(engines, options, folder, results)
    if options.with_jobs:
        for name, engine in engines.items():
            say(f"{report.ENGINES[name]}: {options.rounds} rounds of {options.jobs} jobs, alone and beside {jobs.FINISHED} finished ones")
            results[name]["jobs"] = jobs.measure(name, engine, options, folder)
    return results


def measure_requests(engines, options, folder, results):
    for name, engine in engines.items():
        results[name] |= {"start": measure_starts(name, engine, options, folder)}
    with contextlib.ExitStack() as stack:
        sides = [Side(name, engine, folder, options, stack) for name, engine in engines.items()]
        time.sleep(2)
        for side in sides:
            results[side.engine] |= {"idle_rss_bytes": side.server.resident_bytes()} | prepare(side, options) | {"scenarios": {}}
        for scenario in options.only:
            say(f"{load.SCENARIOS[scenario]}: {options.rounds} rounds of {options.duration} s, {options.connections} connections")
            for engine, result in load.measure(sides, scenario, options).items():
                results[engine]["scenarios"][scenario] = result


def measure_starts(name, engine, options, folder):
    """Milliseconds from starting the process to its first 200: on an empty database, so with every migration, and on the one then there."""
    say(f"{report.ENGINES[name]}: starting it {options.starts} times on an empty database, and again on the one then there")
    first, again = [], []
    for number in range(options.starts):
        own = folder / f"start-{name}-{number}"
        own.mkdir()
        with engine.database(own) as url:
            for times in (first, again):
                times.append(timed_start(server(options, own, url)) * 1000)
    return {"first_start_ms": statistics.median(first), "restart_ms": statistics.median(again)} if first else None


def timed_start(server):
    seconds = server.start()
    if status := server.stop():
        raise RuntimeError(f"the server ended with status {status} after SIGTERM:\n{server.last_words()}")
    return seconds


def prepare(side, options):
    """Loads the bookmarks and writes down what the scenarios need."""
    say(f"{report.ENGINES.get(side.engine, side.engine)}: importing {options.bookmarks} bookmarks")
    client = Client(side.server.port, timeout=300)
    side.environment["BENCH_TOKEN"] = client.register("bench")
    started = time.perf_counter()
    import_all(client, corpus.bookmarks(options.bookmarks))
    seconds = time.perf_counter() - started

    identifiers = all_identifiers(client)
    chosen = random.Random(3).sample(identifiers, min(2_000, len(identifiers)))
    side.environment["BENCH_IDENTIFIERS"] = write_lines(side.folder / "identifiers.txt", chosen)
    side.environment["BENCH_QUERIES"] = write_lines(side.folder / "queries.txt", corpus.queries(500))
    side.tidy(side.url)
    return {"imported_per_second": options.bookmarks / seconds}


def import_all(client, bookmarks, batch=1_000):
    for start in range(0, len(bookmarks), batch):
        part = bookmarks[start : start + batch]
        answer = client.must(200, "POST", "/api/v1/bookmarks/import", part)
        if answer["added"] != len(part):
            raise RuntimeError(f"the import added {answer['added']} of {len(part)}: {json.dumps(answer)[:500]}")


def all_identifiers(client):
    identifiers, path = [], "/api/v1/bookmarks?limit=200"
    while path:
        page = client.must(200, "GET", path)
        identifiers += [item["id"] for item in page["items"]]
        path = page.get("next") and f"/api/v1/bookmarks?limit=200&cursor={page['next']}"
    return identifiers


def write_lines(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def say(text):
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
