"""What a run of bench.py found, as a table and as JSON."""

import datetime
import json
import os
import pathlib
import platform
import subprocess

import load

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENGINES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
# What stands in a column, where it is in a result, by what it is divided, and how it is printed.
COLUMNS = [
    ("req/s", "requests_per_second", 1, "8,.0f"),
    ("p50 ms", "p50_ms", 1, "7.2f"),
    ("p99 ms", "p99_ms", 1, "7.2f"),
    ("CPU µs", "server_cpu_us_per_request", 1, "7.1f"),
    ("MiB", "rss_bytes", 2**20, "5.0f"),
]
DATABASE_COLUMNS = [
    ("db µs", "database_cpu_us_per_request", 1, "7.1f"),
    ("db MiB", "database_memory_bytes", 2**20, "6.0f"),
]


def heading():
    return {"machine": machine(), "date": now(), "revision": revision()}


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "model": model, "memory_gib": round(memory / 2**30, 1), "system": platform.platform()}


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def revision():
    run = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return run.stdout.strip() or None


def errors(found):
    """What went wrong, by engine and scenario."""
    return {
        f"{engine} {scenario}": result["errors"]
        for engine, results in found["engines"].items()
        for scenario, result in results.get("scenarios", {}).items()
        if result["errors"]
    }


def show(found):
    show_heading(found)
    if found["options"]["only"]:
        show_requests(found)
    for engine, results in found["engines"].items():
        if "jobs" in results:
            show_jobs(engine, results["jobs"])
    for where, counts in errors(found).items():
        print(f"FAILED: {where}: {counts}")


def show_requests(found):
    for engine, results in found["engines"].items():
        show_engine(engine, results)
    columns = {engine: columns_of(engine) for engine in found["engines"]}
    print(" " * 31 + "".join(f" | {ENGINES[engine]:<{width(columns[engine])}}" for engine in columns))
    print(f"{'request':<31}" + "".join(f" | {titles(columns[engine])}" for engine in columns))
    for scenario in found["options"]["only"]:
        cells = [row(columns[engine], found["engines"][engine]["scenarios"][scenario]) for engine in columns]
        print(f"{load.SCENARIOS[scenario]:<31}" + "".join(f" | {cell}" for cell in cells))


def show_heading(found):
    hardware = found["machine"]
    print(
        f"\n{found['date']}, revision {found['revision'] or 'unknown'}, "
        f"{hardware['cores']} cores ({hardware['model']}), {hardware['memory_gib']} GiB"
    )


def show_engine(engine, results):
    start = results["start"]
    times = f"first 200 after {start['first_start_ms']:.0f} ms on an empty database, {start['restart_ms']:.0f} ms on a migrated one; "
    print(
        f"{ENGINES[engine]}: {times if start else ''}"
        f"idle memory {results['idle_rss_bytes'] / 2**20:.1f} MiB; import {results['imported_per_second']:,.0f} bookmarks/s"
    )


def show_jobs(engine, found):
    beside = found["beside_a_million"]
    print(f"{ENGINES[engine]}: {pace(found)}; {cpu(found, 'server', 'enqueue')} to enqueue one")
    print(f"    beside a million finished ones: {pace(beside)}")
    elsewhere = f", by another process {times(found, 'pick_up_elsewhere')}" if "pick_up_elsewhere_p50_ms" in found else ""
    print(f"    begun {times(found, 'pick_up')} after it was enqueued{elsewhere}")


def pace(found):
    return f"{found['jobs_per_second']:,.0f} empty jobs/s, {cpu(found, 'worker', 'job')} each"


def cpu(found, process, what):
    """Of the process, and of the database where that has its own."""
    own, database = found[f"{process}_cpu_us_per_{what}"], found[f"database_cpu_us_per_{what}"]
    return f"{own:.0f}" + ("" if database is None else f" + {database:.0f} of the database") + " µs of CPU"


def times(found, name):
    return f"{found[f'{name}_p50_ms']:.0f} ms (p99 {found[f'{name}_p99_ms']:.0f} ms)"


def columns_of(engine):
    return COLUMNS if engine == "sqlite" else COLUMNS + DATABASE_COLUMNS


def width(columns):
    return len(titles(columns))


def titles(columns):
    return " ".join(f"{title:>{cell_width(shape)}}" for title, _, _, shape in columns)


def row(columns, result):
    return " ".join(cell(result[name], divisor, shape) for _, name, divisor, shape in columns)


def cell(value, divisor, shape):
    return f"{'-':>{cell_width(shape)}}" if value is None else f"{value / divisor:{shape}}"


def cell_width(shape):
    return int(shape.split(",")[0].split(".")[0])


def save(found, path):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=2, default=str) + "\n")
    print(f"==> written to {path.relative_to(ROOT)}", flush=True)
