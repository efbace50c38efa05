"""Clients that keep a server busy and write down what they see."""

import json
import random
import statistics
import threading
import time
from dataclasses import dataclass

import rawhttp


@dataclass
class Seen:
    """One request; `status` 0 stands for an answer that did not come or was none."""

    request: str
    began: float
    ended: float
    status: int
    code: str = ""
    retry_after: str = ""
    body: object = None

    @property
    def seconds(self):
        return self.ended - self.began

    @property
    def is_success(self):
        return 200 <= self.status < 300

    @property
    def is_refusal(self):
        """503 as it should be: with a code, and when to come again."""
        return self.status == 503 and bool(self.code) and self.retry_after.isdigit()

    def __str__(self):
        return f"{self.request}: {self.status} {self.code} after {self.seconds:.2f} s"


class Caller:
    """One client with one kept-alive connection; not for several threads at once."""

    def __init__(self, port, token=None, timeout=rawhttp.PATIENCE):
        self.port, self.token, self.timeout = port, token, timeout
        self.connection = None

    def ask(self, method, path, body=None):
        began = time.monotonic()
        status, code, retry_after, data = 0, "", "", None
        try:
            if self.connection is None:
                self.connection = rawhttp.Connection("127.0.0.1", self.port, self.timeout)
            answer = self.connection.exchange(self.request(method, path, body))
            data = json.loads(answer.body) if answer.body else None
            status, retry_after = answer.status, answer.headers.get("retry-after", "")
            code = data.get("code", "") if isinstance(data, dict) else ""
            if not answer.keeps_open:
                self.hang_up()
        except (OSError, rawhttp.Died, rawhttp.Malformed, ValueError) as problem:
            code = f"{type(problem).__name__} {problem}"
            self.hang_up()
        return Seen(f"{method} {path.partition('?')[0]}", began, time.monotonic(), status, code, retry_after, data)

    def leave(self, method, path, body=None, *, after):
        """Asks, and is gone before the answer, unless it takes less than so many seconds."""
        connection = rawhttp.Connection("127.0.0.1", self.port, self.timeout)
        connection.send(self.request(method, path, body), then_half_close=False)
        time.sleep(after)
        connection.close()

    def request(self, method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(data)}"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        if data:
            lines.append("Content-Type: application/json")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + data

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Load:
    """`with Load(port, token) as load:` reads and writes in parallel and asks for the server's health."""

    def __init__(self, port, token, clients=32):
        self.port, self.token = port, token
        self.seen, self.live, self.ready = [], [], []
        self.acknowledged = {}
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(clients)]
        self.threads += [threading.Thread(target=self._watch, args=(path, seen)) for path, seen in self._health]

    @property
    def _health(self):
        return [("/health/live", self.live), ("/health/ready", self.ready)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def _work(self, number):
        caller, chance, latest = Caller(self.port, self.token), random.Random(number), None
        count = 0
        while not self.ended.is_set():
            count += 1
            if latest is None or chance.random() < 0.4:
                latest = self._write(caller, f"https://example.org/{number}/{count}") or latest
            elif chance.random() < 0.5:
                self._note(caller.ask("GET", f"/api/v1/bookmarks/{latest}"))
            elif chance.random() < 0.5:
                self._note(caller.ask("GET", "/api/v1/bookmarks?limit=5"))
            else:
                self._note(caller.ask("PATCH", f"/api/v1/bookmarks/{latest}", {"title": f"Changed {count}"}))
        caller.hang_up()

    def _write(self, caller, link):
        seen = self._note(caller.ask("POST", "/api/v1/bookmarks", {"url": link, "title": "Page"}))
        if seen.status != 201:
            return None
        self.acknowledged[seen.body["id"]] = link
        return seen.body["id"]

    def _note(self, seen):
        """Whoever is refused comes again a little later."""
        self.seen.append(seen)
        self.ended.wait(0.005 if seen.is_success else 0.05)
        return seen

    def _watch(self, path, into):
        caller = Caller(self.port)
        while not self.ended.wait(0.1):
            into.append(caller.ask("GET", path))
        caller.hang_up()

    def await_success(self, since, patience):
        """Seconds from `since` to the end of the first success that began after it; `None` when it does not come in time."""
        looked = 0
        while time.monotonic() < since + patience:
            while looked < len(self.seen):
                seen = self.seen[looked]
                looked += 1
                if seen.is_success and seen.began >= since:
                    return seen.ended - since
            time.sleep(0.01)
        return None

    def missing(self):
        """The acknowledged writes that are not there."""
        writes = list(self.acknowledged.items())

        def look(number):
            caller = Caller(self.port, self.token)
            lost = [key for key, link in writes[number::8] if not holds(caller, key, link)]
            caller.hang_up()
            return lost

        return [key for lost in together(8, look) for key in lost]


def holds(caller, identifier, link):
    seen = caller.ask("GET", f"/api/v1/bookmarks/{identifier}")
    return seen.status == 200 and seen.body["url"] == link


def together(count, work):
    """Runs `work(number)` on as many threads, begun at one moment; returns what each returned."""
    results, barrier = [None] * count, threading.Barrier(count)

    def run(number):
        barrier.wait()
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def within(seen, begin, end):
    """What lies wholly between two moments."""
    return [one for one in seen if begin <= one.began and one.ended <= end]


def longest(seen):
    return max((one.seconds for one in seen), default=0.0)


def median(seen):
    return statistics.median(one.seconds for one in seen) if seen else 0.0


def worst_gap(seen, begin, end):
    """The longest time between two moments without a success."""
    moments = sorted([begin, end, *(one.ended for one in seen if one.is_success and begin <= one.ended <= end)])
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))
