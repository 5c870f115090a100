import threading
from typing import Any

import httpx
import pytest

from tests.actors.person import Person, next_month, this_month
from tests.support.challenges import FEW_DAYS, TEMPLATES
from tests.support.clients import at_once
from tests.support.serving import CLIENT, Service


def test_the_catalog_is_seeded_and_filters_do_what_they_say(stored: Service) -> None:
    everything = CLIENT.get(f"{stored.url}/templates/").json()
    assert len(everything) == len(TEMPLATES) >= 40
    assert len(CLIENT.get(f"{stored.url}/badges").json()) >= 20
    for name, value in (("difficulty", "hard"), ("category_id", 3), ("challenge_type", "saving")):
        found = CLIENT.get(f"{stored.url}/templates", params={name: value}).json()
        assert found == [template for template in everything if template[name] == value]
        assert 0 < len(found) < len(everything)
    both = CLIENT.get(f"{stored.url}/templates?difficulty=easy&category_id=2").json()
    assert {(t["difficulty"], t["category_id"]) for t in both} == {("easy", 2)}
    assert CLIENT.get(f"{stored.url}/templates?difficulty=brutal").status_code == 422


def test_the_reference_example_is_accepted_and_unfinished_challenges_expire_with_their_month(stored: Service) -> None:
    person = Person(stored)
    body = {"challenge_template_id": 12, "month_range": "2026-06", "source": "user", "ai_suggestion_id": None}
    accepted = person.post("/challenges/12/accept", body)
    assert (accepted.status_code, accepted.json()["status"]) == (201, "expired")
    progress = person.post(f"/challenges/{accepted.json()['id']}/progress/", {"current_progress": 3})
    assert (progress.status_code, progress.json()["code"]) == (409, "challenge_expired")
    assert [c["id"] for c in person.read("/challenges?month=2026-06")] == [accepted.json()["id"]]
    assert person.read("/challenges?month=2026-07") == []


def test_a_template_is_accepted_once_a_month(stored: Service) -> None:
    person = Person(stored)
    person.accept(FEW_DAYS["id"])
    body = {"challenge_template_id": FEW_DAYS["id"], "month_range": this_month(), "source": "user"}
    again = person.post(f"/challenges/{FEW_DAYS['id']}/accept", body)
    assert (again.status_code, again.json()["code"]) == (409, "challenge_already_accepted")
    person.accept(FEW_DAYS["id"], next_month())


@pytest.mark.parametrize(
    ("template", "change", "status"),
    [
        (1, {"challenge_template_id": 2}, 422),
        (1, {"month_range": "2026-13"}, 422),
        (1, {"source": "friend"}, 422),
        (1, {"source": "ai", "ai_suggestion_id": "made-up"}, 422),
        (99999, {"challenge_template_id": 99999}, 404),
        (0, {}, 422),
    ],
)
def test_what_cannot_be_accepted(template: int, change: dict[str, Any], status: int, stored: Service) -> None:
    body = {"challenge_template_id": 1, "month_range": this_month(), "source": "user"} | change
    assert Person(stored).post(f"/challenges/{template}/accept", body).status_code == status


def test_progress_may_be_corrected_until_the_claim(stored: Service) -> None:
    person = Person(stored)
    challenge = person.complete()
    path = f"/challenges/{challenge['id']}"
    back = person.post(f"{path}/progress", {"current_progress": 1}).json()
    assert (back["status"], back["completed_at"]) == ("in_progress", None)
    unready = person.post(f"{path}/claim")
    assert (unready.status_code, unready.json()["code"]) == (409, "challenge_not_completed")
    person.post(f"{path}/progress", {"current_progress": FEW_DAYS["target_value"] + 5})
    claim = person.post(f"{path}/claim").json()
    assert claim["points_awarded"] == FEW_DAYS["reward_points"]
    assert claim["total_points"] == person.points()
    assert "first-step" in [badge["slug"] for badge in claim["badges_awarded"]]
    twice = person.post(f"{path}/claim")
    assert (twice.status_code, twice.json()["code"]) == (409, "challenge_already_claimed")
    late = person.post(f"{path}/progress", {"current_progress": 0})
    assert (late.status_code, late.json()["code"]) == (409, "challenge_already_claimed")
    assert person.points() == claim["total_points"]


