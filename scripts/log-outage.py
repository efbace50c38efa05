#!/usr/bin/env python3
"""Shows that a log which cannot be written neither ends the server nor makes anybody wait.

    scripts/log-outage.py [--binary .build/release/martlet]

Standard output and error are a full disk (/dev/full) and a pipe whose reader went away: the server must serve, and end with 0. Then they are
a pipe that is full and that nobody reads, and LOG_FILE may not grow any more: every request must be answered as fast as ever, what was
dropped must be told once there is room again, and the server must end with 0 in time. Last, LOG_FILE is moved away and the server told to open
it anew and to read its levels again (SIGHUP), and two servers write one file that is put away every few hundred lines, while one of them is killed
again and again: no line of the other may be lost, and none be there twice.
"""

import argparse
import collections
import gzip
import http.client
import json
import os
import pathlib
import resource
import signal
import sys
import tempfile
import time

from server import ROOT, Client, Server

REQUESTS = 1500
KILLS = 10
SLOWEST = 0.5


def main():
    parser = argparse.ArgumentParser(description="Serves while the log cannot be written.")
    parser.add_argument("--binary", default=ROOT / ".build/release/martlet")
    options = parser.parse_args()
    outcomes = [judge(options.binary, what, stream) for what, stream in (("a full disk", full_disk), ("a broken pipe", broken_pipe))]
    outcomes += [stuck_pipe(options.binary), full_file(options.binary), hang_up(options.binary), shared_file(options.binary)]
    return 0 if all(outcomes) else 1


def judge(binary, what, stream):
    with tempfile.TemporaryDirectory(prefix="martlet-log-") as folder:
        server = Server(binary, folder, {"LOG_LEVEL": "trace"})
        server.log = Unwritable(stream())
        try:
            server.start()
            holds = all(server._is_live() for _ in range(20)) and server.stop() == 0
        except RuntimeError:
            holds = False
        finally:
            server.stop()
    print(f"log-outage: serves with {what} behind its log: {'yes' if holds else 'NO'}")
    return holds


def stuck_pipe(binary):
    """Nobody reads the pipe while requests are served; then somebody does, and at last nobody again."""
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory(prefix="martlet-log-") as folder:
        server = Server(binary, folder, {"LOG_LEVEL": "trace", "LOG_BUFFER": "64KiB"})
        server.log = Unwritable(writer)
        try:
            server.start()
            os.close(writer)
            slowest = serve(server)
            told = drain(reader, lambda text: "Log lines were dropped" in text)
            dropped = sum(told_of_drops(told))
            serve(server)
            started = time.perf_counter()
            status = server.stop()
            ending = time.perf_counter() - started
        finally:
            server.stop()
            os.close(reader)
    holds = slowest < SLOWEST and dropped > 0 and status == 0 and ending < 10
    print(f"log-outage: a pipe that nobody reads: slowest of {REQUESTS} answers {slowest * 1000:.0f} ms, {dropped} lines dropped and told, "
          f"ended with {status} after {ending:.1f} s: {'yes' if holds else 'NO'}")
    return holds


def full_file(binary):
    """LOG_FILE may not grow, as on a full disk, and then may again."""
    with tempfile.TemporaryDirectory(prefix="martlet-log-") as folder:
        path = os.path.join(folder, "martlet.log")
        server = Server(binary, folder, {"LOG_LEVEL": "trace", "LOG_FILE": path})
        try:
            server.start()
            serve(server, 20)
            wait_for(lambda: os.path.getsize(path) > 2000)
            full = os.path.getsize(path) + 300
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
            slowest = serve(server)
            grown = os.path.getsize(path)
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            serve(server, 20)
            wait_for(lambda: "Log lines were dropped" in read(path))
            status = server.stop()
        finally:
            server.stop()
        lines = read(path).splitlines()
        broken = [line for line in lines if not is_json(line)]
        dropped = sum(told_of_drops(read(path)))
    holds = slowest < SLOWEST and grown <= full and dropped > 0 and len(broken) <= 1 and status == 0
    print(f"log-outage: a file that may not grow: slowest of {REQUESTS} answers {slowest * 1000:.0f} ms, {dropped} lines dropped and told, "
          f"{len(broken)} cut lines of {len(lines)}, ended with {status}: {'yes' if holds else 'NO'}")
    return holds


