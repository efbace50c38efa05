#!/usr/bin/env python3
"""Pauses workers in the middle of jobs, and stops them while they are busy.

    scripts/jobs-pause.py [--binary .build/release/martlet] [--pauses 10] [--seed 1] [--database-url postgresql://…]

A worker gets SIGSTOP for longer than its lease, and SIGCONT while another one does its job: it writes nothing of its own, says that its
lease is lost, and works on. Then workers are paused at random moments of many short jobs, and lose jobs without noticing. Last, a worker
and a server get SIGTERM while they have long jobs: they end with status 0, and give the jobs back as if they had not begun them. Each
promise is one line with its figure; exit status 1 when one is broken.
"""

import argparse
import random
import signal
import sys
import time

from jobs_stage import LEASE, Board, Report, await_that, enqueue, stage
from server import ROOT

LOST = "The worker's lease is lost"
TOLERANCE = 1.0  # seconds: for looks from outside, and a busy machine
SHORT_JOBS = 600
LONG_JOBS = 20
TAKEN_AWAY = 2_000_000  # the first number of theirs


def main():
    options = parse_options()
    with stage(options.binary, options.database_url, random.Random(options.seed)) as staged:
        report = Report("jobs-pause", staged.database.engine)
        board = Board(staged.database)
        with report.to_the_end(), staged.server() as server:
            board.make_effects()
            one, other = pause_one(staged, server.port, board, report)
            pause_often(options.pauses, (one, other), staged.chance, server.port, board, report)
            stop_idle((one, other), report)
            if staged.database.engine == "PostgreSQL":
                hold_row(staged, server.port, board, report)
            take_away(staged, server.port, board, report)
            stop_worker(staged, server.port, board, report)
            stop_server(staged, server.port, board, report)
        report.promise("no worker trapped", staged.traps() == 0, f"{staged.traps()} in the logs")
        return report.status()


def parse_options():
    parser = argparse.ArgumentParser(description="Pauses workers, and stops them while they are busy.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    parser.add_argument("--pauses", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", help="a PostgreSQL; default: SQLite in a folder that is removed")
    return parser.parse_args()


def pause_one(staged, port, board, report):
    """The job ends, for the paused worker, before it is continued and while the other one still has it: a stale commit is tried."""
    job_seconds = 1.5 * LEASE
    one = staged.worker().await_words("runs jobs")
    enqueue(port, 1, first=-1, milliseconds=int(job_seconds * 1000))
    await_that(lambda: board.count("state = 'running'") == 1, "the job begins")
    began = time.monotonic()
    one.signal(signal.SIGSTOP)
    other = staged.worker().await_words("runs jobs")
    await_that(lambda: board.count("state = 'running' AND attempt = 2") == 1, "the other worker takes the job over")
    seconds = time.monotonic() - began
    report.promise("a paused worker's job is taken over within two leases", seconds <= 2 * LEASE + TOLERANCE, f"{seconds:.1f} s")
    time.sleep(max(0.0, began + job_seconds + 0.2 - time.monotonic()))
    is_at_it = board.count("state = 'running' AND attempt = 2") == 1
    one.signal(signal.SIGCONT)
    await_that(lambda: board.unfinished() == 0, "the other worker does the job")
    judge_return(one, other, is_at_it, port, board, report)
    return one, other


def judge_return(one, other, is_at_it, port, board, report):
    await_that(lambda: LOST in one.log(), "the first worker notices that it lost its lease")
    report.promise("it says that its lease is lost", True)
    effects = board.effects()
    report.promise("the effect is there once", effects == {-1: 1}, f"{effects.get(-1, 0)} times" + ("" if is_at_it else ", not contended"))
    other.signal(signal.SIGSTOP)
    enqueue(port, 1, first=-2)
    seconds = await_that(lambda: board.unfinished() == 0, "the first worker does another job")
    other.signal(signal.SIGCONT)
    report.promise("the first worker works on", board.effects() == {-1: 1, -2: 1}, f"another job within {seconds:.1f} s")


