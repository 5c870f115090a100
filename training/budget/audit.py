"""Checks that decisions were drawn with the logged probabilities. For researchers, before an analysis."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from coach_model.budget.actions import LEVELS
from coach_model.exploration import one_hot
from data.logs.budget import BudgetLog
from data.packages.reader import Package
from training.budget.missingness import missing_difference
from training.ope.intervals import holm
from training.ope.overlap import CALIBRATION_LEVEL, Calibration, calibration

FAIR = 0.5
LARGEST_DISAGREEMENT = 0.05
"""Share of requests in which the levels in force differ from the last decision. Above it, apps do not show the decided
levels or people change them."""


@dataclass(frozen=True)
class Check:
    """The result of one check. `fine` is None when the log has no data for it."""

    what: str
    fine: bool | None
    found: str


@dataclass(frozen=True)
class Audit:
    checks: list[Check]
    calibration: list[Calibration]

    @property
    def fine(self) -> bool:
        return all(check.fine is not False for check in self.checks)


def audit(log: BudgetLog, package: Package) -> Audit:
    """Check how the decisions of a study were drawn. Reading the log has already refused contradictions."""
    found = calibration(log)
    return Audit(
        [_calibrated(found), _coin(log), _seeds(package), _support(log), _client(package), _missing(log)], found
    )


def _calibrated(found: list[Calibration]) -> Check:
    adjusted = holm(np.array([one.p_value for one in found]))
    worst = int(np.argmin(adjusted))
    one, p_value = found[worst], float(adjusted[worst])
    said = f"farthest is {one.lever} level {one.level}: drawn {one.drawn:.1%}, expected {one.expected:.1%}"
    return Check("levels drawn as often as logged", p_value >= CALIBRATION_LEVEL, f"{said} (p {p_value:.3f})")


def _coin(log: BudgetLog) -> Check:
    what, confirm = "coin of the confirm phase", log.phase == "confirm"
    if not confirm.any():
        return Check(what, None, "there is none")
    heads = log.component[confirm] == "candidate"
    p_value = float(stats.binomtest(int(heads.sum()), len(heads), FAIR).pvalue)
    return Check(what, p_value >= CALIBRATION_LEVEL, f"{heads.mean():.1%} candidate of {len(heads)} (p {p_value:.3f})")


def _seeds(package: Package) -> Check:
    seeds = package.columns("decisions", "seed")["seed"]
    repeated = len(seeds) - len(set(seeds))
    return Check("seeds are all different", repeated == 0, f"{repeated} repeated of {len(seeds)}")


def _support(log: BudgetLog) -> Check:
    possible = int(((log.behavior > 0) & log.eligible).sum())
    eligible = int(log.eligible.sum())
    said = f"{possible:,} of {eligible:,} eligible levels could be drawn"
    return Check("every eligible level has its chance", possible == eligible, said)


def _client(package: Package) -> Check:
    share = float(package.columns("decisions", "prev_disagrees")["prev_disagrees"].astype(float).mean())
    said = f"{share:.1%} of requests state other levels in force"
    return Check("apps show what was decided", share < LARGEST_DISAGREEMENT, said)


def _missing(log: BudgetLog) -> Check:
    what, share = "outcomes missing equally often", f"{1 - log.observed.mean():.1%} of outcomes are missing"
    confirm = log.phase == "confirm"
    if not confirm.any() or log.observed.all():
        return Check(what, None, share)
    some = log.where(confirm)
    candidate, rules = (one_hot(levels, len(LEVELS)) for levels in (some.candidate, some.rules))
    gap = missing_difference(some, candidate, rules, 1 - CALIBRATION_LEVEL)
    said = f"{share}; under the candidate {gap.estimate:+.1%} ({gap.low:+.1%} to {gap.high:+.1%})"
    return Check(what, bool(gap.low <= 0 <= gap.high), said)
