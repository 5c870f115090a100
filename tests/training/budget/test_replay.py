"""A replay finds every difference from the log, and reports no others."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coach_model.budget.coach import CONTRACT, composite_levels
from coach_model.onnx_policy import OnnxPolicy, load_policy
from data.packages.reader import InvalidPackage, Package, read_package, write_package
from data.synthetic.study import StudyConfig, metadata, simulate
from tests.support.artifacts import PACKAGED
from training.budget.replay import Replay, replay

CONFIG = StudyConfig(participants=40, explore_weeks=3, confirm_weeks=3, seed=3)


@pytest.fixture(scope="module")
def policy() -> OnnxPolicy:
    return load_policy(PACKAGED, CONTRACT)


@pytest.fixture(scope="module")
def package(policy: OnnxPolicy) -> Package:
    study = simulate(CONFIG, lambda contexts: composite_levels(policy, contexts), policy.policy_id)
    return Package(Path("simulated"), study.tables, metadata(CONFIG), "")


def changed(package: Package, **columns: Callable[[Any], Any]) -> Package:
    decisions = dict(package.tables["decisions"])
    for name, change in columns.items():
        decisions[name] = change(decisions[name].copy())
    return replace(package, tables=dict(package.tables) | {"decisions": decisions})


def replayed(package: Package, policy: OnnxPolicy) -> Replay:
    return replay(package, {policy.policy_id: policy})


def first(value: object) -> Callable[[Any], Any]:
    def change(column: Any) -> Any:
        column[0] = value
        return column

    return change


def test_a_replay_repeats_every_draw(package: Package, policy: OnnxPolicy, tmp_path: Path) -> None:
    found = replayed(package, policy)
    assert found.identical
    assert found.decisions == found.drawn > 150
    assert found.without_artifact == {}
    write_package(tmp_path, package.tables, name="study", title="Study", about={}, kind="parquet")
    assert replayed(read_package(tmp_path), policy) == found


@pytest.mark.parametrize(
    ("column", "change", "what"),
    [
        ("seed", first("0" * 32), "drawn levels"),
        ("eligible_wants", first("11111"), "eligible levels"),
        ("rules_culture", lambda column: (column + 1) % 5, "levels of the rules"),
        ("propensity", lambda column: column + 2e-6, "propensity"),
        ("epsilon", lambda column: column + 1e-4, "probabilities"),
    ],
)
def test_every_change_is_found(
    column: str, change: Callable[[Any], Any], what: str, package: Package, policy: OnnxPolicy
) -> None:
    found = replayed(changed(package, **{column: change}), policy)
    assert not found.identical
    assert found.differences[what] > 0


def test_another_component_is_found(package: Package, policy: OnnxPolicy) -> None:
    def turned(column: Any) -> Any:
        return np.where(column == "candidate", "rules", column)

    assert replayed(changed(package, component=turned), policy).differences["component"] > 20


def test_another_artifact_under_the_same_name_is_found(package: Package, policy: OnnxPolicy) -> None:
    def other(column: Any) -> Any:
        return np.array([None if level is None else (level + 1) % 5 for level in column], dtype=object)

    found = replayed(changed(package, candidate_wants=other), policy)
    assert found.differences["levels of the candidate"] > 50


def test_decisions_that_cannot_be_recomputed_are_reported(package: Package) -> None:
    found = replay(package, {})
    assert found.identical
    assert sum(found.without_artifact.values()) > 50


def test_without_decisions_there_is_nothing_to_replay(package: Package) -> None:
    with pytest.raises(InvalidPackage, match="no decisions"):
        replay(replace(package, tables={"participants": package.tables["participants"]}), {})
