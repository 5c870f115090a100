"""The guardrails: outcomes beside the reward that a promotion must not harm.

A margin follows from a stated cost: it is the harm that eats the whole minimum relevant gain. A guardrail protects by
what the data show. Data that cannot tell a harm from none veto nothing, and the verdict says so.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from coach_model.budget.actions import LEVELS, LEVERS
from coach_model.exploration import Distributions
from data.logs.bandit import Column
from data.logs.budget import BudgetLog
from training.budget.reward_model import BASELINE_PENALTY, Standardisation, baseline_columns
from training.ope.estimators import CROSSFIT_FOLDS, sndr
from training.ope.intervals import Interval, clustered_t
from training.ope.overlap import SMALLEST_EFFECTIVE_SAMPLE

MINIMUM_RELEVANT_DIFFERENCE = 0.03
"""In reward per week. A smaller difference is not worth a change of the policy."""
HARM_LEVEL = 0.05
"""One-sided error level at which a harm counts as shown. Without it a study that is too small to see a harm would, by
chance, refuse every tenth good candidate for each guardrail."""

type Standing = Literal["kept", "not seen", "doubtful", "broken", "unknown"]
"""- "kept": the whole interval is above minus the margin.
- "not seen": the data show no harm, and cannot exclude one beyond the margin.
- "doubtful": the data show a harm (at `HARM_LEVEL`), and it is likelier than not beyond the margin.
- "broken": the whole interval is below minus the margin.
- "unknown": there are no such outcomes, or too few to say anything."""


@dataclass(frozen=True)
class Guardrail:
    """An outcome that a promotion must not harm. Higher values are better for every guardrail."""

    name: str
    label: str
    cost: float
    """What the loss of one unit of the outcome costs, in units of reward."""

    @property
    def margin(self) -> float:
        """The largest harm that may be, in units of the outcome: it costs the minimum relevant difference."""
        return MINIMUM_RELEVANT_DIFFERENCE / self.cost


GUARDRAILS = (
    # A day is a seventh of a week's entries. That they are a fifth of the reward, too, is not the reason for entries.
    Guardrail("logging_days", "days with an entry, of seven", 0.1),
    # A hundredth of the money that has to go to needs is worth the minimum relevant difference.
    Guardrail("needs_share", "share of needs in the next context", 3.0),
    # A participant who leaves loses what the app is for: about five weeks of an average reward of 0.6.
    Guardrail("stays", "share who stay in the study", 3.0),
)


@dataclass(frozen=True)
class GuardrailResult:
    """The difference of a guardrail's outcome, candidate - rules, and what it shows."""

    name: str
    label: str
    margin: float
    difference: Interval | None
    standing: Standing


def guardrail_of(
    log: BudgetLog, rail: Guardrail, candidate: Distributions, reference: Distributions, confidence: float
) -> GuardrailResult:
    """The result of one guardrail for two policies, both (n, 3, 5)."""
    outcome = {"logging_days": log.logging_days, "needs_share": log.next_needs_share, "stays": log.stays}[rail.name]
    side = replace(log, reward=outcome)
    unknown = GuardrailResult(rail.name, rail.label, rail.margin, None, "unknown")
    if len(np.unique(side.participant[side.observed])) < 2 * CROSSFIT_FOLDS:
        return unknown
    level_alone = np.repeat(_baseline(side)[:, None, None] / len(LEVERS), len(LEVERS), axis=1)
    q = np.repeat(level_alone, len(LEVELS), axis=2)
    difference = clustered_t(sndr(side, candidate, q) - sndr(side, reference, q), side.participant, confidence)
    if difference.error == 0 and side.observed.sum() < SMALLEST_EFFECTIVE_SAMPLE:
        return unknown
    return replace(unknown, difference=difference, standing=standing_of(difference, rail.margin))


def standing_of(difference: Interval, margin: float) -> Standing:
    """What a difference shows about a harm beyond the margin."""
    if difference.low >= -margin:
        return "kept"
    if difference.high < -margin:
        return "broken"
    reach = float(stats.t.ppf(1 - HARM_LEVEL, difference.clusters - 1)) * difference.error
    return "doubtful" if difference.estimate < -margin and difference.estimate + reach < 0 else "not seen"


def _baseline(log: BudgetLog) -> Column:
    """(n,): the expected outcome without the levers' effects, by a ridge regression that is cross-fitted by
    participant."""
    z = Standardisation(log.context.mean(axis=0, dtype=float), np.maximum(log.context.std(axis=0, dtype=float), 0.01))
    columns = baseline_columns(log, z(log.context))
    expected = np.empty(len(log))
    for learn, judge in GroupKFold(CROSSFIT_FOLDS).split(columns, groups=log.participant):
        rows = learn[log.observed[learn]]
        model = make_pipeline(StandardScaler(), Ridge(BASELINE_PENALTY)).fit(columns[rows], log.reward[rows])
        expected[judge] = model.predict(columns[judge])
    return expected
