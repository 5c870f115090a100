"""What each request may cost, and by how much and where one costs more. `tests/api/budgets.json` has the figures."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.one_of_each import WITH_USER
from tests.support.work import TOP, Work

FILE = Path(__file__).parents[1] / "api" / "budgets.json"
CALLS_SLACK, BYTES_SLACK = 1.08, 1.25
"""How much more a request may cost than what was recorded: Python's own library differs between its versions, and what
a library keeps for later, such as a compiled statement, may come into any request;
a database's thread of another service of the same process is counted, too."""
COUNTED = (
    "coach_suggest",
    WITH_USER,
    "summaries_put_weekly",
    "challenges_claim",
    "get_today",
)
"""The requests that phones send most: their calls and bytes are counted, too."""


@dataclass
class Budgets:
    """The recorded costs on one kind of database, by operation."""

    statements: dict[str, int] = field(default_factory=dict)
    calls: dict[str, dict[str, int]] = field(default_factory=dict)
    """Calls by package."""
    bytes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, database: str) -> "Budgets":
        return cls(**json.loads(FILE.read_text(encoding="utf-8"))[database])


def write(recorded: Mapping[str, Budgets]) -> None:
    """Replace the file."""
    text = json.dumps({name: vars(one) for name, one in recorded.items()}, indent=1, sort_keys=True)
    FILE.write_text(text + "\n", encoding="utf-8")


def more_statements(name: str, recorded: int, work: Work) -> str:
    """Empty, or by how many statements the request is over its budget, and all that it sent."""
    over = len(work.statements) - recorded
    if over <= 0:
        return ""
    sent = "\n".join(f"  {' '.join(one.split())[:200]}" for one in work.statements)
    return f"{name}: {len(work.statements)} statements, {over} more than its budget of {recorded}:\n{sent}"


def more_calls(name: str, recorded: Mapping[str, int], work: Work) -> str:
    """Empty, or by how many calls the request is over its budget, in which packages, and in which functions."""
    budget = int(sum(recorded.values()) * CALLS_SLACK)
    over = work.calls.total() - budget
    if over <= 0:
        return ""
    grown = _grown(work.by_package(), recorded)
    lines = [f"  {package}: {count:+d}" for package, count in grown.most_common(TOP)]
    inside = Counter({one: count for one, count in work.calls.items() if one.partition(":")[0] in grown})
    lines += [f"    {count:>5} × {function}" for function, count in inside.most_common(TOP)]
    return "\n".join([f"{name}: {work.calls.total()} calls, {over} more than its budget of {budget}:", *lines])


def more_bytes(name: str, recorded: int, work: Work) -> str:
    """Empty, or by how many bytes the request is over its budget, and the lines that held most."""
    budget = int(recorded * BYTES_SLACK)
    over = work.peak_bytes - budget
    if over <= 0:
        return ""
    lines = [f"  {line}" for line in work.lines]
    return "\n".join([f"{name}: {work.peak_bytes} bytes, {over} more than its budget of {budget}:", *lines])


def _grown(now: Mapping[str, int], recorded: Mapping[str, Any]) -> Counter[str]:
    return Counter({name: more for name, count in now.items() if (more := count - recorded.get(name, 0)) > 0})
