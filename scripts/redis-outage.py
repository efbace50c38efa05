#!/usr/bin/env python3
"""Takes Redis away from two busy servers in every way we know of, and checks that their callers notice nothing.

    scripts/redis-outage.py [--binary .build/release/martlet] [--seed 1]

Two servers share one PostgreSQL and one Redis. Callers read kept answers from either and change what they are made of at the other.
No request may fail, and no read that begins a bound after a change was acknowledged may be older than it. Each promise is one line with
its figure; exit status 1 when one is broken. Takes about a minute, by the loopback address only.
"""

import argparse
import pathlib
import random
import signal
import sys
import tempfile
import threading
import time

from outage_load import Caller, longest
from outage_postgres import Postgres
from outage_redis import Redis
from server import ROOT, Server

BOUND = 1.0  # seconds after which a change is seen everywhere, with or without Redis; what is declared is longer
PATIENCE = 1.5  # seconds; without an outage nearly all take milliseconds
THINGS = 40
SECRET = "0123456789abcdef0123456789abcdef"
ENVIRONMENT = {
    "MARTLET_TEST_ROUTES": "true",
    "RATE_LIMIT_ENABLED": "false",
    "OVERLOAD_PROTECTION": "false",
    "LOG_LEVEL": "notice",
    "SECRET_KEY": SECRET,
    "JWT_SECRET_KEY": SECRET[::-1],
}


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is left behind
    report = Report()
    with tempfile.TemporaryDirectory(prefix="martlet-redis-") as folder, Postgres(folder) as postgres, Redis(folder) as redis:
        environment = {**ENVIRONMENT, "DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
        with two_servers(options.binary, environment) as servers:
            for name, (worsen, mend) in outages(redis).items():
                run(report, name, worsen, mend, servers, random.Random(options.seed))
            for server in servers:
                report.judge_end(server)
    print(f"redis-outage: {report.count} promises, {len(report.broken)} broken")
    for line in report.broken:
        print(f"redis-outage: BROKEN: {line}", file=sys.stderr)
    return 1 if report.broken or not report.count else 0


def parse_options():
    parser = argparse.ArgumentParser(description="Takes Redis away from two busy servers.")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/release/martlet")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def outages(redis):
    def becomes(**attributes):
        return lambda: [setattr(redis.proxy, name, value) for name, value in attributes.items()]

    return {
        "killed": (redis.kill, redis.start),
        "restarted": (lambda: (redis.kill(), redis.start()), lambda: None),
        "frozen": (redis.freeze, redis.thaw),
        "slow": (becomes(delay=0.3), redis.proxy.behave),
        "garbage": (becomes(garbles=True), redis.proxy.behave),
        "cut": (redis.proxy.cut, lambda: None),
        "dead lines": (becomes(swallows=True), lambda: (redis.proxy.behave(), redis.proxy.cut())),
    }


class two_servers:
    """Two processes on one database, ready."""

    def __init__(self, binary, environment):
        self.binary, self.environment = binary, environment
        self.folders = [tempfile.TemporaryDirectory(prefix="martlet-redis-server-") for _ in range(2)]

    def __enter__(self):
        self.servers = [Server(self.binary, folder.name, self.environment) for folder in self.folders]
        for server in self.servers:
            server.start()
        return self.servers

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
        for folder in self.folders:
            folder.cleanup()


# MARK: One outage


def run(report, name, worsen, mend, servers, chance):
    with Load(servers, chance.random()) as load:
        time.sleep(1)
        worsen()
        time.sleep(2.5)
        mend()
        time.sleep(2.5)
    failed = [seen for seen in load.seen if not seen.is_success]
    first = f"; first: {failed[0]}" if failed else ""
    report.promise(f"{name}: no request fails", not failed and len(load.seen) > 500, f"{len(load.seen)} requests, {len(failed)} failed{first}")
    first = f"; first: {load.stale[0]}" if load.stale else ""
    report.promise(
        f"{name}: no read is older than {BOUND:.0f} s", not load.stale and load.changes > 20,
        f"{load.changes} changes, {len(load.stale)} stale reads{first}")
    slowest = longest(load.seen)
    report.promise(f"{name}: no request takes {PATIENCE:.1f} s", slowest < PATIENCE, f"{slowest:.2f} s at most")


class Load:
    """Callers that read at both servers, and others that change, and what each had to see."""

    def __init__(self, servers, seed):
        self.ports = [server.port for server in servers]
        self.seen, self.stale, self.changes = [], [], 0
        self.known = {number: [] for number in range(THINGS)}  # when a version was acknowledged
        self.lock, self.ended = threading.Lock(), threading.Event()
        work = [self.read] * 10 + [self.change] * 2
        self.threads = [threading.Thread(target=one, args=(random.Random(f"{seed}{n}"),)) for n, one in enumerate(work)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def read(self, chance):
        callers = [Caller(port) for port in self.ports]
        while not self.ended.is_set():
            number, began = chance.randrange(THINGS), time.monotonic()
            needed = self.needed(number, began - BOUND)
            seen = chance.choice(callers).ask("GET", f"/test/things/{number}")
            self.seen.append(seen)
            if seen.is_success and seen.body["version"] < needed:
                self.stale.append(f"thing {number} was {seen.body['version']} and should be {needed} or more")
            self.ended.wait(0.002)

    def change(self, chance):
        callers = [Caller(port) for port in self.ports]
        while not self.ended.is_set():
            number = chance.randrange(THINGS)
            seen = chance.choice(callers).ask("POST", f"/test/things/{number}", {})
            self.seen.append(seen)
            if seen.is_success:
                with self.lock:
                    self.changes += 1
                    self.known[number].append((seen.ended, seen.body["version"]))
            self.ended.wait(0.03)

    def needed(self, number, moment):
        """The version that was acknowledged before a moment."""
        with self.lock:
            return max((version for when, version in self.known[number] if when < moment), default=0)


class Report:
    def __init__(self):
        self.count, self.broken = 0, []

    def promise(self, what, holds, figure=""):
        line = f"{what}: {'yes' if holds else 'NO'}" + (f" ({figure})" if figure else "")
        print(f"redis-outage: {line}", flush=True)
        self.count += 1
        if not holds:
            self.broken.append(line)

    def judge_end(self, server):
        status = server.stop(patience=10)
        words = server.log.read_text(errors="replace")
        traps = words.count("Fatal error") + words.count("Crash:")
        self.promise("no trap, and it ends when told to", status == 0 and traps == 0, f"status {status}, {traps} in the log")


if __name__ == "__main__":
    sys.exit(main())
