"""What each request may cost, and by how much and where one costs more. `tests/api/budgets.json` has the figures."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.support.lived import lived_service
from tests.support.one_of_each import NOW, WITH_USER, of_all
from tests.support.work import TOP, Work, bytes_of, calls_of, statements_of

FILE = Path(__file__).parents[1] / "api" / "budgets.json"
CALLS_SLACK, BYTES_SLACK = 1.02, 1.1
"""How much more a request may cost than what was recorded; Python's own library differs between its versions."""
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


@dataclass
class Costs:
    """The work of requests on one kind of database, by operation."""

    statements: dict[str, Work]
    calls: dict[str, Work]
    bytes: dict[str, Work]

    def budgets(self) -> Budgets:
        """What is recorded of them."""
        return Budgets(
            {name: len(work.statements) for name, work in self.statements.items()},
            {name: dict(work.by_package()) for name, work in self.calls.items()},
            {name: work.peak_bytes for name, work in self.bytes.items()},
        )


def costs(database_url: str) -> Costs:
    """What every request costs on a new database. Measured in a process of its own, since the threads of another
    service in this one would be counted, too."""
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        return alone.submit(_costs, database_url).result()


def _costs(database_url: str) -> Costs:
    with tempfile.TemporaryDirectory() as folder, lived_service(Path(folder), database_url, now=NOW) as service:
        asks = of_all(service)
        return Costs(
            {name: statements_of(service, one) for name, one in asks.items()},
            {name: calls_of(service, asks[name]) for name in COUNTED},
            {name: bytes_of(service, asks[name]) for name in COUNTED},
        )


def write(recorded: Mapping[str, Budgets]) -> None:
    """Replace the file."""
    text = json.dumps({name: vars(one) for name, one in recorded.items()}, indent=1, sort_keys=True)
    FILE.write_text(text + "\n", encoding="utf-8")


def more_statements(name: str, recorded: int, work: Work) -> str:
    """Empty, or by how many statements the request is over its budget, and all that it sent."""
    over = len(work.statements) - recorded
    if over <= 0:
        return ""
    sent = "\n".join(f"  {one[:200]}" for one in work.statements)
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
