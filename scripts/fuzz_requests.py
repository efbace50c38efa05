"""The requests of the fuzzer: real ones bent in one or more places, and plain noise. One random generator decides everything."""

import base64
import json
from dataclasses import dataclass
from urllib.parse import quote

METHODS = ["GET"] * 6 + ["POST"] * 8 + ["PATCH"] * 3 + ["DELETE", "HEAD", "OPTIONS", "PUT", "TRACE", "CONNECT", "get", "BREW"]
STRANGE = [
    "",
    " ",
    "\0",
    "a\0b",
    "\u202e",
    "\ufeff",
    "👩‍👩‍👧‍👦",
    "e" + "\u0301" * 200,
    "'; DROP TABLE bookmark; --",
    '"',
    "\\",
    "%",
    "%00",
    "%zz",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "NaN",
    "null",
    "-0",
    "1e999",
    "9" * 400,
    "\ud7ff\ue000",
    "*",
    "AND OR NOT",
    'a" OR "',
    "NEAR(",
    "col:",
    "^x",
    "(",
    "-",
    "x" * 3_000,
]
NUMBERS = [0, -1, 1, 50, 200, 201, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**9, 10**400, 1e300, -1e-300, 0.1]


@dataclass
class Request:
    kind: str
    method: str
    bytes: bytes
    fresh: bool  # asks for a connection of its own
    is_cut: bool  # the sender stops before the end it announced


