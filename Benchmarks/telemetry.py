#!/usr/bin/env python3
"""Measures what a server's logs, metrics and traces cost its point reads: with all of them, with each alone, and with none, in one run.

    python3 Benchmarks/telemetry.py [--duration 4] [--rounds 5] [--bookmarks 5000] [--only all,none]

On: one access log line an answer on standard error, which is a file, metrics scraped every 5 s, 1 % of all requests traced to a collector on this machine, and
errors and slow ones always. The sides take turns; ratios are medians of the ratios within each round. Exit status 1 after any error.
"""

import argparse
import contextlib
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import bench
import load
from server import Server, free_port

QUIET = {"LOG_LEVEL": "error", "METRICS_ENABLED": "false"}
LOGS = {"LOG_LEVEL": "info"}
METRICS = {"METRICS_ENABLED": "true"}


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="martlet-telemetry-")))
        traces = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector(folder, stack), "TRACE_SAMPLE_RATIO": "0.01"}
        kinds = {"none": QUIET, "logs": QUIET | LOGS, "metrics": QUIET | METRICS, "traces": QUIET | traces, "all": LOGS | METRICS | traces}
        sides = [Side(name, folder, kinds[name], options, stack) for name in options.only]
        for side in sides:
            bench.prepare(side, options)
        found = load.measure(sides, "find", options)
    return show(found)


def parse_options():
    parser = argparse.ArgumentParser(description="Measures what telemetry costs.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--duration", type=int, default=4, help="seconds of each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2, help="of wrk")
    parser.add_argument("--bookmarks", type=int, default=5_000)
    parser.add_argument("--only", type=lambda text: text.split(","), default=["none", "logs", "metrics", "traces", "all"])
    return parser.parse_args()


def collector(folder, stack):
    """The address of a collector that takes what comes."""
    port = free_port()
    command = [sys.executable, str(ROOT / "scripts/collector.py"), "--port", str(port), "--out", str(folder / "spans.jsonl")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return f"http://127.0.0.1:{port}"


class Side:
    """A server with some of it, as `load.measure` drives it."""

    database = None

    def __init__(self, name, folder, settings, options, stack):
        self.engine, self.environment = name, {}
        self.folder = folder / name
        self.folder.mkdir()
        environment = {"JWT_EXPIRE_MINUTES": "1440", **settings}
        self.server = stack.enter_context(Server(options.binary, self.folder, environment))
        if settings.get("METRICS_ENABLED") == "true":
            stack.callback(scraping(f"{self.server.base}/metrics"))

    def settle(self):
        pass

    def tidy(self, url):
        pass

    url = None


def scraping(url):
    """Asks for metrics every 5 s, as Prometheus would, until what it returns is called."""
    ended = threading.Event()

    def scrape():
        while not ended.wait(5):
            urllib.request.urlopen(url, timeout=5).read()

    thread = threading.Thread(target=scrape)
    thread.start()

    def end():
        ended.set()
        thread.join()

    return end


def show(found):
    base = found.get("none")
    print(f"{'':10} {'req/s':>9} {'ratio':>7} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8}")
    for name, one in found.items():
        print(
            f"{name:10} {one['requests_per_second']:9,.0f} {ratio(one, base):>7} {one['p50_ms']:8.2f} {one['p99_ms']:8.2f}"
            f" {one['server_cpu_us_per_request']:8.1f}" + (f"   ERRORS {one['errors']}" if one["errors"] else "")
        )
    return 1 if any(one["errors"] for one in found.values()) else 0


def ratio(one, base):
    if base is None:
        return ""
    each, all_of_base = (side["requests_per_second_of_each_round"] for side in (one, base))
    return f"{statistics.median(left / right for left, right in zip(each, all_of_base)):.3f}"


if __name__ == "__main__":
    sys.exit(main())
