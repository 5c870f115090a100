"""Reads request bodies: limits their size while they arrive and are unpacked, and reads JSON by one rule everywhere.

The rule: a body is JSON in UTF-8; the Content-Type does not matter. A byte order mark is ignored. Content-Encoding may
be gzip or deflate; the limit counts the unpacked bytes.
"""

import zlib

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import BODY_TOO_LARGE, ENCODING_UNSUPPORTED, MALFORMED_BODY, ProblemOccurred

LARGEST_BODY = 256 * 1024
"""Bytes, after unpacking."""
MOST_VALUES = 8_000
"""Values of a JSON body that FastAPI validates, counted by the commas outside of texts. Each may cost an error, and
8,000 errors take about 40 ms in which the process answers no other request. Apps send a few hundred."""
MOST_MEMBERS = 100
"""Members of a gzip body (RFC 1952, section 2.2). Each costs a copy of what follows it."""
ENCODINGS = frozenset({b"gzip", b"x-gzip", b"deflate"})
GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
"""zlib distinguishes both formats by their first bytes."""
GZIP = zlib.MAX_WBITS | 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
SPACE = b" \t\r\n"
JSON = (b"content-type", b"application/json")
ABOUT_THE_BODY = frozenset({b"content-encoding", b"content-length"})
"""Headers that do not describe the unpacked body that the routes read."""


async def read_json(request: Request, largest: int = LARGEST_BODY) -> bytes:
    """The body of a JSON route, in UTF-8 and without a byte order mark. Raises ProblemOccurred: 413 for more than
    `largest` bytes, before reading if the client announces them; 415 for an unknown Content-Encoding; 422 for broken
    compression and for a body that is not UTF-8."""
    return _utf8(await _read(request.scope, request.receive, largest))


class RequestBodyMiddleware:
    """ASGI middleware: does the same for bodies that FastAPI reads. Bodies below `pages` are not JSON; they are only
    limited and unpacked. The endpoints of the paths in `own` call `read_json` themselves."""

    def __init__(self, app: ASGIApp, own: frozenset[str], pages: tuple[str, ...]) -> None:
        self.app = app
        self.own = own
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in WITHOUT_BODY or scope["path"] in self.own:
            await self.app(scope, receive, send)
            return
        is_json = not scope["path"].startswith(self.pages)
        received = dict(scope)  # `_read` needs the original headers
        dropped = ABOUT_THE_BODY | {JSON[0]} if is_json else ABOUT_THE_BODY
        scope["headers"] = [header for header in scope["headers"] if header[0] not in dropped]
        if is_json:
            scope["headers"].append(JSON)
        done = False

        async def whole() -> Message:  # raises inside the error handlers of the app that handles the request
            nonlocal done
            if done:
                return await receive()
            body = await _read(received, receive, LARGEST_BODY)
            done = True
            return {"type": "http.request", "body": _validatable(body) if is_json else body, "more_body": False}

        await self.app(scope, whole, send)


class _Unpacker:
    """Unpacks a zlib stream, or the members of a gzip body one after another."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(GZIP_OR_ZLIB)
        self._members = 1

    @property
    def is_at_end(self) -> bool:
        """Whether the body may end here."""
        return self._stream.eof

    def unpacked(self, part: bytes, most: int) -> bytes:
        """What `part` holds, at most `most` bytes (from 1): more are never made, so that a small body cannot fill the
        memory."""
        out = bytearray()
        try:
            while part and len(out) < most:
                if self._stream.eof:
                    self._next_member()
                out += self._stream.decompress(part, most - len(out))
                part = self._stream.unused_data
        except zlib.error as error:
            raise _broken("The compressed body is broken.") from error
        return bytes(out)

    def _next_member(self) -> None:
        if self._members == MOST_MEMBERS:
            raise _broken(f"A gzip body has at most {MOST_MEMBERS} members.")
        self._stream = zlib.decompressobj(GZIP)
        self._members += 1


async def _read(scope: Scope, receive: Receive, largest: int) -> bytes:
    encoding = b""
    for name, value in scope["headers"]:
        if name == b"content-length" and _is_more(value, largest):
            raise _too_large(largest)
        if name == b"content-encoding":
            encoding += b"," + value
    unpacker = _unpacker(encoding) if encoding else None
    body, sent = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        sent += len(part)
        body += part if unpacker is None else unpacker.unpacked(part, largest + 1 - len(body))
        if max(sent, len(body)) > largest:
            raise _too_large(largest)
        if not message.get("more_body"):
            break
    if unpacker is not None and sent and not unpacker.is_at_end:
        raise _broken("The compressed body ends too early.")
    return bytes(body)


def _unpacker(encoding: bytes) -> _Unpacker | None:
    names = [name.strip().lower() for name in encoding.split(b",")]
    names = [name for name in names if name not in {b"", b"identity"}]
    if not names:
        return None
    if len(names) > 1 or names[0] not in ENCODINGS:
        headers = {"Accept-Encoding": "gzip, deflate", "Connection": "close"}
        raise ProblemOccurred(ENCODING_UNSUPPORTED, "Send the body as it is, or with gzip or deflate.", headers=headers)
    return _Unpacker()


def _utf8(body: bytes) -> bytes:
    body = body.removeprefix(BYTE_ORDER_MARK)
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise ProblemOccurred(MALFORMED_BODY, f"The body is not UTF-8 (byte {error.start}).") from error
    if body.startswith(BYTE_ORDER_MARK):
        raise ProblemOccurred(MALFORMED_BODY, "The body begins with two byte order marks.")
    if b"\0" in body:  # JSON in UTF-8 has no NUL; UTF-16 and UTF-32 do
        raise ProblemOccurred(MALFORMED_BODY, f"The body is not JSON in UTF-8 (byte {body.index(0)} is NUL).")
    return body


def _validatable(body: bytes) -> bytes:
    if body.count(b",") >= MOST_VALUES and _commas_outside_texts(body) >= MOST_VALUES:
        raise ProblemOccurred(BODY_TOO_LARGE, f"At most {MOST_VALUES} values are accepted.")
    body = _utf8(body)
    return body if body.strip(SPACE) else b""  # to FastAPI a body of blanks would be broken JSON, not no body


def _commas_outside_texts(body: bytes) -> int:
    """In linear time, also for what is no JSON: the parts between quotes that no backslash escapes are texts."""
    parts = body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
    return sum(part.count(b",") for part in parts[::2])


def _is_more(announced: bytes, largest: int) -> bool:
    digits = announced.strip().lstrip(b"0")
    return digits.isdigit() and (len(digits) > len(str(largest)) or int(digits) > largest)


def _broken(detail: str) -> ProblemOccurred:
    return ProblemOccurred(MALFORMED_BODY, detail, headers={"Connection": "close"})


def _too_large(largest: int) -> ProblemOccurred:
    # The rest of the body is not read, so the connection cannot be used again.
    return ProblemOccurred(BODY_TOO_LARGE, f"At most {largest} bytes are accepted.", headers={"Connection": "close"})
