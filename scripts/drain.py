#!/usr/bin/env python3
"""Shows that a server told to stop turns nobody away.

    scripts/drain.py [--binary .build/release/martlet]

A request is in flight when SIGTERM comes. While the server drains, new connections are served, /health/ready says 503, and answers say
`Connection: close`; the request in flight is answered; the exit status is 0. Exit status 1 when one of these does not hold.
"""

import argparse
import http.client
import signal
import sys
import tempfile
import threading

from server import ROOT, Server

ENVIRONMENT = {"MARTLET_TEST_ROUTES": "true", "DRAIN_DELAY": "2s"}


def main():
    parser = argparse.ArgumentParser(description="Stops a server while it is busy.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="martlet-drain-") as folder:
        with Server(options.binary, folder, ENVIRONMENT) as server:
            return judge(server)


def judge(server):
    in_flight = InFlight(server.port)
    server.process.send_signal(signal.SIGTERM)
    ready = await_draining(server.port)
    live = ask(server.port, "/health/live")
    checks = {
        "not ready any more": ready == (503, "close"),
        "new connections are served": live == (200, "close"),
        "the request in flight is answered": in_flight.status() == 200,
        "exit status 0": server.process.wait(30) == 0,
    }
    for what, holds in checks.items():
        print(f"drain: {what}: {'yes' if holds else 'NO'}")
    return 0 if all(checks.values()) else 1


class InFlight:
    """A request that takes a second; made once the server has begun it."""

    def __init__(self, port):
        self.answer = None
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.connection.request("GET", "/test/sleep?milliseconds=1000")
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        self.answer = self.connection.getresponse().status

    def status(self):
        self.thread.join(30)
        return self.answer


def await_draining(port):
    """The first answer of /health/ready that is no 200; the signal takes a moment to arrive."""
    while True:
        answer = ask(port, "/health/ready")
        if answer[0] != 200:
            return answer


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return response.status, response.getheader("Connection")


if __name__ == "__main__":
    sys.exit(main())
