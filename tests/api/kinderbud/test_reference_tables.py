"""The reference's tables: defaults, bounds, errors and limits, each tested on the real service."""

from datetime import date, timedelta
from typing import Any

import pytest

from api.kinderbud.households.actions import Child
from tests.actors.family import EMMA, Family, refused
from tests.actors.person import somewhere
from tests.api.kinderbud import reference
from tests.support.serving import CLIENT, Service

TODO = {"title": "Practice counting to 10"}
FREQUENCIES = ("once", "daily", "weekly", "monthly", "quarterly")


@pytest.fixture(scope="module")
def family(stored: Service) -> Family:
    """The oldest child was added last, and the youngest in the middle."""
    made = Family(stored, children=(EMMA, Child("Noah", date(2026, 3, 1)), Child("Olivia", date(2021, 7, 4))))
    made.follow()
    return made


def todo(family: Family, category: str) -> int:
    """A todo of a guide without actions."""
    listed = family.read(f"/todos?category={category}&status=pending&limit=200")["todos"]
    found: int = next(one["id"] for one in listed if one["guide_item_id"] is not None)
    return found


def invalid(family: Family, method: str, path: str, body: Any = None) -> str:
    """The sentence for a request that the rules refuse."""
    return refused(family.ask(method, path, body), 400, "VALIDATION_ERROR")


def days_away(snoozed: dict[str, Any]) -> int:
    return (date.fromisoformat(snoozed["snoozed_to"]) - date.fromisoformat(snoozed["action_date"])).days


def test_a_snooze_lasts_as_long_as_the_table_says(family: Family) -> None:
    rows = reference.table("### POST /todos/{id}/snooze")
    assert rows["days"][:2] == ["int (1-90)", "1 (activities), 7 (milestones)"]
    assert [rows["reason"][:2], rows["permanent"][:2]] == [["string (max 500)", "null"], ["bool", "false"]]
    activity, milestone = (f"/todos/{todo(family, category)}/snooze" for category in ("activity", "milestone"))
    for body in (None, {}, {"permanent": False}, {"days": None}):
        assert days_away(family.data("POST", activity, body)) == 1
        assert days_away(family.data("POST", milestone, body)) == 7
    for days in (1, 90):
        assert days_away(family.data("POST", activity, {"days": days})) == days
    for wrong in (0, -1, 91, 1.5, "3", True):
        assert "days" in invalid(family, "POST", activity, {"days": wrong})
    assert family.data("POST", activity, {"reason": "x" * 500})["reason"] == "x" * 500
    assert "reason" in invalid(family, "POST", activity, {"reason": "x" * 501})
    assert "permanent" in invalid(family, "POST", activity, {"permanent": "yes"})
    assert "until" in invalid(family, "POST", activity, {"until": "2026-03-01"})


def test_a_new_todo_has_the_defaults_and_bounds_of_the_table(family: Family) -> None:
    rows = reference.table("### POST /todos")
    assert [rows["title"][:2], rows["description"][:2]] == [["string (max 200)", "yes"], ["string (max 2000)", "no"]]
    people = {one["name"]: one["id"] for one in family.read("/me")["participants"]}
    made = family.data("POST", "/todos", TODO)
    assert (made["frequency"], made["participant_id"], made["description"]) == ("once", people["Noah"], None)
    for frequency in FREQUENCIES:
        assert frequency in rows["frequency"][2]
        assert family.data("POST", "/todos", TODO | {"frequency": frequency})["frequency"] == frequency
    longest = {"title": "x" * 200, "description": "y" * 2000}
    assert family.data("POST", "/todos", longest).items() >= longest.items()
    wrong: list[tuple[str, Any]] = [
        ("title", "x" * 201),
        *[("title", value) for value in ("", "   ", None, 7)],
        ("description", "y" * 2001),
        *[("frequency", value) for value in ("hourly", "Daily", "")],
        *[("participant_id", value) for value in ("2", 0, 1.5, True)],
        ("colour", "red"),
    ]
    for name, value in wrong:
        assert name in invalid(family, "POST", "/todos", TODO | {name: value})
    assert "title" in invalid(family, "POST", "/todos", {})
    invalid(family, "POST", "/todos")


def test_a_family_without_children_adds_todos_for_its_adult(stored: Service) -> None:
    alone = Family(stored, children=())
    (sarah,) = alone.read("/me")["participants"]
    assert alone.data("POST", "/todos", TODO)["participant_id"] == sarah["id"]


