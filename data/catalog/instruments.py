"""Survey instruments. They are read from data/catalog/instruments; answers are checked against them and scored as
published."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from data.schema.missing import Missing
from data.schema.phases import PHASES

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
    """A question. A choice has `options`, a number has `minimum` and `maximum`, a text has `maximum_length`."""

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
    """A survey or a quiz. `scoring` is the table of its file; None when the instrument has no score."""

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
    """All instruments by key, sorted by key. Raises KeyError or ValueError for an invalid file."""
    files = sorted(file.name for file in resources.files("data.catalog").joinpath("instruments").iterdir())
    read = [_instrument(name) for name in files if name.endswith(".toml")]
    return {instrument.key: instrument for instrument in read}


def problem_with(item: Item, answer: Answer) -> str | None:
    """The problem with an answer, or None. The answer None is valid: the item was skipped."""
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
    """The score, or the reason why it is missing; None when the instrument has no score."""
    scoring = instrument.scoring
    if scoring is None:
        return None
    return {"mean": _mean, "sum": _sum, "sus": _sus, "correct": _correct, "table": _table}[scoring["kind"]](
        instrument, scoring, answers
    )


def missing_answer(answers: Answers, item_id: str) -> Missing | None:
    """Why an item has no answer: SKIPPED when it was sent empty, NOT_ASKED when it was not sent. None for an answer."""
    if item_id not in answers:
        return Missing.NOT_ASKED
    return Missing.SKIPPED if answers[item_id] is None else None


def _values(scoring: Mapping[str, Any], answers: Answers) -> dict[str, float]:
    return {name: float(answers[name]) for name in scoring["items"] if answers.get(name) is not None}  # type: ignore[arg-type]


def _missing_reason(answers: Answers, needed: list[str]) -> Missing:
    reasons = {missing_answer(answers, name) for name in needed}
    return Missing.SKIPPED if Missing.SKIPPED in reasons else Missing.NOT_ASKED


def _mean(instrument: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    """The mean of the answered items. A reversed item counts as lowest + highest option - answer."""
    values = _values(scoring, answers)
    if len(values) < scoring.get("minimum_answered", len(scoring["items"])):
        return _missing_reason(answers, scoring["items"])
    for name in set(scoring.get("reversed", ())) & set(values):
        item = instrument.item(name)
        scale = [option.value for option in item.options] if item else []
        values[name] = min(scale) + max(scale) - values[name]
    return round(sum(values.values()) / len(values), 4)


def _sum(_: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    values = _values(scoring, answers)
    return sum(values.values()) if len(values) == len(scoring["items"]) else _missing_reason(answers, scoring["items"])


def _sus(_: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    """System Usability Scale: an odd item contributes answer - 1, an even item 5 - answer (Brooke 1996)."""
    values = _values(scoring, answers)
    if len(values) < len(scoring["items"]):
        return _missing_reason(answers, scoring["items"])
    ordered = [values[name] for name in scoring["items"]]
    return SUS_FACTOR * (sum(value - 1 for value in ordered[::2]) + sum(5 - value for value in ordered[1::2]))


def _correct(_: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    """The share of right answers. A skipped question counts as wrong; without an unasked question there is no score."""
    right = scoring["right"]
    if any(name not in answers for name in right):
        return Missing.NOT_ASKED
    return round(sum(answers[name] == value for name, value in right.items()) / len(right), 4)


def _table(instrument: Instrument, scoring: Mapping[str, Any], answers: Answers) -> float | Missing:
    """The published conversion of the sum. The items in `by` select the table."""
    total = _sum(instrument, scoring, answers)
    if isinstance(total, Missing):
        return total
    if any(answers.get(name) is None for name in scoring["by"]):
        return _missing_reason(answers, scoring["by"])
    table = scoring["tables"][".".join(str(answers[name]) for name in scoring["by"])]
    return float(table[int(total)])


def _instrument(name: str) -> Instrument:
    text = resources.files("data.catalog").joinpath("instruments", name).read_text(encoding="utf-8")
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
