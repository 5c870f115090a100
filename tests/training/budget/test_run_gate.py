"""The commands around the gate: verdict, ledger, card, report, evaluation, and evaluation of a log from elsewhere."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from coach_model.budget.coach import CONTRACT
from coach_model.onnx_policy import load_policy
from training.budget.interim_looks import Look, LookedAtOtherwise, claim, conclude, looks
from training.cli import app

CONFIRMED = ("--seed", "5", "--candidate", "candidate")
REFERENCE = json.loads((Path(__file__).parents[1] / "ope" / "obd" / "reference.json").read_text(encoding="utf-8"))


def run(folder: Path, *arguments: str) -> Result:
    """Run the command in this process, which has its imports already. An unexpected exception is raised."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, arguments, catch_exceptions=False)


def started(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a new process."""
    command = [str(Path(sys.executable).with_name("buddy-train")), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def said(folder: Path, *arguments: str, code: int = 0) -> Any:
    done = run(folder, *arguments, "--no-track", "--json")
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an explore study, a candidate trained on it, and a confirm study of the candidate."""
    place = tmp_path_factory.mktemp("judging")
    for arguments in (
        ("simulate", "explore", "--seed", "5"),
        ("train", "explore", "--out", "candidate", "--no-track"),
        ("simulate", "confirm", "--participants", "400", "--weeks", "0", "--confirm-weeks", "12", *CONFIRMED),
    ):
        done = run(place, *arguments)
        assert done.exit_code == 0, done.output
    return place


def test_the_gate_states_its_reasons_and_writes_them_on_the_card(folder: Path) -> None:
    found = said(folder, "gate", "confirm", "candidate", "--ledger", "one.jsonl")
    assert found["verdict"] == "promote"
    assert found["evidence"]["difference"]["low"] > 0
    assert {rail["standing"] for rail in found["evidence"]["guardrails"]} <= {"kept", "not seen"}
    assert found["evidence"]["selection"]["odds_ratio"] == 2
    policy = load_policy(folder / "candidate", CONTRACT)  # still a sound pair
    assert policy.card["verdict"] == "promote"
    assert policy.card["gate"]["studies"] == found["studies"]
    again = said(folder, "gate", "confirm", "candidate", "--ledger", "one.jsonl")
    assert again == found  # the same candidate on the same data is the same look
    (look,) = looks(folder / "one.jsonl")
    assert (look.number, look.verdict) == (1, "promote")


def test_another_candidate_on_the_same_study_has_a_smaller_level(folder: Path) -> None:
    said(folder, "gate", "confirm", "candidate", "--ledger", "two.jsonl")
    done = run(folder, "train", "explore", "--out", "other", "--version", "other", "--no-track")
    assert done.exit_code == 0
    done = run(folder, "gate", "confirm", "other", "--ledger", "two.jsonl", "--no-track", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == {"promote": 0, "reject": 1}.get(found["verdict"], 3)
    assert found["look"] == 2
    assert found["evidence"]["level"] == pytest.approx(0.025 / 4)
    assert found["evidence"]["method"] == "asymptotic confidence sequence"
    assert found["verdict"] == "insufficient evidence"
    assert "that tried it" in found["reasons"][0]


@pytest.mark.long
def test_judging_the_same_data_again_is_the_same_look_for_any_plan(folder: Path) -> None:
    looking = ("gate", "confirm", "candidate", "--ledger", "six.jsonl", "--no-track", "--json")
    first = json.loads(run(folder, *looking, "--planned-rounds", "20000").stdout)
    assert first["evidence"]["method"] == "asymptotic confidence sequence"
    assert json.loads(run(folder, *looking).stdout) == first
    done = run(folder, "report", "confirm", "candidate", "--ledger", "six.jsonl", "--no-track", "--out", "six.html")
    assert first["verdict"] in done.stdout
    stated = run(folder, *looking, "--missing-odds-ratio", "1.2")
    assert stated.exit_code == 2
    assert "an odds ratio of 2 was stated" in stated.stderr.replace("\n", " ")
    other = run(folder, *looking, "--planned-rounds", "9")
    assert other.exit_code == 2
    assert "20000 rounds planned" in other.stderr.replace("\n", " ")


def test_a_policy_judged_on_invented_people_is_served_only_with_a_reason(folder: Path) -> None:
    said(folder, "gate", "confirm", "candidate", "--ledger", "seven.jsonl")
    refused = run(folder, "promote", "candidate", "--models", "served", "--no-track")
    assert refused.exit_code == 1
    assert "invented people" in refused.stderr.replace("\n", " ")
    said(folder, "promote", "candidate", "--models", "served", "--despite", "a demonstration")


def test_explore_data_do_not_promote_and_the_exit_code_is_1(folder: Path) -> None:
    found = said(folder, "gate", "explore", "candidate", "--ledger", "three.jsonl", code=3)
    assert found["verdict"] == "insufficient evidence"
    assert found["evidence"]["difference"] is None
    done = started(folder, "promote", "candidate", "--models", "models", "--no-track")
    assert done.returncode == 1
    assert "verdict" in done.stderr
    assert "Traceback" not in done.stderr
    said(folder, "gate", "confirm", "candidate", "--ledger", "three.jsonl")


def test_the_report_is_complete_and_loads_nothing(folder: Path) -> None:
    done = run(folder, "report", "confirm", "candidate", "--out", "page.html", "--ledger", "four.jsonl", "--no-track")
    assert done.exit_code == 0, done.stderr
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert page.index("<h1") < page.index("Value compared with the rules") < page.index("The card")
    for part in ("Promote", "Synthetic data", "Guardrails", "Segments", "Missing outcomes", "V_rollout"):
        assert part in page
    assert page.count("<svg") >= 6
    loaded = re.findall(r'(?:src|href)="(?!#)([^"]+)"|url\((?!#)([^)]+)\)', page)
    assert loaded == []
    assert not re.findall(r"<(?:script|link|img|iframe)\b", page)


def test_a_package_is_evaluated_by_all_seven_estimators_and_compared_with_the_rules(folder: Path) -> None:
    found = said(folder, "evaluate", "confirm", "--artifact", "candidate", "--resamples", "200")
    assert [one["estimator"] for one in found["values"]] == ["ipw", "snipw", "dm", "dr", "sndr", "switch_dr", "dr_os"]
    for one in found["values"]:
        assert one["difference"]["low"] < one["difference"]["estimate"] < one["difference"]["high"]
        assert one["bootstrap"]["low"] < one["bootstrap"]["high"]
    refused = said(folder, "evaluate", "explore", "--artifact", "candidate", "--resamples", "0", code=3)
    assert refused["values"] == []
    assert "effective sample size" in refused["problems"][0]
    assert "--artifact" in run(folder, "evaluate", "confirm", "--no-track").stderr


def test_a_trial_of_few_people_needs_a_reason_that_is_printed(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    action = rng.integers(0, 2, 1200)
    columns = {"action": action, "propensity": np.full(1200, 0.5), "reward": action * 0.5 + rng.random(1200) / 2}
    columns |= {"pi_0": np.zeros(1200), "pi_1": np.ones(1200), "person": np.arange(1200) % 12}
    pa_csv.write_csv(pa.table(columns), tmp_path / "small.csv")
    command = ("evaluate", "small.csv", "--participant", "person", "--resamples", "0", "--no-track")
    refused = run(tmp_path, *command)
    assert refused.exit_code == 3
    assert "--few-people REASON" in refused.stdout.replace("\n", " ")
    known = run(tmp_path, *command, "--few-people", "a pilot of [12] people")
    assert known.exit_code == 0
    assert "a pilot of [12] people" in known.stderr.replace("\n", " ")
    found = said(tmp_path, *command[:-1], "--few-people", "a pilot")
    assert found["values"][0]["value"]["clusters"] == 12


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_log_from_elsewhere_is_evaluated(kind: str, tmp_path: Path) -> None:
    """The Open Bandit Dataset as a table with other column names."""
    stored = np.load(Path(__file__).parents[1] / "ope" / "obd" / "small.npz")
    target, q = stored["target"].T[stored["position"]], stored["q_millionths"][stored["q_row"]] / 1e6
    columns = {"item": stored["action"], "click": stored["reward"], "p": stored["pscore"]}
    columns |= {f"ts_{place}": target[:, place] for place in range(80)}
    columns |= {f"q_{place}": q[:, place] for place in range(80)}
    table = pa.table(columns)
    file = tmp_path / f"obd.{kind}"
    (pa_csv.write_csv if kind == "csv" else pq.write_table)(table, file)
    flags = ("--action", "item", "--reward", "click", "--propensity", "p", "--target", "ts_", "--resamples", "0")
    found = said(tmp_path, "evaluate", str(file), *flags, "--expected", "q_")
    values = {one["estimator"]: one["value"]["estimate"] for one in found["values"]}
    for name in ("ipw", "snipw", "dm", "dr", "sndr"):
        assert values[name] == pytest.approx(REFERENCE["values"][name], abs=1e-6)
    assert found["rounds"] == 10_000
    wrong = run(tmp_path, "evaluate", str(file), "--action", "nothing", "--no-track")
    assert wrong.exit_code == 2
    assert "there is no column 'nothing'" in wrong.stderr.replace("\n", " ")


def test_q_is_fitted_when_the_table_has_none(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    n = 4_000
    x, action = rng.random(n), rng.integers(0, 3, n)
    reward = 0.3 + 0.3 * x * (action == 2) + rng.normal(0, 0.1, n)
    target = np.where(np.arange(3) == 2, 0.8, 0.1)
    columns = {
        "x_0": x,
        "action": action,
        "propensity": np.full(n, 1 / 3),
        "reward": reward,
        "person": np.arange(n) % 300,
    }
    columns |= {f"pi_{place}": np.full(n, target[place]) for place in range(3)}
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    found = said(tmp_path, "evaluate", "log.parquet", "--context", "x_", "--participant", "person", "--jobs", "1")
    truth = 0.3 + 0.8 * 0.3 * x.mean()
    by_name = {one["estimator"]: one["value"] for one in found["values"]}
    assert by_name["dr"]["low"] < truth < by_name["dr"]["high"]
    assert by_name["dr"]["error"] < by_name["ipw"]["error"] / 2
    assert found["participants"] == 300


def test_effects_of_any_trial_and_power(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    n = 2_000
    treated = rng.integers(0, 2, n)
    table = {
        "id": np.arange(n) % 50,
        "sent": treated,
        "p": np.full(n, 0.5),
        "steps": 0.5 * treated + rng.normal(0, 1, n),
    }
    pa_csv.write_csv(pa.table(table), tmp_path / "mrt.csv")
    flags = ("--outcome", "steps", "--treatment", "sent", "--probability", "p", "--participant", "id")
    (found,) = said(tmp_path, "effects", "mrt.csv", *flags)["effects"]
    assert found["coefficients"][0]["low"] < 0.5 < found["coefficients"][0]["high"]
    planned = started(tmp_path, "power", "--weeks", "12", "--studies", "0", "--json")
    assert 0.9 <= json.loads(planned.stdout)["power"] < 0.92


def test_looks_are_counted_by_study_and_the_ledger_is_never_replaced(tmp_path: Path) -> None:
    ledger = tmp_path / "looks.jsonl"

    def look(studies: tuple[str, ...], dataset: str, policy: str, planned: int | None = None) -> int:
        claimed = claim(ledger, "2027-03-01T00:00:00+00:00", studies, dataset, policy, planned)
        conclude(ledger, claimed, "reject")
        return claimed.number

    assert [look(("a",), "d1", "p1"), look(("a",), "d1", "p1"), look(("a",), "d1", "p2")] == [1, 1, 2]
    assert look(("a", "b"), "d2", "p1") == 3  # a wider export is no new study
    assert look(("c",), "d1", "p3") == 1
    assert {one.verdict for one in looks(ledger)} == {"reject"}
    assert look(("d",), "d4", "p1", 500) == 1
    with pytest.raises(LookedAtOtherwise):
        look(("d",), "d4", "p1", 600)
    ledger.write_text("not a ledger\n")
    with pytest.raises(ValueError, match="not a ledger"):
        look(("a",), "d3", "p3")


def test_an_odds_ratio_is_stated_once_for_a_study_and_a_reason_may_come_later(tmp_path: Path) -> None:
    ledger = tmp_path / "looks.jsonl"

    def look(dataset: str, ratio: float | None, reason: str = "", studies: tuple[str, ...] = ("s",)) -> Look:
        return claim(ledger, "2027-03-01T00:00:00+00:00", studies, dataset, "p", None, ratio, reason)

    assert look("d1", 3.0).odds_ratio == 3
    assert look("d2", None).odds_ratio == 3  # another export of the same study
    for ratio in (1.0, 2.0, 4.0):
        with pytest.raises(LookedAtOtherwise, match="odds ratio of 3 was stated"):
            look("d3", ratio)
    assert look("d3", None, studies=("other",)).odds_ratio == 2
    for ratio in (0.5, float("nan"), float("inf"), 2000.0):
        with pytest.raises(ValueError, match="from 1 to 1000"):
            look("d4", ratio)
    assert look("d1", None).few_people == ""
    assert look("d1", None, "a pilot").few_people == "a pilot"
    assert look("d1", None).few_people == "a pilot"
    assert [one.number for one in looks(ledger)] == [1, 2, 1]


def test_concurrent_looks_get_different_numbers(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from training.budget.interim_looks import *\n"
        "for n in range(20): claim(Path('l.jsonl'), 't', ('s',), f'd{n}', sys.argv[1], None)"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, f"p{n}"], cwd=tmp_path) for n in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert sorted(look.number for look in looks(tmp_path / "l.jsonl")) == list(range(1, 81))