def test_what_an_edit_leaves_out_stays_and_what_it_says_is_null_is_cleared(family: Family) -> None:
    rows = reference.table("### PUT /todos/{id}")
    assert {name: row[1] for name, row in rows.items()} == {
        "title": "yes",
        **dict.fromkeys(("description", "frequency", "participant_id"), "no"),
    }
    people = {one["name"]: one["id"] for one in family.read("/me")["participants"]}
    made = family.data(
        "POST", "/todos", TODO | {"description": "Slowly", "frequency": "weekly", "participant_id": people["Emma"]}
    )
    path = f"/todos/{made.pop('id')}"
    made.pop("category")
    changed = family.data("PUT", path, {"title": "Two"})
    assert changed.items() >= (made | {"title": "Two"}).items()
    assert family.data("PUT", path, {"title": "Two", "description": None})["description"] is None
    moved = family.data("PUT", path, {"title": "Two", "frequency": "daily", "participant_id": people["Sarah"]})
    assert (moved["frequency"], moved["participant_id"]) == ("daily", people["Sarah"])
    in_full = family.read(path)
    assert (in_full["participant_name"], in_full["frequency"], in_full["title"]) == ("Sarah", "daily", "Two")
    for name, value in (("title", "x" * 201), ("description", "y" * 2001), ("frequency", "hourly"), ("title", None)):
        assert name in invalid(family, "PUT", path, {"title": "Two"} | {name: value})
    assert "title" in invalid(family, "PUT", path, {"frequency": "daily"})
    assert family.read(path) == in_full


def test_only_todos_of_the_familys_own_are_edited_and_deleted(family: Family) -> None:
    for number in (todo(family, "activity"), todo(family, "milestone")):
        before = family.read(f"/todos/{number}")
        for method, body in (("PUT", {"title": "Mine"}), ("DELETE", None)):
            answer = family.ask(method, f"/todos/{number}", body)
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert family.read(f"/todos/{number}") == before
    own = family.data("POST", "/todos", TODO)["id"]
    family.complete(own)
    family.data("DELETE", f"/todos/{own}")
    assert family.ask("GET", f"/todos/{own}").status_code == 404
    assert own in {action["todo_id"] for entry in family.read("/history")["entries"] for action in entry["actions"]}


def test_completing_twice_is_one_action_and_undoing_it_works_once(family: Family) -> None:
    number, other = (family.data("POST", "/todos", TODO | {"frequency": "daily"})["id"] for _ in range(2))
    first = family.complete(number, notes="She loved it today!")
    assert family.complete(number) == first
    done = [one for entry in family.read("/history")["entries"] for one in entry["actions"] if one["todo_id"] == number]
    (action,) = done
    undo = {"action_id": action["id"]}
    for path, body in ((f"/todos/{other}/undo", undo), (f"/todos/{number}/undo", {"action_id": 2147483647})):
        assert family.ask("POST", path, body).json()["code"] == "NOT_FOUND"
    assert family.read(f"/todos/{number}")["status"] == "completed"
    family.data("POST", f"/todos/{number}/undo", undo)
    again = family.ask("POST", f"/todos/{number}/undo", undo)
    assert (again.status_code, again.json()["code"]) == (404, "NOT_FOUND")
    assert family.read(f"/todos/{number}")["status"] == "pending"
    assert "action_id" in invalid(family, "POST", f"/todos/{number}/undo", {})
    invalid(family, "POST", f"/todos/{number}/undo")


def test_a_body_that_is_optional_may_be_empty_and_call_itself_json(family: Family) -> None:
    for doing in ("complete", "snooze"):
        number = family.data("POST", "/todos", TODO)["id"]
        answer = CLIENT.post(
            f"{family.service.url}/api/v1/todos/{number}/{doing}",
            content=b"",
            headers={"Authorization": f"Bearer {family.token}", "Content-Type": "application/json"},
        )
        assert answer.status_code == 200, answer.text


def test_a_dismissal_is_for_good_and_says_no_day(family: Family) -> None:
    number = todo(family, "milestone")
    away = family.snooze(number, permanent=True, days=3)
    assert set(away) == {"todo_id", "action", "action_date", "reason"}
    assert (away["action"], away["reason"]) == ("skipped", None)
    assert family.read(f"/todos/{number}")["status"] == "skipped"


def test_queries_have_the_defaults_and_bounds_of_their_tables(family: Family) -> None:
    assert reference.table("### GET /history")["days"][:2] == ["int (1-90)", "7"]
    assert reference.table("### GET /chat")["limit"][:2] == ["int (1-100)", "20"]
    assert family.read("/history")["days"] == 7
    for days in (1, 90):
        assert family.read(f"/history?days={days}")["days"] == days
    for wrong in ("0", "91", "-1", "seven", "1.5", ""):
        assert "days" in invalid(family, "GET", f"/history?days={wrong}")
    for limit in (1, 100):
        family.read(f"/chat?limit={limit}")
    for wrong in ("0", "101", "many"):
        assert "limit" in invalid(family, "GET", f"/chat?limit={wrong}")
    assert "action_type" in invalid(family, "GET", "/history?action_type=undone")
    for path in ("/history", "/today", "/todos", "/milestones"):
        assert "participant_id" in invalid(family, "GET", f"{path}?participant_id=Emma")


