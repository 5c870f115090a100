"""The gate's verdicts: on constructed evidence, and on whole simulated studies with a known truth."""

from dataclasses import replace

import numpy as np
import pytest

from coach_model.budget.actions import LEVELS
from coach_model.exploration import one_hot
from tests.science.candidates import Scenario, scenarios
from tests.science.trials import logged, promoted, trials
from training.budget.evidence import Evidence, GuardrailResult, SegmentResult, gather, participants_needed
from training.budget.gate import judge, level_of_look
from training.budget.missingness import WorstCase
from training.budget.reward_model import crossfitted_reward
from training.ope.intervals import Interval
from training.ope.overlap import Overlap, Weights
from training.registry.verdicts import INSUFFICIENT, PROMOTE, REJECT

pytestmark = pytest.mark.long

FAST = 60
"""Simulated studies of each kind; `make science` runs 2,000."""

WEIGHTS = Weights(800, 1, 4, 0.01)
GOOD = Evidence(
    participants=400,
    rounds=3_800,
    observed_share=0.8,
    phase="confirm",
    level=0.025,
    method="cluster-robust t",
    overlap=Overlap(0.6, WEIGHTS, WEIGHTS),
    difference=Interval(0.03, 0.005, 0.02, 0.04, 400),
    worst=WorstCase(0.8, 0.81, 0.01, 0.025),
    worst_low=0.015,
    guardrails=(GuardrailResult("stays", "who go on", 0.025, Interval(0, 0.005, -0.01, 0.01, 400), "kept"),),
    segments=(SegmentResult("profile", "student", 90, Interval(0.02, 0.01, 0, 0.04, 90), 1.0, harmed=False),),
    participants_needed=281,
)


def test_good_evidence_promotes() -> None:
    judgement = judge(GOOD)
    assert judgement.verdict == PROMOTE
    assert "+0.0300" in judgement.reasons[0]


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"phase": "explore"}, INSUFFICIENT, "only explore data"),
        ({"phase": "confirm and explore"}, INSUFFICIENT, "only explore data"),
        ({"difference": Interval(-0.03, 0.005, -0.04, -0.02, 400)}, REJECT, "worse than the rules"),
        ({"difference": Interval(0.01, 0.006, -0.002, 0.022, 400)}, INSUFFICIENT, "not above zero"),
        ({"worst_low": -0.001}, INSUFFICIENT, "missing outcomes could explain it"),
        (
            {"guardrails": (replace(GOOD.guardrails[0], standing="broken"),)},
            REJECT,
            "guardrail stays",
        ),
        ({"guardrails": (replace(GOOD.guardrails[0], standing="undetermined"),)}, INSUFFICIENT, "guardrail stays"),
        (
            {"guardrails": (replace(GOOD.guardrails[0], standing="undetermined", difference=None),)},
            INSUFFICIENT,
            "nothing is known",
        ),
        ({"segments": (replace(GOOD.segments[0], harmed=True, harm_p_value=0.001),)}, INSUFFICIENT, "is harmed"),
        (
            {"difference": None, "overlap": replace(GOOD.overlap, problems=["effective sample size 2"])},
            INSUFFICIENT,
            "too little overlap: effective sample size 2",
        ),
    ],
)
def test_each_doubt_has_its_verdict_and_its_reason(changes: dict[str, object], verdict: str, reason: str) -> None:
    judgement = judge(replace(GOOD, **changes))  # type: ignore[arg-type]
    assert judgement.verdict == verdict
    assert any(reason in said for said in judgement.reasons), judgement.reasons


def test_the_needed_participants_depend_on_the_relevant_difference_and_not_on_the_observed_one() -> None:
    small, large = (Interval(estimate, 0.012, 0, 0, 100) for estimate in (0.001, 0.2))
    assert participants_needed(small, 0.025) == participants_needed(large, 0.025)
    assert participants_needed(small, 0.025) == int(np.ceil(((1.959964 + 1.281552) * 0.12 / 0.03) ** 2))
    doubtful = replace(GOOD, difference=Interval(0.01, 0.006, -0.002, 0.022, 400), participants_needed=900)
    assert any("500 more participants (900 in all)" in said for said in judge(doubtful).reasons)


def test_later_looks_have_smaller_levels_with_a_small_sum() -> None:
    assert level_of_look(1) == 0.025
    assert sum(level_of_look(look) for look in range(1, 10_000)) < 0.025 * 1.65


@pytest.fixture(scope="module")
def known() -> dict[str, Scenario]:
    """Candidates with a known truth; all differ from the rules in at least 30 % of the decisions."""
    found = scenarios()
    for scenario in found.values():
        assert scenario.differ_share >= 0.3
    assert found["zero effects"].truth.value == 0
    assert abs(found["effects that cancel out"].truth.value) < 0.0015
    assert found["better by 0.03"].truth.value == pytest.approx(0.03, abs=0.001)
    return found


@pytest.mark.parametrize("name", ["zero effects", "effects that cancel out"])
def test_candidates_that_are_no_better_are_hardly_ever_promoted(name: str, known: dict[str, Scenario]) -> None:
    """The true rate is at most 3 %. Then at most 4 of 60 are promoted with a probability of 99.1 %."""
    assert promoted(list(trials(known[name], range(10_000, 10_000 + FAST)))) * FAST <= 4


def test_a_candidate_that_is_truly_better_is_nearly_always_promoted(known: dict[str, Scenario]) -> None:
    """The true rate is at least 90 %. Then at least 49 of 60 are promoted with a probability of 99 %."""
    assert promoted(list(trials(known["better by 0.03"], range(20_000, 20_000 + FAST)))) * FAST >= 49


def test_outcomes_that_hide_bad_weeks_of_one_policy_only_do_not_promote(known: dict[str, Scenario]) -> None:
    """The worst 4 % of the candidate's outcomes are missing. This fakes a difference, and the worst case removes it."""
    log = logged(known["zero effects"].config, known["zero effects"], seed=5)
    candidate, rules = (one_hot(levels, len(LEVELS)) for levels in (log.candidate, log.rules))
    theirs = np.flatnonzero((log.action == log.candidate).all(axis=1) & log.observed)
    hidden = theirs[np.argsort(log.reward[theirs])[: len(theirs) // 8]]
    reward = log.reward.copy()
    reward[hidden] = np.nan
    honest, faked = (
        gather(one, candidate, rules, crossfitted_reward(one)) for one in (log, replace(log, reward=reward))
    )
    assert honest.difference is not None
    assert faked.difference is not None
    assert faked.difference.estimate > honest.difference.estimate + 0.02
    assert faked.missing is not None
    assert faked.missing.low > 0
    assert judge(faked).verdict != PROMOTE
