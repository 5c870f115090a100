"""The gate's verdicts: on constructed evidence, and on whole simulated studies with a known truth."""

from dataclasses import replace

import numpy as np
import pytest

from coach_model.budget.context import COLUMN
from tests.science.candidates import Scenario, scenarios
from tests.science.trials import promoted, trials
from tests.science.worlds import WORLDS, World, changed, everything_observed, evidence_in, hidden, leaving
from training.budget.evidence import Evidence, participants_needed
from training.budget.gate import judge, level_of_look
from training.budget.guardrails import GuardrailResult
from training.budget.segments import BEST, LEARNED, WORST, SegmentResult
from training.budget.selection import Selection
from training.ope.intervals import Interval
from training.ope.overlap import Overlap, Weights
from training.registry.verdicts import INSUFFICIENT, PROMOTE, REJECT

pytestmark = pytest.mark.long

FAST = 60
"""Simulated studies of each kind; `make science` runs 2,000."""

SEEDS = range(30_000, 30_008)

WEIGHTS = Weights(800, 1, 4, 0.01)
BOUNDS = (Interval(-0.1, 0.01, -0.12, -0.08, 400), Interval(0.16, 0.01, 0.14, 0.18, 400))
SELECTION = Selection(2.0, 0.8, 0.81, Interval(0.02, 0.005, 0.01, 0.03, 400), 3.2, ((1.0, 0.03, 0.02),), BOUNDS)
GOOD = Evidence(
    participants=400,
    rounds=3_800,
    observed_share=0.8,
    phase="confirm",
    level=0.025,
    method="cluster-robust t",
    overlap=Overlap(0.6, WEIGHTS, WEIGHTS),
    difference=Interval(0.03, 0.005, 0.02, 0.04, 400),
    selection=SELECTION,
    guardrails=(GuardrailResult("stays", "who go on", 0.01, Interval(0, 0.005, -0.01, 0.01, 400), "kept"),),
    segments=(
        SegmentResult("profile", "student", 90, Interval(0.02, 0.01, 0, 0.04, 90), 1.0, harmed=False),
        SegmentResult(LEARNED, WORST, 200, Interval(0.01, 0.01, -0.01, 0.03, 200), 1.0, harmed=False),
    ),
    participants_needed=281,
)


def test_good_evidence_promotes() -> None:
    judgement = judge(GOOD)
    assert judgement.verdict == PROMOTE
    assert "+0.0300" in judgement.reasons[0]
    told = " | ".join(judgement.reasons)
    for shown in ("stays: kept", "no harm was found in 2 segments", "lowest fifth", "by a factor of 3.2"):
        assert shown in told
    assert "no segment is harmed" not in told


def test_what_the_data_cannot_see_vetoes_nothing_and_is_told() -> None:
    rail = replace(GOOD.guardrails[0], standing="not seen", difference=Interval(0, 0.02, -0.04, 0.04, 400))
    judgement = judge(replace(GOOD, guardrails=(rail,)))
    assert judgement.verdict == PROMOTE
    assert any("too few to exclude" in reason and "-0.0400" in reason for reason in judgement.reasons)


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"phase": "explore"}, INSUFFICIENT, "only explore data"),
        ({"phase": "confirm and explore"}, INSUFFICIENT, "only explore data"),
        ({"difference": Interval(-0.03, 0.005, -0.04, -0.02, 400)}, REJECT, "worse than the rules"),
        ({"difference": Interval(0.01, 0.006, -0.002, 0.022, 400)}, INSUFFICIENT, "not above zero"),
        (
            {"selection": replace(SELECTION, difference=replace(SELECTION.difference, low=-0.001), overturned_at=1.8)},
            INSUFFICIENT,
            "missing outcomes could explain it",
        ),
        (
            {"guardrails": (replace(GOOD.guardrails[0], standing="broken"),)},
            REJECT,
            "guardrail stays",
        ),
        ({"guardrails": (replace(GOOD.guardrails[0], standing="doubtful"),)}, INSUFFICIENT, "there is a harm"),
        (
            {"guardrails": (replace(GOOD.guardrails[0], standing="unknown", difference=None),)},
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


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_outcomes_that_are_missing_for_opposite_reasons_do_not_promote(
    world: World, known: dict[str, Scenario]
) -> None:
    """The candidate is no better, and the observed outcomes say that it is. The true rate of promotions is below 3 %.
    Then at most one of eight is promoted with a probability of 97.7 %; none was when this was written."""
    scenario = known["zero effects"]
    found = [
        evidence_in(hidden(everything_observed(scenario, world.people, seed), world.missing, seed)) for seed in SEEDS
    ]
    assert sum(judge(one).verdict == PROMOTE for one in found) <= 1
    assert all(one.selection is not None and one.selection.difference.low <= one.selection.curve[0][2] for one in found)


def test_such_worlds_do_deceive_a_gate_that_trusts_what_was_observed(known: dict[str, Scenario]) -> None:
    world = WORLDS[1]
    found = [
        evidence_in(hidden(everything_observed(known["zero effects"], world.people, seed), world.missing, seed))
        for seed in SEEDS
    ]
    assert sum(one.difference is not None and one.difference.low > 0 for one in found) >= len(found) / 2
    assert all(one.missing is not None and one.missing.low < 0 < one.missing.high for one in found[:4])


def test_a_candidate_that_drives_people_away_is_hardly_ever_promoted(known: dict[str, Scenario]) -> None:
    """Each week 2 points of the people leave because of it; its weeks are better by 0.03. The true rate of promotions
    is about 4 %. Then at most one of six is promoted with a probability of 98 %."""
    promotions = 0
    for seed in SEEDS[:6]:
        log = everything_observed(known["zero effects"], 1200, seed)
        found = evidence_in(leaving(changed(log, np.full(len(log), 0.03)), 0.02, seed))
        assert found.difference is not None
        assert found.difference.low > 0
        promotions += judge(found).verdict == PROMOTE
    assert promotions <= 1


def test_a_harmed_fifth_that_contexts_name_is_found(known: dict[str, Scenario]) -> None:
    """A fifth of the weeks is worse by 0.08, the others are better by 0.06. No named segment is that fifth."""
    harms = []
    for seed in SEEDS[:4]:
        log = everything_observed(known["zero effects"], 1200, seed)
        needs = log.context[:, COLUMN["needs_share"]]
        found = evidence_in(changed(log, np.where(needs >= np.quantile(needs, 0.8), -0.08, 0.06)))
        assert found.difference is not None
        assert found.difference.low > 0
        harms.append(any(one.harmed for one in found.segments if (one.by, one.name) == (LEARNED, WORST)))
        assert not any(one.harmed for one in found.segments if (one.by, one.name) == (LEARNED, BEST))
    assert sum(harms) >= 3
