"""Drives a server with wrk and measures what that costs the server."""

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


def measure(server, scenario, environment, options):
    """The medians over all rounds, after one round of two seconds to warm up. Errors are summed over every round."""
    warm_up = drive(server, scenario, {**environment, "BENCH_RUN": "warm-up"}, options, seconds=2)
    rounds = [
        drive(server, scenario, {**environment, "BENCH_RUN": str(number)}, options, options.duration) for number in range(options.rounds)
    ]
    result = {name: statistics.median(one[name] for one in rounds) for name in rounds[0] if name not in ERRORS}
    result["errors"] = {name: total for name in ERRORS if (total := sum(one[name] for one in [warm_up, *rounds]))}
    result["rss_bytes"] = server.resident_bytes()
    result["requests_per_second_of_each_round"] = [round(one["requests_per_second"]) for one in rounds]
    return result


def drive(server, scenario, environment, options, seconds):
    """One run of wrk."""
    before = server.cpu_seconds()
    command = [
        "wrk",
        f"--threads={min(options.threads, options.connections)}",
        f"--connections={options.connections}",
        f"--duration={seconds}s",
        "--timeout=10s",
        f"--script={SCRIPTS / scenario}.lua",
        server.base,
    ]
    run = subprocess.run(
        command,
        env={**os.environ, **environment, "BENCH_WRK": str(SCRIPTS)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    report = next((line for line in run.stdout.splitlines() if line.startswith("RESULT ")), None)
    if run.returncode != 0 or report is None:
        raise RuntimeError(f"wrk failed on {scenario} ({run.returncode}):\n{run.stdout}{run.stderr}")
    return figures(json.loads(report.removeprefix("RESULT ")), server.cpu_seconds() - before)


def figures(raw, cpu_seconds):
    requests = max(raw["requests"], 1)
    return {
        "requests_per_second": raw["requests"] / (raw["microseconds"] / 1e6),
        "p50_ms": raw["p50"] / 1000,
        "p90_ms": raw["p90"] / 1000,
        "p99_ms": raw["p99"] / 1000,
        "max_ms": raw["max"] / 1000,
        "bytes_per_response": raw["bytes"] / requests,
        "server_cpu_us_per_request": cpu_seconds * 1e6 / requests,
        **{name: raw[name] for name in ERRORS},
    }
