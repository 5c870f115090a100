"""Todos: the life of the family's own todos, todos of guides, lists, and the content of a day."""

from datetime import date
from typing import Any

import pytest

from api.kinderbud.households.actions import Child
from tests.actors.family import EMMA, Family, refused
from tests.support.lived import BEGINNING, Lived

BEN = Child("Ben", date(2021, 3, 2))
ZOE = Child("Zoe", date(2023, 6, 30))


@pytest.fixture
def family(lived: Lived) -> Family:
    """The Johnsons on a Monday without any actions."""
    lived.clock.now = BEGINNING
    return Family(lived, now=BEGINNING)


def people(family: Family) -> dict[str, int]:
    """Ids of the participants by name."""
    return {one["name"]: one["id"] for one in family.read("/me")["participants"]}


def statuses(todos: list[dict[str, Any]]) -> dict[int, str]:
    return {todo["id"]: todo["status"] for todo in todos}


# The family's own


def test_a_todo_of_the_familys_own_lives_until_it_is_deleted_and_its_history_stays(family: Family) -> None:
    made = family.data("POST", "/todos", {"title": "  Count to ten ", "description": "Around the house"})
    emma = people(family)["Emma"]
    first = {"title": "Count to ten", "description": "Around the house", "frequency": "once", "participant_id": emma}
    assert made == {"id": made["id"], "source_type": "custom", "category": "activity"} | first
    path = f"/todos/{made['id']}"
    seen = family.read(path)
    assert first.items() <= seen.items()
    assert (seen["status"], seen["guide_item"], seen["guide_title"], seen["achieved"]) == ("pending", None, None, None)
    family.data("PUT", path, {"title": "Count to twenty", "frequency": "daily"})
    family.data("POST", f"{path}/complete", {"notes": "She loved it today!"})
    assert family.read(path)["status"] == "completed"
    for _ in range(2):
        assert family.data("DELETE", path) == {"todo_id": made["id"], "active": False}
    for method, below in (("GET", ""), ("POST", "/complete"), ("POST", "/snooze")):
        refused(family.ask(method, path + below), 404, "NOT_FOUND")
    refused(family.ask("PUT", path, {"title": "Come back"}), 404, "NOT_FOUND")
    assert family.read("/todos")["total"] == 0
    assert family.read("/today")["custom_todos"] == []
    (day,) = family.read("/history")["entries"]
    assert [(one["todo_title"], one["notes"]) for one in day["actions"]] == [("Count to twenty", "She loved it today!")]


def test_a_todo_for_no_one_in_particular_is_the_youngest_childs(lived: Lived) -> None:
    family = Family(lived, children=(BEN, EMMA, ZOE))
    assert family.data("POST", "/todos", {"title": "Sing"})["participant_id"] == people(family)["Emma"]
    adults = Family(lived, children=())
    assert adults.data("POST", "/todos", {"title": "Sing"})["participant_id"] == people(adults)["Sarah"]


def test_editing_leaves_what_is_left_out_and_null_clears_the_description(lived: Lived) -> None:
    family = Family(lived, children=(EMMA, ZOE))
    zoe = people(family)["Zoe"]
    todo = family.create_todo(description="By the window", frequency="weekly", participant_id=zoe)
    path, as_it_was = f"/todos/{todo}", {"frequency": "weekly", "participant_id": zoe, "source_type": "custom"}
    kept = family.data("PUT", path, {"title": "Read"})
    assert kept == {"id": todo, "title": "Read", "description": "By the window"} | as_it_was
    cleared = family.data("PUT", path, {"title": "Read", "description": None})
    assert cleared == {"id": todo, "title": "Read", "description": None} | as_it_was
    moved = family.data(
        "PUT", path, {"title": "Read", "participant_id": people(family)["Emma"], "frequency": "monthly"}
    )
    assert (moved["participant_id"], moved["frequency"]) == (people(family)["Emma"], "monthly")
    assert family.read(path)["participant_name"] == "Emma"


def test_an_edit_that_cannot_be_changes_nothing(family: Family, lived: Lived) -> None:
    todo, stranger = family.create_todo(), people(Family(lived))["Emma"]
    before = family.read(f"/todos/{todo}")
    for body, field in (
        ({}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "New", "description": "x" * 2001}, "description"),
        ({"title": "New", "frequency": "hourly"}, "frequency"),
        ({"title": "New", "participant_id": "2"}, "participant_id"),
        ({"title": "New", "status": "completed"}, "status"),
    ):
        assert field in refused(family.ask("PUT", f"/todos/{todo}", body), 400, "VALIDATION_ERROR")
    refused(family.ask("PUT", f"/todos/{todo}", {"title": "New", "participant_id": stranger}), 404, "NOT_FOUND")
    refused(family.ask("POST", "/todos", {"title": "New", "participant_id": stranger}), 404, "NOT_FOUND")
    assert family.read(f"/todos/{todo}") == before
    assert family.read("/todos")["total"] == 1


