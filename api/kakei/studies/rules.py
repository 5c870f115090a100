"""Draws decision points and defines what is logged of them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np

from api.time_zones import local_date
from coach_model.budget.actions import LEVELS, LEVERS, eligible_levels, previous_levels
from coach_model.budget.coach import Decision
from coach_model.budget.context import Contexts
from coach_model.budget.rules import RULES_VERSION, rules_because, rules_levels
from coach_model.budget.study import Drawn, Phase, confirm, explore
from coach_model.exploration import one_hot
from coach_model.policy import Source
from data.calendar_weeks import monday_of
from data.schema.learning import NO_STUDY

STOPPED = "stopped"
"""Phase of a stopped study, which draws no decisions."""
RULES, CANDIDATE, COACH = "rules", "candidate", "coach"
"""Components: the source of a decision."""


class Around(StrEnum):
    """The policy to which the explore phase adds noise."""

    RULES = "rules"
    COACH = "coach"


@dataclass(frozen=True)
class Logged:
    """A decision with everything that is logged about it."""

    decision: Decision
    """The decision for the app."""
    phase: str
    component: str
    policy_id: str
    candidate_id: str | None
    epsilon: float
    distributions: list[list[float]]  # 3 × 5, of the component that acted
    propensity: float
    rules_levels: list[int]
    candidate_levels: list[int] | None


def decided_outside(decision: Decision, contexts: Contexts) -> Logged:
    """A decision outside a study: the coach is deterministic, so its probability is 1. `contexts` is (1, 10)."""
    chosen = one_hot(np.array([decision.levels]), len(LEVELS))[0]
    levels = rules_levels(contexts)[0].tolist()
    return Logged(
        decision, NO_STUDY, COACH, decision.policy_id, None, 0.0, chosen.tolist(), 1.0, levels, candidate_levels=None
    )


def explored(seed: str, contexts: Contexts, around: Decision | None, epsilon: float) -> Logged:
    """A draw of the explore phase around the coach's decision, or around the rules' decision if `around` is None."""
    rules = by_rules(contexts)
    base = around or rules
    drawn = explore([seed], np.array([base.levels]), eligible_levels(contexts), epsilon)
    component = COACH if around else RULES
    return _logged(drawn, base, Phase.EXPLORE, component, base.policy_id, None, epsilon, rules.levels, None)


def confirmed(seed: str, contexts: Contexts, candidate: Decision, candidate_id: str, epsilon: float) -> Logged:
    """A draw of the confirm phase: half rules, half candidate with its fallback, as it would be served."""
    rules = by_rules(contexts)
    tried = np.array([candidate.levels])
    drawn = confirm([seed], np.array([rules.levels]), tried, eligible_levels(contexts), epsilon)
    from_candidate = bool(drawn.from_candidate[0])
    base, component = (candidate, CANDIDATE) if from_candidate else (rules, RULES)
    acted = candidate_id if from_candidate else RULES_VERSION
    return _logged(drawn, base, Phase.CONFIRM, component, acted, candidate_id, epsilon, rules.levels, candidate.levels)


def by_rules(contexts: Contexts) -> Decision:
    """The rules' decision for one context (1, 10), not as the fallback of a policy."""
    levels: list[int] = rules_levels(contexts)[0].tolist()
    return Decision(levels, Source.RULES, None, RULES_VERSION, rules_because(contexts)[0])


def study_week(started_at: datetime, now: datetime, time_zone: str | None) -> tuple[date, int]:
    """The Monday of the person's local week, and its number since the study's first week in any time zone. So the count
    is the same in all time zones."""
    monday = monday_of(local_date(now, time_zone))
    first = monday_of((started_at - timedelta(days=1)).date())  # the date in the time zones that are furthest behind
    return monday, (monday - first).days // 7


def prev_disagrees(contexts: Contexts, last_levels: list[int] | None) -> bool:
    """Whether the levels that the client reports differ from the last decided ones."""
    return last_levels is not None and previous_levels(contexts)[0].tolist() != last_levels


def _logged(
    drawn: Drawn,
    base: Decision,
    phase: Phase,
    component: str,
    policy_id: str,
    candidate_id: str | None,
    epsilon: float,
    rules: list[int],
    candidate: list[int] | None,
) -> Logged:
    """Build the log entry. A lever that was changed by noise has no reasons."""
    levels: list[int] = drawn.levels[0].tolist()
    because = [base.because[lever] if levels[lever] == base.levels[lever] else [] for lever in range(len(LEVERS))]
    told = Decision(levels, base.source, base.fallback_reason, policy_id, because)
    distributions, propensity = drawn.distributions[0].tolist(), float(drawn.propensity[0])
    return Logged(told, phase, component, policy_id, candidate_id, epsilon, distributions, propensity, rules, candidate)
