"""The catalogue that the service brings along, as readable files beside this one; each says who may edit it."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

FILES = {
    "income_ranges": "income_range",
    "badges": "badge",
    "challenge_templates": "template",
    "metrics": "metric",
    "levels": "level",
    "reflections": "signal",
    "events": "events",
}
"""By name of the file, the name of its rows."""


@cache
def catalogue(name: str) -> tuple[dict[str, Any], ...]:
    """The rows of one of `FILES`, in the file's order. Raises KeyError for another name."""
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)[FILES[name]])


@cache
def metric_keys() -> frozenset[str]:
    """The metrics that challenges are measured by."""
    return frozenset(metric["key"] for metric in catalogue("metrics"))
