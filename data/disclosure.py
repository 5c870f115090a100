"""Disclosure control: nobody stands alone in what a dataset says of who they are.

The quasi-identifiers are the income range, the user profile and the month of the first consent. Where fewer than
`SMALLEST_CELL` participants of a study share all three, the month is suppressed for them; where those who then share
the other two are still too few, the profile too, and then the income range (local suppression; Sweeney 2002 calls the
size of the smallest group k). A time zone that fewer people share is suppressed wherever it stands.

The times of such participants' consents are suppressed with their month. Times of other rows stay, so a package is
pseudonymous and not anonymous, and its report says so.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from data.missing import Missing

SMALLEST_CELL = 5
"""Participants; the usual threshold for small cells in official statistics."""


class Cell(NamedTuple):
    """The quasi-identifiers of some participants of a study; None where nothing was uploaded."""

    study_version: str
    income_range_id: int | None
    user_profile: str | None
    start_month: str


class TooSmall(ValueError):
    """Cells are too small, and the export was asked to refuse rather than to suppress."""


@dataclass(frozen=True)
class Disclosure:
    """What may be shown of whom. `depth` is how many of month, profile and income range are suppressed in a cell."""

    depth: Mapping[Cell, int]
    counts: Mapping[Cell, int]
    zones: Mapping[tuple[str, str], int]

    def shown(self, cell: Cell) -> tuple[Any, Any, Any]:
        """Income range, profile and month as they may be shown; the reason where they may not."""
        depth = self.depth[cell]
        income = Missing.SUPPRESSED if depth > 2 else _or_missing(cell.income_range_id)  # noqa: PLR2004
        profile = Missing.SUPPRESSED if depth > 1 else _or_missing(cell.user_profile)
        return income, profile, Missing.SUPPRESSED if depth else cell.start_month

    def zone(self, study_version: str, time_zone: str | None) -> str | Missing:
        """The time zone, or why it is not shown."""
        if time_zone is None:
            return Missing.NOT_UPLOADED
        enough = self.zones.get((study_version, time_zone), 0) >= SMALLEST_CELL
        return time_zone if enough else Missing.SUPPRESSED

    def zones_shown(self) -> list[tuple[str, str]]:
        """Studies and zones that enough participants share."""
        return sorted(zone for zone, count in self.zones.items() if count >= SMALLEST_CELL)

    def report(self) -> dict[str, Any]:
        """How small the cells were, what was done, and how large the smallest group is that still shows anything."""
        small = {cell: count for cell, count in self.counts.items() if count < SMALLEST_CELL}
        groups = Counter[tuple[Any, ...]]()
        for cell, count in self.counts.items():
            groups[cell.study_version, *self.shown(cell)] += count
        telling = [n for group, n in groups.items() if any(type(part) is not Missing for part in group[1:])]
        return {
            "quasi_identifiers": ["income_range_id", "user_profile", "start_month"],
            "threshold": SMALLEST_CELL,
            "participants": sum(self.counts.values()),
            "cells": len(self.counts),
            "k_before": min(self.counts.values(), default=0),
            "k_after": min(telling, default=0),
            "small_cells": len(small),
            "participants_in_small_cells": sum(small.values()),
            "start_month_suppressed": self._suppressed(1),
            "user_profile_suppressed": self._suppressed(2),
            "income_range_id_suppressed": self._suppressed(3),
            "time_zones_suppressed": sum(count < SMALLEST_CELL for count in self.zones.values()),
        }

    def report_md(self) -> str:
        """The same for reading."""
        found = self.report()
        lines = ["# Disclosure report", ""]
        lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in found.items()]
        return "\n".join(lines) + (
            "\n\nThe package is pseudonymous, not anonymous: times of rows, spending and answers remain, and whoever\n"
            "knows them of a person may recognise that person. Keep it as the study's data protection plan says.\n"
        )

    def _suppressed(self, depth: int) -> int:
        return sum(count for cell, count in self.counts.items() if self.depth[cell] >= depth)


def disclosure(counts: Mapping[Cell, int], zones: Mapping[tuple[str, str], int], *, strict: bool = False) -> Disclosure:
    """What must be suppressed. Raises TooSmall with `strict` where that is anything."""
    small = {cell for cell, count in counts.items() if count < SMALLEST_CELL}
    rare = sum(count < SMALLEST_CELL for count in zones.values())
    if strict and (small or rare):
        people = sum(counts[cell] for cell in small)
        cells = f"{people} participants are in {len(small)} cells of fewer than {SMALLEST_CELL}"
        raise TooSmall(f"{cells}, and {rare} time zones are rare")
    depth = dict.fromkeys(counts, 0)
    for kept in (3, 2, 1):  # study, income and profile; study and income; the study alone
        groups = Counter[tuple[Any, ...]]()
        for cell in small:
            groups[cell[:kept]] += counts[cell]
        for cell in small:
            depth[cell] = 4 - kept
        small = {cell for cell in small if groups[cell[:kept]] < SMALLEST_CELL}
    return Disclosure(depth, dict(counts), dict(zones))


def _or_missing(value: Any) -> Any:
    return Missing.NOT_UPLOADED if value is None else value