def test_history_is_filtered_by_what_was_done_and_for_whom(family: Family) -> None:
    people = {one["name"]: one["id"] for one in family.read("/me")["participants"]}
    made = {
        name: family.data("POST", "/todos", TODO | {"participant_id": people[name]})["id"]
        for name in ("Emma", "Olivia")
    }
    family.complete(made["Emma"])
    family.snooze(made["Olivia"], days=2)
    family.snooze(made["Olivia"], permanent=True)

    def told(query: str) -> set[tuple[int, str]]:
        found = family.read(f"/history?{query}")
        actions = [action for entry in found["entries"] for action in entry["actions"]]
        assert found["total_actions"] == len(actions)
        return {(one["todo_id"], one["action_type"]) for one in actions if one["todo_id"] in made.values()}

    assert told("action_type=completed") == {(made["Emma"], "completed")}
    assert told("action_type=snoozed") == {(made["Olivia"], "snoozed")}
    assert told(f"participant_id={people['Olivia']}") == {(made["Olivia"], kind) for kind in ("snoozed", "skipped")}
    assert told(f"participant_id={people['Emma']}&action_type=skipped") == set()


def test_today_of_one_participant_is_that_part_of_todays(family: Family) -> None:
    whole = family.read("/today")
    for one in family.read("/me")["participants"]:
        part = family.read(f"/today?participant_id={one['id']}")
        for name in ("activities", "milestones", "custom_todos"):
            assert part[name] == [shown for shown in whole[name] if shown["participant_id"] == one["id"]]
    assert whole["date"] in {f"{date.today() + timedelta(days=days)}" for days in (-1, 0, 1)}  # noqa: DTZ011


def test_no_one_follows_a_guide_twice_at_a_time(stored: Service) -> None:
    family = Family(stored)
    plan = family.follow()
    same = {"participant_id": plan["participant_id"], "guide_id": plan["guide_id"]}
    again = family.ask("POST", "/plans", same)
    assert (again.status_code, again.json()["code"]) == (409, "ALREADY_SUBSCRIBED")
    family.data("DELETE", f"/plans/{plan['id']}")
    assert family.read("/plans") == {"plans": []}
    assert family.data("DELETE", f"/plans/{plan['id']}") == {"plan_id": plan["id"], "active": False}
    assert family.data("POST", "/plans", same)["id"] != plan["id"]
    assert family.ask("POST", "/plans", same | {"guide_id": 2147483647}).json()["code"] == "NOT_FOUND"
    for name in same:
        assert name in invalid(family, "POST", "/plans", {other: same[other] for other in same if other != name})


def test_every_answer_tells_the_limit_of_its_tier_and_what_is_left_of_it(stored: Service) -> None:
    family = Family(stored)
    rows = reference.table("## Rate Limits")
    assert {tier: row[1] for tier, row in rows.items()} == {"Read": "120/min", "Write": "60/min", "Chat": "30/hr"}
    number = family.data("POST", "/todos", TODO)["id"]
    family.token = family.new_token()
    asked: dict[str, list[tuple[str, str, Any]]] = {
        "Read": [
            ("GET", "/me", None),
            ("GET", "/chat", None),
            ("GET", "/todos/2147483647", None),
            ("GET", "/no", None),
        ],
        "Write": [
            ("POST", "/todos", TODO),
            ("PUT", f"/todos/{number}", TODO),
            ("POST", "/todos", {}),
            ("DELETE", f"/todos/{number}", None),
            ("DELETE", f"/todos/{number}", None),
        ],
        "Chat": [
            ("POST", "/chat", {"message": "Why?"}),
            ("POST", "/chat/", {"message": "Why?"}),
            ("POST", "/chat", {}),
        ],
    }
    for tier, requests in asked.items():
        limit = int(rows[tier][1].partition("/")[0])
        for place, (method, path, body) in enumerate(requests):
            told = family.ask(method, path, body).headers
            assert (told["X-RateLimit-Limit"], told["X-RateLimit-Remaining"]) == (str(limit), str(limit - place - 1))
            assert "Retry-After" not in told
    health = CLIENT.get(f"{stored.url}/api/v1/health", headers=somewhere()).headers
    assert (health["X-RateLimit-Limit"], health["X-RateLimit-Remaining"]) == ("120", "119")
