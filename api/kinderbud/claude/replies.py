"""Parses replies of the Messages API, whole or as events. Does no I/O.
The API may add event, content block, delta and stop types at any time (its versioning policy says so), so unknown ones
are skipped. A reply that contradicts the API raises ValueError.

"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

LARGEST_REPLY = 1 << 20
"""Bytes of a reply. The longest requested answer has about five thousand characters."""
LARGEST_COUNT = 2**31 - 1
"""Tokens of a reply; larger numbers do not fit a database integer."""


class Ending(StrEnum):
    """How a reply ended. An unknown stop type counts as cut: the answer may be incomplete."""

    WHOLE = "whole"
    CUT = "cut"
    PAUSED = "paused"
    REFUSED = "refused"


ENDINGS = {
    "end_turn": Ending.WHOLE,
    "stop_sequence": Ending.WHOLE,
    "pause_turn": Ending.PAUSED,
    "refusal": Ending.REFUSED,
}


class ReplyFailed(Exception):
    """An `error` event in a stream; `kind` is the API's name of the error."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Usage:
    """Tokens of an answer."""

    input: int
    output: int

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(min(self.input + other.input, LARGEST_COUNT), min(self.output + other.output, LARGEST_COUNT))


@dataclass
class Reply:
    """A reply as far as it was read. `ending` is None until the reply says how it ends."""

    ending: Ending | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    _started: bool = False
    _texts: set[int] = field(default_factory=set)
    """Indexes of the blocks that are text."""

    @property
    def usage(self) -> Usage:
        return Usage(self.input_tokens, self.output_tokens)

    def add(self, event: dict[str, Any]) -> str:
        """Read one event of a stream and return the text that it adds. Raises ReplyFailed for an `error` event."""
        match event.get("type"):
            case "error":
                raise ReplyFailed(str(_object(event.get("error")).get("type")))
            case "message_start":
                return self._start(_object(event.get("message")))
            case "content_block_start":
                block = _object(event.get("content_block"))
                if block.get("type") == "text":
                    self._texts.add(_index(event))
                    return _text(block)
            case "content_block_delta":
                delta = _object(event.get("delta"))
                if delta.get("type") == "text_delta" and _index(event) in self._texts:
                    return _text(delta)
            case "message_delta":
                self._end(_object(event.get("delta")).get("stop_reason"))
                self._count(event.get("usage"))
        return ""

    def read_whole(self, message: Any) -> str:
        """Read a whole reply and return its text."""
        message = _object(message)
        if message.get("type") != "message" or not isinstance(message.get("content"), list):
            raise ValueError("no message")
        self._count(message.get("usage"))
        self._end(message.get("stop_reason"))
        blocks = [_object(block) for block in message["content"]]
        return "".join(_text(block) for block in blocks if block.get("type") == "text")

    def _start(self, message: dict[str, Any]) -> str:
        if self._started:
            raise ValueError("a second message in one stream")
        self._started = True
        self._count(message.get("usage"))
        return ""

    def _end(self, reason: Any) -> None:
        if isinstance(reason, str):
            self.ending = ENDINGS.get(reason, Ending.CUT)

    def _count(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self.input_tokens = _count(usage.get("input_tokens"), self.input_tokens)
            self.output_tokens = _count(usage.get("output_tokens"), self.output_tokens)


class EventReader:
    """Splits the bytes of a server-sent event stream into the JSON objects of its events."""

    def __init__(self) -> None:
        self._read = 0
        self._rest = bytearray()
        self._data: list[bytes] = []

    def add(self, part: bytes) -> Iterator[dict[str, Any]]:
        """The events that this part completes. Raises ValueError beyond LARGEST_REPLY bytes."""
        self._read += len(part)
        if self._read > LARGEST_REPLY:
            raise ValueError("too long")
        self._rest += part
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest
        for line in (ended.removesuffix(b"\r") for ended in lines):
            if line.startswith(b"data:"):
                self._data.append(bytes(line.removeprefix(b"data:")))
            elif not line and self._data:
                data, self._data = b"\n".join(self._data), []
                yield as_json(data)


def as_json(data: bytes) -> dict[str, Any]:
    """Parse a JSON object. Invalid UTF-8 becomes replacement characters. Raises ValueError."""
    try:
        return _object(json.loads(data.decode("utf-8", "replace")))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _index(event: dict[str, Any]) -> int:
    index = event.get("index")
    if not isinstance(index, int):
        raise ValueError("a block without an index")
    return index


def _text(block: dict[str, Any]) -> str:
    text = block.get("text")
    if not isinstance(text, str):
        raise ValueError("a text without text")
    return text


def _count(value: Any, before: int) -> int:
    """A number of tokens, or the previous value if this is not a valid count."""
    return min(value, LARGEST_COUNT) if type(value) is int and value >= 0 else before
