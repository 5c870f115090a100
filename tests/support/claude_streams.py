"""Streams and whole replies of the Messages API, valid and invalid, as bytes for the local server."""

import json
from typing import Any

from tests.support.claude_server import message

DIRTY = "Wait\x00 for\ud83d her \x1b[31mturn.\r\nThen \u202ego\u2069 on.\x9f\ufeff"
CLEAN = "Wait for her [31mturn.\nThen go on."
WHOLE = "Serve and return."


def event(data: dict[str, Any]) -> bytes:
    """One event in the format of the API."""
    kind = str(data.get("type"))
    return f"event: {kind if kind.isascii() and kind.isidentifier() else 'odd'}\ndata: {json.dumps(data)}\n\n".encode()


def start(tokens: Any = 900) -> bytes:
    begun = message("", "fine") | {"content": [], "stop_reason": None, "usage": {"input_tokens": tokens}}
    return event({"type": "message_start", "message": begun})


def block(index: int = 0, kind: str = "text", **more: Any) -> bytes:
    content = {"type": kind, "text": ""} if kind == "text" else {"type": kind}
    return event({"type": "content_block_start", "index": index, "content_block": content | more})


def delta(text: str, index: int = 0, kind: str = "text_delta") -> bytes:
    return event({"type": "content_block_delta", "index": index, "delta": {"type": kind, "text": text}})


def end(reason: Any, tokens: Any = 12) -> bytes:
    stopped = event({"type": "content_block_stop", "index": 0})
    told = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": tokens}}
    return stopped + event(told) + event({"type": "message_stop"})


def said(text: str, reason: Any = "end_turn") -> list[bytes | float]:
    """A stream of one text."""
    return [start(), block(), delta(text), end(reason)]


def error(kind: str) -> bytes:
    return event({"type": "error", "error": {"type": kind, "message": "a secret of Claude's"}})


GOOD: dict[str, list[bytes | float]] = {
    "whole": said(WHOLE),
    "stop_sequence": said(WHOLE, "stop_sequence"),
    "unknown_events": [
        start(),
        event({"type": "ping"}),
        event({"type": "weather", "sun": True}),
        block(0, "thinking", thinking=""),
        event({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}}),
        block(1, "hologram", depth=3),
        delta("not for reading", 1),
        block(2),
        event({"type": "content_block_delta", "index": 2, "delta": {"type": "colour_delta", "text": "red"}}),
        delta(WHOLE, 2),
        b": a comment\n\nid: 7\nretry: 10\n\n",
        event({}),
        end("end_turn"),
    ],
    "no_message_stop": [start(), block(), delta(WHOLE), end("end_turn").rpartition(b"event: message_stop")[0]],
    "carriage_returns": [part.replace(b"\n", b"\r\n") for part in said(WHOLE) if isinstance(part, bytes)],
    "byte_by_byte": [bytes([byte]) for byte in b"".join(part for part in said(WHOLE) if isinstance(part, bytes))],
    "impossible_counts": [start(10**30), block(), delta(WHOLE), end("end_turn", "many")],
    "overload_after_the_end": [*said(WHOLE)[:3], end("end_turn"), error("overloaded_error")],
}
"""Streams whose answer is WHOLE."""

CUT: dict[str, list[bytes | float]] = {
    "max_tokens": said(WHOLE, "max_tokens"),
    "window": said(WHOLE, "model_context_window_exceeded"),
    "tool_use": said(WHOLE, "tool_use"),
    "unknown_stop": said(WHOLE, "sunset"),
}
"""Streams whose answer is WHOLE, and marked as cut off."""

FAILING: dict[str, list[bytes | float]] = {
    "nothing": [],
    "no_end": [start(), block(), delta("Serve")],
    "within_an_event": [start(), block(), delta("Serve")[:-20]],
    "no_stop_reason": [start(), block(), delta("Serve"), end(None)],
    "two_starts": [start(), block(), delta("Serve"), start(), delta("again"), end("end_turn")],
    "no_json": [start(), b"event: content_block_delta\ndata: {oops\n\n", end("end_turn")],
    "no_object": [start(), b"data: [1, 2]\n\n", end("end_turn")],
    "deep": [start(), b"data: " + b"[" * 100_000 + b"\n\n", end("end_turn")],
    "no_text": [start(), block(), event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}})],
    "blank": said(" \x00\u202e\n"),
    "huge_line": [start(), b"data: " + b"x" * (2 << 20) + b"\n\n", end("end_turn")],
    "drip": [start(), block(), *(part for _ in range(60) for part in (delta("x"), 0.1))],
    "refusal": said("I will", "refusal"),
    "overloaded_first": [error("overloaded_error")],
    "overloaded_inside": [start(), block(), delta("Serve"), error("overloaded_error")],
    "unknown_error": [start(), block(), delta("Serve"), error("gravity_error")],
    "no_stream": [b"<html>It works!</html>"],
}
"""Streams without an answer."""

PAUSED: list[bytes | float] = said("First. ", "pause_turn")


def whole(text: str, reason: Any = "end_turn", blocks: Any = None, usage: Any = None) -> bytes:
    """A whole reply in the format of the API."""
    content = [{"type": "text", "text": text}] if blocks is None else blocks
    found = message("", "fine") | {"content": content, "stop_reason": reason}
    return json.dumps(found | ({"usage": usage} if usage is not None else {})).encode()
