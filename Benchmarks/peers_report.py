"""What peers.py found, summed up in medians."""

import statistics

from report import show_heading

WORKLOADS = {
    "W3": "gin: one product by id, no token; martlet: GET /api/v1/bookmarks/{id} with its owner's token",
    "W4": "the caller's newest 20 bookmarks and how many there are, with a token",
    "W5": "save a bookmark, with a token",
}
# Name in the summary, name in a run, what it is divided by.
FIGURES = [
    ("requests_per_second", "rps", 1),
    ("p50_ms", "p50", 1000),
    ("p99_ms", "p99", 1000),
    ("server_cpu_us", "cpu_srv_us", 1),
    ("database_cpu_us", "cpu_pg_us", 1),
    ("cpu_us", "cpu_us", 1),
    ("rss_mib", "rss_peak", 1),
]
# Title, name in the summary, width, shape. "others" is the share of the machine that neither side, database nor wrk used, at the worst.
COLUMNS = [
    ("req/s", "requests_per_second", 8, ",.0f"),
    ("p50 ms", "p50_ms", 8, ".2f"),
    ("p99 ms", "p99_ms", 8, ".2f"),
    ("server µs", "server_cpu_us", 10, ".1f"),
    ("db µs", "database_cpu_us", 8, ".1f"),
    ("sum µs", "cpu_us", 8, ".1f"),
    ("MiB", "rss_mib", 6, ".0f"),
    ("errors", "errors", 7, "d"),
    ("others", "most_used_by_others", 7, ".0%"),
]


def summary(runs):
    """For each workload and number of connections: the medians of both sides, and of the ratios within each round."""
    found = []
    for workload, connections in dict.fromkeys((run["workload"], run["connections"]) for run in runs):
        sides = {}
        for run in runs:
            if (run["workload"], run["connections"]) == (workload, connections):
                sides.setdefault(run["side"], []).append(run | {"cpu_us": run["cpu_srv_us"] + run["cpu_pg_us"]})
        entry = {side: medians(of_side) for side, of_side in sides.items()}
        ratios = {"ratio_of_requests": ratio(sides, "martlet", "gin", "rps"), "ratio_of_cpu": ratio(sides, "gin", "martlet", "cpu_us")}
        found.append({"workload": workload, "connections": connections, "sides": entry, **ratios})
    return found


def medians(runs):
    figures = {name: statistics.median(run[key] for run in runs) / divisor for name, key, divisor in FIGURES}
    used_by_others = max(run["foreign"] for run in runs)
    return figures | {"errors": sum(run["errors"] for run in runs), "most_used_by_others": used_by_others}


def ratio(sides, above, below, name):
    """The median of the ratios within each round, so that the machine's mood cancels out."""
    below_by_round = {run["round"]: run[name] for run in sides[below]}
    return statistics.median(run[name] / max(below_by_round[run["round"]], 1e-9) for run in sides[above])


def progress(number, run):
    side = f"round {number} {run['workload']} c={run['connections']:<3} {run['side']:<8}"
    costs = f"CPU µs {run['cpu_srv_us']:.0f} + {run['cpu_pg_us']:.0f}, others {run['foreign']:.0%}, errors {run['errors']}"
    print(f"{side}{run['rps']:>9,.0f} req/s, p99 {run['p99'] / 1000:.2f} ms, {costs}", flush=True)


def show(found):
    show_heading(found)
    for entry in found["summary"]:
        print(f"\n{entry['workload']}, {entry['connections']} connections: {WORKLOADS[entry['workload']]}")
        print(" " * 11 + " ".join(f"{title:>{width}}" for title, _, width, _ in COLUMNS))
        for side, figures in entry["sides"].items():
            print(f"  {side:<8} " + " ".join(f"{figures[name]:>{width}{shape}}" for _, name, width, shape in COLUMNS))
        print(f"  requests/s, martlet to gin: {entry['ratio_of_requests']:.2f}; CPU sum, gin to martlet: {entry['ratio_of_cpu']:.2f}")
    for fault in found["faults"]:
        print(f"FAILED: {fault}")
