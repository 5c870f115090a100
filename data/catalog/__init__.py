"""The catalog that comes with the service, as TOML files in this folder. Each file says who may edit it."""

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
"""File name to the key of its rows."""


@cache
def catalog(name: str) -> tuple[dict[str, Any], ...]:
    """The rows of one of `FILES`, in the order of the file. Raises KeyError for another name."""
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)[FILES[name]])


@cache
def metric_keys() -> frozenset[str]:
    """The keys of the metrics that measure challenges."""
    return frozenset(metric["key"] for metric in catalog("metrics"))
