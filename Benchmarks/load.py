"""Drives servers with wrk and measures what that costs each of them and its database."""

import json
import os
import pathlib
import statistics
import subprocess

SCRIPTS = pathlib.Path(__file__).resolve().parent / "wrk"

SCENARIOS = {
    "live": "GET /health/live",
    "find": "GET /api/v1/bookmarks/{id}",
    "list": "GET /api/v1/bookmarks?limit=50",
    "search": "GET /api/v1/search/text?q=…",
    "save": "POST /api/v1/bookmarks",
}
ERRORS = ["error_statuses", "connect", "read", "write", "timeout"]


def measure(sides, scenario, options):
    """For each side, the medians over all rounds, after one round of two seconds to warm up. Errors are summed over every round.

    A side is a server on one engine; they take turns, so that what else the machine does falls on all of them, and each round begins
    with another.
    """
    warm_ups = {side.engine: drive(side, scenario, "warm-up", options, seconds=2) for side in sides}
    rounds = {side.engine: [] for side in sides}
    for number in range(options.rounds):
        first = number % len(sides)
        for side in sides[first:] + sides[:first]:
            side.settle()
            rounds[side.engine].append(drive(side, scenario, str(number), options, options.duration))
    return {side.engine: summary(side, warm_ups[side.engine], rounds[side.engine]) for side in sides}


def summary(side, warm_up, rounds):
    result = {name: median(one[name] for one in rounds) for name in rounds[0] if name not in ERRORS}
    result["errors"] = {name: total for name in ERRORS if (total := sum(one[name] for one in [warm_up, *rounds]))}
    result["rss_bytes"] = side.server.resident_bytes()
    result["database_memory_bytes"] = side.database.memory_bytes() if side.database else None
    result["requests_per_second_of_each_round"] = [round(one["requests_per_second"]) for one in rounds]
    return result


def median(values):
    """None when the figure could not be had."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def drive(side, scenario, run, options, seconds):
    """One run of wrk."""
    before = cpu_seconds(side)
    raw = wrk(side, scenario, run, options, seconds)
    after = cpu_seconds(side)
    requests = max(raw["requests"], 1)
    used = [None if end is None else (end - start) * 1e6 / requests for start, end in zip(before, after)]
    return figures(raw) | {"server_cpu_us_per_request": used[0], "database_cpu_us_per_request": used[1]}


def cpu_seconds(side):
    """Of the server and of its database, where that has processes of its own on this machine."""
    return side.server.cpu_seconds(), side.database.cpu_seconds() if side.database else None


def wrk(side, scenario, run, options, seconds):
    command = [
        "wrk",
        f"--threads={min(options.threads, options.connections)}",
        f"--connections={options.connections}",
        f"--duration={seconds}s",
        "--timeout=10s",
        f"--script={SCRIPTS / scenario}.lua",
        side.server.base,
    ]
    process = subprocess.run(
        command,
        env={**os.environ, **side.environment, "BENCH_RUN": run, "BENCH_WRK": str(SCRIPTS)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    report = next((line for line in process.stdout.splitlines() if line.startswith("RESULT ")), None)
    if process.returncode != 0 or report is None:
        raise RuntimeError(f"wrk failed on {scenario} ({process.returncode}):\n{process.stdout}{process.stderr}")
    return json.loads(report.removeprefix("RESULT "))


def figures(raw):
    return {
        "requests_per_second": raw["requests"] / (raw["microseconds"] / 1e6),
        "p50_ms": raw["p50"] / 1000,
        "p90_ms": raw["p90"] / 1000,
        "p99_ms": raw["p99"] / 1000,
        "max_ms": raw["max"] / 1000,
        "bytes_per_response": raw["bytes"] / max(raw["requests"], 1),
        **{name: raw[name] for name in ERRORS},
    }