def test_badges_say_when_and_why_and_their_points_are_in_the_ledger(stored: Service) -> None:
    person = Person(stored)
    challenge = person.complete()
    person.post(f"/challenges/{challenge['id']}/claim")
    standing = person.read("/badges")
    assert standing["total_points"] == person.points()
    assert standing["level"] >= 1
    (first,) = [b for b in standing["badges"] if b["badge"]["slug"] == "first-step"]
    assert first["reason"] == "challenges claimed reached 1"
    bonus = sum(badge["badge"]["points"] for badge in standing["badges"])
    assert standing["total_points"] == FEW_DAYS["reward_points"] + bonus


def test_an_upload_of_metrics_moves_the_months_challenges(stored: Service) -> None:
    person = Person(stored)
    challenge = person.accept(FEW_DAYS["id"])
    body = {"month_range": this_month(), "metrics": {"expense_log_days": 1, "no_such_metric": 4}}
    moved = person.post("/challenge-metrics", body)
    assert moved.status_code == 200
    assert moved.json()["unknown_metrics"] == ["no_such_metric"]
    assert [(c["id"], c["current_progress"]) for c in moved.json()["challenges"]] == [(challenge["id"], 1)]
    body["metrics"] = {"expense_log_days": FEW_DAYS["target_value"]}
    assert person.post("/challenge-metrics", body).json()["challenges"][0]["status"] == "completed"
    later = person.accept(FEW_DAYS["id"], next_month())
    assert later["current_progress"] == 0


def test_late_metrics_do_not_overwrite_newer_ones(stored: Service) -> None:
    person = Person(stored)
    for hour, days in ((12, 9), (11, 4)):
        body = {
            "month_range": "2026-06",
            "metrics": {"expense_log_days": days},
            "client_timestamp": f"2026-06-13T{hour}:00:00Z",
        }
        answer = person.post("/challenge-metrics/", body)
    assert answer.json()["metrics"] == {"expense_log_days": 9}


def test_another_users_challenge_is_not_there(stored: Service) -> None:
    challenge = Person(stored).complete()
    other = Person(stored)
    for path, body in (("claim", None), ("progress", {"current_progress": 1})):
        answer = other.post(f"/challenges/{challenge['id']}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "challenge_unknown")


def test_a_claim_pays_once_however_many_race_for_it(stored: Service) -> None:
    person = Person(stored)
    challenge = person.complete()
    answers = at_once([lambda: person.post(f"/challenges/{challenge['id']}/claim")] * 30)
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 29]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert person.points() == won["total_points"]


def test_retries_with_one_key_are_all_answered_as_the_first_was(stored: Service) -> None:
    person = Person(stored)
    challenge = person.complete()

    def claim() -> httpx.Response:
        return person.post(f"/challenges/{challenge['id']}/claim", Idempotency_Key="k")

    answers = at_once([claim] * 12)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {answer.json().get("code") for answer in answers} <= {None, "idempotency_key_in_use"}
    assert claim().json() == next(answer.json() for answer in answers if answer.status_code == 200)


def test_one_uuid_is_one_user_however_many_create_it(stored: Service) -> None:
    uuid = f"raced-{id(object())}-{this_month()}"
    answers = at_once([lambda: CLIENT.post(f"{stored.url}/api/users/", json={"uuid": uuid})] * 30)
    assert sorted(answer.status_code for answer in answers) == [*[200] * 29, 201]


def test_an_upload_that_races_with_a_claim_never_reopens_it(stored: Service) -> None:
    for _ in range(5):
        person = Person(stored)
        challenge = person.complete()
        lower = {"month_range": this_month(), "metrics": {"expense_log_days": 1}}
        calls = iter([f"/challenges/{challenge['id']}/claim", "/challenge-metrics"] * 3)
        bodies = iter([None, lower] * 3)
        lock = threading.Lock()

        def call(person: Person = person, calls: Any = calls, bodies: Any = bodies, lock: Any = lock) -> httpx.Response:
            with lock:
                path, body = next(calls), next(bodies)
            return person.post(path, body)

        answers = at_once([call] * 6)
        assert {answer.status_code for answer in answers} <= {200, 409}
        paid = [answer for answer in answers if answer.status_code == 200 and "points_awarded" in answer.json()]
        (now,) = person.read("/challenges")
        assert (now["status"] == "claimed") == bool(paid)
        assert len(paid) <= 1


