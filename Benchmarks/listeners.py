#!/usr/bin/env python3
"""Measures what following a job costs: memory of the server for each listener, and how soon an event reaches all of them.

    python3 Benchmarks/listeners.py [--listeners 500] [--links 6000] [--engines sqlite,postgres]

Every listener follows the same import by server-sent events, over a connection of its own. Memory is the server's resident size with and
without them, while nothing happens; beside it stands what connections cost that are open and ask for nothing. The delay of an event is
the time from the row of the outbox, by its own clock, to the last listener's receipt; the listeners share the machine. Exit status 1
when a listener misses the end of the job.
"""

import argparse
import asyncio
import contextlib
import json
import pathlib
import sqlite3
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import postgres
from server import Client, Server


def main():
    options = parse_options()
    complete = True
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="martlet-listeners-")))
        folder.chmod(0o711)
        for engine in options.engines.split(","):
            url = database(engine, folder, stack)
            kept = memory(engine, folder, url, options)
            heard = delays(engine, folder, url, options)
            complete = complete and heard["complete"]
            print(json.dumps({"engine": engine, "listeners": options.listeners} | kept | heard))
    return 0 if complete else 1


def parse_options():
    parser = argparse.ArgumentParser(description="Measures what following a job costs.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--listeners", type=int, default=500)
    parser.add_argument("--links", type=int, default=6_000)
    parser.add_argument("--engines", default="sqlite")
    return parser.parse_args()


def database(engine, folder, stack):
    if engine == "sqlite":
        return None
    server = stack.enter_context(postgres.server(folder))
    return stack.enter_context(server.database(folder))


def environment(url, **more):
    return {**({"DATABASE_URL": url} if url else {}), "MAX_CONNECTIONS": "20000", **more}


# Memory


def memory(engine, folder, url, options):
    place = folder / f"{engine}-memory"
    place.mkdir()
    with Server(options.binary, place, environment(url, JOBS_IN_SERVER="false")) as server:
        client = Client(server.port)
        client.register("ada")
        job = enqueue(client, 1_001, "m")
        follow_and_leave(server, client.token, job, 20)
        before = server.resident_bytes()
        following = asyncio.run(resident_while(server, options.listeners, stream_request(client.token, job)))
        time.sleep(1)
        between = server.resident_bytes()
        idle = asyncio.run(resident_while(server, options.listeners, b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"))
        return {
            "kib_per_listener": round((following - before) / options.listeners / 1024, 1),
            "kib_per_idle_connection_afterwards": round((idle - between) / options.listeners / 1024, 1),
        }


def follow_and_leave(server, token, job, count):
    """What is made once is not counted."""
    asyncio.run(resident_while(server, count, stream_request(token, job)))


async def resident_while(server, count, request):
    connections = []
    for _ in range(count):  # one after another, so that what many answers at once take is not counted
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request)
        await reader.read(100)
        connections.append((reader, writer))
    await asyncio.sleep(1)
    resident = server.resident_bytes()
    for _, writer in connections:
        writer.close()
    return resident


# Delays


def delays(engine, folder, url, options):
    place = folder / f"{engine}-delays"
    place.mkdir()
    with Server(options.binary, place, environment(url)) as server:
        client = Client(server.port, timeout=120)
        client.register("grace")
        job = enqueue(client, options.links, "d")
        heard = asyncio.run(listen_to(server.port, stream_request(client.token, job), options.listeners))
        state = client.must(200, "GET", f"/api/v1/jobs/{job}")["state"]
        written = moments(place, url)
    late = [
        max(times) - written[name]
        for name, times in heard["times"].items()
        if len(times) == options.listeners and written.get(name, 0) > heard["all_there"]
    ]
    return {
        "complete": heard["ends"] == options.listeners and state == "done",
        "events_that_all_heard": len(late),
        "ms_until_all_heard_median": round(statistics.median(late) * 1000, 1) if late else None,
        "ms_until_all_heard_max": round(max(late) * 1000, 1) if late else None,
    }


def moments(folder, url):
    """When each entry of the outbox was written, in seconds since 1970, by its position."""
    if url:
        text = postgres.Postgres(url).value("SELECT json_object_agg(position, extract(epoch FROM created_at)) FROM outbox")
        return {name: float(moment) for name, moment in json.loads(text).items()}
    with contextlib.closing(sqlite3.connect(folder / "martlet.db")) as database:
        return {str(position): moment / 1000 for position, moment in database.execute("SELECT position, created_at FROM outbox")}


async def listen_to(port, request, count):
    heard = {"times": {}, "ends": 0, "all_there": 0.0}
    await asyncio.gather(*(listener(port, request, heard) for _ in range(count)))
    return heard


async def listener(port, request, heard):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await reader.readline()
    heard["all_there"] = max(heard["all_there"], time.time())
    while line := await reader.readline():
        if line.startswith(b"id: "):
            place, _, end = line[4:].decode().strip().partition(".")
            heard["times"].setdefault(place, []).append(time.time())
            heard["ends"] += end == "end"
    writer.close()


# Requests


def stream_request(token, job):
    return (
        f"GET /api/v1/jobs/{job}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n"
    ).encode()


def enqueue(client, links, name):
    rows = [{"url": f"https://{name}.example/{number}", "title": f"Link {number}"} for number in range(links)]
    return client.must(202, "POST", "/api/v1/bookmarks/import", rows)["job"]["id"]


if __name__ == "__main__":
    sys.exit(main())
