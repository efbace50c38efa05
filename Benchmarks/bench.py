#!/usr/bin/env python3
"""Measures the release binary: start, memory, and five kinds of requests over 20,000 bookmarks, driven by wrk.

    make bench                                    or: python3 Benchmarks/bench.py [--only find,list] [--duration 5] [--rounds 3]

The load generator shares the machine, so figures compare with figures of the same machine only. Prints a table and writes
var/bench.json. Exit status 1 when any request of any round, warm-up included, was answered with an error or not at all.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import corpus
import load
from server import Client, Server


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="martlet-bench-") as folder:
        folder = pathlib.Path(folder)
        report = {"machine": machine(), "date": now(), "revision": revision(), "options": vars(options) | {"binary": str(options.binary)}}
        report["start"] = measure_starts(options, folder)
        report["scenarios"] = measure_requests(options, folder, report)
    print_report(report)
    save(report)
    return 1 if any(result["errors"] for result in report["scenarios"].values()) else 0


def parse_options():
    parser = argparse.ArgumentParser(description="Measures the release binary.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--duration", type=int, default=5, help="seconds of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2, help="of wrk")
    parser.add_argument("--bookmarks", type=int, default=20_000)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--only", default=",".join(load.SCENARIOS), help="scenarios, separated by commas")
    options = parser.parse_args()
    options.only = options.only.split(",")
    if unknown := set(options.only) - set(load.SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(load.SCENARIOS)}")
    return options


def measure_starts(options, folder):
    """Milliseconds from starting the process to its first 200: on no database, so with every migration, and on the one then there."""
    say(f"starting it {options.starts} times without a database, and again with it")
    first, again = [], []
    for number in range(options.starts):
        own = folder / f"start-{number}"
        own.mkdir()
        for times in (first, again):
            server = Server(options.binary, own)
            times.append(server.start() * 1000)
            if status := server.stop():
                raise RuntimeError(f"the server ended with status {status} after SIGTERM:\n{server.last_words()}")
    return {"first_start_ms": statistics.median(first), "restart_ms": statistics.median(again)}


def measure_requests(options, folder, report):
    with Server(options.binary, folder, {"DATABASE_URL": f"sqlite://{folder}/bench.db", "JWT_EXPIRE_MINUTES": "1440"}) as server:
        time.sleep(2)
        report["idle_rss_bytes"] = server.resident_bytes()
        environment = prepare(server, options, folder, report)
        results = {}
        for scenario in [name for name in load.SCENARIOS if name in options.only]:
            say(f"{load.SCENARIOS[scenario]}: {options.rounds} rounds of {options.duration} s, {options.connections} connections")
            results[scenario] = load.measure(server, scenario, environment, options)
        return results


def prepare(server, options, folder, report):
    """Loads the bookmarks and writes down what the scenarios need."""
    say(f"importing {options.bookmarks} bookmarks")
    client = Client(server.port, timeout=300)
    environment = {"BENCH_TOKEN": client.register("bench")}
    started = time.perf_counter()
    import_all(client, corpus.bookmarks(options.bookmarks))
    report["imported_per_second"] = options.bookmarks / (time.perf_counter() - started)

    identifiers = all_identifiers(client)
    chosen = random.Random(3).sample(identifiers, min(2_000, len(identifiers)))
    environment["BENCH_IDENTIFIERS"] = write_lines(folder / "identifiers.txt", chosen)
    environment["BENCH_QUERIES"] = write_lines(folder / "queries.txt", corpus.queries(500))
    return environment


def import_all(client, bookmarks, batch=5_000):
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


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "model": model, "memory_gib": round(memory / 2**30, 1), "system": platform.platform()}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def revision():
    run = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return run.stdout.strip() or None


def print_report(report):
    hardware, start = report["machine"], report["start"]
    print(
        f"\n{report['date']}, revision {report['revision'] or 'unknown'}, "
        f"{hardware['cores']} cores ({hardware['model']}), {hardware['memory_gib']} GiB"
    )
    print(f"start to first 200: {start['first_start_ms']:.0f} ms without a database, {start['restart_ms']:.0f} ms with one")
    print(f"idle memory: {report['idle_rss_bytes'] / 2**20:.1f} MiB; import: {report['imported_per_second']:,.0f} bookmarks/s\n")
    print(f"{'request':<32} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'bytes':>8} {'CPU µs':>8} {'MiB':>7}")
    for scenario, result in report["scenarios"].items():
        print(
            f"{load.SCENARIOS[scenario]:<32} {result['requests_per_second']:>8,.0f} {result['p50_ms']:>8.2f} {result['p99_ms']:>8.2f} "
            f"{result['bytes_per_response']:>8,.0f} {result['server_cpu_us_per_request']:>8.1f} {result['rss_bytes'] / 2**20:>7.1f}"
        )
        if result["errors"]:
            print(f"  FAILED: {result['errors']}")


def save(report):
    path = ROOT / "var" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2, default=str) + "\n")
    say(f"written to {path.relative_to(ROOT)}")


def say(text):
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
