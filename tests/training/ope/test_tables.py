"""Tables that were made elsewhere: each oddity is read as meant, or named in one line with its column and rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.logs.bandit import InvalidLog
from training.budget.evaluate import evaluate_foreign
from training.ope.external_log import ForeignLog, _normalised, read_foreign_log
from training.ope.tables import SEPARATORS, identities, read_table
from training.trials.effects import wcls
from training.trials.use_cases import effects_of_table

ROWS = 400
COLUMNS: dict[str, Any] = {
    "action": "action",
    "propensity": "propensity",
    "reward": "reward",
    "participant": "person",
    "target": "pi_",
}


def table(rows: int = ROWS, seed: int = 0) -> dict[str, Any]:
    """A log with two actions, drawn with 0.3 and 0.7."""
    rng = np.random.default_rng(seed)
    action = rng.integers(0, 2, rows)
    chance = rng.choice([0.3, 0.7], rows)
    action = (rng.random(rows) < chance).astype(int)
    return {
        "person": [f"p{row % 80}" for row in range(rows)],
        "action": action,
        "propensity": np.where(action == 1, chance, 1 - chance),
        "chance": chance,
        "reward": (rng.random(rows) < 0.2 + 0.4 * action).astype(float),
        "pi_0": np.full(rows, 0.2),
        "pi_1": np.full(rows, 0.8),
        "x_0": rng.normal(0, 1, rows),
    }


def written(folder: Path, columns: dict[str, Any], name: str = "log.csv", separator: str = ",") -> Path:
    file = folder / name
    if file.suffix == ".parquet":
        pq.write_table(pa.table(columns), file)
    else:
        pa_csv.write_csv(pa.table(columns), file, pa_csv.WriteOptions(delimiter=separator))
    return file


def read(file: Path, **changes: Any) -> ForeignLog:
    return read_foreign_log(file, **COLUMNS | changes)


@pytest.mark.parametrize("separator", SEPARATORS)
def test_every_separator_is_read(separator: str, tmp_path: Path) -> None:
    found = read(written(tmp_path, table(), separator=separator))
    assert len(found.log) == ROWS
    assert len(np.unique(found.log.participant)) == 80
    assert found.notes == []


def wrong(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    columns = table()
    change(columns)
    return columns


def blanks(columns: dict[str, Any]) -> None:
    columns["person"] = [None, " ", "", *columns["person"][3:]]


def words(columns: dict[str, Any]) -> None:
    columns["reward"] = ["1"] * 6 + ["yes"] + ["0"] * (ROWS - 7)


def nested(columns: dict[str, Any]) -> None:
    columns["reward"] = [[1.0, 2.0]] * ROWS


def halves(columns: dict[str, Any]) -> None:
    columns["pi_1"] = np.full(ROWS, 0.5)


def holes(columns: dict[str, Any]) -> None:
    columns["pi_1"] = [None] + [0.8] * (ROWS - 1)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (blanks, r"person: no participant in 3 rows, first in row 1"),
        (words, r"reward: row 7 has 'yes', expected a number"),
        (halves, r"pi_…: probabilities that do not sum to 1 in 400 rows, first in row 1"),
        (holes, r"pi_…: no probability in 1 rows, first in row 1"),
    ],
)
def test_what_cannot_be_read_is_named(change: Any, said: str, kind: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidLog, match=said):
        read(written(tmp_path, wrong(change), f"log.{kind}"))


def test_nested_cells_two_columns_of_a_name_and_other_encodings_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidLog, match="reward: each cell is a list"):
        read(written(tmp_path, wrong(nested), "log.parquet"))
    (tmp_path / "twice.csv").write_text("action,reward,action\n0,1,0\n")
    with pytest.raises(InvalidLog, match="two columns are named 'action'"):
        read(tmp_path / "twice.csv")
    (tmp_path / "latin.csv").write_bytes("person,action\nJosé,1\n".encode("latin1"))
    with pytest.raises(InvalidLog, match="not UTF-8"):
        identities(read_table(tmp_path / "latin.csv"), "person")


@settings(deadline=None)
@given(decimals=st.integers(4, 8), actions=st.integers(2, 60))
def test_probabilities_are_normalised_within_their_rounding(decimals: int, actions: int) -> None:
    rounded = np.full((5, actions), round(1 / actions, decimals))
    notes: list[str] = []
    if abs(rounded.sum(axis=1) - 1).max() > 1e-3:
        with pytest.raises(InvalidLog, match="do not sum to 1"):
            _normalised(rounded, "pi_", notes)
        return
    assert _normalised(rounded, "pi_", notes).sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert bool(notes) == (abs(rounded.sum(axis=1) - 1).max() > 1e-9)


def test_a_propensity_a_hair_above_one_is_one(tmp_path: Path) -> None:
    columns = table()
    columns["propensity"] = np.where(np.arange(ROWS) == 3, 1.0000000000000002, columns["propensity"])
    assert read(written(tmp_path, columns, "log.parquet")).log.propensity.max() == 1
    columns["propensity"] = np.where(np.arange(ROWS) == 3, 1.01, columns["propensity"])
    with pytest.raises(InvalidLog, match=r"outside of \(0, 1\] in 1 rows, first in row 4"):
        read(written(tmp_path, columns, "log.parquet"))


def test_the_chance_of_treatment_in_place_of_the_propensity_is_noticed(tmp_path: Path) -> None:
    file = written(tmp_path, table(4000))
    assert not any("looks like" in note for note in read(file).notes)
    assert any("'chance' looks like" in note for note in read(file, propensity="chance").notes)


def test_rows_as_people_and_missing_rewards_are_told(tmp_path: Path) -> None:
    columns = table()
    columns["reward"] = [None if row % 4 == 0 else value for row, value in enumerate(columns["reward"])]
    file = written(tmp_path, columns)
    alone = read(file, participant=None)
    assert any("counts as a person" in note for note in alone.notes)
    assert any("100 rewards are missing, and without --context" in note for note in alone.notes)
    with_context = read(file, context="x_")
    assert any("weighted by how likely" in note for note in with_context.notes)
    assert with_context.observation is not None
    assert 0.6 < with_context.observation.mean() < 0.9


def test_rewards_that_context_explains_are_weighted(tmp_path: Path) -> None:
    """Rewards are missing where x is low, and low there. Without weights the value is too high."""
    rng = np.random.default_rng(3)
    columns = table(6000)
    x = columns["x_0"]
    reward = (rng.random(6000) < 0.2 + 0.5 * (x > 0)).astype(float)
    columns["reward"] = [
        None if gone else value for gone, value in zip((x < 0) & (rng.random(6000) < 0.7), reward, strict=True)
    ]
    file = written(tmp_path, columns)
    q: dict[str, Any] = {"expected": None}
    weighted = evaluate_foreign(file, 0, 1, lambda _: None, **COLUMNS | q, context="x_")
    plain = evaluate_foreign(file, 0, 1, lambda _: None, **COLUMNS | q, context=None)
    ours, theirs = (one["values"][1]["value"] for one in (weighted, plain))
    assert ours["low"] < reward.mean() < ours["high"]
    assert theirs["low"] > reward.mean()


@pytest.mark.parametrize("ids", [["007", "7", "07"], [f"184467440737095510{n:02}" for n in range(50)]])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_ids_are_no_numbers(ids: list[str], kind: str, tmp_path: Path) -> None:
    columns = table() | {"person": [ids[row % len(ids)] for row in range(ROWS)]}
    file = written(tmp_path, columns, f"log.{kind}")
    assert len(np.unique(identities(read_table(file, ["person"]), "person"))) == len(ids)


def test_numbers_without_a_value_are_no_id(tmp_path: Path) -> None:
    columns = table() | {"person": [float("nan") if row < 7 else float(row % 80) for row in range(ROWS)]}
    with pytest.raises(InvalidLog, match="person: no participant in 7 rows, first in row 1"):
        read(written(tmp_path, columns, "log.parquet"))


@pytest.mark.parametrize("action", [float("nan"), 1e300, -1.0, 0.5])
def test_an_action_that_is_no_index_is_one_line(action: float, tmp_path: Path) -> None:
    columns = table()
    columns["action"] = [action, *columns["action"][1:].astype(float)]
    with pytest.raises(InvalidLog, match="action is no index"):
        read(written(tmp_path, columns, "log.parquet"))


@pytest.mark.parametrize("value", [0.0, 0.1, 0.7, 1.0])
def test_that_nothing_happened_is_no_certainty(value: float, tmp_path: Path) -> None:
    columns = table() | {"reward": np.full(ROWS, value)}
    found = evaluate_foreign(written(tmp_path, columns), 0, 1, lambda _: None, **COLUMNS, expected=None, context=None)
    for one in found["values"]:
        assert one["value"]["low"] < value - 1e-3 < value + 1e-3 < one["value"]["high"]
    assert any(f"only 0 participants have a reward other than {value:g}" in note for note in found["notes"])


def test_the_logged_policy_stands_beside_the_target(tmp_path: Path) -> None:
    columns = table()
    found = evaluate_foreign(written(tmp_path, columns), 0, 1, lambda _: None, **COLUMNS, expected=None, context=None)
    assert found["logged"]["estimate"] == pytest.approx(float(np.mean(columns["reward"])), abs=1e-6)
    assert found["logged"]["low"] < found["logged"]["estimate"] < found["logged"]["high"]


EFFECT = {"outcome": "reward", "treatment": "action", "probability": "chance", "participant": "person"}


def test_a_control_with_empty_cells_is_named_with_its_rows(tmp_path: Path) -> None:
    columns = table()
    columns["x_0"] = [None if row in {4, 9} else value for row, value in enumerate(columns["x_0"])]
    file = written(tmp_path, columns)
    with pytest.raises(InvalidLog, match="x_0: no number in 2 rows, first in row 5"):
        effects_of_table(file, **EFFECT, available=None, moderators=[], controls=["x_0"])
    _, (found,) = effects_of_table(file, **EFFECT, available=None, moderators=[], controls=[])
    assert found.participants == 80


def test_effects_take_many_rows_of_few_people() -> None:
    """The correction is linear in the rows of a person, and equal to the one that inverts a matrix of all of them."""
    rng = np.random.default_rng(1)
    people, rows = 8, 30
    who = np.repeat(np.arange(people), rows)
    x, treated = rng.normal(0, 1, len(who)), rng.random(len(who)) < 0.4
    outcome = 0.3 * treated + x + rng.normal(0, 1, people)[who] + rng.normal(0, 1, len(who))
    found = wcls(outcome, treated, np.full(len(who), 0.4), who, controls=x[:, None])[0]
    design = np.column_stack([np.ones(len(who)), x, treated - 0.4])
    bread = np.linalg.inv(design.T @ design)
    residual = outcome - design @ (bread @ design.T @ outcome)
    meat = np.zeros((3, 3))
    for person in range(people):
        own = design[who == person]
        corrected = np.linalg.solve(np.eye(rows) - own @ bread @ own.T, residual[who == person])
        meat += np.outer(own.T @ corrected, own.T @ corrected)
    assert found.error == pytest.approx(float(np.sqrt((bread @ meat @ bread)[2, 2])), rel=1e-9)
