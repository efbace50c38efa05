#!/usr/bin/env python3
"""Measures what logins cost each other, and everybody else: Argon2id at its default cost, in one run.

    python3 Benchmarks/logins.py  [--binary .build/release/martlet] [--seconds 10] [--output var/logins.json]

Logins one after the other, then 8 at a time; reads of one bookmark (open loop) alone, then while 50 log in at a time. Limits and delays are
off: they would refuse most of it. Exit status 1 when a promise is not kept: p99 of 8 at a time <= 6 x that of one, p99 of the reads during
the storm <= 3 x that without it.
"""

import argparse
import json
import multiprocessing
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from open_loop import closed_loop, open_loop
from server import Client, Server

PASSWORD = "correct-horse-battery"
READS = 50  # per second: some, so that what the storm does to them shows, and they do little to it


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="martlet-logins-") as folder, Server(options.binary, folder, {"OVERLOAD_PROTECTION": "true"}) as server:
        figures = measure(server, options.seconds)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if judge(figures) else 1


def parse_options():
    parser = argparse.ArgumentParser(description="Measures logins.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "var/logins.json")
    return parser.parse_args()


def measure(server, seconds):
    client = Client(server.port)
    client.must(201, "POST", "/api/v1/auth/register", {"email": "ada@example.org", "username": "ada", "password": PASSWORD})
    # Somebody else reads: an account's many logins end its oldest sessions.
    token = client.register("grace")
    saved = client.must(201, "POST", "/api/v1/bookmarks", {"url": "https://example.org/", "title": "A swift never lands"})
    read = request("GET", f"/api/v1/bookmarks/{saved['id']}", f"Authorization: Bearer {token}\r\n")
    body = json.dumps({"login": "ada", "password": PASSWORD})
    login = request("POST", "/api/v1/auth/login", f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n", body)
    closed_loop(server.port, lambda _: login, 2, lines=2)
    one = closed_loop(server.port, lambda _: login, seconds, lines=1)
    eight = closed_loop(server.port, lambda _: login, seconds, lines=8)
    alone = open_loop(server.port, lambda _: read, READS, seconds)
    storm = multiprocessing.Process(target=closed_loop, args=(server.port, lambda _: login, seconds + 2), kwargs={"lines": 50})
    storm.start()
    beside = open_loop(server.port, lambda _: read, READS, seconds)
    storm.join()
    return {
        "logins_per_second": eight.served(),
        "one_p99": one.p99(),
        "eight_p99": eight.p99(),
        "reads_p99": alone.p99(),
        "reads_p99_in_storm": beside.p99(),
        "statuses": {"one": one.counts(), "eight": eight.counts(), "reads": alone.counts(), "reads_in_storm": beside.counts()},
    }


def request(method, path, fields, body=""):
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n{body}".encode()


def judge(figures):
    ratios = {
        "8 logins at a time, p99 <= 6 x one": (figures["eight_p99"], figures["one_p99"], 6),
        "reads beside 50 logins, p99 <= 3 x alone": (figures["reads_p99_in_storm"], figures["reads_p99"], 3),
    }
    print(f"{figures['logins_per_second']:.0f} logins/s, answers {figures['statuses']}")
    for promise, (loaded, calm, bound) in ratios.items():
        verdict = "yes" if loaded <= bound * calm else "NO"
        print(f"  {promise}: {loaded * 1e3:.1f} ms / {calm * 1e3:.1f} ms = {loaded / calm:.1f}: {verdict}")
    return all(loaded <= bound * calm for loaded, calm, bound in ratios.values())


if __name__ == "__main__":
    sys.exit(main())
