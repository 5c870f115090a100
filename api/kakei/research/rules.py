"""Fingerprints, periods and validation of research uploads. Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from data.catalog.instruments import Instrument, problem_with

FINGERPRINT_HEX = 32
"""128 bits: two different uploads of one person do not collide by chance."""
CONTEXT_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}

type Problems = list[tuple[str, str]]
"""Pairs of a field and its error."""


def fingerprint(*parts: Any) -> str:
    """A digest that is equal for equal uploads, independent of their arrival."""
    canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.sha256(canonical.encode()).hexdigest()[:FINGERPRINT_HEX]


def period_of(phase: str, day: date) -> str:
    """The period in which a later answer replaces an earlier one: the ISO week, the month, or the whole phase."""
    if phase == "weekly":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    return f"{day:%Y-%m}" if phase == "monthly" else ""


def response_problems(instrument: Instrument, phase: str, response_type: str, answers: Mapping[str, Any]) -> Problems:
    """The errors of answers to an instrument."""
    wrong: Problems = []
    if phase not in instrument.phases:
        wrong.append(("phase", f"{instrument.key} is asked in {', '.join(instrument.phases)}"))
    if response_type != instrument.response_type:
        wrong.append(("response_type", f"{instrument.key} is a {instrument.response_type}"))
    for name, answer in answers.items():
        item = instrument.item(name)
        problem = "no item of this instrument" if item is None else problem_with(item, answer)
        if problem:
            wrong.append((f"responses.{name}", problem))
    return wrong


def context_problems(known: Mapping[str, str], context: Mapping[str, Any]) -> Problems:
    """The errors of the context of a known event, whose keys and types are `known`."""
    wrong: Problems = []
    for name, value in context.items():
        kind = known.get(name)
        if kind is None:
            wrong.append((f"context.{name}", "this event has no such key"))
        elif value is not None and (
            not isinstance(value, CONTEXT_TYPES[kind]) or (kind == "number" and isinstance(value, bool))
        ):
            wrong.append((f"context.{name}", f"must be a {kind}"))
    return wrong


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
