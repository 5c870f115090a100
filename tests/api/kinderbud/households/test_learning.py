"""Families that take part in learning: what is logged and exported, and that other families are not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.kinderbud.households.actions import Child
from data.logs.daily import read_daily_log
from tests.actors.family import EMMA, Family
from tests.support import forking
from tests.support.lived import Lived
from tests.support.serving import CLIENT, METRICS_TOKEN


@pytest.fixture(scope="module")
def lived(lived: Lived) -> Lived:
    lived.clock.now = datetime(2026, 2, 2, 15, tzinfo=UTC)
    return lived


def family(lived: Lived, *children: Child) -> Family:
    made = Family(lived, children=children or (EMMA,), now=lived.clock.now)
    for child in made.children:
        made.follow("Early Development", child.name)
        made.follow("Early Literacy", child.name)
    made.follow("For the Grown-Ups", "Sarah")
    return made


@pytest.mark.long
def test_the_policy_chooses_and_the_metrics_say_so(lived: Lived) -> None:
    today = family(lived).read("/today")
    assert today["source"] == "policy"
    lines = CLIENT.get(f"{lived.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text.splitlines()
    assert any(line.startswith('buddy_coach_decisions_total{coach="daily"') and 'policy"' in line for line in lines)


def test_each_person_is_served_and_children_first(lived: Lived) -> None:
    ben = Child("Ben", EMMA.birthday.replace(year=2022))
    activities = family(lived, EMMA, ben).read("/today")["activities"]
    names = [one["participant_name"] for one in activities]
    assert len(names) == 8
    assert set(names) == {"Emma", "Ben", "Sarah"}
    assert names.count("Sarah") <= 2


@pytest.mark.long
def test_only_those_who_take_part_leave_and_nothing_that_names_them(lived: Lived, tmp_path: Path) -> None:
    learning, private = family(lived), family(lived)
    learning.learns()
    shown, done = [], 0
    for day in range(12):
        lived.clock.move(days=1)
        private.read("/today")
        activities = learning.read("/today")["activities"]
        shown.append({one["id"] for one in activities})
        for one in activities[: day % 3]:
            learning.complete(one["id"], notes="what Emma said is nobody's business")
            done += 1
    undone = learning.read("/history")["entries"][0]["actions"][0]
    learning.undo(undone["todo_id"], action_id=undone["id"])
    lived.clock.move(days=1)
    learning.read("/today")  # this day is not over, so it is not exported
    out = tmp_path / "log"
    # The command uses the machine's clock, by which all of these days are over.
    told = json.loads(lived.buddy("household", "export-learning", str(out), "--json"))
    log, about = read_daily_log(out)
    days = log.slates()
    assert told["days"] == len(days) == about["days"] == 13
    assert told["households"] == 1
    assert [int(log.chosen[rows].sum()) for rows in days[:12]] == [len(one) for one in shown]
    assert int((log.done == 1).sum()) == done - 1
    for rows in days:
        assert log.propensity[rows].sum() == pytest.approx(log.chosen[rows].sum(), abs=1e-4)
        assert (log.propensity[rows][log.chosen[rows]] > 0).all()
    content = (out / "candidates.csv").read_text() + (out / "about.json").read_text()
    for secret in ("Emma", "Sarah", "Johnson", "business", "2024-11-15", learning.token):
        assert secret not in content


def test_who_stops_taking_part_is_in_no_later_export(lived: Lived, tmp_path: Path) -> None:
    one = family(lived)
    one.learns()
    one.read("/today")
    lived.clock.move(days=1)
    one.read("/today")
    lived.buddy("household", "set", str(one.id), "--no-learning")
    before = json.loads(lived.buddy("household", "export-learning", str(tmp_path / "without"), "--json"))
    lived.buddy("household", "set", str(one.id), "--learning")
    after = json.loads(lived.buddy("household", "export-learning", str(tmp_path / "again"), "--json"))
    assert after["households"] == before["households"] + 1
    assert after["days"] == before["days"]  # days before it agreed again are not exported


def test_the_research_token_does_not_reach_families(lived: Lived) -> None:
    headers = {"Authorization": f"Bearer {lived.environment['RESEARCH_EXPORT_TOKEN']}"}
    assert CLIENT.get(f"{lived.url}/api/v1/me", headers=headers).status_code == 401
    kakei = {"X-Research-Export-Token": lived.environment["RESEARCH_EXPORT_TOKEN"]}
    export = CLIENT.get(f"{lived.url}/api/admin/research/export", params={"format": "json"}, headers=kakei, timeout=60)
    assert "household" not in export.text
    assert "todo" not in export.text


def test_a_folder_that_holds_something_is_left_alone(lived: Lived, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("dear")
    done = forking.run("household", "export-learning", str(tmp_path), env=lived.environment)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert (tmp_path / "mine").read_text() == "dear"
