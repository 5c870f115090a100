"""Disclosure control: quasi-identifiers of small groups are suppressed in a dataset.

The quasi-identifiers are the income range, the user profile and the month of the first consent. When fewer than
`SMALLEST_CELL` participants of a study share all three, their month is suppressed. When the group that shares the other
two is still too small, the profile is suppressed too, and then the income range. This is local suppression; Sweeney
(2002) calls the size of the smallest group k. A time zone of too few participants is suppressed in all tables.

The times of these participants' consents are suppressed together with their month. Times of other rows stay. A package
is therefore pseudonymous and not anonymous, and its report says so.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from data.schema.missing import Missing

SMALLEST_CELL = 5
"""Participants; the usual threshold for small cells in official statistics."""


class Cell(NamedTuple):
    """The quasi-identifiers that a group of participants of a study shares; None where the app uploaded no value."""

    study_version: str
    income_range_id: int | None
    user_profile: str | None
    start_month: str


class TooSmall(ValueError):
    """Cells are too small, and the export has to refuse instead of suppressing them."""


@dataclass(frozen=True)
class Disclosure:
    """The suppression that a dataset needs. `depth` is the number of suppressed quasi-identifiers of a cell: 1 the
    month, 2 also the profile, 3 also the income range."""

    depth: Mapping[Cell, int]
    counts: Mapping[Cell, int]
    zones: Mapping[tuple[str, str], int]

    def shown(self, cell: Cell) -> tuple[Any, Any, Any]:
        """Income range, profile and month; `Missing.SUPPRESSED` for each that must not be shown."""
        depth = self.depth[cell]
        income = Missing.SUPPRESSED if depth > 2 else _or_missing(cell.income_range_id)  # noqa: PLR2004
        profile = Missing.SUPPRESSED if depth > 1 else _or_missing(cell.user_profile)
        return income, profile, Missing.SUPPRESSED if depth else cell.start_month

    def zone(self, study_version: str, time_zone: str | None) -> str | Missing:
        """The time zone, or the reason why it is not shown."""
        if time_zone is None:
            return Missing.NOT_UPLOADED
        enough = self.zones.get((study_version, time_zone), 0) >= SMALLEST_CELL
        return time_zone if enough else Missing.SUPPRESSED

    def zones_shown(self) -> list[tuple[str, str]]:
        """The pairs of study and zone that enough participants share."""
        return sorted(zone for zone, count in self.zones.items() if count >= SMALLEST_CELL)

    def report(self) -> dict[str, Any]:
        """The sizes of the cells, the number of suppressed values, and the smallest group that still shows a value
        (`k_after`)."""
        small = {cell: count for cell, count in self.counts.items() if count < SMALLEST_CELL}
        groups = Counter[tuple[Any, ...]]()
        for cell, count in self.counts.items():
            groups[cell.study_version, *self.shown(cell)] += count
        shown = [n for group, n in groups.items() if any(type(part) is not Missing for part in group[1:])]
        return {
            "quasi_identifiers": ["income_range_id", "user_profile", "start_month"],
            "threshold": SMALLEST_CELL,
            "participants": sum(self.counts.values()),
            "cells": len(self.counts),
            "k_before": min(self.counts.values(), default=0),
            "k_after": min(shown, default=0),
            "small_cells": len(small),
            "participants_in_small_cells": sum(small.values()),
            "start_month_suppressed": self._suppressed(1),
            "user_profile_suppressed": self._suppressed(2),
            "income_range_id_suppressed": self._suppressed(3),
            "time_zones_suppressed": sum(count < SMALLEST_CELL for count in self.zones.values()),
        }

    def report_md(self) -> str:
        """The report as Markdown."""
        found = self.report()
        lines = ["# Disclosure report", ""]
        lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in found.items()]
        return "\n".join(lines) + (
            "\n\nThe package is pseudonymous, not anonymous. Times of rows, spending and answers remain; a reader who\n"
            "knows them may recognise a person. Keep the package as the study's data protection plan says.\n"
        )

    def _suppressed(self, depth: int) -> int:
        return sum(count for cell, count in self.counts.items() if self.depth[cell] >= depth)


def disclosure(counts: Mapping[Cell, int], zones: Mapping[tuple[str, str], int], *, strict: bool = False) -> Disclosure:
    """The suppression for these sizes of cells and of (study, zone) groups.

    Raises TooSmall when `strict` is set and something has to be suppressed.
    """
    small = {cell for cell, count in counts.items() if count < SMALLEST_CELL}
    rare = sum(count < SMALLEST_CELL for count in zones.values())
    if strict and (small or rare):
        people = sum(counts[cell] for cell in small)
        cells = f"{people} participants are in {len(small)} cells of fewer than {SMALLEST_CELL}"
        raise TooSmall(f"{cells}, and {rare} time zones are rare")
    depth = dict.fromkeys(counts, 0)
    for kept in (3, 2, 1):  # group by study, income and profile; by study and income; by study
        groups = Counter[tuple[Any, ...]]()
        for cell in small:
            groups[cell[:kept]] += counts[cell]
        for cell in small:
            depth[cell] = 4 - kept
        small = {cell for cell in small if groups[cell[:kept]] < SMALLEST_CELL}
    return Disclosure(depth, dict(counts), dict(zones))


def _or_missing(value: Any) -> Any:
    return Missing.NOT_UPLOADED if value is None else value
