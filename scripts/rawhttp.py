"""HTTP/1.1 over a socket without a library's good manners: any bytes go out, and the answer is read strictly (RFC 9112)."""

import json
import re
import socket
from dataclasses import dataclass

PATIENCE = 35  # seconds: longer than the server allows a request to take


class Died(Exception):
    """The peer closed or reset the connection instead of answering."""


class Malformed(Exception):
    """The answer breaks HTTP, or says JSON and is none."""


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    keeps_open: bool


class Connection:
    def __init__(self, host, port, timeout=PATIENCE):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def exchange(self, request, then_half_close=False, method="GET"):
        """Sends the bytes and reads one final answer. Raises Died, Malformed or TimeoutError."""
        self.send(request, then_half_close)
        answer = self.read_answer(method)
        while 100 <= answer.status < 200:
            answer = self.read_answer(method)
        check_json(answer)
        return answer

    def send(self, request, then_half_close):
        try:
            self.socket.sendall(request)
            if then_half_close:
                self.socket.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise
        except OSError:
            pass  # refused while it was still being sent; the answer may be there all the same

    def read_answer(self, method):
        status, headers = self.read_head()
        keeps_open = "close" not in headers.get("connection", "").lower()
        if method == "HEAD" or status < 200 or status in (204, 304):
            return Answer(status, headers, b"", keeps_open)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return Answer(status, headers, self.read_chunks(), keeps_open)
        if "content-length" not in headers:
            return Answer(status, headers, self.read_to_end(), False)
        if not headers["content-length"].isdigit():
            raise Malformed(f"Content-Length {headers['content-length']!r}")
        return Answer(status, headers, self.read_exactly(int(headers["content-length"])), keeps_open)

    def read_head(self):
        lines = self.read_until(b"\r\n\r\n").split(b"\r\n")
        match = re.fullmatch(rb"HTTP/1\.[01] ([1-5][0-9]{2})( [\x20-\x7e]*)?", lines[0])
        if not match:
            raise Malformed(f"status line {lines[0][:80]!r}")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon or not re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(rb"[\x00\r\n]", value):
                raise Malformed(f"header line {line[:80]!r}")
            headers[name.decode().lower()] = value.strip().decode("latin-1")
        return int(match[1]), headers

    def read_chunks(self):
        body = b""
        while True:
            size = self.read_until(b"\r\n").split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
                raise Malformed(f"chunk size {size[:20]!r}")
            if int(size, 16) == 0:
                while self.read_until(b"\r\n"):
                    pass
                return body
            body += self.read_exactly(int(size, 16))
            if self.read_exactly(2) != b"\r\n":
                raise Malformed("chunk without its end")

    def read_until(self, mark):
        while mark not in self.buffer:
            if len(self.buffer) > 65_536:
                raise Malformed("an endless head")
            self.receive()
        found, _, self.buffer = self.buffer.partition(mark)
        return found

    def read_exactly(self, count):
        while len(self.buffer) < count:
            try:
                self.receive()
            except Died:
                raise Malformed(f"body cut off after {len(self.buffer)} of {count} bytes") from None
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def read_to_end(self):
        try:
            while True:
                self.receive()
        except Died:
            found, self.buffer = self.buffer, b""
            return found

    def receive(self):
        try:
            data = self.socket.recv(65_536)
        except TimeoutError:
            raise
        except OSError as problem:
            raise Died(str(problem)) from None
        if not data:
            if self.buffer.startswith(b"HTTP/") and b"\r\n\r\n" not in self.buffer:
                raise Malformed(f"head cut off: {self.buffer[:80]!r}")
            raise Died("closed")
        self.buffer += data


def check_json(answer):
    if answer.body and "json" in answer.headers.get("content-type", "") and "content-encoding" not in answer.headers:
        try:
            json.loads(answer.body)
        except ValueError as problem:
            raise Malformed(f"JSON body: {problem}") from None
