#!/usr/bin/env python3
"""Shows that a request's spans arrive at a collector, and that nothing suffers when they cannot.

    scripts/tracing.py [--binary .build/release/martlet] [--database-url URL]

Starts the server beside scripts/collector.py, a process of its own. A client's trace goes on from HTTP to SQL, with no value of a request in
any span; a 500 and a slow request are recorded that the ratio left out; while the collector refuses, stalls or is gone, requests are as
fast as before, what is not taken is said in the log, and afterwards spans arrive again; SIGTERM sends what is left. Exit status 1 when one of
these does not hold.
"""

import argparse
import contextlib
import json
import pathlib
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from server import ROOT, Client, Server, free_port

CANARY = "canary"


def main():
    parser = argparse.ArgumentParser(description="Follows spans to a collector.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--database-url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="martlet-tracing-") as folder:
        checks = Checks()
        with Collector(pathlib.Path(folder)) as collector:
            following(options, folder, collector, checks)
            choosing(options, folder, collector, checks)
            suffering(options, folder, collector, checks)
            stopping(options, folder, collector, checks)
    return 0 if checks.hold else 1


class Checks:
    def __init__(self):
        self.hold = True

    def add(self, what, holds):
        print(f"tracing: {what}: {'yes' if holds else 'NO'}", flush=True)
        self.hold = self.hold and bool(holds)


class Collector:
    """scripts/collector.py as a process, and the spans that it wrote."""

    def __init__(self, folder):
        self.out, self.port, self.process = folder / "spans.jsonl", free_port(), None
        self.out.touch()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        command = [sys.executable, ROOT / "scripts/collector.py", "--port", str(self.port), "--out", self.out]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def become(self, mode):
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}/control?mode={mode}", method="POST"), timeout=10).close()

    def spans(self, trace=None):
        spans = [span for span in map(whole, self.out.read_text().splitlines()) if span is not None]
        return [span for span in spans if trace in (None, span["trace"])]

    def await_spans(self, trace, condition=bool, patience=20.0):
        """The spans of a trace, once they are as wanted, or after the patience."""
        end = time.monotonic() + patience
        while not condition(self.spans(trace)) and time.monotonic() < end:
            time.sleep(0.02)
        return self.spans(trace)


@contextlib.contextmanager
def serving(options, folder, collector, **settings):
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}", "OTEL_BSP_SCHEDULE_DELAY": "100", "LOG_LEVEL": "warning",
        "MARTLET_TEST_ROUTES": "true", "OTEL_SERVICE_NAME": "martlet-under-test", **settings,
    }
    if options.database_url:
        environment["DATABASE_URL"] = options.database_url
    with Server(options.binary, folder, environment) as server:
        yield server


