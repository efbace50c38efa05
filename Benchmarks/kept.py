#!/usr/bin/env python3
"""Measures kept answers beside the same bytes from gin (Go, Redis) and nginx (a file), in one run, each in turns.

    python3 Benchmarks/kept.py                     [--connections 32,256] [--rounds 5] [--duration 3]

W2 is a list of 100 products of 52 KB that gin takes from Redis, nginx from a file, and Martlet from its encoded-response cache; W6 the
same list with gzip, which gin reads and compresses each time. Ours is `martlet-catalog` (Benchmarks/Catalog), on the peers' own tables.
Takes a folder with the peers and their own bench.py (../shared/peers; nothing is written there), works in a copy in var/peers. Prints
tables and writes var/kept.json. Exit status 1 when anything was answered with an error. Needs to be root.
"""

import argparse
import contextlib
import json
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import peers_report
import peers_setup
import report
from postgres import Postgres
from server import free_port

SCHEMA = "martlet_catalog"
DISTURBED = 0.12  # the share of the machine that others may use during a run
GZIP = {"Accept-Encoding": "gzip"}
WORKLOADS = {
    "W2": {"gin": {"path": "/cached/products?limit=100"}, "nginx": {"path": "/products"}, "martlet": {"path": "/cached/products?limit=100"}},
    "W6": {
        "gin": {"path": "/products?limit=100", "headers": GZIP},
        "nginx": {"path": "/products", "headers": GZIP},
        "martlet": {"path": "/cached/products?limit=100", "headers": GZIP},
    },
}


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    subprocess.run(["swift", "build", "-c", "release", "--product", "martlet-catalog"], cwd=ROOT, check=True)
    peers_setup.forget_other_databases()
    peers_setup.PACKAGES.append("nginx-light")
    peers_setup.install()
    peers_setup.copy(options.peers, options.folder)
    tools = peers_setup.tools(options.folder)
    peers_setup.build(options.folder)
    with peers_setup.services(options.folder, tools.ENV):
        peers_setup.seed(options.folder)
        found = report.heading() | {"options": {name: str(value) for name, value in vars(options).items()}}
        with contextlib.ExitStack() as stack:
            sides = start(tools, options, stack)
            found["runs"] = list(runs(tools, sides, options))
    found["faults"] = [f"{run['side']} {run['workload']}: {run['errors']} errors" for run in found["runs"] if run["errors"]]
    found["summary"] = list(summary(found["runs"]))
    show(found)
    report.save(found, ROOT / "var" / "kept.json")
    return 1 if found["faults"] else 0


def parse_options():
    parser = argparse.ArgumentParser(description="Measures kept answers beside gin and nginx.")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / ".build/release/martlet-catalog")
    parser.add_argument("--peers", type=pathlib.Path, default=ROOT.parent / "shared/peers")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "var/peers", help="the working copy; kept, so that it is built once")
    parser.add_argument("--connections", default="32,256")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--duration", type=int, default=3, help="seconds of each measurement; one more before it warms up")
    options = parser.parse_args()
    options.connections = [int(number) for number in options.connections.split(",")]
    options.binary, options.folder = options.binary.resolve(), options.folder.resolve()
    return options


# MARK: The three sides


