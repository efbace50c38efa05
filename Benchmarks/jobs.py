"""Measures jobs: what enqueuing one costs, how many empty ones a worker does in a second, and how soon an idle one begins.

The work is measured twice, in turns: on a table of its own, and beside a million finished jobs.
"""

import contextlib
import statistics
import time

from jobs_stage import Worker
from processes import ProcessTree
from server import Client, Server

FINISHED = 1_000_000
BATCH = 1_000
SINGLES = 200
PICK_UPS = 100
PICK_UP_SPACING = 0.06  # seconds
ENVIRONMENT = {"MARTLET_TEST_ROUTES": "true", "JOBS_IN_SERVER": "false", "DRAIN_DELAY": "10ms"}


def measure(name, engine, options, folder):
    """The medians of all rounds, for one engine."""
    with contextlib.ExitStack() as stack:
        empty = Place(engine, options, folder / f"jobs-{name}", stack)
        full = Place(engine, options, folder / f"jobs-{name}-full", stack)
        full.fill(FINISHED)
        rounds = {place: [] for place in (empty, full)}
        for number in range(options.rounds):
            for place in (empty, full) if number % 2 == 0 else (full, empty):
                rounds[place].append(place.enqueue_and_work(options.jobs))
        pick_up = empty.pick_up()
    result = medians(rounds[empty])
    beside = [one["jobs_per_second"] for one in rounds[full]]
    return result | pick_up | {
        "jobs_per_second_of_each_round": [round(one["jobs_per_second"]) for one in rounds[empty]],
        "beside_a_million": medians(rounds[full]) | {"jobs_per_second_of_each_round": [round(figure) for figure in beside]},
    }


def medians(rounds):
    return {key: None if rounds[0][key] is None else statistics.median(one[key] for one in rounds) for key in rounds[0]}


