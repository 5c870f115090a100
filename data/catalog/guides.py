"""The guides that come with Kinderbud: stages by age, each with the activities and milestones of that age.

A guide is a folder under `catalog/guides`. `guide.toml` describes the guide and its sources; every other file is one
stage, in the order of the file names. `docs/guides.md` says how to write a guide. Every guide is checked when it is
read.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise

import msgspec

FOLDER = "guides"
LONGEST_TITLE = 80
LONGEST_DESCRIPTION = 300
SHORTEST_HOW_TO = 80
"""Characters; a shorter text explains too little."""
LONGEST_TEXT = 900
"""Characters of a how-to or an evidence summary. A parent reads it standing, with a child on one arm."""


class InvalidGuide(ValueError):
    """The files of a guide contradict each other or are incomplete; the message says where."""


class Category(StrEnum):
    ACTIVITY = "activity"
    MILESTONE = "milestone"


class Frequency(StrEnum):
    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class Area(StrEnum):
    """What an item exercises. A day mixes areas."""

    MOTOR = "motor"
    SENSORY = "sensory"
    COGNITIVE = "cognitive"
    SELF_REGULATION = "self_regulation"
    LANGUAGE = "language"
    LITERACY = "literacy"
    MATH = "math"
    SOCIAL = "social"
    REST = "rest"
    RELATIONSHIP = "relationship"


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A publication. `label` is its short name in texts, such as "CDC" or "Hart & Risley, 1995"."""

    key: str
    label: str
    citation: str


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An activity, or a milestone that most children reach by `by_months`. `minutes` is its longest duration."""

    key: str
    category: Category
    title: str
    area: Area
    description: str
    how_to: str
    evidence_summary: str
    sources: tuple[str, ...]
    frequency: Frequency
    minutes: int = 0
    by_months: int | None = None


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage is current while `age_start_months` ≤ age < `age_end_months`. A stage without ages is always current."""

    key: str
    name: str
    goals: str
    item: tuple[Item, ...]
    age_start_months: int | None = None
    age_end_months: int | None = None


class Guide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A todo shows `short_title`. Adults follow a guide when `for_adults` is true, children when it is false."""

    key: str
    title: str
    short_title: str
    description: str
    color: str
    source: tuple[Source, ...]
    for_adults: bool = False
    stages: tuple[Stage, ...] = ()

    def items(self) -> Iterator[tuple[Stage, Item]]:
        """Every item with its stage, in order."""
        return ((stage, item) for stage in self.stages for item in stage.item)


@cache
def guides() -> tuple[Guide, ...]:
    """All guides, in the order of their folder names. Raises InvalidGuide."""
    root = resources.files("data.catalog").joinpath(FOLDER)
    folders = sorted((folder for folder in root.iterdir() if folder.is_dir()), key=lambda folder: folder.name)
    return tuple(read_guide(folder) for folder in folders if folder.joinpath("guide.toml").is_file())


def read_guide(folder: Traversable) -> Guide:
    """The guide in `folder`, checked. Raises InvalidGuide."""
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    stages = tuple(_read(file, Stage) for file in files if file.name != "guide.toml")
    guide = msgspec.structs.replace(_read(folder.joinpath("guide.toml"), Guide), stages=stages)
    for problem in _problems(guide):
        raise InvalidGuide(f"{guide.key}: {problem}")
    return guide


def _read[T](file: Traversable, kind: type[T]) -> T:
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise InvalidGuide(f"{file.name}: {error}") from error


def _problems(guide: Guide) -> Iterator[str]:
    """The problems of a guide, as sentences."""
    if not guide.stages:
        yield "it has no stage"
    for what, values in (
        ("stage", [stage.key for stage in guide.stages]),
        ("source", [source.key for source in guide.source]),
        ("item title", [item.title.casefold() for _, item in guide.items()]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                yield f"the {what} {value!r} is there {count} times"
    for before, after in pairwise(guide.stages):
        if before.age_end_months is None or before.age_end_months != after.age_start_months:
            yield f"{after.name!r} does not begin where {before.name!r} ends"
    labels = {source.key: source.label for source in guide.source}
    for stage in guide.stages:
        yield from _stage_problems(guide, stage)
        for item in stage.item:
            yield from (f"{stage.key}/{item.key}: {problem}" for problem in _item_problems(stage, item, labels))
    unused = labels.keys() - {key for _, item in guide.items() for key in item.sources}
    if unused:
        yield f"no item names the sources {', '.join(sorted(unused))}"


def _stage_problems(guide: Guide, stage: Stage) -> Iterator[str]:
    start, end = stage.age_start_months, stage.age_end_months
    if (start is None) != (end is None) or (start is None) != guide.for_adults:
        yield f"{stage.key}: a stage for children needs both ages, a stage for adults must have none"
    if start is not None and end is not None and start >= end:
        yield f"{stage.key}: it ends before it begins"
    if not stage.item:
        yield f"{stage.key}: it has no item"
    for key, count in Counter(item.key for item in stage.item).items():
        if count > 1:
            yield f"{stage.key}: the item {key!r} is there {count} times"


def _item_problems(stage: Stage, item: Item, labels: dict[str, str]) -> Iterator[str]:
    if item.category is Category.MILESTONE:
        if item.frequency is not Frequency.ONCE:
            yield "the frequency of a milestone must be `once`"
        if stage.age_start_months is not None and stage.age_end_months is not None:
            by = item.by_months
            if by is None or not stage.age_start_months < by <= stage.age_end_months:
                yield "the by_months of a milestone must lie within its stage"
    elif item.minutes < 1:
        yield "the minutes of an activity must be at least 1"
    for name, text, least, most in (
        ("title", item.title, 3, LONGEST_TITLE),
        ("description", item.description, 20, LONGEST_DESCRIPTION),
        ("how_to", item.how_to, SHORTEST_HOW_TO, LONGEST_TEXT),
        ("evidence_summary", item.evidence_summary, 40, LONGEST_TEXT),
    ):
        if not least <= len(text) <= most:
            yield f"its {name} has {len(text)} characters; it needs {least} to {most}"
    if not item.sources:
        yield "it names no source"
    for key in item.sources:
        if key not in labels:
            yield f"there is no source {key!r}"
        elif labels[key] not in item.evidence_summary:
            yield f"its evidence_summary does not name {labels[key]!r}"
