"""Survey instruments: read from data/catalog/instruments, checked against answers, and scored as published."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from data.missing import Missing

PHASES = ("pre", "weekly", "monthly", "post", "followup")
TRACKS = ("core", "budgeting", "wellbeing", "usability", "game")
SUS_FACTOR = 2.5
"""Ten contributions of 0 to 4 become 0 to 100 (Brooke 1996)."""

type Answer = int | float | str | None
type Answers = Mapping[str, Answer]


@dataclass(frozen=True)
class Option:
    """A response option and its value."""

    value: int
    label: str


@dataclass(frozen=True)
class Item:
    """A question. `options` are set for a choice, `minimum` and `maximum` for a number, `maximum_length` for text."""

    id: str
    text: str
    type: Literal["choice", "number", "text"]
    optional: bool = False
    options: tuple[Option, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    maximum_length: int | None = None


@dataclass(frozen=True)
class Instrument:
    """A survey or a quiz; `scoring` is as in its file, None where nothing is scored."""

    key: str
    version: str
    title: str
    description: str
    track: str
    phases: tuple[str, ...]
    response_type: str
    instructions: str
    source: str
    licence: str
    items: tuple[Item, ...]
    scoring: Mapping[str, Any] | None

    def item(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)


@cache
def instruments() -> Mapping[str, Instrument]:
    """All instruments by key, in the order of their keys. Raises KeyError or ValueError for a file that is wrong."""
    files = sorted(file.name for file in resources.files("data.catalog.instruments").iterdir())
    read = [_instrument(name) for name in files if name.endswith(".toml")]
    return {instrument.key: instrument for instrument in read}


def problem_with(item: Item, answer: Answer) -> str | None:
    """What is wrong with an answer, or None. None is an answer: the item was skipped."""
    if answer is None:
        return None
    if item.type == "text":
        longest = item.maximum_length or 0
        return None if isinstance(answer, str) and len(answer) <= longest else f"text of at most {longest} characters"
    if isinstance(answer, bool | str):
        return "must be a number"
    if item.type == "choice":
        values = [option.value for option in item.options]
        return (
            None
            if isinstance(answer, int) and answer in values
            else f"must be one of {', '.join(map(str, sorted(values)))}"
        )
    low, high = item.minimum, item.maximum
    inside = (low is None or answer >= low) and (high is None or answer <= high)
    return None if inside else f"must be from {low:g} to {high:g}"


def score(instrument: Instrument, answers: Answers) -> float | Missing | None:
    """The score, or why there is none; None where the instrument has no score at all."""
    scoring = instrument.scoring
    if scoring is None:
        return None
    return {"mean": _mean, "sum": _sum, "sus": _sus, "correct": _correct, "table": _table}[scoring["kind"]](
        instrument, scoring, answers
    )


def missing_answer(answers: Answers, item_id: str) -> Missing | None:
    """Why there is no answer to an item: it was sent empty, or not at all."""
    if item_id not in answers:
        return Missing.NOT_ASKED
    return Missing.SKIPPED if answers[item_id] is None else None


def _values(scoring: Mapping[str, Any], answers: Answers) -> dict[str, float]:
    return {name: float(answers[name]) for name in scoring["items"] if answers.get(name) is not None}  # type: ignore[arg-type]


def _why(answers: Answers, needed: list[str]) -> Missing:
    reasons = {missing_answer(answers, name) for name in needed}
    return Missing.SKIPPED if Missing.SKIPPED in reasons else Missing.NOT_ASKED


def _mean(instrument: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    """The mean of what was answered, reversed items turned round within their options."""
    values = _values(scoring, answers)
    if len(values) < scoring.get("minimum_answered", len(scoring["items"])):
        return _why(answers, scoring["items"])
    for name in set(scoring.get("reversed", ())) & set(values):
        item = instrument.item(name)
        scale = [option.value for option in item.options] if item else []
        values[name] = min(scale) + max(scale) - values[name]
    return round(sum(values.values()) / len(values), 4)


def _sum(_: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    values = _values(scoring, answers)
    return sum(values.values()) if len(values) == len(scoring["items"]) else _why(answers, scoring["items"])


def _sus(_: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    """Odd items count from 1 upwards, even items from 5 downwards (Brooke 1996)."""
    values = _values(scoring, answers)
    if len(values) < len(scoring["items"]):
        return _why(answers, scoring["items"])
    ordered = [values[name] for name in scoring["items"]]
    return SUS_FACTOR * (sum(value - 1 for value in ordered[::2]) + sum(5 - value for value in ordered[1::2]))


def _correct(_: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    """The share of right answers; a skipped question is not right, a question that was not asked leaves no score."""
    right = scoring["right"]
    if any(name not in answers for name in right):
        return Missing.NOT_ASKED
    return round(sum(answers[name] == value for name, value in right.items()) / len(right), 4)


def _table(instrument: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    """The published conversion of the sum, by the items that choose the table."""
    total = _sum(instrument, scoring, answers)
    if isinstance(total, Missing):
        return total
    if any(answers.get(name) is None for name in scoring["by"]):
        return _why(answers, scoring["by"])
    table = scoring["tables"][".".join(str(answers[name]) for name in scoring["by"])]
    return float(table[int(total)])


def _instrument(name: str) -> Instrument:
    text = resources.files("data.catalog.instruments").joinpath(name).read_text(encoding="utf-8")
    read = tomllib.loads(text)
    options = {
        key: tuple(Option(option["value"], option["label"]) for option in found)
        for key, found in read.pop("options", {}).items()
    }
    items = tuple(
        Item(**item | ({"options": options[item["options"]]} if "options" in item else {}))
        for item in read.pop("items")
    )
    read |= {"items": items, "phases": tuple(read["phases"]), "scoring": read.get("scoring")}
    instrument = Instrument(**read)
    if f"{instrument.key}.toml" != name or not set(instrument.phases) <= set(PHASES) or instrument.track not in TRACKS:
        raise ValueError(f"{name}: key, phase or track is wrong")
    return instrument
