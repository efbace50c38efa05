#!/usr/bin/env python3
"""Sends seeded random and mutated requests to a running server and fails on any 5xx, malformed answer, hang or death.

    scripts/fuzz.py http://127.0.0.1:8080 [--megabytes 10] [--seed 1] [--stop-after 20]
    scripts/fuzz.py --binary .build/release/martlet        starts a server of its own first

The same seed makes the same requests, but for the token that half of them carry and the bookmark they name, which the server gives.
One request is under way at a time, so not even a 503 has an excuse. Exit status 1 when anything failed.
"""

import argparse
import collections
import random
import secrets
import sys
import tempfile
import time
from urllib.parse import urlsplit

from fuzz_requests import RequestMaker
from rawhttp import PATIENCE, Connection, Died, Malformed
from server import ROOT, Client, Server


def main():
    options = parse_options()
    if options.url:
        return report(Fuzzer(urlsplit(options.url), options).run(), options)
    with tempfile.TemporaryDirectory(prefix="martlet-fuzz-") as folder, Server(options.binary, folder) as server:
        status = report(Fuzzer(urlsplit(server.base), options).run(), options)
        if not server.is_running():
            print(f"the server died:\n{server.last_words()}")
            return 1
        return status


def parse_options():
    parser = argparse.ArgumentParser(description="Fuzzes a running server.")
    parser.add_argument("url", nargs="?", help="where the server is; without it one is started")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stop-after", type=int, default=20, help="failures")
    return parser.parse_args()


class Fuzzer:
    def __init__(self, address, options):
        self.host, self.port = address.hostname, address.port or 80
        self.limit = int(options.megabytes * 1_000_000)
        self.chance = random.Random(options.seed)
        self.statuses = collections.Counter()
        self.patience = options.stop_after
        self.failures = 0
        self.requests = self.bytes_sent = 0

    def run(self):
        maker = RequestMaker(self.chance, *self.make_account())
        connection = None
        while self.bytes_sent < self.limit and self.failures < self.patience:
            request = maker.next()
            if connection is None or request.fresh:
                connection = self.reconnect(connection)
            if connection and not self.exchange(connection, request):
                connection = self.reconnect(connection)
            if self.requests % 500 == 0:
                self.check_it_lives()
        self.check_it_lives()
        return self

    def make_account(self):
        """A token and the identifier of a bookmark of its owner."""
        client = Client(self.port)
        client.connection.host = self.host
        token = client.register("fuzz" + secrets.token_hex(4))
        bookmark = client.must(201, "POST", "/api/v1/bookmarks", {"url": "https://example.org/fuzz", "title": "Fuzz"})
        return token, bookmark["id"]

    def reconnect(self, connection):
        if connection:
            connection.close()
        for _ in range(50):
            try:
                return Connection(self.host, self.port)
            except OSError:
                time.sleep(0.1)
        self.give_up("the server accepts no connection any more")
        return None

    def exchange(self, connection, request):
        """Sends one request and judges its answer; True when the connection may be used again."""
        self.requests += 1
        self.bytes_sent += len(request.bytes)
        try:
            answer = connection.exchange(request.bytes, request.is_cut, request.method)
        except Malformed as problem:
            return self.fail(request, f"malformed answer: {problem}")
        except Died:
            # Closing without an answer is right for a request that never became one; a death shows in check_it_lives.
            self.statuses["closed"] += 1
            return False
        except TimeoutError:
            return self.fail(request, f"no answer within {PATIENCE} s")
        self.statuses[answer.status] += 1
        if answer.status >= 500:
            self.fail(request, f"status {answer.status}: {answer.body[:300]!r}")
        return answer.keeps_open and not request.is_cut

    def check_it_lives(self):
        try:
            answer = Connection(self.host, self.port).exchange(b"GET /health/live HTTP/1.1\r\nHost: fuzz\r\nConnection: close\r\n\r\n")
            if answer.status != 200:
                self.give_up(f"/health/live answers {answer.status}")
        except (OSError, Died, Malformed) as problem:
            self.give_up(f"the server is not there any more: {problem!r}")

    def give_up(self, reason):
        print(f"FAILED after {self.requests} requests: {reason}", flush=True)
        self.failures += 1
        self.patience = 0

    def fail(self, request, reason):
        print(f"FAILED request {self.requests} ({request.kind}): {reason}\n    {request.bytes[:400]!r}", flush=True)
        self.failures += 1
        return False


def report(fuzzer, options):
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(fuzzer.statuses.items(), key=str))
    print(f"{fuzzer.requests} requests, {fuzzer.bytes_sent} bytes, statuses {{{statuses}}}")
    print(f"{fuzzer.failures} failures (seed {options.seed})")
    return 1 if fuzzer.failures else 0


if __name__ == "__main__":
    sys.exit(main())
