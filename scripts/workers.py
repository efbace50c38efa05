#!/usr/bin/env python3
"""Shows that worker processes can be replaced, and can crash, without more requests failing than must.

    scripts/workers.py [--binary .build/release/martlet] [--rate 500] [--connections 40]

Under a load over kept-alive connections: `martlet reload` twice, the second time with another file in the program's place, without a failed
request; a trap, which fails requests of its own worker only. Then a loop of crashes, SIGTERM, a supervisor that is killed, a second
SIGTERM, and a new certificate. Exit status 1 when one of the promises does not hold.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import rawhttp
from server import ROOT, Server

ENVIRONMENT = {
    "WORKERS": "2",
    "MARTLET_TEST_ROUTES": "true",
    "DRAIN_DELAY": "1s",
    "SHUTDOWN_TIMEOUT": "20s",
    # A backtrace takes the system's programs many seconds, in which the crashed process is still there.
    "SWIFT_BACKTRACE": "enable=no",
}
FRESH_WITHIN = 1.0  # seconds from a crash until a fresh worker serves; half of it where the machine and the build are not slow


def main():
    parser = argparse.ArgumentParser(description="Replaces and crashes workers under load.")
    parser.add_argument("--binary", type=lambda path: pathlib.Path(path).resolve(), default=ROOT / ".build/release/martlet")
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--connections", type=int, default=40)
    options = parser.parse_args()
    judges = [judge_load, judge_crash_loop, judge_orphans, judge_second_signal, judge_certificate]
    outcomes = [holds for judge in judges for holds in in_folder(judge, options)]
    return 0 if all(outcomes) else 1


def in_folder(judge, options):
    with tempfile.TemporaryDirectory(prefix="martlet-workers-") as folder:
        program = pathlib.Path(folder) / "martlet"
        shutil.copy(options.binary, program)
        outcomes = []
        for what, holds in judge(program, folder, options):
            print(f"workers: {what}: {'yes' if holds else 'NO'}", flush=True)
            outcomes.append(holds)
        return outcomes


def judge_load(program, folder, options):
    with Crew(program, folder) as crew:
        crew.await_workers(2)
        with Load(crew.port, options.rate, options.connections) as load:
            time.sleep(1)
            before = crew.pids()
            yield "reload replaces both workers", crew.reload() and not before & crew.pids()
            fresh = program.with_name("fresh")
            shutil.copy(program, fresh)
            os.replace(fresh, program)
            yield "reload takes a new program", crew.reload() and crew.programs() == {program.stat().st_ino}
            time.sleep(0.5)
            failed, count = load.failures(), load.count()
            print(f"workers: {count} requests, {load.rate_reached():.0f}/s, {len(failed)} failed {failed[:3]}")
            yield "no request failed", count > 0 and not failed
            yield from judge_trap(crew, load)
        crashes = len(crew.crashes())
        yield "SIGTERM ends all with status 0", crew.stop() == 0 and len(crew.crashes()) == crashes


def judge_trap(crew, load):
    connections = crew.connections()
    request_id = "trap-under-load-1"
    fails_before, began = len(load.failures()), time.monotonic()
    trap(crew.port, request_id)
    seconds = crew.await_restart()
    time.sleep(2)
    failed = load.failures()[fails_before:]
    record = json.loads(crew.crashes()[-1])
    print(f"workers: a trap failed {len(failed)} of {connections.get(record['pid'], 0)} connections; a fresh worker serves after {seconds:.2f} s")
    yield "the trap fails requests of its own worker only", len(failed) <= connections[record["pid"]]
    yield "all of them at that moment", all(moment - began < 1.5 for moment, _ in failed)
    yield f"a fresh worker serves within {FRESH_WITHIN} s", seconds < FRESH_WITHIN
    expected = {"route": "POST /test/trap", "request_id": request_id}
    yield "the crash log names the request", expected.items() <= (record.get("request") or {}).items() and record["signal"] in ("SIGILL", "SIGTRAP")


def judge_crash_loop(program, folder, _):
    with Crew(program, folder) as crew:
        crew.await_workers(2)
        pauses = [crew.kill_one_and_wait() for _ in range(5)]
        print("workers: pauses in a loop of crashes: " + ", ".join(f"{pause:.2f} s" for pause in pauses))
        yield "a loop of crashes backs off", max(pauses[2:]) > pauses[0] + 0.2
        yield "others go on meanwhile", crew.is_live()


def judge_orphans(program, folder, options):
    with Crew(program, folder) as crew:
        crew.await_workers(2)
        workers = crew.pids()
        program.unlink()
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
        crew.program = options.binary
        yield "a program that cannot start replaces nobody", not crew.reload() and crew.pids() == workers
        shutil.copy(options.binary, program)
        second = subprocess.run(
            [program, "serve"], cwd=folder, env={**crew.server.environment, "PORT": "0"}, capture_output=True, timeout=20
        )
        yield "a second supervisor is refused", second.returncode == 1 and b"another supervisor" in second.stderr
        crew.server.kill()
        yield "workers end with their supervisor", until(lambda: not any(is_running(pid) for pid in workers))


def judge_second_signal(program, folder, _):
    for workers in ("2", "0"):
        with Crew(program, folder, {"WORKERS": workers}) as crew:
            if workers == "2":
                crew.await_workers(2)
            connection = rawhttp.Connection("127.0.0.1", crew.port)
            connection.send(request("GET", "/test/sleep?milliseconds=15000"), False)
            time.sleep(0.3)
            children = crew.pids() if workers == "2" else set()
            process = crew.server.process
            process.send_signal(signal.SIGTERM)
            time.sleep(0.7)
            is_finishing = process.poll() is None
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            status = process.wait(20)
            at_once = time.monotonic() - began < 2 and until(lambda: not any(is_running(pid) for pid in children))
            yield f"a second SIGTERM ends WORKERS={workers} at once", is_finishing and status == 143 and at_once


def judge_certificate(program, folder, _):
    files = [pathlib.Path(folder) / name for name in ("certificate.pem", "key.pem")]
    make_certificate(files, "one")
    environment = {"TLS_CERTIFICATE_FILE": str(files[0]), "TLS_PRIVATE_KEY_FILE": str(files[1])}
    with Crew(program, folder, environment) as crew:
        until(lambda: len(crew.pids()) == 2 and certificate(crew.port))
        first = certificate(crew.port)
        files[0].write_text("no certificate")
        crew.server.process.send_signal(signal.SIGHUP)
        kept = until(lambda: "Could not reload" in crew.server.log.read_text()) and certificate(crew.port) == first
        yield "a broken certificate is refused", kept
        make_certificate(files, "two")
        crew.server.process.send_signal(signal.SIGHUP)
        yield "SIGHUP shows the new certificate", until(lambda: all(certificate(crew.port) not in (None, first) for _ in range(6)))


class Crew:
    """A supervisor and its workers."""

    def __init__(self, program, folder, environment=None):
        self.program, self.folder = program, pathlib.Path(folder)
        self.server = Server(program, folder, {**ENVIRONMENT, "LOG_LEVEL": "warning", **(environment or {})})
        self.port = self.server.port

    def __enter__(self):
        if "TLS_CERTIFICATE_FILE" in self.server.environment:
            self.server._is_live = lambda: certificate(self.port) is not None
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()

    def stop(self):
        return self.server.stop()

    def command(self, name):
        return subprocess.run(
            [self.program, name], cwd=self.folder, env=self.server.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def reload(self):
        outcome = self.command("reload")
        if outcome.returncode != 0:
            print(f"workers: reload: {outcome.stdout}{outcome.stderr}")
        return outcome.returncode == 0

    def pids(self, state="ready"):
        lines = self.command("status").stdout.splitlines()
        return {int(line.split("process ")[1].split(",")[0]) for line in lines if f", {state}," in line}

    def await_workers(self, count):
        if not until(lambda: len(self.pids()) == count):
            raise RuntimeError(f"there are no {count} workers:\n{self.server.last_words()}")

    def await_restart(self):
        """Seconds until both workers serve again, from now."""
        began = time.monotonic()
        self.await_workers(2)
        return time.monotonic() - began

    def programs(self):
        return {os.stat(f"/proc/{pid}/exe").st_ino for pid in self.pids()}

    def connections(self):
        """How many sockets each worker has open."""
        return {pid: sum("socket:" in os.readlink(link) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir()) for pid in self.pids()}

    def kill_one_and_wait(self):
        victim = sorted(self.workers_at(1))[0]
        began = time.monotonic()
        os.kill(victim, signal.SIGSEGV)
        until(lambda: self.workers_at(1) - {victim})
        return time.monotonic() - began

    def workers_at(self, place):
        lines = self.command("status").stdout.splitlines()
        return {int(line.split("process ")[1].split(",")[0]) for line in lines if line.startswith(f"worker {place}:") and ", ready," in line}

    def crashes(self):
        return (self.folder / "var/crashes.jsonl").read_text().splitlines()

    def is_live(self):
        return self.server._is_live()


class Load:
    """Requests at a steady rate over kept-alive connections. A connection is looked at before it is used again, and nothing is repeated."""

    def __init__(self, port, rate, connections):
        self.port, self.pause, self.size = port, connections / rate, connections
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.seen, self.failed = 0, []

    def __enter__(self):
        self.began = time.monotonic()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(self.size)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def run(self, number):
        connection, due = None, time.monotonic() + self.pause * number / self.size
        path = "/health/live" if number % 2 else "/test/sleep?milliseconds=5"
        while not self.stopping.wait(max(0, due - time.monotonic())):
            due += self.pause
            connection, problem = self.ask(connection, path)
            with self.lock:
                self.seen += 1
                if problem:
                    self.failed.append((time.monotonic(), problem))

    def ask(self, connection, path):
        try:
            if connection is None or is_closed(connection):
                connection = rawhttp.Connection("127.0.0.1", self.port)
            answer = connection.exchange(request("GET", path))
            problem = None if answer.status in (200, 204) else str(answer.status)
            if answer.keeps_open:
                return connection, problem
        except (OSError, rawhttp.Died, rawhttp.Malformed) as trouble:
            problem = f"{type(trouble).__name__} {trouble}"
        if connection:
            connection.close()
        return None, problem

    def failures(self):
        with self.lock:
            return list(self.failed)

    def count(self):
        return self.seen

    def rate_reached(self):
        return self.seen / (time.monotonic() - self.began)


def request(method, path, request_id=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 0"]
    if request_id:
        lines.append(f"X-Request-ID: {request_id}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def is_closed(connection):
    """Whether the server closed it while it was not used."""
    connection.socket.setblocking(False)
    try:
        return connection.socket.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    finally:
        connection.socket.settimeout(rawhttp.PATIENCE)


def trap(port, request_id):
    connection = rawhttp.Connection("127.0.0.1", port)
    try:
        connection.exchange(request("POST", "/test/trap", request_id))
    except (OSError, rawhttp.Died):
        return
    raise RuntimeError("the trap was answered")


def until(condition, patience=20):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def make_certificate(files, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-out", files[0], "-keyout", files[1]],
        check=True, capture_output=True)


def certificate(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain) as secure:
            return secure.getpeercert(binary_form=True)
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
