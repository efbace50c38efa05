"""The Redis beside a private PostgreSQL, which may be killed, frozen and started again; and a network to it that answers with garbage."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse

from outage_postgres import SERVICES, is_running, signal_if_there
from outage_proxy import Proxy


class Redis:
    """The one that services.sh started in the folder; `url` leads to it by a proxy, whose attributes may be changed at any time."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.direct = self._environment()["MARTLET_TEST_REDIS_URL"]
        self.proxy = GarblingProxy(urllib.parse.urlsplit(self.direct).port)

    def __enter__(self):
        self.proxy.__enter__()
        return self

    def __exit__(self, *_):
        self.thaw()
        self.proxy.__exit__()

    @property
    def url(self):
        parts = urllib.parse.urlsplit(self.direct)
        login, _, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{login}@127.0.0.1:{self.proxy.port}").geturl()

    @property
    def pid(self):
        return int((self.folder / "redis/redis.pid").read_text())

    def kill(self):
        """Returns when it is gone, with whatever it did not store."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        while is_running(pid):
            time.sleep(0.005)

    def start(self):
        """Returns when it answers again, at the port it had."""
        subprocess.run([SERVICES, "start", self.folder], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self):
        with contextlib.suppress(FileNotFoundError):
            signal_if_there(self.pid, signal.SIGCONT)

    def _environment(self):
        lines = (self.folder / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


class GarblingProxy(Proxy):
    """May also answer with what is no answer."""

    GARBAGE = [b"$-9999999999999999999\r\n", b"*1000000000\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\x00:12", b"$5\r\nhalf"]

    def behave(self):
        super().behave()
        self.garbles = False
        self.count = 0

    async def _write(self, writer, data, is_answer):
        if self.garbles and is_answer:
            self.count += 1
            data = self.GARBAGE[self.count % len(self.GARBAGE)]
        await super()._write(writer, data, is_answer)
