"""The peers' data in our schema, tokens for its users, and the map that tells their bench.py how to ask us for the same."""

import base64
import csv
import hashlib
import hmac
import json
import os
import pathlib
import random
import subprocess
import time
import uuid

from postgres import PSQL, environment

SCRIPT = pathlib.Path(__file__).resolve().parent / "peers.sql"
MARK = "x" * 46  # wrk/peers.lua puts a text of the same length there, another in each request
FOUND = 10_000  # bookmarks that W3 picks from, as many as the peers have products
REMEMBERED = 8192  # verified tokens that the server keeps


def load(binary, url, folder):
    """Migrates an empty database and fills it with the users and bookmarks of data/*.csv."""
    subprocess.run([binary, "migrate"], env={**os.environ, "DATABASE_URL": url}, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*PSQL, "-f", SCRIPT], env=environment(url), cwd=folder / "data", stdin=subprocess.DEVNULL, check=True)


class Tokens:
    """Access tokens as our server issues them. A user's is one and the same, unless `fresh`: then every call makes another."""

    def __init__(self, secret, fresh):
        self.secret, self.fresh, self.made = secret.encode(), fresh, {}

    def of(self, user):
        if self.fresh or user not in self.made:
            self.made[user] = self._mint(user)
        return self.made[user]

    def _mint(self, user):
        now = int(time.time())
        claims = {"sub": user, "iat": now, "exp": now + 86_400, "iss": "martlet", "aud": "martlet", "jti": str(uuid.uuid4())}
        parts = [{"alg": "HS256", "typ": "JWT"}, claims | {"scope": "bookmarks:read bookmarks:write"}]
        signed = b".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
        return (signed + b"." + encoded(hmac.digest(self.secret, signed, hashlib.sha256))).decode()


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def user(number):
    return f"00000000-0000-4000-8000-{number:012}"


def write_requests(folder, tokens):
    """The files that wrk reads. Users 1 to 500 list and 901 to 1000 save, as with the peers."""
    data = folder / "data"
    write_lines(data / "martlet_tokens_list.txt", tokens_of(range(1, 501), tokens))
    write_lines(data / "martlet_tokens_save.txt", tokens_of(range(901, 1001), tokens))

    with open(data / "bookmarks.csv", newline="") as file:
        chosen = random.Random(3).sample(list(csv.DictReader(file)), FOUND)
    write_lines(data / "martlet_ids_find.txt", [row["id"] for row in chosen])
    write_lines(data / "martlet_tokens_find.txt", [tokens.of(row["user_id"]) for row in chosen])

    bodies = [json.loads(line) for line in (data / "post_bodies.txt").read_text().splitlines()]
    write_lines(data / "new_bodies.txt", [json.dumps(with_new_link(body), separators=(",", ":")) for body in bodies])


def tokens_of(numbers, tokens):
    """One of each user; fresh ones in such a number that each is forgotten before it comes again."""
    times = 1 + REMEMBERED // len(numbers) if tokens.fresh else 1
    return [tokens.of(user(number)) for _ in range(times) for number in numbers]


def with_new_link(body):
    return body | {"url": f"https://example.org/articles/{MARK}/how-to-measure?ref=bench"}


def write_lines(path, lines):
    path.write_text("\n".join(lines) + "\n")


def write_map(folder, start):
    """What maps/README.md of the peers describes; good also for their bench.py: `--extra martlet=URL --map martlet=maps/martlet.json`."""
    authorization = {"Authorization": "Bearer {token}"}
    entries = {
        "start": start,
        "W0": {"path": "/health/live"},
        "W3": {
            "path": "/api/v1/bookmarks/{id}",
            "headers": authorization,
            "tokens": "data/martlet_tokens_find.txt",
            "ids": "data/martlet_ids_find.txt",
        },
        "W4": {"path": "/api/v1/bookmarks?limit=20", "tokens": "data/martlet_tokens_list.txt"},
        "W5": {"path": "/api/v1/bookmarks", "tokens": "data/martlet_tokens_save.txt", "bodies": "data/new_bodies.txt"},
    }
    (folder / "maps" / "martlet.json").write_text(json.dumps(entries, indent=1) + "\n")
    return entries
