"""Studies: one decision per week, logged as drawn. The test moves the clock."""

import json
import secrets
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from coach_model.budget.coach import CONTRACT
from coach_model.exploration import decision_seed, draw
from coach_model.onnx_policy import load_policy
from data.packages.reader import read_package
from tests.actors.person import PROFILE, Person
from tests.support import forking
from tests.support.artifacts import PACKAGED
from tests.support.lived import Lived, lived_service
from tests.support.serving import CLIENT, METRICS_TOKEN
from tests.support.studies import ask, decisions, outcomes, participant
from training.budget.replay import replay


def counted(lived: Lived, name: str) -> float:
    """The sum of the metrics whose line begins with `name`."""
    lines = CLIENT.get(f"{lived.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def drawn_so_far(lived: Lived) -> float:
    return counted(lived, 'buddy_study_decisions_total{component="rules",phase="explore"} ')


def test_there_is_one_decision_a_week_however_often_it_is_asked_for(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    before = drawn_so_far(lived)
    first = ask(person)
    lived.clock.move(days=3)
    again = ask(person, wants_share=0.5, budget_used_ratio=0.95)
    for name in ("suggestion_id", "w_adj", "c_adj", "s_adj", "source", "policy_id", "created_at", "suggestions"):
        assert again[name] == first[name], name
    lived.clock.now = datetime(2027, 3, 8, 0, 0, 1, tzinfo=UTC)
    assert ask(person)["suggestion_id"] != first["suggestion_id"]
    assert drawn_so_far(lived) == before + 2  # the metrics count what was drawn, not what was told again
    mine = decisions(person)
    weeks = sorted(row["study_week"] for row in mine)
    assert weeks[1] == weeks[0] + 1
    assert len(outcomes(person)) == 2


def test_the_served_policy_is_asked_only_where_no_study_decides(lived: Lived, study: str) -> None:
    served = 'buddy_coach_decisions_total{coach="budget"'
    person, other = participant(lived, study), Person(lived)
    before = counted(lived, served)
    ask(person)
    ask(person)
    assert counted(lived, served) == before
    ask(other)
    assert counted(lived, served) == before + 1


def test_the_week_is_the_one_where_the_person_is(lived: Lived, study: str) -> None:
    auckland, honolulu = (
        participant(lived, study, time_zone=zone) for zone in ("Pacific/Auckland", "Pacific/Honolulu")
    )
    lived.clock.now = datetime(2027, 3, 7, 9, tzinfo=UTC)  # Sunday evening in Auckland, Saturday night in Honolulu
    first = [ask(person)["suggestion_id"] for person in (auckland, honolulu)]
    lived.clock.now = datetime(2027, 3, 7, 12, tzinfo=UTC)  # Monday in Auckland
    second = [ask(person)["suggestion_id"] for person in (auckland, honolulu)]
    assert first[0] != second[0]
    assert first[1] == second[1]
    assert {row["local_week"] for row in decisions(auckland)} == {"2027-03-01", "2027-03-08"}


def test_what_is_drawn_is_what_is_logged(lived: Lived, study: str) -> None:
    """Redrawn from the seed bit for bit; ε of 0.4 around the rules, exactly; and levels really vary."""
    seen = set()
    for _ in range(12):
        person = participant(lived, study)
        answer = ask(person)
        (row,) = decisions(person)
        distributions = np.array([row["distributions"]])
        assert row["seed"] == decision_seed(answer["suggestion_id"])
        assert draw([row["seed"]], distributions)[0].tolist() == row["levels"]
        assert [answer[name] for name in ("w_adj", "c_adj", "s_adj")] == [level / 4 for level in row["levels"]]
        chosen = [row["distributions"][lever][level] for lever, level in enumerate(row["levels"])]
        assert row["propensity"] == pytest.approx(np.prod(chosen), rel=1e-12)
        for lever, by_rules in enumerate(row["rules_levels"]):
            eligible = sum(probability > 0 for probability in row["distributions"][lever])
            assert row["distributions"][lever][by_rules] == pytest.approx(0.6 + 0.4 / eligible)
        assert (row["phase"], row["component"], row["source"], row["epsilon"]) == ("explore", "rules", "study", 0.4)
        assert answer["source"] == "rules"
        for said in answer["suggestions"]:
            lever = ["wants", "culture", "savings"].index(said["lever"])
            if row["levels"][lever] != row["rules_levels"][lever]:
                assert said["because"] == []  # chance is no reason of the person's
        seen.add(tuple(row["levels"]))
    assert len(seen) > 2


def test_weeks_count_alike_wherever_a_person_says_they_are(lived: Lived, tmp_path: Path) -> None:
    lived.clock.now = datetime(2027, 3, 3, 9, tzinfo=UTC)
    version = f"study-{secrets.token_hex(4)}"
    lived.buddy("study", "start", version, "--begins", "2027-03-01")
    person = participant(lived, version, time_zone="America/New_York")
    ask(person)
    lived.clock.move(days=7)
    person.put("/profile", PROFILE)  # no zone any more: UTC
    ask(person)
    weeks = sorted(row["study_week"] for row in decisions(person))
    assert weeks == [1, 2]
    lived.buddy("research", "export", str(tmp_path / "study"), "--study", version)
    assert len(read_package(tmp_path / "study").tables["decisions"]["decision_id"]) == 2


def test_fifty_calls_at_once_are_one_decision(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ask(person)["suggestion_id"], range(50)))
    assert len(set(answers)) == 1
    assert len(decisions(person)) == 1


@pytest.mark.usefixtures("study")
def test_who_has_not_consented_to_the_study_is_in_none(lived: Lived) -> None:
    stranger, elsewhere = Person(lived), participant(lived, "another-study")
    for person in (stranger, elsewhere):
        before = [ask(person)[name] for name in ("w_adj", "c_adj", "s_adj")]
        assert [ask(person)[name] for name in ("w_adj", "c_adj", "s_adj")] == before  # deterministic
    assert decisions(stranger) == []
    assert {row["phase"] for row in decisions(elsewhere)} == {"outside"}
    assert {row["propensity"] for row in decisions(elsewhere)} == {1.0}
    assert outcomes(elsewhere) == []


def test_who_withdraws_is_in_no_study_and_in_no_export(lived: Lived, study: str, tmp_path: Path) -> None:
    stays, leaves = participant(lived, study), participant(lived, study)
    for person in (stays, leaves):
        ask(person)
    leaves.consent(consented=False, study_version=study, allow_research_export=False)
    lived.clock.move(days=7)
    for person in (stays, leaves):
        ask(person)
    assert len(decisions(leaves)) == 1
    assert [row["context_at"] for row in outcomes(leaves)] == [None]
    lived.buddy("research", "export", str(tmp_path / "without"), "--study", study)
    package = read_package(tmp_path / "without")
    assert len(package.tables["participants"]["participant_id"]) == 1
    assert len(package.tables["decisions"]["decision_id"]) == 2
    assert len(package.tables["outcomes"]["decision_id"]) == 2


@pytest.mark.long
def test_around_the_coach_noise_is_added_to_what_is_served(lived: Lived, tmp_path: Path) -> None:
    lived.clock.now = datetime(2027, 3, 1, 9, tzinfo=UTC)
    version = f"study-{secrets.token_hex(4)}"
    lived.buddy("study", "start", version, "--around", "coach")
    served = CLIENT.post(f"{lived.url}/coach/suggestions", json=EXAMPLE_CONTEXT).json()
    levels = [int(served[name] * 4) for name in ("w_adj", "c_adj", "s_adj")]
    for _ in range(6):
        person = participant(lived, version)
        ask(person)
        (row,) = decisions(person)
        assert (row["component"], row["policy_id"]) == ("coach", served["policy_id"])
        for lever, level in enumerate(levels):
            assert row["distributions"][lever][level] > 0.6
    lived.buddy("research", "export", str(tmp_path / "study"), "--study", version)
    policy = load_policy(PACKAGED, CONTRACT)
    assert replay(read_package(tmp_path / "study"), {policy.policy_id: policy}).identical


@pytest.mark.long
def test_the_confirm_phase_tosses_a_fair_coin_between_rules_and_the_frozen_candidate(
    lived: Lived, study: str, tmp_path: Path
) -> None:
    lived.buddy("study", "confirm", study, str(PACKAGED))
    rows = []
    for _ in range(24):
        person = participant(lived, study)
        answer = ask(person)
        (row,) = decisions(person)
        assert answer["source"] == ("policy" if row["component"] == "candidate" else "rules")
        assert row["candidate_id"].startswith("budget/")
        assert row["policy_id"] == (row["candidate_id"] if row["component"] == "candidate" else "budget-rules/1")
        rows.append(row)
    assert 4 <= sum(row["component"] == "candidate" for row in rows) <= 20  # 99.9 % of fair coins
    assert {row["epsilon"] for row in rows} == {0.1}
    assert all(row["candidate_levels"] for row in rows)
    lived.buddy("research", "export", str(tmp_path / "study"), "--study", study)
    policy = load_policy(PACKAGED, CONTRACT)
    found = replay(read_package(tmp_path / "study"), {policy.policy_id: policy})
    assert found.identical
    assert found.decisions == len(rows)
    assert found.without_artifact == {}


def test_a_stopped_study_draws_nothing_and_its_last_outcomes_still_come_in(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    drawn = ask(person)["suggestion_id"]
    lived.buddy("study", "stop", study)
    lived.clock.move(days=7)
    ask(person)
    rows = {row["decision_id"]: row for row in decisions(person)}
    assert sorted(row["phase"] for row in rows.values()) == ["explore", "outside"]
    (outcome,) = outcomes(person)
    assert outcome["context_at"] is not None
    assert outcome["decision_key"] == rows[drawn]["id"]


def test_a_client_that_shows_other_levels_is_flagged(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    first = ask(person)
    in_force = {f"prev_{name}": first[name] for name in ("w_adj", "c_adj", "s_adj")}
    lived.clock.move(days=7)
    ask(person, **in_force)
    lived.clock.move(days=7)
    ask(person, prev_w_adj=0.0, prev_c_adj=1.0, prev_s_adj=0.0)
    rows = sorted(decisions(person), key=lambda row: row["decided_at"])
    assert [row["prev_disagrees"] for row in rows][:2] == [False, False]
    assert rows[2]["prev_disagrees"] is True


def test_a_study_begins_on_its_first_day(lived: Lived) -> None:
    lived.clock.now = datetime(2027, 2, 28, 23, tzinfo=UTC)
    version = f"study-{secrets.token_hex(4)}"
    lived.buddy("study", "start", version, "--begins", "2027-03-01", "--epsilon", "0.5")
    person = participant(lived, version)
    ask(person)
    lived.clock.move(hours=1)
    ask(person)
    rows = sorted(decisions(person), key=lambda row: row["decided_at"])
    assert [row["phase"] for row in rows] == ["outside", "explore"]
    assert (rows[1]["study_week"], rows[1]["epsilon"]) == (1, 0.5)  # 0 is for where it is still Sunday


def test_commands_say_what_a_study_is_and_refuse_what_makes_no_sense(lived: Lived, study: str) -> None:
    person = participant(lived, study)
    ask(person)
    (told,) = [one for one in json.loads(lived.buddy("study", "status", "--json")) if one["study_version"] == study]
    assert (told["phase"], told["around"], told["participants"], told["decisions"]) == ("explore", "rules", 1, 1)
    assert study in lived.buddy("study", "status")

    def refused(*arguments: str) -> str:
        done = forking.run("study", *arguments, env=lived.environment)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "already" in refused("start", study)
    assert "no study" in refused("stop", "nothing-of-the-kind")
    lived.buddy("study", "confirm", study, str(PACKAGED))
    assert "phase confirm" in refused("confirm", study, str(PACKAGED))
    lived.buddy("study", "stop", study)
    assert "phase stopped" in refused("stop", study)


def test_with_the_database_away_the_answer_is_deterministic_and_not_logged(tmp_path: Path) -> None:
    now = datetime(2027, 3, 1, 9, tzinfo=UTC)
    with lived_service(tmp_path, f"sqlite:///{tmp_path}/buddy.db", now=now) as running:
        running.buddy("study", "start", "locked")
        person = participant(running, "locked")
        plain = CLIENT.post(f"{running.url}/coach/suggestions", json=EXAMPLE_CONTEXT).json()
        with sqlite3.connect(tmp_path / "buddy.db", isolation_level=None) as locked:
            locked.execute("BEGIN EXCLUSIVE")
            answer = ask(person)
            locked.execute("ROLLBACK")
        assert [answer[name] for name in ("w_adj", "c_adj", "s_adj", "source")] == [
            plain[name] for name in ("w_adj", "c_adj", "s_adj", "source")
        ]
        assert decisions(person) == []