class RequestMaker:
    def __init__(self, chance, token, bookmark):
        self.chance, self.token, self.bookmark = chance, token, bookmark
        self.routes = [
            ("/api/v1/auth/register", self.account),
            ("/api/v1/auth/login", self.account),
            ("/api/v1/auth/refresh", self.refresh),
            ("/api/v1/auth/logout", self.refresh),
            ("/api/v1/auth/me", self.nothing),
            ("/api/v1/bookmarks", self.new_bookmark),
            ("/api/v1/bookmarks", self.new_bookmark),
            (f"/api/v1/bookmarks/{bookmark}", self.new_bookmark),
            ("/api/v1/bookmarks/{odd}", self.new_bookmark),
            ("/api/v1/bookmarks/import", self.bookmark_file),
            ("/api/v1/bookmarks/import", self.json_file),
            ("/api/v1/bookmarks/import", self.multipart),
            ("/api/v1/bookmarks/export", self.nothing),
            ("/api/v1/search/text", self.nothing),
            ("/health/live", self.nothing),
            ("/health/ready", self.nothing),
            ("/openapi.json", self.nothing),
            ("/docs", self.nothing),
            ("/docs/{odd}", self.nothing),
            ("/{odd}", self.new_bookmark),
        ]

    def next(self):
        if self.chance.random() < 0.03:
            noise = self.chance.randbytes(self.chance.randint(1, 2_000))
            return Request("noise", "GET", noise + b"\r\n\r\n", fresh=True, is_cut=True)
        path, make_body = self.chance.choice(self.routes)
        method = self.chance.choice(METHODS)
        kind, content_type, body = make_body()
        body = self.maybe_bent(body)
        head = self.head(method, self.target(path), content_type)
        data, is_cut = self.framed(head, body)
        if self.chance.random() < 0.05:
            data = self.bent(data[: len(head)]) + data[len(head) :]
            is_cut = True  # bent framing: nothing may be assumed about what follows
        return Request(f"{method} {path} {kind}", method, data, fresh=is_cut or self.chance.random() < 0.1, is_cut=is_cut)

    # The head

    def target(self, path):
        path = path.replace("{odd}", quote(self.chance.choice(STRANGE), safe="/%." if self.chance.random() < 0.5 else ""))
        if self.chance.random() < 0.5:
            return path
        pairs = [
            f"{self.chance.choice(['limit', 'cursor', 'q', 'tag', 'category', 'cookie', 'x'])}={self.query_value()}"
            for _ in range(self.chance.randint(1, 4))
        ]
        return path + "?" + "&".join(pairs)

    def query_value(self):
        value = self.chance.choice([str(self.chance.choice(NUMBERS)), self.chance.choice(STRANGE), self.forged_cursor(), "word", "swi"])
        return quote(value, safe="%*()-" if self.chance.random() < 0.3 else "")

    def forged_cursor(self):
        content = self.chance.choice(
            [self.chance.randbytes(24), b'{"id":null}', b'["a",1]', b"[" * 500, self.bookmark.encode(), b'{"t":1e999}']
        )
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    def head(self, method, target, content_type):
        lines = [f"{method} {target} HTTP/1.1", "Host: " + self.chance.choice(["127.0.0.1"] * 9 + ["", "a b", "x" * 300])]
        if self.chance.random() < 0.5:
            lines.append(f"Authorization: Bearer {self.token}")
        elif self.chance.random() < 0.5:
            lines.append(f"Authorization: {self.forged_token()}")
        if content_type:
            lines.append(f"Content-Type: {content_type}")
        while self.chance.random() < 0.3:
            lines.append(self.odd_header())
        return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n"

    def odd_header(self):
        return self.chance.choice(
            [
                "Accept-Encoding: gzip;q=0, *;q=1.001, \u00e9",
                "Accept: " + "a/b," * 500,
                'If-None-Match: "' + "x" * 2_000,
                "Range: bytes=9-1,-0",
                "Content-Encoding: gzip",
                "X-Request-ID: " + self.chance.choice(["ok-1", "\u0001", "x" * 5_000, "<b>"]),
                "Expect: 100-continue",
                "Upgrade: h2c",
                "Connection: Upgrade, HTTP2-Settings",
                "Cookie: refresh_token=" + "a" * 3_000 + "; ;=; a",
                "Origin: null",
                "Origin: https://evil.example",
                "Access-Control-Request-Method: PATCH",
                'Forwarded: for="[::1',
                "Content-Length: 3",
                "Transfer-Encoding: identity",
                "X-" + "h" * 9_000 + ": 1",
                "Idempotency-Key: " + "k" * 300,
            ]
        )

    def forged_token(self):
        def part(value):
            return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode().rstrip("=")

        header, claims, signature = (self.token.split(".") + ["", ""])[:3]
        return self.chance.choice(
            [
                "",
                "Bearer",
                "Bearer ",
                "Basic " + part(b"a:b"),
                "Bearer " + self.token[:-2],
                "Bearer " + self.token + "=",
                f"Bearer {header}.{claims}.",
                f"Bearer {part({'alg': 'none'})}.{claims}.",
                f"Bearer {part({'alg': 'HS512', 'typ': 'JWT'})}.{claims}.{signature}",
                f"Bearer {part(b'[' * 6_000)}.{claims}.{signature}",
                f"Bearer {header}.{part(b'{' * 3_000)}.{signature}",
                f"Bearer {header}.{part({'sub': 1, 'exp': 10**30})}.{signature}",
                "Bearer a.b.c",
                "Bearer " + "." * 500,
                f"Bearer {part({'alg': 'HS256', 'crit': ['x'], 'x': 1})}.{claims}.{signature}",
                f"bEaReR {self.token} x",
                "Bearer \u00ff\u00fe",
            ]
        )

    # The framing

    def framed(self, head, body):
        """The whole request, and whether it stops before its announced end."""
        choice = self.chance.random()
        if choice < 0.75:
            return head + b"Content-Length: %d\r\n\r\n" % len(body) + body, False
        if choice < 0.90:
            return head + b"Transfer-Encoding: chunked\r\n\r\n" + self.chunked(body), False
        if choice < 0.95:
            return head + b"Content-Length: %d\r\n\r\n" % (len(body) + self.chance.choice([1, 1_000, 10**12, 10**25])) + body, True
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + self.bent(self.chunked(body)), True

    def chunked(self, body):
        pieces, start = [], 0
        while start < len(body):
            size = self.chance.randint(1, max(1, len(body)))
            piece = body[start : start + size]
            pieces.append(b"%x\r\n%b\r\n" % (len(piece), piece))
            start += size
        return b"".join(pieces) + b"0\r\n\r\n"

    def maybe_bent(self, body):
        return self.bent(body) if self.chance.random() < 0.4 else body

    def bent(self, data):
        """The bytes with up to four places flipped, cut, doubled, or filled with something hostile."""
        data = bytearray(data)
        for _ in range(self.chance.randint(1, 4)):
            place = self.chance.randint(0, len(data))
            action = self.chance.randrange(5)
            if action == 0 and place < len(data):
                data[place] ^= 1 << self.chance.randrange(8)
            elif action == 1:
                del data[place : place + self.chance.randint(1, 20)]
            elif action == 2:
                data[place:place] = data[place : place + self.chance.randint(1, 200)]
            elif action == 3:
                data[place:place] = self.chance.choice(
                    [b"\0", b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"{" * 200, b"[" * 5_000, b"\r\n", b'"', b"9" * 50, b"<DL>" * 100]
                )
            else:
                del data[place:]
        return bytes(data)

    # The bodies: (kind, content type, bytes)

    def nothing(self):
        return "empty", None, b""

    def account(self):
        return (
            "account",
            self.json_type(),
            self.json(
                {
                    "email": self.text("someone@example.org"),
                    "username": self.text("someone"),
                    "password": self.text("correct-horse-9"),
                    "login": self.text("someone"),
                }
            ),
        )

    def refresh(self):
        return "refresh", self.json_type(), self.json({"refresh_token": self.text("A" * 43)})

    def new_bookmark(self):
        number = self.chance.randrange(10**6)
        return (
            "bookmark",
            self.json_type(),
            self.json(
                {
                    "url": self.text(f"https://example.org/{number}"),
                    "title": self.text("A page"),
                    "notes": self.text("words"),
                    "category": self.text("reading"),
                    "tags": self.chance.choice([["swift"], [], [self.text("x")] * 5, ["t"] * 3_000, "swift", None, self.value(0)]),
                }
            ),
        )

    def json_file(self):
        rows = [
            {"url": self.text(f"https://example.org/f/{self.chance.randrange(10**6)}"), "title": self.text("T"), "saved_at": self.value(0)}
            for _ in range(self.chance.randint(0, 20))
        ]
        return "JSON file", "application/json", self.json(rows)

    def bookmark_file(self):
        entries = "".join(self.bookmark_entry() for _ in range(self.chance.randint(0, 20)))
        text = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<TITLE>Bookmarks</TITLE>\n<DL><p>\n" + entries + "</DL>"
        return "bookmark file", "text/html", text.encode("utf-8", "surrogatepass")

    def bookmark_entry(self):
        link, tags, title, note = (self.text(usual) for usual in ("https://example.org/b", "a,b", "Page", "note"))
        entry = f'<DT><A HREF="{link}" ADD_DATE="{self.chance.choice(NUMBERS)}" TAGS="{tags}">{title}</A>\n<DD>{note}\n'
        return entry + self.chance.choice(
            ["", "<DT><H3>Folder</H3><DL><p>", "</DL><p>", "<!--", "<HR>", "&#x110000;&#0;&bogus;", "<DL>" * 300]
        )

    def multipart(self):
        boundary = self.chance.choice(["b", "----x", "x" * 70, "x" * 71, ""])
        content = self.bookmark_file()[2]
        disposition = self.chance.choice(['form-data; name="file"; filename="b.html"', "form-data", 'form-data; name="', "x" * 9_000])
        body = (
            f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: text/html\r\n\r\n".encode()
            + content
            + f"\r\n--{boundary}--\r\n".encode()
        )
        if self.chance.random() < 0.3:
            body = body[: self.chance.randint(0, len(body))]
        return "multipart", f"multipart/form-data; boundary={boundary}", body

    def json_type(self):
        return self.chance.choice(
            ["application/json"] * 8 + ["application/json; charset=latin1", "text/plain", "application/x-www-form-urlencoded", ";", None]
        )

    def json(self, value):
        if isinstance(value, dict):
            for name in list(value):
                if self.chance.random() < 0.1:
                    value[name] = self.value(0)
                elif self.chance.random() < 0.05:
                    del value[name]
            if self.chance.random() < 0.05:
                value[self.chance.choice(STRANGE)] = self.value(0)
        text = json.dumps(value, ensure_ascii=self.chance.random() < 0.5)
        if self.chance.random() < 0.02:
            text = self.chance.choice(["[", '{"a":']) * self.chance.choice([65, 1_000, 100_000 // 5])
        return text.encode("utf-8", "surrogatepass")

    def text(self, usual):
        return usual if self.chance.random() < 0.7 else self.chance.choice(STRANGE)

    def value(self, depth):
        choice = self.chance.randrange(7 if depth < 6 else 5)
        if choice == 5:
            return [self.value(depth + 1) for _ in range(self.chance.randint(0, 4))]
        if choice == 6:
            return {self.chance.choice(STRANGE): self.value(depth + 1) for _ in range(self.chance.randint(0, 4))}
        return [None, True, self.chance.choice(NUMBERS), self.chance.choice(STRANGE), ""][choice]
