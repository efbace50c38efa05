#!/usr/bin/env python3
"""Shows that a log which cannot be written does not take the server along.

    scripts/log-outage.py [--binary .build/release/martlet]

Standard output and error are once a full disk (/dev/full) and once a pipe whose reader went away; the server must serve, and end with 0.
"""

import argparse
import os
import sys
import tempfile

from server import ROOT, Server


def main():
    parser = argparse.ArgumentParser(description="Serves while the log cannot be written.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    options = parser.parse_args()
    outcomes = [judge(options.binary, what, stream) for what, stream in (("a full disk", full_disk), ("a broken pipe", broken_pipe))]
    return 0 if all(outcomes) else 1


def judge(binary, what, stream):
    with tempfile.TemporaryDirectory(prefix="martlet-log-") as folder:
        server = Server(binary, folder, {"LOG_LEVEL": "trace"})
        server.log = Unwritable(stream())
        try:
            server.start()
            holds = all(server._is_live() for _ in range(20)) and server.stop() == 0
        except RuntimeError:
            holds = False
        finally:
            server.stop()
    print(f"log-outage: serves with {what} behind its log: {'yes' if holds else 'NO'}")
    return holds


class Unwritable:
    """Stands where the server's log file would."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def read_text(self, errors=None):
        return "(the log could not be written)"

    def __fspath__(self):
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"


def full_disk():
    return os.open("/dev/full", os.O_WRONLY)


def broken_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


if __name__ == "__main__":
    sys.exit(main())
