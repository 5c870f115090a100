"""Compares a ranking with the rules, in completions per day.

On a log, the slates of both are valued by inverse inclusion propensity (Horvitz & Thompson, 1952), paired by day and
clustered by household. Synthetic households have a known truth. They also give NDCG and the expected completions of the
same days, and a rollout in which each ranker acts on its own consequences.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from coach_model.daily.candidates import (
    COLUMN,
    LONGEST_OVERDUE,
    LONGEST_UNSEEN_DAYS,
    Candidate,
    Features,
    History,
    Showings,
    features,
)
from coach_model.daily.coach import policy_order
from coach_model.daily.rules import rules_order
from coach_model.daily.slate import best_slate
from coach_model.onnx_policy import OnnxPolicy
from data.logs.daily import DailyLog
from data.synthetic.households import HouseholdConfig, rules_rank, simulate
from training.ope.intervals import Interval, clustered_t
from training.ope.overlap import LARGEST_PARTICIPANT_SHARE, SMALLEST_EFFECTIVE_SAMPLE
from training.registry.verdicts import INSUFFICIENT, PROMOTE, REJECT

MOST_UNCOVERED = 0.05
"""Largest share of a slate that the log could not have shown. Such activities count as not done in the ranking's slate
and as done in the rules' slate, so that unknown outcomes never favour the ranking."""

CONFIDENCE = 0.95
"""Confidence of the interval at a first look; one-sided 97.5 %, as in the budget coach's gate."""

