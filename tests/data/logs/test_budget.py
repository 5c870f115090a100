"""The decision points of a package as arrays."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from coach_model.budget.rules import rules_levels
from data.logs.budget import BudgetLog, BudgetRounds, budget_log
from data.packages.reader import InvalidPackage, Package, read_package, write_package
from data.schema.learning import NO_STUDY
from data.synthetic.study import StudyConfig, metadata, simulate

type Tables = dict[str, dict[str, npt.NDArray[Any]]]


def tables() -> Tables:
    """A study of forty people: six weeks of exploring, then three of confirming."""
    config = StudyConfig(participants=40, explore_weeks=6, confirm_weeks=3)
    simulated = simulate(config, candidate=rules_levels, candidate_id="calm/1").tables
    return {name: dict(columns) for name, columns in simulated.items()}


def in_memory(found: Mapping[str, Any]) -> Package:
    return Package(Path("simulated"), found, {}, "")


def same(one: BudgetLog, other: BudgetLog) -> None:
    for field in fields(BudgetLog):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), field.name)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_log_is_the_same_from_memory_and_from_disk(kind: Literal["csv", "parquet"], tmp_path: Path) -> None:
    found = tables()
    write_package(tmp_path, found, name="study", title="A study", about=metadata(StudyConfig()), kind=kind)
    same(budget_log(read_package(tmp_path)), budget_log(in_memory(found)))


def test_each_row_is_joined_with_its_own_outcome_and_participant() -> None:
    found = tables()
    log, decisions, outcomes, people = (
        budget_log(in_memory(found)),
        *(found[name] for name in ("decisions", "outcomes", "participants")),
    )
    rewards = dict(zip(outcomes["decision_id"], outcomes["reward"], strict=True))
    number = {name: place for place, name in enumerate(people["participant_id"])}
    expected = sorted(
        (number[person], week, rewards[name], prob)
        for person, week, name, prob in zip(
            *(decisions[name] for name in ("participant_id", "study_week", "decision_id", "propensity")), strict=True
        )
    )
    rows = zip(log.participant, log.week, log.reward, log.propensity, strict=True)
    np.testing.assert_array_equal(np.array(list(rows)), np.array(expected, dtype=float))
    np.testing.assert_array_equal(log.learns, (people["split"] == "learn")[log.participant])
    np.testing.assert_array_equal(log.income_range, people["income_range_id"][log.participant])
    assert set(log.candidate_id[log.phase == "confirm"]) == {"calm/1"}
    assert set(log.candidate_id[log.phase == "explore"]) == {""}
    assert (log.candidate[log.phase == "explore"] == -1).all()
    assert (log.candidate == log.rules)[log.phase == "confirm"].all()


def test_pending_outcomes_and_decisions_outside_a_study_are_left_out() -> None:
    found = tables()
    decisions, outcomes = found["decisions"], found["outcomes"]
    outcomes["status"] = outcomes["status"].astype(object)
    outcomes["status"][:10] = "pending"
    decisions["phase"] = decisions["phase"].astype(object)
    decisions["phase"][10:30] = NO_STUDY
    log = budget_log(in_memory(found))
    assert len(log) == len(decisions["phase"]) - 30
    decisions["phase"][:] = NO_STUDY
    with pytest.raises(InvalidPackage, match=rf"\({len(decisions['phase'])} decisions were made outside a study\)"):
        budget_log(in_memory(found))


def test_a_decision_without_an_outcome_has_no_reward() -> None:
    found = tables()
    found["outcomes"] = {name: column[5:] for name, column in found["outcomes"].items()}
    assert len(budget_log(in_memory(found))) == len(found["decisions"]["phase"])
    found["outcomes"] = {name: column[:0] for name, column in found["outcomes"].items()}
    assert not budget_log(in_memory(found)).observed.any()


def test_a_decision_of_nobody_is_refused() -> None:
    found = tables()
    found["participants"] = {name: column[1:] for name, column in found["participants"].items()}
    with pytest.raises(InvalidPackage, match="not in the package"):
        budget_log(in_memory(found))


def test_what_learning_copies_is_a_fifth_of_the_log() -> None:
    log = budget_log(in_memory(tables()))
    narrow = log.where(np.arange(100)).rounds
    assert type(narrow) is BudgetRounds
    assert sum(getattr(narrow, field.name).nbytes for field in fields(narrow)) <= 100 * 220
