"""Scenarios of outage.py in which PostgreSQL, or the way to it, is lost under load."""

import os
import signal
import time

from outage_load import Caller, longest, median, together, within, worst_gap
from outage_postgres import signal_if_there
from outage_proxy import Proxy
from outage_stage import TIMEOUT, TOLERANCE, judge_recovery, loaded, serving

WARM_UP = 1.0  # seconds of undisturbed load
PATIENCE = 2.0  # seconds until the server gives up a connection that does not obey a cancellation


def restart(scene):
    """PostgreSQL crashes, is away for a while, and comes back."""
    with serving(scene) as (server, token), loaded(scene, server, token) as load:
        time.sleep(WARM_UP)
        scene.postgres.crash()
        gone = time.monotonic()
        time.sleep(2.5)
        back = time.monotonic()
        _, accepted = together(2, lambda number: scene.postgres.await_answers() if number else scene.postgres.start())
        judge_recovery(scene, "after PostgreSQL accepts connections again", load.await_success(accepted, 15))
        time.sleep(WARM_UP)
    away = within(load.seen, gone, back)
    refused = [seen for seen in away if seen.is_refusal]
    scene.promise("every answer while it is away is a proper 503", refused == away != [], f"{len(refused)} of {len(away)}")
    figure = f"median {median(away) * 1000:.1f} ms, longest {longest(away):.2f} s"
    scene.promise("answered at once while it is away", median(away) < 0.1, figure)
    ready = within(load.ready, gone + 0.3, back)
    scene.promise("not ready while it is away", {seen.status for seen in ready} == {503}, f"{len(ready)} asked")
    scene.promise("ready afterwards", load.ready[-1].status == 200)


def freeze(scene):
    """Every process of PostgreSQL stands still: connections stay open, and nothing answers."""
    with serving(scene) as (server, token), loaded(scene, server, token) as load:
        time.sleep(WARM_UP)
        scene.postgres.freeze()
        time.sleep(7)
        scene.postgres.thaw()
        judge_recovery(scene, "after it goes on", load.await_success(time.monotonic(), 15))
        time.sleep(WARM_UP)


def bad_network(scene):
    """The network is slow, then drips, then is cut in the midst of answers, then swallows everything."""
    with Proxy(scene.postgres.port) as proxy:
        with serving(scene, {"DATABASE_CONNECT_TIMEOUT": "2s"}, through=proxy.port) as (server, token):
            with loaded(scene, server, token) as load:
                time.sleep(WARM_UP)
                for trouble in (slow, drip, cut, black_hole):
                    trouble(scene, proxy, load)
                    proxy.behave()
                    recovery = load.await_success(time.monotonic(), 15)
                    judge_recovery(scene, f"after the network {trouble.__doc__}", recovery)
                    time.sleep(WARM_UP / 2)
            judge_cancellations(scene, server)


def slow(scene, proxy, load):
    """was slow"""
    began, before = time.monotonic(), proxy.accepted
    proxy.delay = 0.1
    time.sleep(2.5)
    opened = proxy.accepted - before
    scene.promise("100 ms each way cost no connections", opened <= 30, f"{opened} opened or cancelled")
    served = [seen for seen in within(load.seen, began + 0.5, time.monotonic()) if seen.is_success]
    scene.promise("serves through 100 ms each way", len(served) > 0, f"{len(served)} served, median {median(served):.2f} s")


def drip(scene, proxy, load):
    """dripped"""
    proxy.drips = True
    time.sleep(3)


def cut(scene, proxy, load):
    """was cut"""
    proxy.delay = 0.05
    time.sleep(0.5)
    lines = proxy.cut()
    scene.promise("connections were cut in the midst of answers", lines > 0, f"{lines} connections")


def black_hole(scene, proxy, load):
    """swallowed everything"""
    proxy.swallows = True
    time.sleep(4)


def judge_cancellations(scene, server):
    """The cancellations that the network swallowed are still on their way; they must not keep others from being sent."""
    late = together(8, lambda number: Caller(server.port).ask("GET", "/test/slow-query?milliseconds=600000"))
    busy, seconds = scene.postgres.await_calm(3)
    holds = not busy and all(seen.status == 504 for seen in late)
    scene.promise("cancels statements afterwards", holds, f"{len(busy)} of {len(late)} still run after {seconds:.1f} s")


def dead_lines(scene):
    """What is open dies without a word, as behind a firewall that forgot it; new connections work."""
    with Proxy(scene.postgres.port) as proxy, serving(scene, through=proxy.port) as (server, token):
        with loaded(scene, server, token) as load:
            proxy.delay = 0.02  # so that statements travel in batches
            time.sleep(WARM_UP)
            proxy.swallows = True
            time.sleep(0.3)
            proxy.behave()
            time.sleep(TIMEOUT + PATIENCE + TOLERANCE)  # a transaction is cancelled when its request has taken too long
            recovered = time.monotonic()
            time.sleep(WARM_UP)
        late = [seen for seen in load.seen if seen.began >= recovered]
        failed = [seen for seen in late if not seen.is_success]
        figure = f"{len(failed)} of {len(late)} failed" + "".join(f"; {seen}" for seen in failed[:1])
        scene.promise("all is well once dead connections are given up", not failed and bool(late), figure)


def backends(scene):
    """Single sessions end without a word; then one is killed, whereupon PostgreSQL ends them all."""
    with serving(scene) as (server, token), loaded(scene, server, token) as load:
        time.sleep(WARM_UP)
        began, ended = time.monotonic(), end_sessions(scene, 12)
        calm = time.monotonic()
        judge_ended(scene, load, began, calm, ended)
        kill_one(scene)
        judge_recovery(scene, "after a backend was killed", load.await_success(scene.postgres.await_answers(), 15))
        time.sleep(WARM_UP)


def judge_ended(scene, load, began, calm, ended):
    """A statement shares its connection with 31 others at most."""
    seen = within(load.seen, began, calm)
    failed = [one for one in seen if not one.is_success]
    holds = len(failed) <= ended * 32 and len(failed) < len(seen) / 4
    scene.promise("only what ran on an ended session fails", holds, f"{len(failed)} of {len(seen)} by {ended} sessions")
    gap = worst_gap(load.seen, began, calm)
    scene.promise("everything else goes on", gap < 1, f"longest pause {gap:.2f} s")


def end_sessions(scene, count):
    for _ in range(count):
        sessions = scene.postgres.sessions()
        if sessions:
            signal_if_there(scene.chance.choice(sessions)[0], signal.SIGTERM)
        time.sleep(0.1)
    return count


def kill_one(scene):
    """PostgreSQL cannot know what a killed process did to the memory they share, so it ends all and recovers."""
    os.kill(scene.chance.choice(scene.postgres.sessions())[0], signal.SIGKILL)
    time.sleep(0.2)  # until it has noticed
