#!/usr/bin/env python3
"""Runs the built tests and shows each result; the lines that only say that a test began are left out.

    scripts/run-tests.py [filter]

Tests that hang are ended when nothing has happened for five minutes: then it says which had begun and not ended, what the threads
wait for (where a debugger is installed) and what PostgreSQL is busy with, and exits with 124. What failed is said again at the end.
"""
import collections
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time

# Started all at once, a thousand tests are hundreds of servers with thousands of threads: slower, and near the limits of a process.
WIDTH = "24"
SILENCE = float(os.environ.get("MARTLET_TEST_SILENCE", 300))
STARTED = re.compile(r"^◇ Test (?!case|run)(.*) started\.")
ENDED = re.compile(r"^[✔✘➜] Test (?!case|run)(.*?)(?: with \d+ test cases?)? (?:passed|failed|skipped|was cancelled)")
ISSUE = re.compile(r"^✘ Test .* recorded an issue")


def main():
    command = ["swift", "test", "--skip-build", "--parallel", "--disable-xctest"]
    command += ["--filter", sys.argv[1]] if len(sys.argv) > 1 else []
    tests = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, "SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH": WIDTH})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failures = []
    try:
        sys.exit(tests.wait() if follow(tests, failures) else 124)
    finally:
        end(tests)
        say_again(failures)


def follow(tests, failures):
    """Shows what the tests print until they have ended; False when they hang."""
    running = collections.Counter()
    selector = selectors.DefaultSelector()
    selector.register(tests.stdout, selectors.EVENT_READ)
    rest = b""
    while True:
        if not selector.select(SILENCE):
            report(tests, running)
            return False
        read = os.read(tests.stdout.fileno(), 1 << 16)
        *lines, rest = (rest + read).split(b"\n")
        for line in (line.decode(errors="replace") for line in (lines if read else [rest])):
            show(line, running)
            if ISSUE.match(line):
                failures.append(line)
        if not read:
            return True


def show(line, running):
    if match := STARTED.match(line):
        running[match[1]] += 1
    elif match := ENDED.match(line):
        running[match[1]] -= 1
    if not line.startswith("◇ "):
        print(line, flush=True)


def say_again(failures):
    """A log of thousands of lines is often kept by its end only."""
    if failures:
        print(f"\n{len(failures)} failures:")
        print("\n".join(line[:1000] for line in failures[:40]), flush=True)


def report(tests, running):
    print(f"\nThe tests hang: nothing has happened for {SILENCE:.0f} s.", flush=True)
    show_threads(tests)
    show_statements()
    names = list(running.keys() & (+running).keys())
    print(f"{len(names)} tests have begun and not ended:")
    print("  " + "  ".join(names[:60]), flush=True)


def show_threads(tests):
    """The innermost frames of each thread; those that equal each other are shown once."""
    process = testing_process(tests)
    debugger = shutil.which("gdb")
    if not process or not debugger:
        return
    arguments = ["-p", str(process), "-batch", "-ex", "set print frame-arguments none", "-ex", "thread apply all bt 14"]
    stacks = collections.Counter()
    for thread in bounded([debugger, *arguments]).split("\nThread ")[1:]:
        frames = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\S+)", thread, re.MULTILINE)
        stacks[" < ".join(frames)] += 1
    for stack, count in stacks.most_common(40):
        print(f"  {count} × {stack[:400]}")


def testing_process(tests):
    """The process of the session that runs the tests, which is not `swift test` itself."""
    found = bounded(["ps", "-s", str(tests.pid), "-o", "pid=,args="])
    return next((int(line.split()[0]) for line in found.splitlines() if "--testing-library" in line and ".xctest" in line), None)


def show_statements():
    url = os.environ.get("MARTLET_TEST_POSTGRES_URL")
    if url and shutil.which("psql"):
        asked = ("SELECT count(*), state, wait_event, max(now() - state_change), left(query, 90) FROM pg_stat_activity "
                 "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' GROUP BY 2, 3, 5 ORDER BY 4 DESC NULLS LAST LIMIT 12")
        print(bounded(["psql", url, "-At", "-c", asked]).rstrip())


def bounded(command):
    """What a command prints within a minute."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, errors="replace").stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}\n"


def signal_all(tests, kind):
    """`swift test` gives the tests a process group of their own."""
    if process := testing_process(tests):
        os.kill(process, kind)
    os.killpg(tests.pid, kind)


def end(tests):
    for kind, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            signal_all(tests, kind)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience
        while tests.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
