"""The daily coach from a log to an artifact: it finds the effects, and reports them only with enough evidence."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coach_model.daily.candidates import COLUMN, FEATURES, Candidate, History
from coach_model.daily.coach import CONTRACT
from coach_model.onnx_policy import PROMOTED, load_policy
from data.logs.daily import DailyLog, DailyLogWriter, InvalidDailyLog, read_daily_log
from data.synthetic.households import HouseholdConfig, about, rows_of, simulate
from training.daily.evaluate import judge, ndcg, rollout
from training.daily.ranking import TooLittle, learn_ranking
from training.daily.train import judge_daily, train
from training.registry.promote import NotPromoted, promote, rollback

FAMILIES = HouseholdConfig(households=36, days=28, seed=11)
LIVES = HouseholdConfig(households=6, days=7, seed=7)
PACKAGED = Path(__file__).parents[3] / "coach_model" / "artifacts" / "daily"


def write(folder: Path, config: HouseholdConfig) -> Path:
    writer = DailyLogWriter(folder, synthetic=True)
    for shown in simulate(config):
        for row in rows_of(shown):
            writer.add(row)
    writer.finish(about(config))
    return folder


def log_of(rows: list[dict[str, Any]]) -> DailyLog:
    """The rows as a log, without writing a file."""
    names = ("day", "participant", "slots")
    return DailyLog(
        household=np.array([int(row["household"][1:]) for row in rows]),
        fold=np.array([row["fold"] for row in rows]),
        **{name: np.array([row[name] for row in rows]) for name in names},
        area=np.array([row["area"] for row in rows]),
        features=np.array([[row[name] for name in FEATURES] for row in rows], np.float32),
        chosen=np.array([row["chosen"] for row in rows]),
        propensity=np.array([row["propensity"] for row in rows]),
        done=np.array([np.nan if row["done"] is None else float(row["done"]) for row in rows]),
        relevance=np.array([row["relevance"] for row in rows]),
    )


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("families") / "log", FAMILIES)


@pytest.fixture(scope="module")
def log(families: Path) -> DailyLog:
    return read_daily_log(families)[0]


def test_what_is_written_is_what_is_read(log: DailyLog) -> None:
    shown = list(simulate(replace(FAMILIES, households=2)))
    rows = [row for day in shown for row in rows_of(day)]
    first = log.where(log.household < 2)
    assert len(first) == len(rows)
    assert first.done[first.chosen].tolist() == [float(row["done"]) for row in rows if row["chosen"]]
    np.testing.assert_allclose(first.propensity, [row["propensity"] for row in rows], atol=1e-6)
    np.testing.assert_allclose(first.features[:, 3], [row[FEATURES[3]] for row in rows], atol=1e-6)
    assert len(first.slates()) == len(shown)


def test_inclusion_probabilities_sum_to_the_slots(log: DailyLog) -> None:
    for rows in log.slates():
        assert log.propensity[rows].sum() == pytest.approx(log.chosen[rows].sum(), abs=1e-4)
        assert log.chosen[rows].sum() <= log.slots[rows][0]


def test_a_trained_ranking_is_truly_better_than_the_rules(log: DailyLog) -> None:
    learners, judges = log.where(log.fold != 0), log.where(log.fold == 0)
    judged = judge(judges, learn_ranking(learners).probability)
    assert judged.truth is not None
    assert judged.truth["ranking_completions"] > 1.2 * judged.truth["rules_completions"]
    assert judged.truth["ranking_ndcg"] > judged.truth["rules_ndcg"]


def test_a_ranking_by_chance_is_no_better_and_the_rules_against_themselves_are_equal(log: DailyLog) -> None:
    chance = judge(log, lambda seen: np.random.default_rng(1).random(len(seen)))
    assert chance.truth is not None
    assert chance.truth["ranking_completions"] < 1.1 * chance.truth["rules_completions"]
    assert chance.verdict != "promote"


@pytest.mark.long
def test_the_log_alone_estimates_the_true_difference() -> None:
    """The estimate uses inverse inclusion probabilities only, and is within four standard errors of the truth."""
    config = HouseholdConfig(households=60, days=28, epsilon=1.0, seed=3)
    log = log_of([row for shown in simulate(config) for row in rows_of(shown)])
    ranking = learn_ranking(log)
    judged = judge(log, ranking.probability)
    assert judged.truth is not None
    assert judged.difference is not None, judged.reasons
    true = judged.truth["ranking_completions"] - judged.truth["rules_completions"]
    assert abs(judged.difference.estimate - true) < 4 * judged.difference.error
    assert judged.verdict == "promote"


def test_a_log_without_exploration_gives_no_estimate(log: DailyLog) -> None:
    certain = replace(log, propensity=log.chosen.astype(float))
    judged = judge(certain, lambda seen: 1 - seen[:, 0].astype(float))
    assert judged.difference is None
    assert judged.verdict == "insufficient evidence"


def test_a_snooze_is_supported_by_a_policy_trained_without_snoozes(log: DailyLog) -> None:
    snoozed = log.features.copy()
    snoozed[:, COLUMN["snoozes"]] = 0.25
    ranking = learn_ranking(log)
    assert (ranking.supported(snoozed) == ranking.supported(log.features)).all()


@pytest.mark.long
def test_activities_that_the_log_could_not_show_do_not_favour_a_ranking() -> None:
    """With little exploration, a bad ranking that acted must not win because of what the log could not show."""
    config = HouseholdConfig(households=60, days=21, epsilon=0.2, seed=5)

    def worst(candidates: list[Candidate], history: History, today: date) -> list[int]:
        del history, today
        return sorted(range(len(candidates)), key=lambda place: (-candidates[place].minutes, place))

    rows = [row for shown in simulate(config, worst) for row in rows_of(shown)]
    judged = judge(log_of(rows), lambda seen: seen[:, COLUMN["minutes"]].astype(float))
    assert judged.truth is not None
    assert judged.truth["ranking_completions"] < judged.truth["rules_completions"]
    assert judged.verdict != "promote"


def test_a_rollout_is_paired_by_household(log: DailyLog) -> None:
    found = rollout(learn_ranking(log).probability, HouseholdConfig(households=12, days=21, seed=5))
    assert found.clusters == 12
    assert found.estimate > 0


def test_ndcg_by_hand() -> None:
    relevance = np.array([0.5, 1.0, 0.0])
    best = 1 + 0.5 / np.log2(3)
    assert ndcg(relevance, np.array([1, 0, 2]), 2) == pytest.approx(1)
    assert ndcg(relevance, np.array([0, 1, 2]), 2) == pytest.approx((0.5 + 1 / np.log2(3)) / best)


def test_the_same_log_gives_the_same_bytes_and_graph_and_python_agree(
    families: Path, log: DailyLog, tmp_path: Path
) -> None:
    cards = [train(families, tmp_path / name, "test", lives=LIVES) for name in ("one", "two")]
    assert cards[0]["onnx"]["sha256"] == cards[1]["onnx"]["sha256"]
    assert (tmp_path / "one" / "policy.json").read_bytes() == (tmp_path / "two" / "policy.json").read_bytes()
    policy = load_policy(tmp_path / "one", CONTRACT)
    learned = learn_ranking(log.where(log.fold != 0))
    probability, supported = policy({"candidates": log.features})
    np.testing.assert_allclose(probability[:, 0], learned.probability(log.features), atol=1e-5)
    near = np.abs(learned.distance(log.features) - learned.support_threshold) > 1e-2
    assert (supported[:, 0] == learned.supported(log.features))[near].all()


def test_the_packaged_artifact_fits_and_says_what_it_is() -> None:
    policy = load_policy(PACKAGED, CONTRACT)
    assert policy.card["synthetic"] is True
    assert policy.card["verdict"] == "insufficient evidence"
    assert hashlib.sha256(policy.graph).hexdigest() == policy.card["onnx"]["sha256"]


@pytest.mark.long
def test_the_gate_writes_its_verdict_and_promotion_requires_it(families: Path, tmp_path: Path) -> None:
    train(families, tmp_path / "candidate", "test", lives=LIVES)
    models = tmp_path / "models"
    with pytest.raises(NotPromoted):
        promote(tmp_path / "candidate", models)
    others, ledger = write(tmp_path / "others", replace(FAMILIES, seed=12, households=20)), tmp_path / "looks.jsonl"
    said = judge_daily(others, tmp_path / "candidate", ledger, "2026-11-22T00:00:00+00:00")
    assert said["look"] == 1
    assert load_policy(tmp_path / "candidate", CONTRACT).card["gate"]["verdict"] == said["verdict"]
    first = promote(tmp_path / "candidate", models, despite="a test")
    assert (models / "daily" / "policy.onnx").exists()
    assert first.policy_id.startswith("daily/")
    promote(PACKAGED, models, despite="a test")
    assert rollback(models, "daily").policy_id == first.policy_id
    assert models != PROMOTED


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("propensity", "0", "shown with probability 0"),
        ("propensity", "1.5", "a propensity outside"),
        ("done", "", "neither 0 nor 1"),
        ("overdue", "7", "a feature outside"),
        ("day", "soon", "invalid literal"),
    ],
)
def test_a_log_that_contradicts_itself_is_refused(
    column: str, value: str, why: str, families: Path, tmp_path: Path
) -> None:
    broken, about_it = tmp_path / "broken", json.loads((families / "about.json").read_text())
    broken.mkdir()
    lines = [line.split(",") for line in (families / "candidates.csv").read_text().splitlines()[:40]]
    place, chosen = lines[0].index(column), lines[0].index("chosen")
    next(line for line in lines[1:] if line[chosen] == "1")[place] = value
    content = "\n".join(",".join(line) for line in lines)
    (broken / "candidates.csv").write_text(content)
    (broken / "about.json").write_text(json.dumps(about_it))
    with pytest.raises(InvalidDailyLog, match="digest"):
        read_daily_log(broken)
    about_it["digest"] = hashlib.sha256(content.encode()).hexdigest()
    (broken / "about.json").write_text(json.dumps(about_it))
    with pytest.raises(InvalidDailyLog, match=why):
        read_daily_log(broken)


def test_a_log_that_is_too_small_is_refused_also_by_the_command(tmp_path: Path) -> None:
    small = write(tmp_path / "small", HouseholdConfig(households=3, days=2))
    with pytest.raises(TooLittle, match="too little"):
        learn_ranking(read_daily_log(small)[0])
    command = [str(Path(sys.executable).with_name("buddy-train")), "train", str(small), "--out", str(tmp_path / "x")]
    done = subprocess.run([*command, "--no-track"], env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "too little" in done.stderr
    assert json.loads((small / "about.json").read_text())["synthetic"] is True