def test_what_a_guide_brought_is_neither_edited_nor_deleted(family: Family) -> None:
    family.follow()
    todo = family.read("/today")["activities"][0]
    refused(family.ask("PUT", f"/todos/{todo['id']}", {"title": "Mine"}), 404, "NOT_FOUND")
    refused(family.ask("DELETE", f"/todos/{todo['id']}"), 404, "NOT_FOUND")
    assert todo.items() <= family.read(f"/todos/{todo['id']}").items()


# Lists


def test_the_list_is_filtered_by_participant_category_and_status(lived: Lived) -> None:
    lived.clock.now = BEGINNING
    family = Family(lived, children=(EMMA, ZOE), now=BEGINNING)
    family.follow()
    emma, zoe = people(family)["Emma"], people(family)["Zoe"]
    zoes_own = [family.create_todo(f"Song {n}", participant_id=zoe, frequency="daily") for n in range(4)]
    done, put_off, away, _ = zoes_own
    family.complete(done)
    family.snooze(put_off, days=2)
    family.snooze(away, permanent=True)
    everything = family.read("/todos?limit=200")["todos"]
    by_status = {"completed": {done}, "snoozed": {put_off}, "skipped": {away}}
    for status, ids in by_status.items():
        assert set(statuses(family.read(f"/todos?status={status}")["todos"])) == ids
    pending = statuses(family.read("/todos?status=pending&limit=200")["todos"])
    assert pending.keys() == statuses(everything).keys() - {done, put_off, away}
    zoes = family.read(f"/todos?participant_id={zoe}")
    assert (set(statuses(zoes["todos"])), zoes["total"]) == (set(zoes_own), 4)
    milestones = family.read(f"/todos?participant_id={emma}&category=milestone")["todos"]
    assert milestones
    assert milestones == [one for one in everything if one["category"] == "milestone"]
    assert family.read(f"/todos?participant_id={zoe}&category=milestone")["todos"] == []
    for query in ("status=done", "category=game", "participant_id=x", "limit=0", "limit=201", "offset=-1"):
        assert query.partition("=")[0] in refused(family.ask("GET", f"/todos?{query}"), 400, "VALIDATION_ERROR")
    refused(family.ask("GET", f"/todos?participant_id={people(Family(lived))['Emma']}"), 404, "NOT_FOUND")


def test_pages_of_the_list_join_to_the_whole(family: Family) -> None:
    ids = [family.create_todo(f"Song {number}") for number in range(7)]
    pages = [family.read(f"/todos?limit=3&offset={offset}") for offset in (0, 3, 6, 9)]
    assert [todo["id"] for page in pages for todo in page["todos"]] == ids
    assert [(page["total"], page["limit"], page["offset"]) for page in pages] == [
        (7, 3, offset) for offset in (0, 3, 6, 9)
    ]
    family.complete(ids[0])
    assert family.read("/todos?status=pending&limit=3")["total"] == 6


# Milestones and one-time todos


def test_a_milestone_stays_and_is_achieved_until_that_is_taken_back(family: Family, lived: Lived) -> None:
    family.follow()
    milestone, *others = family.read("/today")["milestones"]
    assert {one["achieved"] for one in [milestone, *others]} == {False}

    def shown() -> tuple[bool, str]:
        (seen,) = [one for one in family.read("/today")["milestones"] if one["id"] == milestone["id"]]
        return seen["achieved"], seen["status"]

    family.complete(milestone["id"])
    assert shown() == (True, "completed")
    lived.clock.move(days=1)
    assert shown() == (True, "completed")
    family.undo(milestone["id"], action_id=family.last_action(milestone["id"]))
    assert shown() == (False, "pending")
    assert len(family.read("/today")["milestones"]) == 1 + len(others)


def test_what_happens_once_rests_from_the_day_after_it_was_done(family: Family, lived: Lived) -> None:
    once, daily = family.create_todo("Buy shoes"), family.create_todo("Sing", frequency="daily")
    assert statuses(family.read("/today")["custom_todos"]) == {once: "pending", daily: "pending"}
    for todo in (once, daily):
        family.complete(todo)
    assert statuses(family.read("/today")["custom_todos"]) == {once: "completed", daily: "completed"}
    lived.clock.move(days=1)
    assert statuses(family.read("/today")["custom_todos"]) == {daily: "pending"}
    assert family.read(f"/todos/{once}")["status"] == "completed"
    assert statuses(family.read("/todos?status=completed")["todos"]) == {once: "completed"}
    family.undo(once, action_id=family.last_action(once))
    assert statuses(family.read("/today")["custom_todos"]) == {once: "pending", daily: "pending"}


def test_what_was_done_before_anyone_looked_at_the_day_is_visible_on_it(family: Family) -> None:
    once, daily = family.create_todo("Buy shoes"), family.create_todo("Sing", frequency="daily")
    for todo in (once, daily):
        family.complete(todo)
    assert statuses(family.read("/today")["custom_todos"]) == {once: "completed", daily: "completed"}


# The day


