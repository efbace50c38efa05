#!/usr/bin/env python3
"""Kills workers again and again while jobs come in, and checks that every job is done and has its effect once.

    scripts/jobs-kill.py [--jobs 10000] [--kills 50] [--workers 3] [--seed 1] [--database-url postgresql://…] [--binary …]

Several `martlet work` share one database: a file of SQLite, or a new schema of the PostgreSQL at the URL. Jobs that take 0 to 30 ms and
write their number in their own transaction are enqueued all the time, by a server that runs none itself and is never killed, since what it
acknowledges is durability.py's subject. At random moments, most of them while jobs run, one worker or all of them get SIGKILL and are
started again at once. Each promise is one line with its figure; exit status 1 when one is broken.
"""

import argparse
import random
import sys
import threading
import time

from jobs_stage import LEASE, Board, Report, enqueue, stage
from server import ROOT

BATCH = 20
LONGEST_JOB = 30  # milliseconds
TOLERANCE = 1.0  # seconds: for looks from outside, and a busy machine
PAUSES = (0.05, 0.75)  # seconds between kills


def main():
    options = parse_options()
    with stage(options.binary, options.database_url, random.Random(options.seed)) as staged:
        report = Report("jobs-kill", staged.database.engine)
        board = Board(staged.database)
        with report.to_the_end(), staged.server() as server:
            board.make_effects()
            workers = [staged.worker().await_words("runs jobs") for _ in range(options.workers)]
            run(options, staged, server, workers, board, report)
        return report.status()


def parse_options():
    parser = argparse.ArgumentParser(description="Checks that jobs survive SIGKILL of workers.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", help="a PostgreSQL; default: SQLite in a folder that is removed")
    return parser.parse_args()


def run(options, staged, server, workers, board, report):
    began = time.monotonic()
    with Watch(board) as watch:
        with Feeder(server.port, options, random.Random(staged.chance.random())) as feeder:
            met = kill_some(workers, options.kills, staged.chance, board)
            feeder.hurry.set()
        calm, backlog = time.monotonic(), board.unfinished()
        rate = max(1.0, (options.jobs - backlog) / (calm - began))
        limit = 2 * LEASE + backlog / rate + TOLERANCE
        seconds = await_end(board, calm, limit)
    figure = f"{options.kills} kills among {options.workers} workers, {rate:.0f} jobs a second meanwhile (seed {options.seed})"
    print(f"jobs-kill: {report.engine}: {figure}")
    judge_pace(report, seconds, limit, backlog, watch)
    judge_jobs(report, board, options.jobs, met)
    report.promise("no worker trapped", staged.traps() == 0, f"{staged.traps()} in the logs")


def kill_some(workers, kills, chance, board):
    """Returns how many jobs ran, all told, at the moments before the kills."""
    met = 0
    while kills > 0:
        met += await_moment(chance, board)
        victims = chance.sample(workers, min(kills, chance.choice([1, 1, len(workers)])))
        for worker in victims:
            worker.kill()
        for worker in victims:
            worker.start()
        kills -= len(victims)
    return met


def await_moment(chance, board):
    """A random one; in three of four cases soon after jobs were seen to run. Returns how many did."""
    time.sleep(chance.uniform(*PAUSES))
    if chance.random() < 0.25:
        return 0
    end = time.monotonic() + LEASE
    while not (running := board.count("state = 'running'")) and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(chance.uniform(0, LONGEST_JOB / 1000))
    return running


def await_end(board, since, limit):
    """Seconds from a moment until every job is done; None when they are not soon enough, nor a while later."""
    while board.unfinished() > 0:
        if time.monotonic() > since + limit + 30:
            return None
        time.sleep(0.05)
    return time.monotonic() - since


def judge_pace(report, seconds, limit, backlog, watch):
    holds = seconds is not None and seconds <= limit
    figure = f"{'never' if seconds is None else f'{seconds:.1f} s'} of at most {limit:.1f} s, with {backlog} left to do then"
    report.promise("done two leases after the last kill and job, and the work itself", holds, figure)
    figure = f"{watch.most} such jobs in {watch.looks} looks" + (f"; {watch.failure}" if watch.failure else "")
    holds = watch.most == 0 and watch.looks > 10 and not watch.failure
    report.promise("none runs longer than a lease after its worker's ended", holds, figure)


def judge_jobs(report, board, jobs, met):
    states = board.states()
    figure = ", ".join(f"{count} {state}" for state, count in states.items())
    report.promise("0 lost, every job is done", states == {"done": jobs}, figure)
    effects = board.effects()
    missing, twice = jobs - len(effects), sum(1 for count in effects.values() if count > 1)
    holds = missing == 0 and twice == 0 and set(effects) == set(range(jobs))
    report.promise("every effect exactly once", holds, f"{missing} missing, {twice} more than once")
    again = board.count("attempt > 1")
    report.promise("the kills met running jobs", again > 0, f"{again} jobs begun again; {met} were seen running just before kills")


class Feeder:
    """Enqueues all jobs in small batches, over about the time that the kills take."""

    def __init__(self, port, options, chance):
        self.port, self.jobs, self.chance = port, options.jobs, chance
        batches = max(1, options.jobs // BATCH)
        self.longest_pause = 2 * options.kills * sum(PAUSES) / 2 / batches
        self.failure, self.hurry = None, threading.Event()
        self.thread = threading.Thread(target=self._feed)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        """Returns when all are enqueued; once hurried, it makes no more pauses."""
        self.thread.join()
        if self.failure:
            raise RuntimeError(f"enqueuing failed: {self.failure}")

    def _feed(self):
        try:
            for first in range(0, self.jobs, BATCH):
                enqueue(self.port, min(BATCH, self.jobs - first), first, self.chance.randint(0, LONGEST_JOB))
                self.hurry.wait(self.chance.uniform(0, self.longest_pause))
        except Exception as failure:
            self.failure = failure


class Watch:
    """Looks again and again for jobs that nobody takes back."""

    def __init__(self, board):
        self.board, self.most, self.looks, self.failure = board, 0, 0, None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _look(self):
        try:
            while not self.ended.wait(0.1):
                self.most = max(self.most, self.board.orphans(LEASE * 1000))
                self.looks += 1
        except Exception as failure:
            self.failure = failure


if __name__ == "__main__":
    sys.exit(main())
