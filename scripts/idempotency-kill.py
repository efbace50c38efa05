#!/usr/bin/env python3
"""Kills a server again and again while requests with keys are repeated, and checks that each happens once and has one answer.

    scripts/idempotency-kill.py [--binary .build/release/martlet] [--rounds 20] [--servers 1] [--seed 1] [--database-url postgresql://…]

All the time eight clients POST bookmarks, each with an Idempotency-Key, and send a request again until it is answered: to any of the servers,
and from two threads at once in one of four cases. At random moments a server gets SIGKILL and is started again. A link can be saved once: a
request that happened and whose answer was lost would be answered with 409 when it comes again. At the end every request is sent once more:
it must be answered as it was before. Without a URL the database is SQLite's. Of a PostgreSQL a new schema is used, which is dropped at the end.
"""

import argparse
import concurrent.futures
import http.client
import random
import sys
import tempfile
import threading
import time
import uuid

from durability import database
from server import ROOT, Client, Server

CLIENTS = 8
PATIENCE = 60.0  # seconds, for one request


def main():
    options = parse_options()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="martlet-idempotency-") as folder, database(options.database_url) as setting:
        first = Server(options.binary, folder, {"JWT_EXPIRE_MINUTES": "1440", **setting})
        with first:
            servers = [first] + [sibling(first) for _ in range(options.servers - 1)]
            try:
                return run(options, servers, chance)
            finally:
                for server in servers[1:]:
                    server.stop()


def run(options, servers, chance):
    token = Client(servers[0].port).register("writer")
    ended, faults, answers = threading.Event(), [], {}
    clients = [
        threading.Thread(target=post, args=(servers, token, str(number), random.Random(chance.random()), ended, answers, faults))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for _ in range(options.rounds):
        time.sleep(chance.uniform(0.05, 0.7))
        victim = chance.choice(servers)
        victim.kill()
        victim.start()
    ended.set()
    for client in clients:
        client.join()
    again = sum(1 for _, _, attempts in answers.values() if attempts > 1)
    faults += differences(servers[0], token, answers)
    figure = f"{options.rounds} kills, {len(answers)} requests, {again} of them sent more than once, {len(faults)} faults (seed {options.seed})"
    print("\n".join(faults[:10] + [f"idempotency-kill: {figure}"]))
    return 1 if faults or not again else 0


def parse_options():
    parser = argparse.ArgumentParser(description="Checks that requests with a key happen once, whatever dies meanwhile.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", help="a PostgreSQL; default: SQLite in a folder that is removed")
    return parser.parse_args()


def sibling(server):
    """Another server on the same database, which knows the same secrets."""
    other = Server(server.binary, server.folder, server.environment)
    other.environment["PORT"] = str(other.port)
    other.start()
    return other


def post(servers, token, name, chance, ended, answers, faults):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for count in range(1_000_000):
            if ended.is_set() or faults:
                return
            link, key = f"https://example.org/{name}/{count}", str(uuid.UUID(int=chance.getrandbits(128)))
            seeds = [chance.random() for _ in range(chance.choice([1, 1, 1, 2]))]
            calls = [pool.submit(repeat, servers, token, link, key, random.Random(seed)) for seed in seeds]
            results = [call.result() for call in calls]
            if any(status != 201 or answer != results[0][1] for status, answer, _ in results):
                faults.append(f"{link}: {[result[:2] for result in results]}")
                return
            answers[key] = (link, results[0][1], sum(attempts for _, _, attempts in results))


def repeat(servers, token, link, key, chance):
    """Sends a request until it is answered. Returns the status, the answer and how often it was sent."""
    end, attempts = time.monotonic() + PATIENCE, 0
    while time.monotonic() < end:
        attempts += 1
        try:
            status, answer = send(chance.choice(servers), token, link, key)
        except (OSError, http.client.HTTPException, ValueError):
            time.sleep(chance.uniform(0.005, 0.05))
            continue
        if status < 500 and (answer or {}).get("code") != "idempotency_key_in_use":
            return status, answer, attempts
        time.sleep(chance.uniform(0.005, 0.05))
    return None, "never answered", attempts


def send(server, token, link, key):
    client = Client(server.port, token)
    try:
        return client.send("POST", "/api/v1/bookmarks", {"url": link, "title": f"Page {link}"}, {"Idempotency-Key": key})
    finally:
        client.connection.close()


def differences(server, token, answers):
    """What is told otherwise than before, and what there is too much of."""
    client, faults = Client(server.port, token), []
    for key, (link, answer, _) in answers.items():
        status, again = client.send("POST", "/api/v1/bookmarks", {"url": link, "title": f"Page {link}"}, {"Idempotency-Key": key})
        if (status, again) != (201, answer):
            faults.append(f"{link} was answered with {answer}, and then with {status} {again}")
    total = client.must(200, "GET", "/api/v1/bookmarks?limit=1")["total"]
    if total != len(answers):
        faults.append(f"there are {total} bookmarks after {len(answers)} requests")
    return faults


if __name__ == "__main__":
    sys.exit(main())
