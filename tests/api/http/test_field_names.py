"""The name of the field at which parsing stopped: the right one, in bounded time."""

import re
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.error_texts import LONGEST_NAME
from api.http.json_body import EXCERPT, MOST_UNKNOWN, decoded, field_errors, last_name
from api.http.problems import ProblemOccurred
from api.kakei.coach.schemas import CoachContext
from api.kinderbud.households.rules import InvalidHousehold, checked_email

DEFINITION = re.compile(rb'"((?:[^"\\]|\\.)*)"[ \t\r\n]*:[ \t\r\n]*[-+.\w]*$', re.ASCII | re.DOTALL)
"""What is looked for, as an expression that takes quadratic time or worse."""
HOSTILE: dict[str, Callable[[int], bytes]] = {
    "escaped quotes": lambda size: b'{"' + b'\\"' * (size // 2),
    "escaped quotes and a value": lambda size: b'{"' + b'\\"' * (size // 2) + b'":NaN',
    "backslashes": lambda size: b'{"' + b"\\" * size + b'":NaN',
    "quotes": lambda size: b'{"a":' + b'"' * size,
    "colons": lambda size: b'{"a"' + b":" * size,
    "spaces": lambda size: b'{"a"' + b" " * size + b":NaN",
    "spaces before nothing": lambda size: b'{"a":' + b" " * size + b"!",
    "digits": lambda size: b'{"a":' + b"1" * size + b"!",
    "names": lambda size: b"{" + b'"a":1,' * (size // 6) + b'"b":NaN}',
    "unknown fields": lambda size: b"{" + b",".join(b'"%d":1' % n for n in range(size // 8)) + b"}",
    "depth": lambda size: b'{"a":' * (size // 5),
    "lists": lambda size: b"[" * size,
    "a long name": lambda size: b'{"' + b"a" * size + b'":NaN}',
}


@given(st.lists(st.sampled_from([b'"', b"\\", b":", b" ", b"\n", b"a", b"1", b"-", b",", b"{", b"\xff"]), max_size=40))
def test_the_name_is_the_one_that_the_definition_finds(parts: list[bytes]) -> None:
    text = b"".join(parts)
    found = last_name(text)
    if found is not None:
        # What opens the name depends on everything before; a name that is found ends where the definition's ends.
        match = DEFINITION.search(text)
        assert match is not None
        assert match[1].decode(errors="replace").endswith(found)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b'{"a": ', "a"),
        (b'{"a":1,"income_level" :\n -12.', "income_level"),
        (rb'{"a\"b\\":', r"a\"b\\"),
        (rb'{"\\":"x","\"":', r"\""),
        (b'{"a":1,', None),
        (b"", None),
        (b":", None),
        (b'":', None),
        ('{"収入":'.encode(), "収入"),
        (b'{"' + b"a" * EXCERPT + b'":', None),
    ],
)
def test_names(text: bytes, name: str | None) -> None:
    assert last_name(text) == name


class Counting(bytes):
    """Bytes that count how many of them are looked at."""

    looked_at = 0

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int):
            Counting.looked_at += 1
        return super().__getitem__(key)


@pytest.mark.parametrize("kind", HOSTILE)
def test_finding_the_name_looks_at_a_bounded_excerpt_once(kind: str) -> None:
    for size in (1_000, 16_000, 256_000):
        Counting.looked_at = 0
        last_name(Counting(HOSTILE[kind](size)))
        assert Counting.looked_at <= 3 * EXCERPT


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python `work` runs."""
    count = 0

    def trace(*_: object) -> object:
        nonlocal count
        count += 1
        return trace

    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        work()
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_body_costs_no_more_steps_than_a_short_one(kind: str) -> None:
    decoder = msgspec.json.Decoder(CoachContext)

    def refuse(body: bytes) -> None:
        with pytest.raises(ProblemOccurred) as refused:
            decoded(decoder, body)
        assert len(refused.value.errors) <= MOST_UNKNOWN + len(CoachContext.__struct_fields__)
        assert all(len(error.field) <= LONGEST_NAME for error in refused.value.errors)

    short, long = HOSTILE[kind](2_000), HOSTILE[kind](250_000)
    refuse(short)
    assert lines_run(lambda: refuse(long)) <= 2 * lines_run(lambda: refuse(short)) + 10 * EXCERPT


def test_half_characters_in_a_name_can_be_told() -> None:
    errors = field_errors(CoachContext, {"\ud83d": 1})
    assert msgspec.json.encode(errors)


def test_an_address_that_is_too_long_is_refused_before_the_pattern_is_tried() -> None:
    with pytest.raises(InvalidHousehold):
        checked_email("a@" + "." * 250_000 + "@")