class Place:
    """A database, with a server that enqueues and runs nothing."""

    def __init__(self, engine, options, folder, stack):
        folder.mkdir()
        self.engine, self.binary, self.folder = engine, options.binary, folder
        self.url = stack.enter_context(engine.database(folder))
        self.server = stack.enter_context(Server(options.binary, folder, ENVIRONMENT | {"DATABASE_URL": self.url}))

    def value(self, query):
        return self.engine.value(query, self.url)

    def fill(self, count):
        """Jobs that were done in the past days, early enough to be kept for a while."""
        self.engine.run(FILL[self.engine.dialect].format(count=count), "ANALYZE job", url=self.url)

    def cpu_seconds(self, process):
        database = self.engine.processes
        return process.cpu_seconds(), database.cpu_seconds() if database else None

    def enqueue_and_work(self, jobs):
        self.engine.settle()
        return self.cost_of_enqueuing(jobs) | self.work()

    def cost_of_enqueuing(self, jobs):
        """CPU µs of one more job in a transaction: many, less what as many requests cost that enqueue one each."""
        single = self.cost(SINGLES, 1)
        batches = max(1, jobs // BATCH)
        many = self.cost(batches, BATCH)
        each = [None if one is None else (all - one * batches / SINGLES) * 1e6 / (batches * (BATCH - 1)) for one, all in zip(single, many)]
        return {"server_cpu_us_per_enqueue": each[0], "database_cpu_us_per_enqueue": each[1]}

    def cost(self, requests, jobs):
        client = Client(self.server.port, timeout=300)
        enqueue(client)
        before = self.cpu_seconds(self.server)
        for _ in range(requests):
            enqueue(client, jobs)
        return [None if end is None else end - start for start, end in zip(before, self.cpu_seconds(self.server))]

    def work(self):
        """All that is enqueued, by a worker that is started for it; the time is that from the first beginning to the last end."""
        first = self.value("SELECT CAST(id AS text) FROM job WHERE state = 'ready' ORDER BY id LIMIT 1")
        count = int(self.value("SELECT count(*) FROM job WHERE state = 'ready'"))
        with self.worker() as worker:
            before = self.cpu_seconds(worker)
            while self.has_jobs():
                time.sleep(0.2)
            used = [None if end is None else (end - start) * 1e6 / count for start, end in zip(before, self.cpu_seconds(worker))]
        span = self.engine.milliseconds("max(finished_at)", "min(started_at)")
        milliseconds = float(self.value(f"SELECT {span} FROM job WHERE id >= '{first}'"))
        return {"jobs_per_second": count / milliseconds * 1000, "worker_cpu_us_per_job": used[0], "database_cpu_us_per_job": used[1]}

    def has_jobs(self):
        """By the indexes that there are: to look through a million rows would cost the worker time."""
        orders = {"ready": "queue, priority", "running": "worker_id"}
        parts = [
            f"(SELECT count(*) FROM (SELECT 1 FROM job WHERE state = '{state}' ORDER BY {order} LIMIT 1) AS {state}_one)"
            for state, order in orders.items()
        ]
        return int(self.value("SELECT " + " + ".join(parts))) > 0

    @contextlib.contextmanager
    def worker(self):
        worker = Worker(str(self.binary), self.folder, "worker", self.server.environment).start()
        try:
            yield ProcessTree(worker.process.pid)
        finally:
            status, _ = worker.stop()
        if status != 0:
            raise RuntimeError(f"the worker ended with status {status}:\n{worker.log()}")

    def pick_up(self):
        """Milliseconds from enqueuing to beginning: by the server that enqueues, and by a worker beside it where the engine calls it."""
        found = {}
        with Server(self.binary, self.folder, ENVIRONMENT | {"DATABASE_URL": self.url, "JOBS_IN_SERVER": "true"}) as server:
            found |= percentiles("pick_up", self.waits(server))
        if self.engine.dialect == "postgres":
            with self.worker():
                found |= percentiles("pick_up_elsewhere", self.waits(self.server))
        return found

    def waits(self, server):
        client = Client(server.port)
        enqueue(client)  # so that both sides are awake, and connected to each other
        time.sleep(3)
        moment = self.value("SELECT max(created_at) FROM job")
        for _ in range(PICK_UPS):
            enqueue(client)
            time.sleep(PICK_UP_SPACING)
        time.sleep(3)
        rows = self.engine.column(
            f"SELECT {self.engine.milliseconds('started_at', 'created_at')} FROM job WHERE created_at > '{moment}'", self.url)
        if len(rows) != PICK_UPS:
            raise RuntimeError(f"{len(rows)} of {PICK_UPS} jobs were there to be picked up")
        return sorted(float(row) for row in rows)


def enqueue(client, count=1):
    client.must(204, "POST", "/test/jobs", {"count": count})


def percentiles(name, values):
    return {f"{name}_p50_ms": values[len(values) // 2], f"{name}_p99_ms": values[int(len(values) * 0.99) - 1]}


COLUMNS = "id, kind, queue, priority, turn_id, state, run_at, payload, attempt, max_attempts, token, created_at, started_at, finished_at"
PAYLOAD = """'{{"number":0,"milliseconds":0,"hasEffect":false}}'"""
NOBODY = "'00000000-0000-0000-0000-000000000000'"
# A job every 400 ms, up to a day ago. Their identifiers are of version 7: the time in milliseconds, then what tells them apart.
FILL = {
    "sqlite": f"""
        WITH RECURSIVE
            past (n, at) AS (
                SELECT 0, CAST(strftime('%s', 'now') AS INTEGER) * 1000 - 86400000 - {{count}} * 400
                UNION ALL SELECT n + 1, at + 400 FROM past WHERE n + 1 < {{count}}
            )
        INSERT INTO job ({COLUMNS})
        SELECT printf('%08x-%04x-7%03x-8%03x-%012x', at >> 16, at & 65535, n & 4095, n & 4095, n), 'test.errand', 'test', 10,
            {NOBODY}, 'done', at, {PAYLOAD}, 1, 1000, 1, at, at + 5, at + 10
        FROM past
        """,
    "postgres": f"""
        INSERT INTO job ({COLUMNS})
        SELECT (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n & 4095), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid, 'test.errand',
            'test', 10, {NOBODY}, 'done', at, {PAYLOAD}, 1, 1000, 1, at, at, at + interval '10 ms'
        FROM generate_series(0, {{count}} - 1) AS n,
            LATERAL (SELECT (extract(epoch FROM now()) * 1000)::bigint - 86400000 - ({{count}} - n)::bigint * 400 AS ms) AS moment,
            LATERAL (SELECT to_timestamp(ms / 1000.0) AS at) AS past
        """,
}
