"""Decisions of the daily coach: the policy ranks where it can be trusted, the rules rank everywhere else."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from coach_model.daily.candidates import FEATURES, Candidate, Features, History, features
from coach_model.daily.candidates import SCHEMA_VERSION as CANDIDATE_SCHEMA
from coach_model.daily.rules import RULES_VERSION, rules_order
from coach_model.daily.slate import Slate, best_slate
from coach_model.onnx_policy import Contract, OnnxPolicy
from coach_model.policy import FallbackReason, Source

SLATE_SCHEMA = "daily-slate/1"
MAX_UNSUPPORTED_SHARE = 0.1
"""Largest share of a day's candidates that may lie outside the policy's support. One or two of sixty usually do,
because the support covers 99 of 100 training candidates."""

CONTRACT = Contract(
    coach="daily",
    context_schema=CANDIDATE_SCHEMA,
    action_schema=SLATE_SCHEMA,
    inputs={"candidates": ("tensor(float)", (None, len(FEATURES)))},
    outputs={"probability": ("tensor(float)", (None, 1)), "supported": ("tensor(bool)", (None, 1))},
)


@dataclass(frozen=True)
class Day:
    """A decision: the slate, its source, and the features that it is based on."""

    slate: Slate
    source: Source
    fallback_reason: FallbackReason | None
    policy_id: str
    features: Features  # (n, 16)
    scores: list[float] | None
    """For each candidate, the policy's probability that the family does it; None when the rules decided."""
    problem: str | None = None


def decide_day(
    policy: OnnxPolicy | FallbackReason, candidates: list[Candidate], history: History, today: date, count: int
) -> Day:
    """The day's slate of at most `count` candidates. When there is no policy, pass the reason as `policy`."""
    seen = features(candidates, history, today)
    if not isinstance(policy, OnnxPolicy):
        return _by_rules(candidates, seen, count, policy)
    try:
        probability, supported = (answer[:, 0] for answer in policy({"candidates": seen}))
    except Exception as error:  # noqa: BLE001 - the request needs an answer for every error of the graph
        problem = f"{policy.policy_id}: {type(error).__name__}: {str(error)[:200]}"
        return _by_rules(candidates, seen, count, FallbackReason.MODEL_ERROR, problem)
    if len(probability) != len(candidates) or not ((probability >= 0) & (probability <= 1)).all():  # NaN fails both
        problem = f"{policy.policy_id}: the answer is no probability for each candidate"
        return _by_rules(candidates, seen, count, FallbackReason.INVALID_OUTPUT, problem)
    if np.mean(~supported) > MAX_UNSUPPORTED_SHARE:
        return _by_rules(candidates, seen, count, FallbackReason.OUT_OF_SUPPORT)
    scores = [float(score) for score in probability]
    slate = best_slate(candidates, policy_order(candidates, scores), count)
    return Day(slate, Source.POLICY, None, policy.policy_id, seen, scores)


def policy_order(candidates: list[Candidate], scores: list[float]) -> list[int]:
    """The positions of the candidates, highest score first; equal scores keep the order of the rules."""
    return sorted(rules_order(candidates), key=lambda place: -scores[place])


def _by_rules(
    candidates: list[Candidate], seen: Features, count: int, reason: FallbackReason, problem: str | None = None
) -> Day:
    slate = best_slate(candidates, rules_order(candidates), count)
    return Day(slate, Source.RULES, reason, RULES_VERSION, seen, None, problem)