def whole(line):
    """A span; `None` for a line that the collector was killed in, or has not finished."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def new_trace():
    return secrets.token_hex(16), secrets.token_hex(8)


def ask(client, method, path, trace, parent, sampled=True, body=None):
    fields = {"traceparent": f"00-{trace}-{parent}-0{1 if sampled else 0}", "tracestate": "other=kept"}
    return client.send(method, path, body, fields)


def following(options, folder, collector, checks):
    """One request from HTTP to SQL."""
    with serving(options, folder, collector, TRACE_SAMPLE_RATIO="0", TRACE_PARENT="trust") as server:
        client = Client(server.port)
        client.register("canaryname" + secrets.token_hex(4))
        trace, parent = new_trace()
        body = {"url": f"https://example.org/{CANARY}url", "title": f"{CANARY}title", "tags": [f"{CANARY}tag"]}
        ask(client, "POST", f"/api/v1/bookmarks?x={CANARY}query", *new_trace(), body=body)
        ask(client, "GET", f"/{CANARY}path", *new_trace())
        status, saved = ask(client, "POST", "/api/v1/bookmarks", trace, parent, body=body)
        checks.add("the bookmark is saved", status == 201)
        read, reader = new_trace()
        status, _ = ask(client, "GET", f"/api/v1/bookmarks/{saved['id']}", read, reader)
        checks.add("and found", status == 200)
        unsampled, other = new_trace()
        ask(client, "GET", f"/api/v1/bookmarks/{saved['id']}", unsampled, other, sampled=False)
        judge_tree(checks, "a read", collector.await_spans(read), reader, "GET /api/v1/bookmarks/{id}", 200)
        spans = collector.await_spans(trace)
        judge_tree(checks, "a write", spans, parent, "POST /api/v1/bookmarks", 201)
        checks.add("a client that samples nothing is heeded", not collector.spans(unsampled))
        everything = json.dumps(collector.spans())
        confided = (CANARY + "url", CANARY + "title", CANARY + "tag", CANARY + "query", CANARY + "path", "canaryname", client.token, "correct-horse")
        checks.add("no span holds what was confided", not any(word in everything for word in confided))


def judge_tree(checks, what, spans, parent, name, status):
    roots = [span for span in spans if span["parent"] == parent]
    statements = [span for span in spans if "db.query.text" in span["attributes"]]
    known = {span["id"] for span in spans} | {parent}
    root = roots[0] if len(roots) == 1 else {"name": None, "attributes": {}, "state": None, "kind": None, "resource": {}, "start": 0, "end": 0}
    checks.add(f"{what}: one span for the request, below the client's", root["name"] == name and root["kind"] == "server")
    checks.add(f"{what}: its status and route", root["attributes"].get("http.response.status_code") == status)
    checks.add(f"{what}: tracestate is carried on", root["state"] == "other=kept")
    checks.add(f"{what}: of the service", root["resource"].get("service.name") == "martlet-under-test")
    checks.add(f"{what}: every other span has a parent of the same trace", all(span["parent"] in known for span in spans))
    checks.add(f"{what}: permission is a span", any(span["name"] == "permission" for span in spans))
    checks.add(f"{what}: statements with text and placeholders", statements and all(placeheld(span) for span in statements))
    checks.add(f"{what}: all within the request", all(root["start"] <= span["start"] and span["end"] <= root["end"] for span in spans))


def placeheld(span):
    return any(mark in span["attributes"]["db.query.text"] for mark in ("?", "$1")) and span["kind"] == "client"


def choosing(options, folder, collector, checks):
    """Failures and slow requests are recorded, others are not; a stranger's flag counts for nothing."""
    with serving(options, folder, collector, TRACE_SAMPLE_RATIO="0", TRACE_SLOW="300ms") as server:
        client = Client(server.port)
        traces = {}
        for what, path in (("failed", "/test/fail"), ("slow", "/test/sleep?milliseconds=400"), ("usual", "/health/ready")):
            traces[what] = new_trace()
            ask(client, "GET", path, *traces[what])
        failed = collector.await_spans(traces["failed"][0])
        slow = collector.await_spans(traces["slow"][0])
        checks.add("a 500 is recorded, as an error with its code", any(span["message"] == "internal_error" for span in failed))
        checks.add("a slow request is recorded", any(span["kind"] == "server" for span in slow))
        checks.add("another one is not, whatever a stranger says", not collector.spans(traces["usual"][0]))
        checks.add("no span holds an error's words", "a secret that must not leave" not in json.dumps(failed))


def suffering(options, folder, collector, checks):
    """The collector refuses, stalls, and goes away."""
    with serving(options, folder, collector, TRACE_SAMPLE_RATIO="1", TRACE_PARENT="trust") as server:
        client = Client(server.port)
        usual = median(client)
        for mode in ("refuse", "stall"):
            collector.become(mode)
            checks.add(f"requests are as fast while the collector is to {mode}", median(client, 3_000) < usual * 2 + 0.002)
            collector.become("serve")
        collector.kill()
        checks.add("requests are as fast while it is gone", median(client, 3_000) < usual * 2 + 0.002)
        collector.start()
        trace, parent = new_trace()
        arrived = False
        end = time.monotonic() + 60
        while not arrived and time.monotonic() < end:
            # While the queue is full, new ones are dropped.
            ask(client, "GET", "/health/ready", trace, parent)
            arrived = bool(collector.await_spans(trace, patience=1))
        checks.add("spans arrive again after it came back", arrived)
        warnings = [line for line in server.log.read_text().splitlines() if "Traces could not be sent" in line]
        checks.add("the log says so, once a minute at most", 1 <= len(warnings) <= 2)


def median(client, count=300):
    """The median of the seconds that requests take."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        client.must(200, "GET", "/health/ready")
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def stopping(options, folder, collector, checks):
    """What waits when the server is told to stop is sent."""
    with serving(options, folder, collector, TRACE_SAMPLE_RATIO="0", TRACE_PARENT="trust", OTEL_BSP_SCHEDULE_DELAY="600000") as server:
        trace, parent = new_trace()
        ask(Client(server.port), "GET", "/health/ready", trace, parent)
        before = collector.spans(trace)
        status = server.stop()
        checks.add("SIGTERM sends what waits", not before and status == 0 and bool(collector.spans(trace)))


if __name__ == "__main__":
    sys.exit(main())
