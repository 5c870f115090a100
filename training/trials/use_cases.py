"""The use cases of `buddy-train effects`: on a dataset package, and on the table of any micro-randomised trial."""

from pathlib import Path

import numpy as np

from coach_model.budget.context import COLUMN
from data.formats import file_digest
from data.logs.bandit import Column, InvalidLog
from data.logs.budget import budget_log
from data.packages.reader import read_package
from training.ope.tables import check_columns, check_rows, identities, numbers, read_table
from training.trials.effects import Excursion, lever_effects, wcls


def effects_of_package(dataset: Path, moderators: list[str]) -> tuple[str, list[Excursion]]:
    """The digest of the package, and the effects of each lever's levels against hold. Moderators are features of the
    context or `week`; they are centred. Raises InvalidPackage, and ValueError for an unknown moderator."""
    package = read_package(dataset)
    log = budget_log(package)
    given: dict[str, Column] = {}
    for name in moderators:
        if name not in {*COLUMN, "week"}:
            raise ValueError(f"moderators: {name!r} unknown; there are {', '.join(COLUMN)} and week")
        values = log.week.astype(np.float64) if name == "week" else log.context[:, COLUMN[name]].astype(np.float64)
        given[name] = values - values.mean()
    return package.digest, lever_effects(log, given)


def effects_of_table(
    file: Path,
    *,
    outcome: str,
    treatment: str,
    probability: str,
    participant: str,
    available: str | None,
    moderators: list[str],
    controls: list[str],
) -> tuple[str, list[Excursion]]:
    """The SHA-256 of the file, and the effect of its treatment. The table has one row for each decision point. Rows
    without an outcome, and rows in which treatment was not possible, are left out. Raises InvalidLog."""
    table = read_table(file, [participant])
    wanted = [outcome, treatment, probability, participant, *([available] if available else []), *moderators, *controls]
    check_columns(file, table, wanted)
    given = numbers(table, [outcome, treatment, probability, *moderators, *controls])
    who = identities(table, participant)
    rows = ~np.isnan(given[:, 0])
    if available:
        rows &= numbers(table, [available])[:, 0] == 1
    for place, name in enumerate([treatment, probability, *moderators, *controls], 1):
        check_rows(rows & ~np.isfinite(given[:, place]), f"{name}: no number")
    given, who = given[rows], who[rows]
    if not rows.any():
        raise InvalidLog(f"{file}: no row has an outcome where treatment was possible")
    if not np.isin(given[:, 1], [0, 1]).all():
        raise InvalidLog(f"{file}: {treatment!r} is not 0 or 1 everywhere")
    parts = given[:, 3 : 3 + len(moderators)]
    coefficients = wcls(
        given[:, 0],
        given[:, 1] == 1,
        given[:, 2],
        who,
        moderators=dict(zip(moderators, parts.T, strict=True)),
        controls=given[:, 3 + len(moderators) :] if controls else None,
    )
    found = Excursion(treatment, len(given), len(np.unique(who)), coefficients)
    return file_digest(file), [found]
