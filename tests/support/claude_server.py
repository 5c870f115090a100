"""A local server for the Messages API over HTTP. A test chooses its behaviour."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from coach_model.daily.candidates import Candidate, Showings
from coach_model.daily.slate import best_slate

HANGING_SECONDS = 8.0
SLOW_SECONDS = {"slow": 1.0, "slower": 3.0}
NOTE = "A calm day for Emma. Begin with what she likes."
SAID = ["Serve and return ", "is a back-and-forth. ", "Wait for her turn."]
KEY = "sk-ant-a-key-for-tests"
STATUSES = {"401": 401, "429": 429, "500": 500, "529": 529}


@dataclass
class Claude:
    """The server's behaviour from now on, and the requests that it got."""

    url: str = ""
    behaviour: str = "fine"
    asked: list[dict[str, Any]] = field(default_factory=list)
    streams: list[list[bytes | float]] = field(default_factory=list)
    """The parts of the next streams, in order, instead of a behaviour; a number is a pause in seconds."""
    wholes: list[bytes] = field(default_factory=list)
    """The bodies of the next whole replies, in order."""
    while_tried: Callable[[], None] = lambda: None
    """Called while a key is tested."""
    headers: list[str] = field(default_factory=list)
    """All headers received."""

    @property
    def family(self) -> dict[str, Any]:
        """The fenced data of the last curation."""
        return fenced_in(self.asked[-1])


def fenced_in(request: dict[str, Any]) -> dict[str, Any]:
    """The data between the fences of a curation."""
    said = request["messages"][0]["content"]
    found: dict[str, Any] = json.loads(said.removeprefix("<family>").removesuffix("</family>"))
    return found


class _Server(ThreadingHTTPServer):
    """Answers as its `claude` says."""

    daemon_threads = True

    def __init__(self, claude: Claude) -> None:
        self.claude = claude
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if not self._known():
            return
        self.server.claude.while_tried()
        body = {"id": "m", "type": "model", "display_name": "m", "created_at": "2026-01-01T00:00:00Z"}
        body |= {"lifecycle": "active"}
        self._send(200, json.dumps(body))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._known():
            return
        claude = self.server.claude
        claude.asked.append(asked)
        claude.headers.append(f"{self.path} {self.headers}")
        if asked.get("stream") and claude.streams:
            self._parts(claude.streams.pop(0))
        elif not asked.get("stream") and claude.wholes:
            self._send_bytes(claude.wholes.pop(0))
        elif claude.behaviour in STATUSES:
            self._failed(STATUSES[claude.behaviour])
        elif claude.behaviour == "hanging":
            time.sleep(HANGING_SECONDS)
            self.close_connection = True
        elif claude.behaviour == "junk":
            self._send(200, "<html>It works!</html>")
        elif asked.get("stream"):
            self._stream(claude.behaviour)
        elif claude.behaviour == "cut":
            self._head(200, 10_000)
            self.wfile.write(b'{"id": "msg_1", "type": "mess')
            self.close_connection = True
        else:
            time.sleep(SLOW_SECONDS.get(claude.behaviour, 0.0))
            self._send(200, json.dumps(message(curation(asked, claude.behaviour), claude.behaviour)))

    def _known(self) -> bool:
        shown = self.headers["x-api-key"] or (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if shown != KEY:
            self._failed(401)
        return bool(shown == KEY)

    def _stream(self, behaviour: str) -> None:
        self._head(200, None, "text/event-stream")
        start = message("", "fine") | {"content": [], "stop_reason": None}
        refusal = behaviour == "refusal"
        events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
        if not refusal:
            events.append({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        for part in [] if refusal else SAID:
            delta = {"type": "text_delta", "text": part}
            events.append({"type": "content_block_delta", "index": 0, "delta": delta})
            if behaviour == "cut":
                break
        if behaviour != "cut":
            stop = {"stop_reason": "refusal" if refusal else "end_turn", "stop_sequence": None}
            events += [] if refusal else [{"type": "content_block_stop", "index": 0}]
            events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 12}})
            events.append({"type": "message_stop"})
        for event in events:
            if behaviour == "slow":
                time.sleep(0.1)
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True

    def _parts(self, parts: list[bytes | float]) -> None:
        self._head(200, None, "text/event-stream")
        with contextlib.suppress(OSError):  # the service may have closed the connection
            for part in parts:
                if isinstance(part, bytes):
                    self.wfile.write(part)
                    self.wfile.flush()
                else:
                    time.sleep(part)
        self.close_connection = True

    def _send_bytes(self, body: bytes) -> None:
        self._head(200, len(body))
        self.wfile.write(body)

    def _failed(self, status: int) -> None:
        kind = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}.get(status, "api_error")
        error = {"type": "error", "error": {"type": kind, "message": f"no, {KEY}"}}
        self._send(status, json.dumps(error), {"retry-after": "1"} if status == STATUSES["429"] else {})

    def _send(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        self._head(status, len(body.encode()), "application/json", headers)
        self.wfile.write(body.encode())

    def _head(
        self,
        status: int,
        length: int | None,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()


@contextmanager
def claude_server() -> Iterator[Claude]:
    """The server, in its own thread."""
    claude = Claude()
    server = _Server(claude)
    claude.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield claude
    finally:
        server.shutdown()
        server.server_close()


def message(text: str, behaviour: str) -> dict[str, Any]:
    """A message of the API."""
    refusal = behaviour == "refusal"
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [] if refusal else [{"type": "text", "text": text}],
        "stop_reason": "refusal" if refusal else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 900, "output_tokens": 40},
    }


def curation(asked: dict[str, Any], behaviour: str) -> str:
    """A choice that fits the behaviour."""
    family = fenced_in(asked)
    ids = chosen(family)
    if behaviour == "strangers":
        ids[0] = 999_999
    if behaviour == "duplicates":
        ids[0] = ids[1]
    if behaviour == "too_few":
        ids = ids[:2]
    text = json.dumps({"ids": ids, "note": NOTE})
    return text[: len(text) // 2] if behaviour == "truncated" else text


def chosen(family: dict[str, Any]) -> list[int]:
    """A valid choice that neither rules nor policy would make: the candidates from last to first."""
    adults = {one["id"] for one in family["people"] if one["age"] == "adult"}
    candidates = [
        Candidate(
            todo_id=one["id"],
            participant=one["for"],
            area=one["area"],
            frequency=one["frequency"],
            minutes=one["minutes"],
            overdue=one["overdue"],
            never_done=True,
            showings=Showings(),
            unseen_days=None,
            snoozes=0,
            stage_progress=0.5,
            is_adult=one["for"] in adults,
        )
        for one in family["candidates"]
    ]
    slate = best_slate(candidates, list(reversed(range(len(candidates)))), family["slots"])
    return [candidates[place].todo_id for place in slate.chosen]
