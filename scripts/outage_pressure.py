"""Scenarios of outage.py in which PostgreSQL is there, and callers are many or leave."""

from outage_load import Caller, longest, together
from outage_stage import serving

POOL = {"DATABASE_POOL_SIZE": "10", "DATABASE_MAX_OVERFLOW": "5"}


def cancelled(scene):
    """A thousand requests are given up, by their clients or by their deadline."""
    with serving(scene, {**POOL, "REQUEST_TIMEOUT": "1s"}) as (server, token):
        hung_up = sum(together(50, lambda number: hang_up(scene, server, token, number)))
        late = [seen for some in together(100, lambda number: run_late(server)) for seen in some]
        timed_out = sum(1 for seen in late if seen.status == 504)
        holds = all(seen.status in (503, 504) for seen in late)
        scene.promise("late requests end with 504 or 503", holds, f"{timed_out} of {len(late)} with 504")
        judge_sessions(scene, hung_up + len(late))
        served = together(64, lambda number: Caller(server.port, token).ask("GET", "/api/v1/bookmarks"))
        failed = [seen for seen in served if seen.status != 200]
        figure = f"{len(served) - len(failed)}, longest {longest(served):.2f} s" + "".join(f"; {seen}" for seen in failed[:1])
        scene.promise("64 at once are served afterwards", not failed, figure)


def hang_up(scene, server, token, number):
    """Asks ten times, each over a connection of its own, and leaves without the answers."""
    for count in range(10):
        link = f"https://example.org/left/{number}/{count}"
        requests = [
            ("GET", "/test/slow-query?milliseconds=2000"),
            ("POST", "/api/v1/bookmarks", {"url": link, "title": "Left"}),
            ("POST", "/api/v1/bookmarks/import", [{"url": f"{link}/{entry}", "title": "Left"} for entry in range(50)]),
        ]
        Caller(server.port, token).leave(*requests[count % len(requests)], after=scene.chance.uniform(0, 0.05))
    return 10


def run_late(server):
    caller = Caller(server.port)
    return [caller.ask("GET", "/test/slow-query?milliseconds=10000") for _ in range(5)]


def judge_sessions(scene, count):
    busy, seconds = scene.postgres.await_calm(5)
    scene.promise(f"nothing is left of {count} cancelled requests", not busy, f"{len(busy)} still run after {seconds:.1f} s")
    sessions = len(scene.postgres.sessions())
    scene.promise("no more sessions than the pool may have", sessions <= 15, f"{sessions} of 15")


def crowd(scene):
    """Many times more requests than connections."""
    environment = {"DATABASE_POOL_SIZE": "4", "DATABASE_MAX_OVERFLOW": "0", "REQUEST_TIMEOUT": "20s"}
    with serving(scene, environment) as (server, token):
        use(server, token, "first", 3)  # so that the connections are there
        for count in (40, 400):
            rows = together(count, lambda number: use(server, token, f"{count}/{number}", 1200 // count))
            judge_fairness(scene, count, [seen for row in rows for seen in row])


def use(server, token, name, count):
    caller, seen = Caller(server.port, token), []
    for step in range(count):
        link = f"https://example.org/{name}/{step}"
        request = [
            ("GET", "/api/v1/bookmarks?limit=5", None),
            ("POST", "/api/v1/bookmarks", {"url": link, "title": "Page"}),
            ("POST", "/api/v1/bookmarks/import", [{"url": f"{link}/imported", "title": "Page"}]),
        ][step % 3]
        seen.append(caller.ask(*request))
    caller.hang_up()
    return seen


def judge_fairness(scene, count, seen):
    failed = [one for one in seen if not one.is_success]
    figure = f"{len(seen)} requests" + "".join(f"; {one}" for one in failed[:1])
    scene.promise(f"{count} at once on 4 connections are all served", not failed, figure)
    for kind in sorted({one.request for one in seen}):
        times = sorted(one.seconds for one in seen if one.request == kind)
        middle, most = times[len(times) // 2], times[-1]
        scene.promise(f"{count} at once: nobody starves, {kind}", most <= 5 * middle + 1, f"median {middle:.3f} s, longest {most:.3f} s")


def refusals(scene):
    """The queue for connections is short, and stays so."""
    environment = {"DATABASE_POOL_SIZE": "2", "DATABASE_MAX_OVERFLOW": "0", "DATABASE_MAX_WAITING": "8"}
    with serving(scene, environment) as (server, _):
        seen = together(64, lambda number: Caller(server.port).ask("GET", "/test/slow-query?milliseconds=20"))
        refused = [one for one in seen if one.status == 503]
        served = [one for one in seen if one.is_success]
        holds = len(refused) + len(served) == 64 and len(refused) >= 32 and len(served) >= 8
        scene.promise("a queue of 8 refuses the rest of 64", holds, f"{len(served)} served, {len(refused)} refused")
        holds = all(one.is_refusal for one in refused) and longest(refused) < 1
        scene.promise("the refused are told at once, and properly", holds, f"longest {longest(refused):.2f} s")
