#!/usr/bin/env python3
"""Shows that a server does not run out of descriptors, however many connect.

    scripts/descriptors.py [--binary .build/release/martlet]

More connections come than the limit of open files allows, less a reserve: a process that has none left may be ended by its own runtime.
Whoever is connected is served, whoever is not waits in the backlog, the CPU is idle meanwhile, and as soon as others leave, those who waited
are served. Exit status 1 when one of these does not hold.
"""

import argparse
import contextlib
import resource
import socket
import sys
import tempfile
import time

from server import ROOT, Server

LIMIT = 256  # of open files
RESERVE = 64  # of them, for databases, the log and the runtime
CROWD = 300
IDLE = 0.25  # the part of a core that a server may use which has nothing to do
ASK = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def main():
    parser = argparse.ArgumentParser(description="Takes a server's descriptors away.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    checks = {}
    with tempfile.TemporaryDirectory(prefix="martlet-descriptors-") as folder:
        resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, most[1]))
        server = Server(options.binary, folder, {"IDLE_TIMEOUT": "5m", "HEADER_TIMEOUT": "5m", "JOBS_IN_SERVER": "false"})
        with server:
            resource.setrlimit(resource.RLIMIT_NOFILE, most)
            for crowding in ("once", "once more"):
                checks |= crowd(server, crowding)
    for what, holds in checks.items():
        print(f"descriptors: {what}: {'yes' if holds else 'NO'}")
    return 0 if all(checks.values()) else 1


def crowd(server, when):
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(connect(server.port)) for _ in range(CROWD)]
        for line in lines:
            line.sendall(ASK)
        served = await_calm(lines)
        outside = [line for line in lines if line not in served]
        calm = cpu_share(server)
        for line in served:
            line.sendall(ASK)
        again = all(is_answered(line, 10) for line in served)
        for line in served:
            line.close()
        # As many as have left may come in; those behind them still wait.
        recovered = all(is_answered(line, 10) for line in outside[: len(served)])
    alone = is_alive(server)
    print(f"descriptors: {when}: {len(served)} connected, {len(outside)} waiting, {calm:.0%} of a core")
    return {
        f"{when}, as many are served as the cap says": abs(len(served) - (LIMIT - RESERVE)) <= 8,
        f"{when}, the CPU is idle": calm < IDLE,
        f"{when}, who is connected is served": again,
        f"{when}, who waited is served when others leave": recovered,
        f"{when}, all is well afterwards": alone,
    }


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def await_calm(lines):
    """Who is served: until nobody else is for a second."""
    served, last = [], time.monotonic()
    while time.monotonic() < last + 1:
        for line in [line for line in lines if line not in served]:
            if is_answered(line, 0):
                served.append(line)
                last = time.monotonic()
        time.sleep(0.01)
    return served


def is_answered(line, patience):
    line.settimeout(patience)
    try:
        return line.recv(4096).startswith(b"HTTP/1.1 200")
    except (BlockingIOError, TimeoutError, OSError):
        return False


def is_alive(server):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError), connect(server.port) as line:
            line.sendall(ASK)
            if is_answered(line, 2):
                return True
    return False


def cpu_share(server, seconds=2):
    before = server.cpu_seconds()
    time.sleep(seconds)
    return (server.cpu_seconds() - before) / seconds


if __name__ == "__main__":
    sys.exit(main())
