"""Answers that clients may keep: an ETag, 304 to those who have the answer already (RFC 9110, section 13), and gzip.

Only what is the same for everyone is compressed. An answer that holds a secret beside something that a stranger can put
into the request must not be: its compressed length tells the secret letter by letter (BREACH, CVE-2013-3587). So this
is a list of paths and no rule about types of content. Pages with a form token, a household's days and a user's profile
are not on it.
"""

import asyncio
import gzip
import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANYONE, ONE_CLIENT = "public, no-cache", "private, no-cache"
"""Who may keep an answer. `no-cache`: it is kept, and used after asking whether it is still true."""
SMALLEST_ZIPPED = 500
"""Bytes. A smaller body and its headers fit into one packet anyway."""
ZIPPED_AT_ONCE = 65_536
"""Bytes that are compressed in the event loop, in about a millisecond; more go to a thread."""
MOST_KEPT = 32 * 1024 * 1024
"""Bytes of bodies in memory; all static files together are 10 MiB. Each is there once, however many clients read it."""
SENT_AT_ONCE = 65_536
ZIPPABLE = ("text/", "application/json", "application/javascript", "image/svg+xml")
LONGEST_HEADER = 1_000
"""Characters of an Accept-Encoding that are read; browsers send 25."""
WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True)
class Caching:
    """How the answers of a path are kept."""

    control: str
    varies: tuple[str, ...] = ()
    """Request headers, besides Accept-Encoding, that change the answer."""
    is_zipped: bool = True
    personal: str | None = None
    """The request header with which an answer is for one client, and not compressed."""


CATALOG = Caching(ANYONE)
PATHS = {
    "/openapi.json": CATALOG,
    "/api/v1/openapi.json": CATALOG,
    "/docs": CATALOG,
    "/api/v1/docs": CATALOG,
    "/coach/model": CATALOG,
    "/coach/model/policy.onnx": CATALOG,
    "/badges": CATALOG,
    "/templates": Caching(ANYONE, ("Accept-Language", "X-User-UUID"), personal="x-user-uuid"),
    "/api/income-ranges": CATALOG,
    "/api/research/instruments": CATALOG,
    "/api/v1/guides": Caching(ONE_CLIENT, ("Authorization",), is_zipped=False),  # names who follows a guide
}
FOLDERS = {
    "/docs/assets/": CATALOG,
    "/family/static/": CATALOG,
    "/admin/static/": CATALOG,
    "/api/v1/guides/": Caching(ONE_CLIENT, ("Authorization",)),  # the same for every household
}


def caching_of(path: str) -> Caching | None:
    """How the answers of `path` are kept; None for the many that are not."""
    found = PATHS.get(path)
    if found is not None or not path.startswith(tuple(FOLDERS)):
        return found
    return next(caching for folder, caching in FOLDERS.items() if path.startswith(folder))


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether a client with this If-None-Match has the answer with `etag`, by the weak comparison."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in ENTITY_TAG.findall(if_none_match)


def prefers_gzip(accept_encoding: str, size: int) -> bool:
    """Whether a body of `size` bytes is sent compressed to a client with this Accept-Encoding (RFC 9110, 12.5.3)."""
    weights = dict(_weighted(accept_encoding[:LONGEST_HEADER]))
    others = weights.get("*")
    zipped = weights.get("gzip", weights.get("x-gzip", others or 0))
    plain = weights.get("identity", 0 if others == 0 else None)  # None: taken, without a preference
    if zipped == 0 or plain == 0:
        return zipped > 0
    return size >= SMALLEST_ZIPPED and (plain is None or zipped >= plain)


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    """Each coding with its weight. One whose weight is malformed is not taken."""
    for part in header.split(","):
        coding, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        if coding:
            yield coding, float(weight) if WEIGHT.fullmatch(weight) else 0.0


