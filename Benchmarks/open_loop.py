"""Sends requests over kept-alive connections: open loop, at moments fixed beforehand, whatever the answers are; or closed loop."""

import asyncio
import collections
import random
import re
import time

LENGTH = re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nConnection: close", re.IGNORECASE)


class Results:
    """What became of the requests: (moment it was due, seconds from then to the answer, status); the status of a lost one is 0."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.answers = []
        self.late = []

    def latencies(self, status=None):
        return sorted(latency for _, latency, code in self.answers if (200 <= code < 300 if status is None else code == status))

    def p99(self):
        return percentile(self.latencies(), 0.99)

    def served(self, within=float("inf")):
        return sum(1 for latency in self.latencies() if latency <= within) / self.seconds

    def counts(self):
        return dict(sorted(collections.Counter(code for _, _, code in self.answers).items()))

    def generator_late(self):
        """How late requests were sent: where this is not small, the figures are the generator's and not the server's."""
        return percentile(sorted(self.late), 0.99)


def percentile(values, part):
    return values[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def open_loop(port, make_request, rate, seconds, seed=1, lines=512, patience=10.0):
    """`rate` requests per second, at random moments (Poisson). Latency counts from the moment a request was due."""
    return asyncio.run(_open(port, make_request, rate, seconds, random.Random(seed), lines, patience))


def closed_loop(port, make_request, seconds, seed=1, lines=16):
    """Each line sends its next request when it has its answer."""
    return asyncio.run(_closed(port, make_request, seconds, random.Random(seed), lines))


async def _open(port, make_request, rate, seconds, dice, lines, patience):
    results = Results(seconds)
    pool = Pool(port, results, lines)
    await pool.open(min(lines, 64))
    start = time.perf_counter()
    due = start
    while due < start + seconds:
        now = time.perf_counter()
        while due <= now and due < start + seconds:
            results.late.append(now - due)
            pool.send(make_request(dice), due)
            due += dice.expovariate(rate)
        await asyncio.sleep(max(0.0, min(due - time.perf_counter(), 0.05)))
    end = time.perf_counter() + patience
    while pool.open_requests and time.perf_counter() < end:
        await asyncio.sleep(0.01)
    pool.close()
    return results


async def _closed(port, make_request, seconds, dice, lines):
    results = Results(seconds)
    pool = Pool(port, results, lines)
    await pool.open(lines)
    start = time.perf_counter()
    pool.when_answered = lambda: time.perf_counter() < start + seconds and pool.send(make_request(dice), time.perf_counter())
    for _ in range(lines):
        pool.send(make_request(dice), time.perf_counter())
    await asyncio.sleep(seconds)
    pool.when_answered = None
    pool.close()
    return results


class Pool:
    """Connections that carry one request at a time; more are opened while all are busy, and what is beyond that waits."""

    def __init__(self, port, results, most):
        self.port, self.results, self.most = port, results, most
        self.idle, self.lines, self.waiting = [], set(), collections.deque()
        self.opening = 0
        self.open_requests = 0
        self.when_answered = None
        self.is_closed = False

    async def open(self, count):
        await asyncio.gather(*(self._open() for _ in range(count)))

    async def _open(self):
        self.opening += 1
        try:
            await asyncio.get_running_loop().create_connection(lambda: Line(self), "127.0.0.1", self.port)
        except OSError:
            pass
        finally:
            self.opening -= 1

    def send(self, request, due):
        self.open_requests += 1
        self.waiting.append((request, due))
        self.serve()

    def serve(self):
        while self.waiting and self.idle:
            self.idle.pop().send(*self.waiting.popleft())
        if len(self.waiting) > self.opening and len(self.lines) + self.opening < self.most and not self.is_closed:
            asyncio.ensure_future(self._open())

    def note(self, due, status):
        if self.is_closed:
            return
        self.open_requests -= 1
        self.results.answers.append((due, time.perf_counter() - due, status))
        if self.when_answered:
            self.when_answered()

    def close(self):
        """What has no answer yet is lost."""
        for line in list(self.lines):
            if line.due is not None:
                self.results.answers.append((line.due, time.perf_counter() - line.due, 0))
        for _, due in self.waiting:
            self.results.answers.append((due, time.perf_counter() - due, 0))
        self.is_closed = True
        for line in list(self.lines):
            line.transport.abort()


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, pool):
        self.pool = pool
        self.due = None
        self.received = b""

    def connection_made(self, transport):
        self.transport = transport
        self.pool.lines.add(self)
        self.pool.idle.append(self)
        self.pool.serve()

    def send(self, request, due):
        self.due = due
        self.transport.write(request)

    def data_received(self, data):
        self.received += data
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self.received, 0, end + 2)
        if len(self.received) < end + 4 + (int(length[1]) if length else 0):
            return
        status, closes = int(self.received[9:12]), CLOSES.search(self.received, 0, end + 2)
        self.received = b""
        due, self.due = self.due, None
        if closes:
            self.transport.close()
        else:
            self.pool.idle.append(self)
        if due is not None:
            self.pool.note(due, status)
        self.pool.serve()

    def connection_lost(self, _):
        self.pool.lines.discard(self)
        if self in self.pool.idle:
            self.pool.idle.remove(self)
        if self.due is not None and not self.pool.is_closed:
            self.pool.note(self.due, 0)