type Column = npt.NDArray[np.float64]
type Scores = Callable[[Features], npt.NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class Support:
    """How well a log supports the value of slates that it did not show."""

    effective_sample_size: float
    largest_household_share: float
    uncovered: float
    """Share of the slates that the log could not have shown; the larger of the ranking's and the rules' share."""

    @property
    def problems(self) -> list[str]:
        """The reasons why there is no estimate; empty when there is one."""
        said = []
        if self.effective_sample_size < SMALLEST_EFFECTIVE_SAMPLE:
            size = f"{self.effective_sample_size:.0f} of {SMALLEST_EFFECTIVE_SAMPLE}"
            said.append(f"effective sample size where ranking and rules differ: {size}")
        if self.largest_household_share > LARGEST_PARTICIPANT_SHARE:
            said.append(f"one household has {self.largest_household_share:.0%} of the weight")
        if self.uncovered > MOST_UNCOVERED:
            said.append(f"{self.uncovered:.1%} of a slate could not have been shown")
        return said


@dataclass(frozen=True)
class Judged:
    """The comparison of a ranking with the rules over the days of a log."""

    days: int
    households: int
    differ_share: float
    """Share of the slots in which the two differ."""
    support: Support
    difference: Interval | None
    """Completions per day, ranking minus rules; None when the support is too small."""
    truth: dict[str, float] | None
    verdict: str
    reasons: list[str]


def scores_of(policy: OnnxPolicy) -> Scores:
    """The function from features to the probabilities of a loaded artifact."""
    return lambda seen: np.asarray(policy({"candidates": seen})[0][:, 0])


def judge(log: DailyLog, scores: Scores, confidence: float = CONFIDENCE) -> Judged:
    """Compare the ranking by `scores` with the rules. `log` must hold only households outside the training data."""
    probability = np.asarray(scores(log.features), dtype=np.float64)
    ours, theirs = _slates(log, probability), _slates(log, None)
    differs = ours != theirs
    weight = np.where(log.chosen, np.divide(1.0, log.propensity, where=log.propensity > 0, out=np.zeros(len(log))), 0.0)
    support = _support(log, differs, ours, theirs, weight)
    per_row = (ours.astype(float) - theirs) * weight * np.nan_to_num(log.done) - (theirs & _unknown(log))
    slates = log.slates()
    per_day = np.array([per_row[rows].sum() for rows in slates])
    household = np.array([log.household[rows.start] for rows in slates])
    difference = None if support.problems else clustered_t(per_day, household, confidence)
    truth = _truth(log, probability, ours, theirs, slates) if log.synthetic else None
    verdict, reasons = _verdict(support, difference)
    share = float(differs.sum()) / max(1, int(ours.sum()) + int(theirs.sum()))
    return Judged(len(slates), len(np.unique(household)), share, support, difference, truth, verdict, reasons)


def rollout(scores: Scores, config: HouseholdConfig) -> Interval:
    """Completions per day, ranking minus rules, when each acts on its own consequences. Both act in the same new
    synthetic households, without exploration."""
    without_noise = replace(config, epsilon=0.0)

    def rank(candidates: list[Candidate], history: History, today: date) -> list[int]:
        return policy_order(candidates, [float(one) for one in scores(features(candidates, history, today))])

    per_household = []
    for order in (rank, rules_rank):
        done = np.zeros(config.households)
        for shown in simulate(without_noise, order):
            done[shown.household] += sum(shown.done.values())
        per_household.append(done / config.days)
    return clustered_t(per_household[0] - per_household[1], np.arange(config.households))


def _slates(log: DailyLog, probability: Column | None) -> npt.NDArray[np.bool_]:
    """(n,): the rows that the ranking with these probabilities shows; without probabilities, those of the rules."""
    chosen = np.zeros(len(log), dtype=bool)
    for rows in log.slates():
        candidates = _candidates(log, rows)
        scores = None if probability is None else probability[rows].tolist()
        order = rules_order(candidates) if scores is None else policy_order(candidates, scores)
        slate = best_slate(candidates, order, int(log.slots[rows.start]))
        chosen[np.array(slate.chosen, dtype=np.int64) + rows.start] = True
    return chosen


def _candidates(log: DailyLog, rows: slice) -> list[Candidate]:
    """The candidates of some rows, with the fields that ranking and constraints use."""
    seen = log.features[rows]
    return [
        Candidate(
            todo_id=place,
            participant=int(log.participant[rows.start + place]),
            area=str(log.area[rows.start + place]),
            frequency="",
            minutes=0,
            overdue=float(row[COLUMN["overdue"]]) * LONGEST_OVERDUE,
            never_done=False,
            showings=Showings(),
            unseen_days=round(float(row[COLUMN["unseen_days"]]) * LONGEST_UNSEEN_DAYS),
            snoozes=0,
            stage_progress=0.0,
            is_adult=bool(row[COLUMN["is_adult"]]),
        )
        for place, row in enumerate(seen)
    ]


def _unknown(log: DailyLog) -> npt.NDArray[np.bool_]:
    """(n,): the rows that the log could not have shown."""
    return np.asarray(~(log.propensity > 0))


def _support(
    log: DailyLog,
    differs: npt.NDArray[np.bool_],
    ours: npt.NDArray[np.bool_],
    theirs: npt.NDArray[np.bool_],
    weight: Column,
) -> Support:
    used = np.where(differs, weight, 0.0)
    total = float(used.sum())
    by_household = np.bincount(log.household, used)
    return Support(
        effective_sample_size=total**2 / float((used**2).sum()) if total else 0.0,
        largest_household_share=float(by_household.max() / total) if total else 1.0,
        uncovered=max(int((one & _unknown(log)).sum()) / max(1, int(one.sum())) for one in (ours, theirs)),
    )


def _truth(
    log: DailyLog,
    probability: Column,
    ours: npt.NDArray[np.bool_],
    theirs: npt.NDArray[np.bool_],
    slates: list[slice],
) -> dict[str, float]:
    """The expected completions per day of both slates, and the NDCG of both orders at the day's number of slots."""
    gains: dict[str, list[float]] = {"ranking_ndcg": [], "rules_ndcg": []}
    for rows in slates:
        relevance, slots = log.relevance[rows], int(log.slots[rows.start])
        orders = {
            "ranking_ndcg": np.argsort(-probability[rows], kind="stable"),
            "rules_ndcg": np.array(rules_order(_candidates(log, rows))),
        }
        for name, order in orders.items():
            gains[name].append(ndcg(relevance, order, slots))
    days = max(1, len(slates))
    return {
        "ranking_completions": float(log.relevance[ours].sum() / days),
        "rules_completions": float(log.relevance[theirs].sum() / days),
    } | {name: float(np.mean(values)) for name, values in gains.items()}


def ndcg(relevance: Column, order: npt.NDArray[np.integer[Any]], slots: int) -> float:
    """Normalised discounted cumulative gain of the first `slots` positions, in [0, 1]. Järvelin & Kekäläinen (2002)."""
    discount = 1 / np.log2(np.arange(2, min(slots, len(relevance)) + 2))
    best = float((np.sort(relevance)[::-1][: len(discount)] * discount).sum())
    return float((relevance[order[: len(discount)]] * discount).sum()) / best if best else 1.0


def _verdict(support: Support, difference: Interval | None) -> tuple[str, list[str]]:
    if difference is None:
        return INSUFFICIENT, support.problems
    reach = f"{difference.low:+.2f} to {difference.high:+.2f}"
    said = f"completions a day, ranking minus rules: {difference.estimate:+.2f} ({reach})"
    if difference.low > 0:
        return PROMOTE, [said]
    if difference.high < 0:
        return REJECT, [said]
    return INSUFFICIENT, [said]
