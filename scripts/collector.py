#!/usr/bin/env python3
"""A collector of traces: takes OTLP over HTTP in its JSON form, and writes each span to a file, one JSON document a line.

    scripts/collector.py --port 4318 --out spans.jsonl

`POST /control?mode=…` makes it misbehave, and `mode=serve` behave again: `refuse` answers 503, `stall` takes the request and says nothing.
"""

import argparse
import gzip
import http.server
import json
import sys
import threading
import urllib.parse

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


class Malformed(Exception):
    """What came is no OTLP."""


def value(of):
    """An AnyValue as a Python value."""
    if set(of) == {"stringValue"}:
        return of["stringValue"]
    if set(of) == {"intValue"}:
        return int(of["intValue"])
    if set(of) == {"boolValue"}:
        return of["boolValue"]
    if set(of) == {"doubleValue"}:
        return float(of["doubleValue"])
    raise Malformed(f"an attribute's value of an unknown form: {sorted(of)}")


def attributes(of):
    return {each["key"]: value(each["value"]) for each in of.get("attributes", [])}


def identifier(text, length):
    if len(text) != length or set(text) - set("0123456789abcdef") or set(text) == {"0"}:
        raise Malformed(f"an identifier of an unknown form: {text!r}")
    return text


def decoded(document):
    """The spans of an ExportTraceServiceRequest, each with its resource and scope."""
    for group in document["resourceSpans"]:
        resource = attributes(group["resource"])
        for scoped in group["scopeSpans"]:
            for span in scoped["spans"]:
                yield one(span, resource, scoped["scope"])


def one(span, resource, scope):
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    if end < start:
        raise Malformed("a span that ends before it begins")
    return {
        "resource": resource,
        "scope": scope,
        "trace": identifier(span["traceId"], 32),
        "id": identifier(span["spanId"], 16),
        "parent": identifier(span["parentSpanId"], 16) if "parentSpanId" in span else None,
        "state": span.get("traceState"),
        "name": span["name"],
        "kind": KINDS[span["kind"]],
        "start": start,
        "end": end,
        "attributes": attributes(span),
        "events": [{"name": event["name"], "at": int(event["timeUnixNano"])} for event in span.get("events", [])],
        "links": [{"trace": identifier(link["traceId"], 32), "id": identifier(link["spanId"], 16)} for link in span.get("links", [])],
        "status": span.get("status", {}).get("code", 0),
        "message": span.get("status", {}).get("message"),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = urllib.parse.urlsplit(self.path)
        if target.path == "/control":
            self.server.mode = urllib.parse.parse_qs(target.query)["mode"][0]
            self.server.changed.set()
            return self.answer(200, {})
        if self.server.mode == "refuse":
            return self.answer(503, {})
        if self.server.mode == "stall":
            self.server.changed.clear()
            self.server.changed.wait(60)
            self.close_connection = True
            return None
        return self.take(target.path, body)

    def take(self, path, body):
        if path != "/v1/traces" or self.headers.get("Content-Type") != "application/json":
            return self.answer(404, {})
        try:
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            spans = list(decoded(json.loads(body)))
        except (Malformed, KeyError, ValueError, OSError) as error:
            print(f"collector: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            return self.answer(400, {})
        with self.server.lock, open(self.server.out, "a") as out:
            out.writelines(json.dumps(span) + "\n" for span in spans)
        return self.answer(200, {"partialSuccess": {}})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description="Takes traces and writes them to a file.")
    parser.add_argument("--port", type=int, default=4318)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    server.out, server.mode = options.out, "serve"
    server.lock, server.changed = threading.Lock(), threading.Event()
    print(f"collector: listens on port {server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
