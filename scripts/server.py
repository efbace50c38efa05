"""A martlet server of one's own: started on a free port with an empty database, measured, killed."""

import http.client
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Server:
    """`with Server(binary, folder) as server:` serves a database that lives in `folder`, which is also its working folder."""

    def __init__(self, binary, folder, environment=None):
        self.binary = str(pathlib.Path(binary).resolve())
        if not os.access(self.binary, os.X_OK):
            sys.exit(f"{self.binary} is not there: run `make build` first.")
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / "server.log"
        self.process = None
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "PORT": str(self.port),
            "DATABASE_URL": f"sqlite://{self.folder.resolve()}/martlet.db",
            "LOG_LEVEL": "error",
            "RATE_LIMIT_ENABLED": "false",
            "OVERLOAD_PROTECTION": "false",
            "SECRET_KEY": secrets.token_hex(32),
            "JWT_SECRET_KEY": secrets.token_hex(32),
            **(environment or {}),
        }

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, patience=30.0):
        """Starts the server and returns the seconds until its first 200 on /health/live."""
        with open(self.log, "ab") as log:
            started = time.perf_counter()
            self.process = subprocess.Popen(
                [self.binary, "serve"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        while not self._is_live():
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with status {self.process.returncode} while starting:\n{self.last_words()}")
            if time.perf_counter() - started > patience:
                self.kill()
                raise RuntimeError(f"the server did not answer /health/live within {patience:.0f} s:\n{self.last_words()}")
            time.sleep(0.001)
        return time.perf_counter() - started

    def _is_live(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return connection.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def stop(self, patience=30.0):
        """Asks the server to end and returns its exit status; kills it when it does not listen."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def kill(self):
        """What a power button does to a process: SIGKILL."""
        self.process.kill()
        self.process.wait()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def last_words(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def cpu_seconds(self):
        """User and system time of the process and its threads so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Client:
    """JSON over one kept-alive connection; not for several threads at once."""

    def __init__(self, port, token=None, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.token = token

    def send(self, method, path, body=None, headers=None):
        """Returns (status, decoded body). Raises OSError or HTTPException when the connection fails."""
        headers = {"Accept": "application/json", **(headers or {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        self.connection.request(method, path, body=body, headers=headers)
        response = self.connection.getresponse()
        data = response.read()
        return response.status, json.loads(data) if data else None

    def must(self, expected, method, path, body=None):
        """Like `send`, for answers without which there is no point in going on."""
        status, answer = self.send(method, path, body)
        if status != expected:
            raise RuntimeError(f"{method} {path} was answered with {status} instead of {expected}: {json.dumps(answer)[:500]}")
        return answer

    def register(self, name):
        """Makes an account and uses its token from here on."""
        account = {"email": f"{name}@example.org", "username": name, "password": "correct-horse-" + secrets.token_hex(8)}
        self.token = self.must(201, "POST", "/api/v1/auth/register", account)["access_token"]
        return self.token


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