def hang_up(binary):
    """What logrotate does, together with another level."""
    with tempfile.TemporaryDirectory(prefix="martlet-log-") as folder:
        path, settings = os.path.join(folder, "martlet.log"), os.path.join(folder, ".env")
        server = Server(binary, folder, {"LOG_FILE": path})
        try:
            server.start()
            serve(server, 5)
            write(settings, "LOG_LEVELS=martlet.access=info,martlet=notice\n")
            os.rename(path, path + ".away")
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda: os.path.exists(path) and "Reloaded" in read(path))
            serve(server, 5)
            status = server.stop()
        finally:
            server.stop()
        before, after = (read(name).count("martlet.access") for name in (path + ".away", path))
    holds = before == 0 and after == 5 and status == 0
    print(f"log-outage: SIGHUP: {before} lines of the access log before, {after} of 5 after: {'yes' if holds else 'NO'}")
    return holds


def shared_file(binary):
    """Kills happen wherever they happen: at this size, often in the midst of a rotation."""
    with tempfile.TemporaryDirectory(prefix="martlet-log-") as folder:
        path = os.path.join(folder, "martlet.log")
        settings = {"LOG_LEVEL": "info", "LOG_FILE": path, "LOG_FILE_SIZE": "64KiB", "LOG_FILE_COUNT": "1000"}
        survivor, victim = (Server(binary, make_folder(folder, name), settings) for name in ("survivor", "victim"))
        try:
            survivor.start()
            for kill in range(KILLS):
                victim.start()
                for number in range(300):
                    ask(survivor, f"survivor-{kill}-{number}")
                    ask(victim, f"victim-{kill}-{number}")
                victim.kill()
            status = survivor.stop()
        finally:
            survivor.stop()
            victim.stop()
        files = sorted(pathlib.Path(folder).glob("martlet.log*"))
        # Compressed and not yet removed when its process was killed: the next rotation would do that.
        files = [file for file in files if not pathlib.Path(f"{file}.gz").exists()]
        lines = [line for file in files if file.suffix not in (".lock", ".part") for line in read_whole(file).splitlines()]
    broken = sum(not is_json(line) for line in lines)
    ids = collections.Counter(json.loads(line).get("request_id") for line in lines if is_json(line))
    lost = sum(ids[f"survivor-{kill}-{number}"] != 1 for kill in range(KILLS) for number in range(300))
    twice = sum(count > 1 for name, count in ids.items() if name and name.startswith("victim"))
    holds = lost == 0 and twice == 0 and broken <= KILLS and status == 0
    print(f"log-outage: two servers, one file, {KILLS} kills, {len(files)} files: {lost} of {300 * KILLS} lines lost or twice, {twice} of the killed "
          f"one's twice, {broken} cut: {'yes' if holds else 'NO'}")
    return holds


def make_folder(parent, name):
    path = os.path.join(parent, name)
    os.mkdir(path)
    return path


def ask(server, name):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/health/live", headers={"X-Request-ID": name})
    connection.getresponse().read()
    connection.close()


def read_whole(file):
    opened = gzip.open(file, "rt", errors="replace") if file.suffix == ".gz" else open(file, errors="replace")
    with opened:
        return opened.read()


def serve(server, count=REQUESTS):
    """Returns the seconds that the slowest answer took."""
    client = Client(server.port)
    slowest = 0.0
    for _ in range(count):
        started = time.perf_counter()
        client.must(200, "GET", "/health/live")
        slowest = max(slowest, time.perf_counter() - started)
    return slowest


def drain(reader, is_enough, patience=20):
    """Reads what comes until it is enough."""
    os.set_blocking(reader, False)
    text, end = "", time.monotonic() + patience
    while not is_enough(text) and time.monotonic() < end:
        try:
            text += os.read(reader, 1 << 16).decode(errors="replace")
        except BlockingIOError:
            time.sleep(0.01)
    time.sleep(0.1)
    try:
        return text + os.read(reader, 1 << 16).decode(errors="replace")
    except BlockingIOError:
        return text


def told_of_drops(text):
    for line in text.splitlines():
        if "Log lines were dropped" in line and is_json(line):
            yield sum(count for name, count in json.loads(line).items() if name.startswith("dropped_"))


def wait_for(condition, patience=20):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("what was waited for did not happen")
        time.sleep(0.01)


def is_json(line):
    try:
        json.loads(line)
        return True
    except ValueError:
        return False


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


class Unwritable:
    """Stands where the server's log file would."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def read_text(self, errors=None):
        return "(the log could not be written)"

    def __fspath__(self):
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"


def full_disk():
    return os.open("/dev/full", os.O_WRONLY)


def broken_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return writer


if __name__ == "__main__":
    sys.exit(main())
