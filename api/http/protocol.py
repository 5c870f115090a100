"""uvicorn's HTTP/1.1 protocol with limits on what a client may send, hold open and leave unread; uvicorn has none.

A request line has at most `LONGEST_TARGET` bytes (414), a head `LARGEST_HEAD` bytes and `MOST_HEADERS` headers (431).
`deadlines` says how long a client may take, and `traffic` what all connections may hold together. The rest of a refused
request is discarded for a short time, then the connection is closed.
"""

import asyncio
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from api.http import whole_answers
from api.http.deadlines import Deadlines, Phase
from api.http.problems import HEAD_TOO_LARGE, MALFORMED_REQUEST, TARGET_TOO_LONG, TOO_BUSY, ErrorKind
from api.http.rate_limits import address_of
from api.http.refusals import refusal
from api.http.traffic import LINGER_BYTES, Traffic
from api.http.transport import LingeringTransport, show_progress
from api.http.upgrade import head_without_upgrade

LARGEST_HEAD = 32 * 1024
"""Bytes of request line and headers, nginx's default (4 buffers of 8 KiB). Browsers send a few hundred."""
LONGEST_TARGET = 8 * 1024
"""Bytes of path and query, the default of nginx and Apache."""
MOST_HEADERS = 100
"""Apache's default."""
DEEPEST_PIPELINE = 16
"""Pipelined requests that may wait behind the current one; no common client sends any."""
OVERHEAD = 16
"""Bytes that count as framing for each byte of a chunked body; more are chunk extensions or trailers, which have the
limit of a head."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        traffic = getattr(server_state, "traffic", None)
        if traffic is None:
            traffic = Traffic(getattr(config, "deadlines", Deadlines()), getattr(config, "proxies", ()))
            server_state.traffic = traffic  # type: ignore[attr-defined]
        self.traffic: Traffic = traffic
        self.deadlines = self.traffic.deadlines
        self.network = ""
        self.is_proxy = True  # a client without an address comes through a socket of this machine
        self.phase = Phase.HEAD
        self.entered = False
        self.since = 0.0  # when the phase began, by the loop's clock
        self.head_bytes = 0  # received before the end of the head
        self.fed_bytes = 0  # received since the end of the head
        self.body_bytes = 0  # received of the current body
        self.held_bytes = 0  # of the current body, held in memory for a route
        self.header_bytes = 0
        self.begun = False  # whether a request has begun and its head has not ended
        self.is_told_again = False  # whether the parser reads a head that is known already
        self.reading_body = False
        self.refused = False
        self.lingered_bytes = 0  # received after the refusal
        self.last_words: bytes | None = None
        self.stalled_at = 0.0
        self.unsent_then = 0

    # Called by asyncio

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        peer = get_remote_addr(transport)
        if peer is not None:
            self.network = address_of({"client": peer})
            self.is_proxy = self.traffic.is_proxy(peer[0])
        if not self.traffic.enter(self):
            self.transport = transport
            self.refused = True
            transport.write(self._refusal(TOO_BUSY, "Too many connections are open."))
            transport.close()
            return
        self.entered = True
        show_progress(transport)
        super().connection_made(cast(asyncio.Transport, LingeringTransport(transport, self)))
        self._enter(Phase.HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.entered:
            return
        self._end_body()
        self.traffic.leave(self)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        if self.refused:
            self.lingered_bytes += len(data)
            if self.lingered_bytes > LINGER_BYTES:
                self.drop()
            return
        in_body = self.reading_body
        self._unset_keepalive_if_required()
        self._parse(data)
        if self._is_over():
            return
        if self.reading_body:
            self._take_body(len(data) if in_body else 0)
        elif self.begun or (self._is_free() and not in_body):
            self._take_head(0 if in_body else len(data))
        elif not self._is_free():
            self._enter(Phase.ANSWER)
        else:  # the rest of a body that no route reads
            self._enter(Phase.IDLE)

    def _parse(self, data: bytes) -> None:
        while data and not self._is_over():
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                data = data[stopped.args[0] :]
                self._go_on()
            except httptools.HttpParserError:
                self.refuse(MALFORMED_REQUEST, "Invalid HTTP request received.")
            else:
                return

    def _go_on(self) -> None:
        """The parser stopped, because the head asks for another protocol. The request is answered as if it had not."""
        if self._is_over():
            return
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.is_told_again = True
        try:
            self.parser.feed_data(head_without_upgrade(self.scope["http_version"], self.headers))
        except httptools.HttpParserError:
            self.refuse(MALFORMED_REQUEST, "Invalid HTTP request received.")
        self.is_told_again = False

    def _is_over(self) -> bool:
        return self.refused or self.parser is None

    def _take_head(self, size: int) -> None:
        """Count `size` more bytes of a head that has not ended."""
        self.head_bytes += size
        if self.head_bytes > LARGEST_HEAD:
            self.refuse(HEAD_TOO_LARGE, f"A request's line and headers hold at most {LARGEST_HEAD} bytes.")
        elif self.phase is not Phase.HEAD and self._is_free():
            self._enter(Phase.HEAD)

    def _take_body(self, size: int) -> None:
        """Count `size` more bytes of a body that has not ended, framing included."""
        self.fed_bytes += size
        if self.fed_bytes > LARGEST_HEAD + (1 + OVERHEAD) * self.body_bytes:
            self.refuse(HEAD_TOO_LARGE, "The trailers or the chunk extensions are too large.")
        elif self.phase is not Phase.BODY:
            self._enter(Phase.BODY)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.stalled_at, self.unsent_then = self.loop.time(), self.unsent()
        self.traffic.stalls(self)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.traffic.stalled.pop(self, None)

    # Called by the parser

    def on_message_begin(self) -> None:
        if self.is_told_again:
            return
        super().on_message_begin()
        self.begun = True
        self.header_bytes = 0

    def on_url(self, url: bytes) -> None:
        if self.refused or self.is_told_again:
            return
        if len(self.url) + len(url) > LONGEST_TARGET:
            self.refuse(TARGET_TOO_LONG, f"An address holds at most {LONGEST_TARGET} bytes.")
            return
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.refused or self.is_told_again:
            return
        self.header_bytes += len(name) + len(value)
        if self.header_bytes > LARGEST_HEAD:
            self.refuse(HEAD_TOO_LARGE, f"A request's headers hold at most {LARGEST_HEAD} bytes.")
        elif self.begun:  # else it is a trailer, which is dropped: routes would read it as a header
            if len(self.headers) >= MOST_HEADERS:
                self.refuse(HEAD_TOO_LARGE, f"A request has at most {MOST_HEADERS} headers.")
                return
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.refused or self.is_told_again:
            return
        if len(self.pipeline) >= DEEPEST_PIPELINE:
            self.refuse(TOO_BUSY, f"At most {DEEPEST_PIPELINE} requests may wait behind another.")
            return
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):  # RFC 9112, section 3.2
            self.refuse(MALFORMED_REQUEST, "A request has one Host header.")
            return
        super().on_headers_complete()
        self.begun = False
        self.reading_body = True
        self.head_bytes = self.fed_bytes = self.body_bytes = 0

    def on_body(self, body: bytes) -> None:
        if self.refused:
            return
        super().on_body(body)
        self.body_bytes += len(body)
        if not self.cycle.response_complete:  # else it is discarded
            self.held_bytes += len(body)
            self.traffic.reads(len(body))

    def on_message_complete(self) -> None:
        if self.refused or self.parser.should_upgrade():
            return  # the parser takes every upgrade for the end; the body may follow
        super().on_message_complete()
        self._end_body()

    # Called by uvicorn

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        whole_answers.offer(self, cycle)
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Continue with the next request, or wait for one. `Traffic` holds the deadline of idle connections, which
        costs less than a timer for each request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing() or self.phase is Phase.LINGER:
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self.last_words is not None:
            self._say(self.last_words)
        elif self.begun:
            self._enter(Phase.HEAD)
        elif not self.reading_body:
            self._enter(Phase.IDLE)

    def shutdown(self) -> None:
        if self.refused:
            self.transport.abort()
        else:
            super().shutdown()

    # Called by the traffic and the deadlines

    def unsent(self) -> int:
        """Bytes of answers that the client has not read."""
        return self.transport.get_write_buffer_size()

    def drop(self) -> None:
        """Close without an answer, and discard unsent bytes."""
        self.traffic.waiting.pop(self, None)
        self._end_body()
        self.transport.abort()

    def _enter(self, phase: Phase) -> None:
        self.phase, self.since = phase, self.loop.time()
        self.traffic.waiting.pop(self, None)
        if phase is not Phase.ANSWER:
            self.traffic.waiting[self] = None

    def _is_free(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _end_body(self) -> None:
        self.traffic.unread -= self.held_bytes
        self.body_bytes = self.held_bytes = 0
        self.reading_body = False

    def refuse(self, kind: ErrorKind, detail: str) -> None:
        """Answer with `kind` after the pending answers, and close."""
        if self.refused or self.transport.is_closing():
            return
        self.refused = True
        self.traffic.note(kind.title)
        self._unset_keepalive_if_required()
        words = self._refusal(kind, detail)
        in_body = self.reading_body
        self._end_body()
        if in_body and self.pipeline:  # the last waiting request will never receive its body
            self.pipeline.popleft()
        elif in_body and not self._is_free() and not self.cycle.response_started:
            self.cycle.disconnected = True  # tells the route that no more data comes
            self.cycle.message_event.set()
            self._say(words)
            return
        elif in_body:  # its answer has already begun
            self.linger()
            return
        elif self._is_free():
            self._say(words)
            return
        self.last_words = words
        self._enter(Phase.ANSWER)

    def _say(self, words: bytes) -> None:
        self.refused = True
        self.last_words = None
        self._unset_keepalive_if_required()
        self.transport.write(words)
        self.linger()

    def closing(self) -> None:
        """The transport closes once the client has read the rest, which has a deadline too."""
        if self.unsent():
            self._enter(Phase.CLOSING)

    def linger(self) -> None:
        """Close once the client stops sending, or after a short time."""
        transport = cast(LingeringTransport, self.transport).real
        self.refused = True
        self._end_body()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if transport.can_write_eof() and not transport.is_closing():
            transport.write_eof()
            self._enter(Phase.LINGER)
        else:
            transport.close()

    def _refusal(self, kind: ErrorKind, detail: str) -> bytes:
        return refusal(kind, detail, self.server_state.default_headers)