def pause_often(pauses, workers, chance, port, board, report):
    """Either worker, at any moment: in the middle of a commit too, which may hold up the other one until the pause ends."""
    before = board.count("attempt > 1")
    jobs = SHORT_JOBS * pauses
    for number in range(pauses):
        enqueue(port, SHORT_JOBS, first=number * SHORT_JOBS, milliseconds=chance.randint(1, 50))
        await_that(lambda: board.count("state = 'running'") > 0 or board.unfinished() == 0, "a job begins")
        time.sleep(chance.uniform(0, 0.1))
        victim = chance.choice(workers)
        victim.signal(signal.SIGSTOP)
        time.sleep(LEASE * chance.uniform(1.1, 1.6))
        victim.signal(signal.SIGCONT)
    await_that(lambda: board.unfinished() == 0, "every job is done", 60)
    effects = {number: count for number, count in board.effects().items() if number >= 0}
    twice = sum(1 for count in effects.values() if count > 1)
    again = board.count("attempt > 1") - before
    figure = f"{jobs - len(effects)} missing, {twice} more than once, {again} begun again"
    report.promise(f"every effect exactly once through {pauses} pauses", set(effects) == set(range(jobs)) and twice == 0, figure)


def hold_row(staged, port, board, report):
    """A worker that is paused in the middle of noting has the job's row; here psql has it. SQLite knows only all or nothing."""
    doomed = staged.worker()
    enqueue(port, 1, first=-3, milliseconds=int(LEASE * 1000))
    await_that(lambda: board.count("state = 'running'") == 1, "the job begins")
    with staged.database.holding("SELECT 1 FROM job WHERE state = 'running'"):
        doomed.kill()
        survivor = staged.worker()
        await_that(lambda: board.orphans(0) == 1, "the worker's lease ends")
        time.sleep(LEASE / 2)
        enqueue(port, 1, first=-4)
        seconds = await_that(lambda: -4 in board.effects(), "another job is done")
        report.promise("a job that cannot be taken back holds up no other", seconds <= 1, f"another one within {seconds:.1f} s")
    await_that(lambda: board.unfinished() == 0, "it is done, too")
    report.promise("it is taken back later", board.effects().get(-3) == 1)
    survivor.stop()


def stop_idle(workers, report):
    for worker in workers:
        status, _ = worker.stop()
        report.promise("an idle worker ends when told to", status == 0, f"status {status}")


def take_away(staged, port, board, report):
    """The lease is ended in the database. It lasts so long that the worker does not notice before it commits."""
    one = staged.worker(JOBS_LEASE="60s")
    enqueue(port, LONG_JOBS, first=TAKEN_AWAY, milliseconds=2_000)
    await_that(lambda: board.count("state = 'running'") == LONG_JOBS, "the jobs begin")
    board.end_leases()
    other = staged.worker(JOBS_LEASE="60s")
    await_that(lambda: board.count("state = 'running' AND attempt = 2") == LONG_JOBS, "the other worker takes the jobs over")
    time.sleep(2.5)  # were the first worker's work kept, the jobs would be done before the other one's has come to its end
    await_that(lambda: board.unfinished() == 0, "the other worker does the jobs")
    effects = {number: count for number, count in board.effects().items() if number >= TAKEN_AWAY}
    twice = sum(1 for count in effects.values() if count > 1)
    report.promise("what a worker does without its lease is not kept", len(effects) == LONG_JOBS and twice == 0, f"{twice} twice")
    stop_idle((one, other), report)


def stop_worker(staged, port, board, report):
    worker = staged.worker()
    begin_long_jobs(port, board)
    status, seconds = worker.stop()
    judge_stop("a busy worker", status, seconds, board, report)


def stop_server(staged, port, board, report):
    """The jobs that the worker gave back are the server's now."""
    with staged.server(JOBS_IN_SERVER="true") as server:
        await_that(lambda: board.count("state = 'running'") == LONG_JOBS, "the server begins the jobs")
        began = time.monotonic()
        status = server.stop()
        judge_stop("a busy server", status, time.monotonic() - began, board, report)


def begin_long_jobs(port, board):
    enqueue(port, LONG_JOBS, first=1_000_000, milliseconds=600_000)
    await_that(lambda: board.count("state = 'running'") == LONG_JOBS, "the long jobs begin")


def judge_stop(who, status, seconds, board, report):
    report.promise(f"{who} ends when told to", status == 0, f"status {status} after {seconds:.1f} s")
    returned = board.count("kind = 'test.errand' AND state = 'ready' AND attempt = 0 AND worker_id IS NULL")
    left = board.count("kind = 'test.errand' AND finished_at IS NULL")
    report.promise(f"{who} gives its jobs back, uncounted", returned == left == LONG_JOBS, f"{returned} of {left}")
    report.promise(f"{who} leaves no lease", board.leases() == 0, f"{board.leases()} left")


if __name__ == "__main__":
    sys.exit(main())