def test_badges_are_not_lost_in_a_crowd_of_one_users_own_actions(stored: Service) -> None:
    person = Person(stored)
    templates = iter(range(1, 6))
    lock = threading.Lock()

    def accept() -> httpx.Response:
        with lock:
            template = next(templates)
        body = {"challenge_template_id": template, "month_range": this_month(), "source": "user"}
        return person.post(f"/challenges/{template}/accept", body)

    assert {answer.status_code for answer in at_once([accept] * 5)} == {201}
    assert "ready-to-try" in [badge["badge"]["slug"] for badge in person.read("/badges")["badges"]]


@pytest.mark.parametrize("month", ["２０２６-11", "٢٠٢٦-11", "2026-1", "2026-11-01"])
def test_a_month_is_written_in_one_way(month: str, stored: Service) -> None:
    body = {"challenge_template_id": 1, "month_range": month, "source": "user"}
    assert Person(stored).post("/challenges/1/accept", body).status_code == 422


@pytest.mark.parametrize(
    "metrics",
    [{"expense_log_days": 32}, {"expense_log_days": 3.5}, {"monthly_savings_goal_progress_percent": 1001}],
)
def test_a_metric_that_no_month_can_have_is_named_and_nothing_is_stored(
    metrics: dict[str, float], stored: Service
) -> None:
    person = Person(stored)
    answer = person.post(
        "/challenge-metrics", {"month_range": "2026-06", "metrics": metrics | {"reflections_written": 1}}
    )
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [f"metrics.{name}" for name in metrics]
    assert person.read("/data")["challenge_metrics"] == []


def test_long_lists_come_in_pages_that_link_to_the_next(stored: Service) -> None:
    person = Person(stored)
    for template in (1, 2, 3):
        person.accept(template)
    for path, whole in (
        ("/templates?difficulty=easy&limit=7", "/templates?difficulty=easy"),
        ("/badges?limit=10", "/badges"),
    ):
        assert pages(stored, path) == CLIENT.get(stored.url + whole).json()
    mine = f"/api/users/{person.uuid}/challenges"
    assert pages(stored, f"{mine}?limit=2") == person.read("/challenges")
    assert CLIENT.get(f"{stored.url}/badges?cursor=nonsense").status_code == 422
    assert CLIENT.get(f"{stored.url}/badges?limit=0").status_code == 422


def pages(stored: Service, path: str) -> list[dict[str, Any]]:
    """All rows of a list, read page by page as its Link headers say."""
    rows, found = [], 0
    while path:
        answer = CLIENT.get(stored.url + path)
        rows += answer.json()
        found += 1
        path = answer.links.get("next", {}).get("url", "")
    assert found > 1
    return rows


def test_an_acceptance_and_metrics_that_arrive_together_find_each_other(stored: Service) -> None:
    """A phone sends all its uploads at once, without retries."""
    metrics = {"month_range": this_month(), "metrics": {"expense_log_days": FEW_DAYS["target_value"]}}
    accept = {"challenge_template_id": FEW_DAYS["id"], "month_range": this_month(), "source": "user"}
    for _ in range(12):
        person = Person(stored)
        sends = iter([("/challenge-metrics", metrics), (f"/challenges/{FEW_DAYS['id']}/accept", accept)])
        lock = threading.Lock()

        def send(person: Person = person, sends: Any = sends, lock: Any = lock) -> httpx.Response:
            with lock:
                path, body = next(sends)
            return person.post(path, body)

        assert sorted(answer.status_code for answer in at_once([send] * 2)) == [200, 201]
        (challenge,) = person.read("/challenges")
        assert challenge["status"] == "completed"
