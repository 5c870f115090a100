"""Offline phones: actions dated back up to 7 days count for the household's day, compared with a simple model."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.actors.family import Family, refused
from tests.support.lived import Lived

OFTEN = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ZONES = (
    "Etc/GMT+12",
    "America/New_York",
    "America/Havana",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
)
AROUND = (
    *(datetime(2026, 3, 8, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)),
    *(
        datetime(2026, 11, 1, 12, tzinfo=UTC),
        datetime(2026, 10, 25, 12, tzinfo=UTC),
        datetime(2027, 1, 1, 2, tzinfo=UTC),
    ),
)
"""Days with a clock change, and a new year."""
MICROSECOND, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)
NOON = datetime(2026, 3, 9, 16, tzinfo=UTC)


@dataclass
class Account:
    """The actions of a family, by todo and day, in order of time."""

    zone: ZoneInfo
    completions: dict[tuple[int, date], datetime] = field(default_factory=dict)
    snoozes: dict[tuple[int, datetime], date] = field(default_factory=dict)

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def when(self, claimed: datetime | None, now: datetime) -> tuple[datetime, date] | None:
        """The time that counts for an action. None if it is too long ago."""
        moment = now if claimed is None or claimed - now > timedelta(minutes=5) else claimed
        if self.day(moment) > self.day(now):
            moment = now
        return None if self.day(now) - self.day(moment) > 7 * DAY else (moment, self.day(moment))

    def complete(self, todo: int, frequency: str, moment: datetime) -> date:
        """The day on which the completion counts."""
        key = (todo, self.day(moment))
        if frequency == "once":
            earlier = next((one for one in self.completions if one[0] == todo), key)
            moment = min(moment, self.completions.pop(earlier, moment))
            key = (todo, self.day(moment))
        self.completions[key] = min(moment, self.completions.get(key, moment))
        return key[1]

    def status(self, todo: int, frequency: str, today: date) -> str:
        done = [(moment, day) for (one, day), moment in self.completions.items() if one == todo]
        if done and (frequency == "once" or max(day for _, day in done) >= today):
            return "completed"
        until = self.put_off(todo)
        return "snoozed" if until is not None and until > today else "pending"

    def put_off(self, todo: int) -> date | None:
        """The end of a snooze: a completion ends it, a later snooze replaces it."""
        done = [moment for (one, _), moment in self.completions.items() if one == todo]
        last = max(done, default=datetime(1999, 1, 1, tzinfo=UTC))
        later = [(moment, until) for (one, moment), until in self.snoozes.items() if one == todo and moment >= last]
        return max(later)[1] if later else None

    def history(self) -> list[tuple[str, int, str]]:
        done = [(f"{day}", todo, "completed") for todo, day in self.completions]
        return sorted(done + [(f"{self.day(moment)}", todo, "snoozed") for todo, moment in self.snoozes])

    def streak(self, today: date) -> int:
        days, count = {day for _, day in self.completions}, 0
        day = today if today in days else today - DAY
        while day in days:
            day, count = day - DAY, count + 1
        return count


def told(family: Family) -> tuple[list[tuple[str, int, str]], int, dict[int, str]]:
    """History, streak and statuses from the API."""
    entries = family.read("/history?days=30")["entries"]
    history = sorted((one["date"], act["todo_id"], act["action_type"]) for one in entries for act in one["actions"])
    for entry in entries:
        times = [act["created_at"] for act in entry["actions"]]
        assert times == sorted(times, reverse=True)
        assert {moment[:10] for moment in times} == {entry["date"]}
    todos = family.read("/todos")["todos"]
    return history, family.read("/stats")["streak"], {one["id"]: one["status"] for one in todos}


def claims(now: datetime) -> st.SearchStrategy[datetime | None]:
    edges = [-8 * DAY, -7 * DAY, -DAY, 0 * DAY, 5 * MINUTE, 5 * MINUTE + MICROSECOND, DAY]
    back = st.integers(0, 9 * 24 * 60).map(lambda minutes: now - minutes * MINUTE)
    broken = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2098, 1, 1, tzinfo=UTC))
    return st.one_of(st.none(), back, back, st.sampled_from([*(now + edge for edge in edges), *broken]))


def send(family: Family, todo: int, kind: str, claimed: datetime | None) -> Any:
    body: dict[str, Any] = {"client_timestamp": claimed.isoformat() if claimed else None}
    return family.ask("POST", f"/todos/{todo}/{kind}", body | ({"days": 3} if kind == "snooze" else {}))


@pytest.mark.long
@OFTEN
@given(data=st.data(), zone=st.sampled_from(ZONES), start=st.sampled_from(AROUND))
def test_what_was_done_offline_stands_where_it_was_done(
    data: st.DataObject, zone: str, start: datetime, lived: Lived
) -> None:
    lived.clock.now = start
    family, account = Family(lived, time_zone=zone, now=start), Account(ZoneInfo(zone))
    todos = {family.create_todo(name, frequency=name): name for name in ("daily", "weekly", "once")}
    for _ in range(data.draw(st.integers(1, 5))):
        lived.clock.move(minutes=data.draw(st.sampled_from([0, 1, 400, 2000])))
        now = lived.clock.now
        todo, kind = (
            data.draw(st.sampled_from(sorted(todos))),
            data.draw(st.sampled_from(["complete", "complete", "snooze"])),
        )
        claimed = data.draw(claims(now))
        answer, when = send(family, todo, kind, claimed), account.when(claimed, now)
        if when is None:
            assert "client_timestamp" in refused(answer, 400, "VALIDATION_ERROR")
            continue
        moment, day = when
        if kind == "complete":
            day = account.complete(todo, todos[todo], moment)
        elif moment != now or account.put_off(todo) is None or account.put_off(todo) != day + 3 * DAY:
            account.snoozes[(todo, moment)] = day + 3 * DAY  # else it is a repeat
        assert (answer.status_code, answer.json()["data"]["action_date"]) == (200, f"{day}"), answer.text
        assert send(family, todo, kind, claimed).json() == answer.json()  # a retry
    today = account.day(lived.clock.now)
    statuses = {todo: account.status(todo, name, today) for todo, name in todos.items()}
    assert told(family) == (account.history(), account.streak(today), statuses)


@pytest.mark.long
@OFTEN
@given(data=st.data(), zone=st.sampled_from(ZONES), start=st.sampled_from(AROUND))
def test_two_phones_in_any_order_are_one_phone_that_was_always_online(
    data: st.DataObject, zone: str, start: datetime, lived: Lived
) -> None:
    minutes = data.draw(st.lists(st.integers(0, 5 * 24 * 60), min_size=1, max_size=6, unique=True))
    kinds, names = st.sampled_from(["complete", "snooze"]), ("daily", "weekly", "once")
    made = [(start + m * MINUTE, data.draw(kinds), data.draw(st.sampled_from(range(3)))) for m in sorted(minutes)]
    states = []
    for order, online in ((made, True), (data.draw(st.permutations(made)), False)):
        lived.clock.now = start
        family = Family(lived, time_zone=zone, now=start)
        todos = [family.create_todo(name, frequency=name) for name in names]
        for moment, kind, place in order:
            lived.clock.now = moment + MINUTE if online else start + 6 * DAY
            assert send(family, todos[place], kind, moment).status_code == 200
        lived.clock.now = start + 6 * DAY
        history, streak, statuses = told(family)
        states.append(
            ([(day, todos.index(todo), kind) for day, todo, kind in history], streak, [statuses[one] for one in todos])
        )
    assert sorted(states[0][0]) == sorted(states[1][0])
    assert states[0][1:] == states[1][1:]


def test_a_past_day_keeps_its_selection_and_undo_takes_back_what_was_dated_back(lived: Lived) -> None:
    lived.clock.now = NOON
    family = Family(lived, now=NOON)
    family.follow()
    chosen = [one["id"] for one in family.read("/today")["activities"]]
    for _ in range(2):
        lived.clock.move(days=1)
        family.read("/today")
    shown = family.read("/stats")["week"]
    assert shown["completed"] == 0
    done = family.complete(chosen[0], client_timestamp=NOON.isoformat(), notes="On the train")
    assert done["action_date"] == "2026-03-09"
    week = family.read("/stats")["week"]
    assert (week["completed"], week["by_day"]["Mon"], week["total"]) == (1, 1, shown["total"])
    again = family.complete(chosen[0], client_timestamp=(NOON + MINUTE).isoformat())
    assert again == done
    today = family.complete(chosen[0])
    assert today["action_date"] == "2026-03-11"
    first = min(act["id"] for entry in family.read("/history")["entries"] for act in entry["actions"])
    family.undo(chosen[0], action_id=first)
    refused(family.ask("POST", f"/todos/{chosen[0]}/undo", {"action_id": first}), 404, "NOT_FOUND")
    assert family.read("/stats")["week"]["by_day"]["Mon"] == 0
    assert family.read("/stats")["streak"] == 1


def test_a_gap_that_is_filled_later_joins_the_streak_and_undo_parts_it_again(lived: Lived) -> None:
    lived.clock.now = NOON
    family = Family(lived, now=NOON)
    todo = family.create_todo(frequency="daily")
    family.complete(todo)
    lived.clock.move(days=2)
    family.complete(todo)
    assert family.read("/stats")["streak"] == 1
    family.complete(todo, client_timestamp=(NOON + DAY).isoformat())
    assert family.read("/stats")["streak"] == 3
    middle = next(one for one in family.read("/history")["entries"] if one["date"] == "2026-03-10")["actions"][0]
    family.undo(todo, action_id=middle["id"])
    assert family.read("/stats")["streak"] == 1


def test_a_completion_before_a_snooze_does_not_end_it(lived: Lived) -> None:
    lived.clock.now = NOON
    family = Family(lived, now=NOON)
    todo = family.create_todo(frequency="daily")
    family.snooze(todo, days=5)
    family.complete(todo, client_timestamp=(NOON - DAY).isoformat())
    assert family.read(f"/todos/{todo}")["status"] == "snoozed"
    family.complete(todo)
    assert family.read(f"/todos/{todo}")["status"] == "completed"


# Refusals and repeated requests


def test_completing_a_todo_that_was_put_away_is_refused_until_that_is_undone(lived: Lived) -> None:
    lived.clock.now = NOON
    family = Family(lived, now=NOON)
    todo = family.create_todo(frequency="daily")
    family.snooze(todo, permanent=True)
    away = family.last_action(todo)
    assert "undo" in refused(family.ask("POST", f"/todos/{todo}/complete"), 400, "VALIDATION_ERROR")
    assert family.read("/history")["total_actions"] == 1
    before = family.complete(todo, client_timestamp=(NOON - DAY).isoformat())
    assert before["action_date"] == "2026-03-08"  # done before it was dismissed
    assert family.read(f"/todos/{todo}")["status"] == "skipped"
    family.undo(todo, action_id=away)
    assert family.complete(todo)["action_date"] == "2026-03-09"


def test_a_repeated_delete_answers_as_the_first_did(lived: Lived) -> None:
    lived.clock.now = NOON
    family, stranger = Family(lived, now=NOON), Family(lived, now=NOON)
    todo, plan = family.create_todo(), family.follow()["id"]
    of_guide = next(one for one in family.read("/todos")["todos"] if one["guide_item_id"] is not None)["id"]
    for path, body in ((f"/todos/{todo}", {"todo_id": todo}), (f"/plans/{plan}", {"plan_id": plan})):
        for _ in range(3):
            assert family.data("DELETE", path) == body | {"active": False}
        refused(stranger.ask("DELETE", path), 404, "NOT_FOUND")
    again = family.follow()["id"]
    assert family.data("DELETE", f"/plans/{plan}")["active"] is False
    assert [one["id"] for one in family.read("/plans")["plans"]] == [again]  # the new one continues
    for _ in range(2):
        refused(family.ask("DELETE", f"/todos/{of_guide}"), 404, "NOT_FOUND")
    for path in (f"/todos/{todo}", "/todos/2147483647"):
        refused(family.ask("PUT", path, {"title": "Come back"}), 404, "NOT_FOUND")