class KeptBodies:
    """Bodies in memory, compressed ones too, until there are more than `MOST_KEPT` bytes."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> bytes | None:
        if key in self._bodies:
            self._bodies.move_to_end(key)
        return self._bodies.get(key)

    def keep(self, key: str, body: bytes) -> bytes:
        """The body that is kept under `key`; another request may have kept it meanwhile."""
        kept = self._bodies.setdefault(key, body)
        self._bytes += len(body) if kept is body else 0
        while self._bytes > MOST_KEPT:
            self._bytes -= len(self._bodies.popitem(last=False)[1])
        return kept


class CacheableMiddleware:
    """ASGI middleware, the innermost: the inner app gets HEAD as GET, and a 304 passes all the others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.bodies = KeptBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caching = caching_of(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if caching is None:
            await self.app(scope, receive, send)
            return
        asked = Headers(raw=scope["headers"])
        if "if-none-match" in asked:  # it is compared here, with what is sent
            compared = {b"if-none-match", b"if-modified-since"}
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in compared]
        await self.app(scope, receive, _Answer(caching, scope["path"], asked, self.bodies, send).take)


class _Answer:
    """An answer on its way: a 200 is held until its whole body is there, anything else is passed on."""

    def __init__(self, caching: Caching, path: str, asked: Headers, bodies: KeptBodies, send: Send) -> None:
        self.caching = caching
        self.path = path
        self.asked = asked
        self.bodies = bodies
        self.send = send
        self.is_personal = caching.personal is not None and caching.personal in asked
        self.start: Message | None = None
        self.kept: bytes | None = None
        """The body, where an earlier request for this file has read it: ten thousand slow readers share one."""
        self.parts: list[bytes] = []

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if message["status"] in {200, 206, 304}:
                headers.add_vary_header(", ".join((*self.caching.varies, "Accept-Encoding")))
                headers.setdefault("Cache-Control", ONE_CLIENT if self.is_personal else self.caching.control)
            if message["status"] == 200:  # noqa: PLR2004
                self.start = message
                self.kept = self.bodies.get(f"{self.path} {headers.get('etag')}")
                return
        if self.start is None:
            await self.send(message)
            return
        if self.kept is None:
            self.parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            await self._finish(self.start, b"".join(self.parts) if self.kept is None else self.kept)

    async def _finish(self, start: Message, body: bytes) -> None:
        """Send the body, compressed if that is wanted, or 304 without it."""
        headers = MutableHeaders(scope=start)
        etag = headers.get("etag") or f'"{hashlib.sha256(body).hexdigest()}"'
        if "etag" in headers:  # a file
            body = self.bodies.keep(f"{self.path} {etag}", body)
        may_be_zipped = self.caching.is_zipped and not self.is_personal
        may_be_zipped = may_be_zipped and headers.get("content-type", "").startswith(ZIPPABLE)
        is_zipped = may_be_zipped and prefers_gzip(", ".join(self.asked.getlist("accept-encoding")), len(body))
        # Both forms have one tag, which is weak for the compressed one: the same answer in other bytes.
        headers["ETag"] = f"W/{etag}" if is_zipped else etag
        if "if-none-match" in self.asked and is_known(", ".join(self.asked.getlist("if-none-match")), etag):
            for name in ("Content-Type", "Content-Length", "Accept-Ranges", "Last-Modified"):
                del headers[name]
            await self.send({**start, "status": 304})
            await self.send({"type": "http.response.body", "body": b""})
            return
        if is_zipped:
            body = await self._zipped(f"{self.path} {headers['ETag']}", body)
            headers["Content-Encoding"], headers["Content-Length"] = "gzip", str(len(body))
            del headers["Accept-Ranges"]
        await self.send(start)
        for place in range(0, len(body) or 1, SENT_AT_ONCE):  # a slow reader holds one part
            part, rest = body[place : place + SENT_AT_ONCE], place + SENT_AT_ONCE < len(body)
            await self.send({"type": "http.response.body", "body": part, "more_body": rest})

    async def _zipped(self, key: str, body: bytes) -> bytes:
        kept = self.bodies.get(key)
        if kept is not None:
            return kept
        if len(body) <= ZIPPED_AT_ONCE:
            return self.bodies.keep(key, gzip.compress(body, mtime=0))
        return self.bodies.keep(key, await asyncio.to_thread(gzip.compress, body, mtime=0))