def start(tools, options, stack):
    """The servers, running; nginx serves what gin answers."""
    sides = [peer(tools, options, name) for name in ("gin", "nginx", "martlet")]
    for side in sides:
        stack.callback(side.down)
    gin, nginx, martlet = sides
    gin.up()
    (options.folder / "data" / "w1.json").write_bytes(tools.req(gin, "W2")[2])
    Postgres(tools.ENV["DATABASE_URL"]).run(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    nginx.up()
    martlet.up()
    check(tools, sides)
    return sides


def peer(tools, options, name):
    workloads = {"W0": {"path": "/health/live"}} | {workload: sides[name] for workload, sides in WORKLOADS.items()}
    if name != "martlet":
        found = tools.builtin(name)
        return tools.Peer(name, found.url, workloads, found.start_cmd)
    environment = {
        "PORT": "{port}",
        "DATABASE_URL": tools.ENV["DATABASE_URL"] + f"?options=-csearch_path%3D{SCHEMA},public",
        "JWT_SECRET_KEY": tools.ENV["JWT_SECRET"],
        "SECRET_KEY": tools.ENV["JWT_SECRET"],
        "RATE_LIMIT_ENABLED": "false",
        "OVERLOAD_PROTECTION": "false",
        "LOG_LEVEL": "error",
    }
    start_command = {"cmd": [str(options.binary)], "cwd": "run", "env": environment}
    return tools.Peer("martlet", f"http://127.0.0.1:{free_port()}", workloads, start_command)


def check(tools, sides):
    """All three say the same, as JSON."""
    answers = {side.name: json.loads(tools.req(side, "W2")[2]) for side in sides}
    for name, answer in answers.items():
        ours, theirs = len(answer["items"]), len(answers["gin"]["items"])
        if ours != theirs or [item["id"] for item in answer["items"]] != [item["id"] for item in answers["gin"]["items"]]:
            sys.exit(f"{name} answers something else than gin: {ours} products, not {theirs}")
    sizes = ", ".join(f"{side.name} {len(tools.req(side, 'W2')[2]):,}" for side in sides)
    print(f"==> all list the same products; bytes: {sizes}", flush=True)


# MARK: Measuring


def runs(tools, sides, options):
    root = Postgres(f"postgresql://postgres@127.0.0.1:{tools.ENV['PG_PORT']}/postgres").processes.root
    for number in range(options.rounds):
        for workload in WORKLOADS:
            for connections in options.connections:
                for side in sides[number % 3 :] + sides[: number % 3]:
                    tools.wrk(side, workload, connections, 1)
                    run = measure(tools, side, workload, connections, options.duration, root)
                    peers_report.progress(number, run)
                    yield run | {"round": number}


def measure(tools, side, workload, connections, seconds, root):
    """The quietest of up to three runs of wrk."""
    redis = [int((pathlib.Path(tools.P) / "run/redis.pid").read_text())]
    where = {"side": side.name, "workload": workload, "connections": connections}
    attempts = []
    while len(attempts) < 3 and not any(run["foreign"] < DISTURBED for run in attempts):
        attempts.append(where | tools.measure(side, workload, connections, seconds, [root], redis))
    return min(attempts, key=lambda run: run["foreign"])


def summary(found):
    for workload, connections in dict.fromkeys((run["workload"], run["connections"]) for run in found):
        sides = {}
        for run in found:
            if (run["workload"], run["connections"]) == (workload, connections):
                sides.setdefault(run["side"], []).append(run | {"cpu_us": run["cpu_srv_us"] + run["cpu_pg_us"] + run["cpu_redis_us"]})
        yield {
            "workload": workload,
            "connections": connections,
            "sides": {name: peers_report.medians(of_side) for name, of_side in sides.items()},
            "to_gin": peers_report.ratio(sides, "martlet", "gin", "rps"),
            "to_nginx": peers_report.ratio(sides, "martlet", "nginx", "rps"),
        }


def show(found):
    report.show_heading(found)
    for entry in found["summary"]:
        print(f"\n{entry['workload']}, {entry['connections']} connections")
        print(" " * 11 + " ".join(f"{title:>{width}}" for title, _, width, _ in peers_report.COLUMNS))
        for side, figures in entry["sides"].items():
            print(f"  {side:<8} " + " ".join(f"{figures[name]:>{width}{shape}}" for _, name, width, shape in peers_report.COLUMNS))
        print(f"  requests/s, martlet to gin: {entry['to_gin']:.2f}; to nginx: {entry['to_nginx']:.2f}")
    for fault in found["faults"]:
        print(f"FAILED: {fault}")


if __name__ == "__main__":
    sys.exit(main())
