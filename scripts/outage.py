#!/usr/bin/env python3
"""Takes PostgreSQL away from a busy server in every way we know of, and checks what its callers see.

    scripts/outage.py [--binary .build/release/martlet] [--only restart,freeze] [--seed 1]

Each promise is one line with its figure; exit status 1 when one is broken. Takes up to 90 seconds, on a private PostgreSQL that syncs
to the disk, by the loopback address only.
"""

import argparse
import pathlib
import random
import signal
import sys
import tempfile
import time

import outage_loss
import outage_pressure
import outage_start
from outage_postgres import Postgres
from server import ROOT

SCENARIOS = {
    "start": outage_start.late,
    "two-starts": outage_start.two_at_once,
    "restart": outage_loss.restart,
    "freeze": outage_loss.freeze,
    "bad-network": outage_loss.bad_network,
    "dead-lines": outage_loss.dead_lines,
    "backends": outage_loss.backends,
    "cancelled": outage_pressure.cancelled,
    "crowd": outage_pressure.crowd,
    "refusals": outage_pressure.refusals,
}


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing is left behind
    began = time.monotonic()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="martlet-outage-") as folder, Postgres(folder) as postgres:
        for name in options.only:
            scene = Scene(name, options.binary, postgres, report, random.Random(options.seed))
            scene_began = time.monotonic()
            try:
                SCENARIOS[name](scene)
            except RuntimeError as problem:
                scene.promise("goes on to the end", False, str(problem))
            finally:
                postgres.thaw()
            print(f"outage: {name}: took {time.monotonic() - scene_began:.0f} s", flush=True)
    print(f"outage: {report.count} promises, {len(report.broken)} broken, in {time.monotonic() - began:.0f} s (seed {options.seed})")
    for line in report.broken:
        print(f"outage: BROKEN: {line}", file=sys.stderr)
    return 1 if report.broken or not report.count else 0


def parse_options():
    parser = argparse.ArgumentParser(description="Takes PostgreSQL away from a busy server.")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/release/martlet")
    parser.add_argument("--only", type=names, default=list(SCENARIOS), help=f"of {','.join(SCENARIOS)}")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def names(text):
    unknown = set(text.split(",")) - set(SCENARIOS)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return text.split(",")


class Report:
    def __init__(self):
        self.count = 0
        self.broken = []


class Scene:
    """What a scenario works with."""

    def __init__(self, name, binary, postgres, report, chance):
        self.name, self.binary, self.postgres, self.report, self.chance = name, binary, postgres, report, chance

    def promise(self, what, holds, figure=""):
        line = f"{self.name}: {what}: {'yes' if holds else 'NO'}" + (f" ({figure})" if figure else "")
        print(f"outage: {line}", flush=True)
        self.report.count += 1
        if not holds:
            self.report.broken.append(line)


if __name__ == "__main__":
    sys.exit(main())