def test_what_is_done_or_put_off_today_stays_visible_today(family: Family, lived: Lived) -> None:
    family.follow()
    before = family.read("/today")
    done, put_off, away, *_ = [one["id"] for one in before["activities"]]
    milestone = before["milestones"][0]["id"]
    family.complete(done)
    family.snooze(put_off, days=2)
    family.snooze(away, permanent=True)
    family.snooze(milestone, days=2)
    after = family.read("/today")
    assert after["cached"] is True
    assert [one["id"] for one in after["activities"]] == [one["id"] for one in before["activities"]]
    changed = {done: "completed", put_off: "snoozed", away: "skipped"}
    assert statuses(after["activities"]) == statuses(before["activities"]) | changed
    assert statuses(after["milestones"])[milestone] == "snoozed"
    lived.clock.move(days=1)
    tomorrow = family.read("/today")
    assert not {put_off, away} & statuses(tomorrow["activities"]).keys()
    assert milestone not in statuses(tomorrow["milestones"])
    lived.clock.move(days=1)
    assert statuses(family.read("/today")["milestones"])[milestone] == "pending"


def test_the_familys_own_come_beside_as_many_activities_as_they_asked_for(lived: Lived) -> None:
    lived.clock.now = BEGINNING
    family = Family(lived, daily_tasks=3, now=BEGINNING)
    family.follow()
    mine = {family.create_todo(f"Song {number}", frequency="daily") for number in range(5)}
    today = family.read("/today")
    assert len(today["activities"]) == 3
    assert statuses(today["custom_todos"]).keys() == mine
    late = family.create_todo("One more")
    again = family.read("/today")
    assert again["activities"] == today["activities"]
    assert statuses(again["custom_todos"]).keys() == mine | {late}


def test_an_empty_choice_is_never_kept_and_always_has_a_note(family: Family) -> None:
    for _ in range(2):
        empty = family.read("/today")
        assert (empty["activities"], empty["cached"]) == ([], False)
        assert empty["daily_note"]
    family.follow()
    chosen, again = family.read("/today"), family.read("/today")
    assert (len(chosen["activities"]), chosen["cached"], again["cached"]) == (8, False, True)
    assert chosen["daily_note"]
    assert again == chosen | {"cached": True}


def test_the_day_is_shown_for_one_participant_alone(lived: Lived) -> None:
    lived.clock.now = BEGINNING
    family = Family(lived, children=(EMMA, ZOE), now=BEGINNING)
    for child in ("Emma", "Zoe"):
        family.follow(participant=child)
        family.create_todo(f"A song for {child}", participant_id=people(family)[child])
    whole = family.read("/today")
    lists = ("activities", "milestones", "custom_todos")
    for child in ("Emma", "Zoe", "Sarah"):
        theirs = family.read(f"/today?participant_id={people(family)[child]}")
        for name in lists:
            assert theirs[name] == [one for one in whole[name] if one["participant_name"] == child]
            assert bool(theirs[name]) == (child != "Sarah")
    refused(family.ask("GET", f"/today?participant_id={people(Family(lived))['Emma']}"), 404, "NOT_FOUND")


def test_unsubscribing_hides_what_is_pending_and_history_stays(family: Family) -> None:
    plan = family.follow()
    today = family.read("/today")
    done, milestone = today["activities"][0]["id"], today["milestones"][0]["id"]
    for todo in (done, milestone):
        family.complete(todo)
    history = family.read("/history")
    for _ in range(2):
        assert family.data("DELETE", f"/plans/{plan['id']}") == {"plan_id": plan["id"], "active": False}
    left = family.read("/today")
    assert statuses(left["activities"]) == {done: "completed"}
    assert "pending" not in statuses(left["milestones"]).values()
    assert family.read("/todos?status=pending")["total"] == 0
    assert family.read("/history") == history
    family.follow()
    again = family.read("/today")
    assert statuses(again["activities"]) == statuses(today["activities"]) | {done: "completed"}
    assert {one["id"] for one in again["milestones"] if one["achieved"]} == {milestone}


# Safe retries


def test_a_post_that_is_sent_again_with_its_key_is_done_once(family: Family) -> None:
    first, again = [family.ask("POST", "/todos", {"title": "Sing"}, Idempotency_Key="a key") for _ in range(2)]
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert family.read("/todos")["total"] == 1
    other = family.ask("POST", "/todos", {"title": "Dance"}, Idempotency_Key="a key")
    assert other.status_code in {400, 409, 422}
    refused(other, other.status_code, "VALIDATION_ERROR")
    family.token = family.new_token()
    assert family.data("POST", "/todos", {"title": "Dance"}, Idempotency_Key="a key")["title"] == "Dance"
    assert family.read("/todos")["total"] == 2


def test_a_refusal_is_not_kept_with_its_key(family: Family) -> None:
    todo = family.create_todo()
    family.complete(todo)
    action = family.last_action(todo)
    body = {"action_id": action}
    stranger = family.create_todo("Another")
    refused(family.ask("POST", f"/todos/{stranger}/undo", body, Idempotency_Key="key"), 404, "NOT_FOUND")
    undone = [family.data("POST", f"/todos/{todo}/undo", body, Idempotency_Key="key") for _ in range(2)]
    assert undone == [{"todo_id": todo, "undone_action_id": action, "undone_action_type": "completed"}] * 2
    refused(family.ask("POST", f"/todos/{todo}/undo", body), 404, "NOT_FOUND")
