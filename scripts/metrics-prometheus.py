#!/usr/bin/env python3
"""A real Prometheus scrapes two servers: both are up, their traffic is seen, and an alert fires while one is away and clears afterwards.

    scripts/metrics-prometheus.py [--binary .build/debug/martlet]

Configuration and rules are those of Deploy/prometheus, with shorter times and the servers' ports. Takes about half a minute.
"""

import argparse
import contextlib
import json
import pathlib
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from server import ROOT, Client, Server, free_port

RULES = ROOT / "Deploy" / "prometheus"
ALERT = "MartletInstanceDown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/debug/martlet")
    arguments = parser.parse_args()
    tool("check", "rules", RULES / "alerts.yml")
    tool("check", "config", RULES / "prometheus.yml")
    with contextlib.ExitStack() as stack:
        folders = [pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="martlet-metrics-"))) for _ in range(3)]
        token = secrets.token_hex(24)
        servers = [stack.enter_context(Server(arguments.binary, folder, {"METRICS_TOKEN": token})) for folder in folders[1:]]
        for number, server in enumerate(servers):
            Client(server.port).register(f"caller{number}")
            for kind in ("text/plain", "application/openmetrics-text"):
                tell(f"{server.base}/metrics, {kind}: {len(exposition(server, token, kind).splitlines())} lines")
            lint(exposition(server, token, "text/plain"))
        prometheus = stack.enter_context(Prometheus(folders[0], [server.port for server in servers], token))
        watch(prometheus, servers)
    tell("ok")


def watch(prometheus, servers):
    prometheus.until("both are scraped", lambda: prometheus.values('up{job="martlet"}') == [1, 1])
    rate = 'sum by (instance) (rate(http_server_request_duration_seconds_count{route="/health/live"}[5s]))'

    def busy():
        for server in servers:
            for _ in range(20):
                Client(server.port).must(200, "GET", "/health/live")
        return len([value for value in prometheus.values(rate) if value > 0]) == 2

    prometheus.until("both show their requests", busy)
    prometheus.until("nobody complains of an instance", lambda: prometheus.alert() is None)
    servers[1].kill()
    prometheus.until(f"{ALERT} fires after one was killed", lambda: prometheus.alert() == "firing")
    servers[1].start()
    prometheus.until(f"{ALERT} clears when it is back", lambda: prometheus.alert() is None)
    prometheus.until("both are scraped again", lambda: prometheus.values('up{job="martlet"}') == [1, 1])


class Prometheus:
    """A Prometheus of one's own, whose data lie in `folder`."""

    def __init__(self, folder, ports, token):
        self.folder, self.port, self.process = folder, free_port(), None
        (folder / "martlet-token").write_text(token)
        (folder / "alerts.yml").write_text(re.sub(r"for: \d+m", "for: 2s", (RULES / "alerts.yml").read_text()))
        (folder / "prometheus.yml").write_text(configuration((RULES / "prometheus.yml").read_text(), ports))

    def __enter__(self):
        tool("check", "config", self.folder / "prometheus.yml")
        with open(self.folder / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def until(self, what, holds, patience=30.0):
        start = time.monotonic()
        while not self._holds(holds):
            if self.process.poll() is not None or time.monotonic() - start > patience:
                sys.exit(f"NOT after {time.monotonic() - start:.1f} s: {what}\n" + (self.folder / "prometheus.log").read_text()[-2000:])
            time.sleep(0.2)
        tell(f"{what}, after {time.monotonic() - start:.1f} s")

    @staticmethod
    def _holds(holds):
        try:
            return holds()
        except OSError:  # It has not begun to listen yet.
            return False

    def values(self, query):
        data = self._get("query?" + urllib.parse.urlencode({"query": query}))
        return sorted(float(result["value"][1]) for result in data["result"])

    def alert(self):
        """`pending`, `firing`, or `None` when all is well."""
        found = [alert["state"] for alert in self._get("alerts")["alerts"] if alert["labels"]["alertname"] == ALERT]
        return found[0] if found else None

    def _get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)["data"]


def configuration(text, ports):
    """What is delivered, for servers on these ports that want a token."""
    text = re.sub(r"_interval: \d+s", "_interval: 1s", text)
    text = text.replace("    # authorization:\n    #   credentials_file:", "    authorization:\n      credentials_file:")
    targets = ", ".join(f'"127.0.0.1:{port}"' for port in ports)
    return re.sub(r"targets: \[.*\]", f"targets: [{targets}]", text)


def exposition(server, token, kind):
    request = urllib.request.Request(server.base + "/metrics", headers={"Accept": kind, "Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith(kind), answer.headers["Content-Type"]
        return answer.read()


def lint(text):
    outcome = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    if outcome.returncode or outcome.stdout or outcome.stderr:
        sys.exit("promtool check metrics: " + (outcome.stdout + outcome.stderr).decode())
    tell("promtool check metrics is clean")


def tool(*arguments):
    outcome = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True)
    if outcome.returncode:
        sys.exit(f"promtool {' '.join(map(str, arguments))}:\n{outcome.stdout}{outcome.stderr}")
    tell(f"promtool {arguments[0]} {arguments[1]} {pathlib.Path(arguments[2]).name}: ok")


def tell(sentence):
    print(f"    {sentence}", flush=True)


if __name__ == "__main__":
    main()
