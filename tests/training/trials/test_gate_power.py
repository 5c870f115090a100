"""The plan of a confirm phase: what the formula promises, and what the whole gate keeps."""

import json

import pytest
from typer.testing import CliRunner

from coach_model.budget.rules import rules_levels
from data.synthetic.study import StudyConfig, simulate
from data.synthetic.truth import v_decision_difference
from training.cli import app
from training.trials.gate_power import planned_candidate, simulated_power
from training.trials.power import confirm_plan, participants_for


def test_a_plan_without_overlap_says_so() -> None:
    plan = confirm_plan(16, 12, differ_share=0.05)
    assert plan.power > 0.9
    assert any("effective sample size" in problem for problem in plan.problems)
    assert any("of the weight" in problem for problem in plan.problems)
    people = participants_for(12, differ_share=0.05)
    assert people > 100
    assert not confirm_plan(people, 12, differ_share=0.05).problems


@pytest.mark.long
def test_the_gate_keeps_less_than_the_formula_promises_and_says_why() -> None:
    small = simulated_power(confirm_plan(125, 12), studies=24)
    large = simulated_power(confirm_plan(500, 12), studies=24)
    assert small.promoted < large.promoted
    assert small.power < small.plan.power
    assert small.low <= small.power <= small.high
    assert set(small.against) <= {"overlap", "bound", "guardrails", "segments", "missing outcomes"}
    assert sum(small.against.values()) >= 1 - small.power - 1e-9
    nothing = simulated_power(confirm_plan(16, 12, difference=0.005, differ_share=0.05), studies=6)
    assert (nothing.promoted, nothing.against) == (0, {"overlap": 1.0})


@pytest.mark.long
@pytest.mark.parametrize(("difference", "share"), [(0.03, 0.2), (0.1, 0.6)])
def test_the_simulated_candidate_has_the_planned_difference(difference: float, share: float) -> None:
    candidate = planned_candidate(difference, share)
    config = StudyConfig(participants=500, explore_weeks=0, confirm_weeks=8, effect=candidate.effect, seed=4)
    rounds = simulate(config, candidate).rounds
    contexts = rounds.contexts()
    ours, theirs = candidate(contexts), rules_levels(contexts)
    truth = v_decision_difference(rounds, ours, theirs, replications=8, effect=candidate.effect)
    assert truth.value == pytest.approx(difference, rel=0.15)
    assert (ours != theirs).any(axis=1).mean() == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(("difference", "share", "why"), [(0.03, 0.99, "at most"), (0.9, 0.5, "no candidate")])
def test_a_candidate_that_no_policy_can_be_is_told_and_the_formula_stands(
    difference: float, share: float, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        planned_candidate(difference, share)
    plan = ["power", "--participants", "200", "--difference", str(difference), "--differ-share", str(share)]
    shown = CliRunner().invoke(app, plan)
    assert shown.exit_code == 0, shown.output
    assert "power of the bound alone" in shown.stdout
    assert why in shown.stdout


def test_a_study_that_is_too_large_is_not_simulated() -> None:
    shown = CliRunner().invoke(app, ["power", "--difference", "0.001"])
    assert shown.exit_code == 0, shown.output
    assert "too many to simulate" in shown.stdout


def test_the_command_prints_both_powers() -> None:
    plan = ["power", "--participants", "200", "--weeks", "6", "--studies"]
    found = json.loads(CliRunner().invoke(app, [*plan, "0", "--json"]).stdout)
    assert found["gate"] is None
    assert 0 < found["power"] < 1
    shown = CliRunner().invoke(app, [*plan, "4", "--jobs", "1"])
    assert shown.exit_code == 0, shown.output
    assert "power of the bound alone" in shown.stdout
    assert "promoted by the whole gate" in shown.stdout
