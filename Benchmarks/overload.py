#!/usr/bin/env python3
"""Measures what a server does with three times as many requests as it can serve, with and without its protection, in one run.

    python3 Benchmarks/overload.py  [--binary .build/release/martlet] [--seconds 20] [--only cores|database] [--output var/overload.json]

Two bottlenecks: `cores`, a mix of lists of 50 bookmarks, searches and saves on SQLite; `database`, reads on a PostgreSQL whose answers take 50 ms
and of which there are four connections, so that the CPU is idle. The server has one core for itself, the generator the other.

For each: the peak (closed loop, unprotected), the unloaded p99 (open loop, 30 % of the peak), 3 x the peak for some seconds (open loop;
latency counts from the moment a request was due), then 30 % again at once, until it is as before. Exit status 1 when a promise is not kept:
goodput >= 85 % of the peak, admitted p99 <= 2.5 x the unloaded, /health/live always answers, normal again within 5 s.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from open_loop import closed_loop, open_loop, percentile
from server import Client, Server

PATIENCE = 1.0  # seconds after which nobody waits for an answer any more: later ones are no goodput
CORES = sorted(os.sched_getaffinity(0))


def main():
    options = parse_options()
    figures, is_kept = {}, True
    for bottleneck, stage in {"cores": on_cores, "database": on_slow_database}.items():
        if options.only in (None, bottleneck):
            figures[bottleneck] = measure(bottleneck, stage, options)
            is_kept = is_kept and judge(bottleneck, figures[bottleneck])
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if is_kept else 1


def parse_options():
    parser = argparse.ArgumentParser(description="Measures a server under overload.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--only", choices=["cores", "database"])
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "var/overload.json")
    return parser.parse_args()


def measure(bottleneck, stage, options):
    """The peak and the unloaded p99 are those of the server without protection."""
    figures = {}
    with stage(options, "false") as (server, requests):
        figures["peak"] = max(closed_loop(server.port, requests, options.seconds / 2, lines=lines).served() for lines in (8, 32))
        figures["unloaded_p99"] = open_loop(server.port, requests, 0.3 * figures["peak"], options.seconds).p99()
        figures["off"] = overload(server, requests, figures, options)
    with stage(options, "true") as (server, requests):
        open_loop(server.port, requests, 0.3 * figures["peak"], 3)
        figures["on"] = overload(server, requests, figures, options)
    print(f"{bottleneck}: peak {figures['peak']:.0f}/s, unloaded p99 {figures['unloaded_p99'] * 1e3:.1f} ms")
    for mode in ("off", "on"):
        show(mode, figures[mode])
    return figures


def overload(server, requests, base, options):
    rate = 3 * base["peak"]
    with LiveProbe(server.port) as probe:
        cpu = server.cpu_seconds()
        flood = open_loop(server.port, requests, rate, options.seconds, seed=2, patience=0)
        cpu = (server.cpu_seconds() - cpu) / options.seconds
        after = open_loop(server.port, requests, 0.3 * base["peak"], 10, seed=3)
    return {
        "rate": rate,
        "goodput": flood.served(within=PATIENCE),
        "goodput_ratio": flood.served(within=PATIENCE) / base["peak"],
        "p99": flood.p99(),
        "p99_ratio": flood.p99() / base["unloaded_p99"],
        "statuses": flood.counts(),
        "refusal_p50": percentile(flood.latencies(503), 0.5),
        "recovery_seconds": recovery(after, base["unloaded_p99"]),
        "live_longest": max(probe.answers, default=None),
        "live_failures": probe.failures,
        "cpu": cpu,
        "generator_late_p99": flood.generator_late(),
    }


def recovery(after, unloaded_p99):
    """The seconds after which no answer fails and nine in ten are no later than what was the slowest in a hundred; None when never."""
    start = min(due for due, _, _ in after.answers)
    windows = [[] for _ in range(20)]
    for due, latency, status in after.answers:
        windows[min(19, int((due - start) * 2))].append(latency if 200 <= status < 300 else float("inf"))
    bad = [number for number, window in enumerate(windows) if percentile(sorted(window), 0.9) > 1.5 * unloaded_p99]
    last = max(bad, default=-1)
    return None if last == len(windows) - 1 else (last + 1) / 2


def show(mode, figures):
    live = figures["live_longest"]
    print(
        f"  protection {mode}: goodput {figures['goodput']:.0f}/s ({figures['goodput_ratio']:.0%}), admitted p99 {figures['p99'] * 1e3:.1f} ms"
        f" ({figures['p99_ratio']:.1f} x), recovered after {figures['recovery_seconds']} s, live at most"
        f" {'never' if live is None else f'{live * 1e3:.0f} ms'} ({figures['live_failures']} failures), server CPU {figures['cpu']:.0%},"
        f" answers {figures['statuses']}, generator late p99 {figures['generator_late_p99'] * 1e3:.1f} ms")


def judge(bottleneck, figures):
    on = figures["on"]
    promises = {
        "goodput >= 85 %": on["goodput_ratio"] >= 0.85,
        "p99 <= 2.5 x": on["p99_ratio"] <= 2.5,
        "live answers": on["live_failures"] == 0 and on["live_longest"] is not None,
        "normal within 5 s": on["recovery_seconds"] is not None and on["recovery_seconds"] <= 5,
    }
    for promise, is_kept in promises.items():
        print(f"  {bottleneck}: {promise}: {'yes' if is_kept else 'NO'}")
    return all(promises.values())


# MARK: Servers


@contextlib.contextmanager
def on_cores(options, protection):
    with tempfile.TemporaryDirectory(prefix="martlet-overload-") as folder, serving(options, folder, protection, {}) as server:
        yield server, mix(server)


@contextlib.contextmanager
def on_slow_database(options, protection):
    from outage_postgres import Postgres
    from outage_proxy import Proxy

    with tempfile.TemporaryDirectory(prefix="martlet-overload-") as folder:
        os.chmod(folder, 0o755)
        with Postgres(pathlib.Path(folder) / "postgres") as postgres, Proxy(postgres.port) as proxy:
            url = postgres.url.replace(f":{postgres.port}/", f":{proxy.port}/")
            settings = {"DATABASE_URL": url, "DATABASE_POOL_SIZE": "4", "DATABASE_MAX_OVERFLOW": "0", "DATABASE_PIPELINES": "0"}
            with serving(options, folder, protection, settings) as server:
                requests = reads(server)
                proxy.delay = 0.025
                yield server, requests


@contextlib.contextmanager
def serving(options, folder, protection, settings):
    """A server on the first core; what runs besides it is on the others. It must have begun there, to know how many it has."""
    os.sched_setaffinity(0, CORES[:1])
    server = Server(options.binary, folder, {"OVERLOAD_PROTECTION": protection, "JOBS_IN_SERVER": "false", **settings})
    try:
        with server:
            os.sched_setaffinity(0, CORES[1:] or CORES)
            yield server
    finally:
        os.sched_setaffinity(0, CORES)


def reads(server):
    token, identifiers = stock(server, 20)
    found = [request("GET", f"/api/v1/bookmarks/{one}", token) for one in identifiers]
    return lambda dice: dice.choice(found)


def mix(server):
    """Of ten requests six list, three search and one saves. Who saves is somebody else, or lists would cost more from minute to minute."""
    token, _ = stock(server, 500)
    listing = request("GET", "/api/v1/bookmarks?limit=50", token)
    search = request("GET", "/api/v1/search/text?q=martlet", token)
    saver = Client(server.port).register("grace")

    def make(dice):
        kind = dice.random()
        if kind < 0.6:
            return listing
        if kind < 0.9:
            return search
        body = json.dumps({"url": f"https://example.org/{dice.getrandbits(64):x}", "title": "A swift never lands"}).encode()
        return request("POST", "/api/v1/bookmarks", saver, body)

    return make


def stock(server, count):
    """A new account's token, and the bookmarks it has."""
    client = Client(server.port)
    client.register("ada")
    saved = [
        client.must(201, "POST", "/api/v1/bookmarks", {"url": f"https://example.org/{number}", "title": f"Martlet number {number}"})["id"]
        for number in range(count)
    ]
    return client.token, saved


def request(method, path, token, body=None):
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + (body or b"")


class LiveProbe:
    """`with LiveProbe(port) as probe:` asks /health/live twenty times a second, in a process of its own, over new connections."""

    def __init__(self, port):
        self.port = port
        self.answers, self.failures = [], 0

    def __enter__(self):
        self.ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=probe, args=(self.port, theirs), daemon=True)
        self.process.start()
        return self

    def __exit__(self, *_):
        self.ours.send("stop")
        self.answers, self.failures = self.ours.recv()
        self.process.join()


def probe(port, pipe):
    answers, failures = [], 0
    while not pipe.poll(0.05):
        start = time.perf_counter()
        try:
            Client(port, timeout=10).must(200, "GET", "/health/live")
            answers.append(time.perf_counter() - start)
        except (OSError, RuntimeError):
            failures += 1
    pipe.send((answers, failures))


if __name__ == "__main__":
    sys.exit(main())
