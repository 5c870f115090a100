"""The rules of Kinderbud, by example and for arbitrary days, logs and candidates. No I/O."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.kinderbud.ages import age_display, age_months
from api.kinderbud.guides.rules import current_stage
from api.kinderbud.history.rules import by_weekday
from api.kinderbud.households import rules as households
from api.kinderbud.households.rules import InvalidHousehold
from api.kinderbud.streaks.rules import Run, streak, with_day, without_day
from api.kinderbud.today.rules import AREA_NAMES, daily_note
from api.kinderbud.todos.rules import State, Status, is_due, is_snoozed, overdue, snoozed_to, state_of, status_on
from api.time_zones import local_date
from data.calendar_weeks import monday_of
from data.catalog.guides import Area, Category, Frequency, Guide, guides

DAY = timedelta(days=1)
TODAY = date(2026, 2, 19)
days = st.dates(date(2020, 1, 1), date(2032, 12, 31))
near = st.integers(0, 40).map(lambda number: TODAY - timedelta(days=number))


@dataclass(frozen=True)
class Did:
    action_type: str
    action_date: date
    snoozed_to: date | None = None


completions = st.builds(Did, st.just("completed"), near)
snoozes = st.builds(lambda day, number: Did("snoozed", day, day + timedelta(days=number)), near, st.integers(1, 90))
dismissals = st.builds(Did, st.just("skipped"), near)
logs = st.lists(completions | snoozes | dismissals, max_size=8)


# Ages and stages


@pytest.mark.parametrize(
    ("born", "today", "months"),
    [
        (date(2024, 11, 15), date(2026, 2, 19), 15),
        (date(2024, 11, 15), date(2026, 2, 14), 14),
        (date(2026, 1, 31), date(2026, 2, 28), 0),  # February has no 31st: the month is complete on the day after it
        (date(2026, 1, 31), date(2026, 3, 1), 1),
        (date(2026, 1, 31), date(2026, 3, 30), 1),
        (date(2026, 1, 31), date(2026, 3, 31), 2),
        (date(2026, 3, 31), date(2026, 4, 30), 0),
        (date(2026, 3, 31), date(2026, 5, 1), 1),
        (date(2026, 1, 30), date(2026, 2, 28), 0),
        (date(2026, 1, 30), date(2026, 3, 1), 1),
        (date(2026, 1, 29), date(2026, 2, 28), 0),
        (date(2024, 1, 29), date(2024, 2, 29), 1),
        (date(2024, 2, 29), date(2025, 2, 28), 11),
        (date(2024, 2, 29), date(2025, 3, 1), 12),
        (date(2024, 2, 29), date(2028, 2, 28), 47),
        (date(2024, 2, 29), date(2028, 2, 29), 48),
    ],
)
def test_a_month_is_completed_on_the_day_of_birth_or_the_first_day_after_it(
    born: date, today: date, months: int
) -> None:
    assert age_months(born, today) == months


@given(days, st.integers(0, 3000))
def test_an_age_never_falls_and_grows_by_one_month_at_a_time(born: date, lived: int) -> None:
    today = born + timedelta(days=lived)
    assert age_months(born, born) == 0
    assert age_months(born, today + DAY) - age_months(born, today) in {0, 1}
    assert abs(age_months(born, today) - lived / 30.4375) < 1.1


@pytest.mark.parametrize(
    ("born", "said"),
    [
        (TODAY, "0 days"),
        (date(2026, 2, 18), "1 day"),
        (date(2026, 2, 12), "1 week"),
        (date(2026, 1, 20), "4 weeks"),
        (date(2026, 1, 19), "1 month"),
        (date(2024, 11, 15), "15 months"),
        (date(2024, 2, 20), "23 months"),
        (date(2024, 2, 19), "2 years"),
        (date(2024, 1, 19), "2 years 1 month"),
        (date(2020, 9, 1), "5 years 5 months"),
    ],
)
def test_an_age_is_told_as_parents_tell_it(born: date, said: str) -> None:
    assert age_display(born, TODAY) == said


@pytest.mark.parametrize("guide", guides(), ids=lambda guide: guide.key)
def test_at_every_age_at_most_one_stage_is_current_and_grown_ups_have_one_for_ever(guide: Guide) -> None:
    stages = guide.stages
    if stages[0].age_start_months is None:
        assert current_stage(stages, None) is stages[0]
        assert current_stage(stages, 14) is None
        return
    assert current_stage(stages, None) is None
    for stage in stages:
        assert stage.age_start_months is not None
        assert stage.age_end_months is not None
        for months in range(stage.age_start_months, stage.age_end_months):
            assert current_stage(stages, months) is stage
            assert current_stage(list(reversed(stages)), months) is stage  # no other stage includes this age
    assert current_stage(stages, max(stage.age_end_months or 0 for stage in stages)) is None
    assert current_stage(stages, -1) is None


@pytest.mark.parametrize(
    ("moment", "time_zone", "day"),
    [
        (datetime(2026, 3, 8, 4, 59, 59, tzinfo=UTC), "America/New_York", date(2026, 3, 7)),
        (datetime(2026, 3, 8, 5, tzinfo=UTC), "America/New_York", date(2026, 3, 8)),
        (datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC), "America/New_York", date(2026, 3, 8)),  # this day has 23 hours
        (datetime(2026, 3, 9, 4, tzinfo=UTC), "America/New_York", date(2026, 3, 9)),
        (datetime(2021, 3, 21, 20, 30, tzinfo=UTC), "Asia/Tehran", date(2021, 3, 22)),  # this day begins at one
        (datetime(2021, 9, 21, 20, 15, tzinfo=UTC), "Asia/Tehran", date(2021, 9, 21)),  # a second time before midnight
        (datetime(2021, 9, 21, 20, 30, tzinfo=UTC), "Asia/Tehran", date(2021, 9, 22)),
        (datetime(2026, 2, 18, 11, tzinfo=UTC), "Pacific/Auckland", TODAY),
    ],
)
def test_the_day_is_the_one_on_the_wall_of_the_household(moment: datetime, time_zone: str, day: date) -> None:
    assert local_date(moment, time_zone) == day


# Todos


@pytest.mark.parametrize(
    ("frequency", "due_after"), [("daily", 1), ("weekly", 7), ("monthly", 30), ("quarterly", 90), ("once", None)]
)
def test_a_todo_is_due_when_its_period_is_over_and_what_is_done_once_never_again(
    frequency: str, due_after: int | None
) -> None:
    assert is_due(frequency, None, TODAY)
    due = [passed for passed in range(400) if is_due(frequency, TODAY - timedelta(days=passed), TODAY)]
    assert due == ([] if due_after is None else list(range(due_after, 400)))
    assert not is_due(frequency, TODAY + DAY, TODAY)  # done before a flight to a zone where it is yesterday


@given(st.sampled_from(Frequency), near, st.integers(0, 200))
def test_a_todo_is_overdue_by_one_period_when_it_falls_due_and_by_more_each_day(
    frequency: Frequency, done: date, later: int
) -> None:
    assume(frequency is not Frequency.ONCE)
    today = done + timedelta(days=later)
    assert is_due(frequency, done, today) == (overdue(frequency, done, done, today) >= 1)
    assert overdue(frequency, None, done, today) >= 1
    assert overdue(frequency, None, done, today + DAY) > overdue(frequency, None, done, today)


def test_a_todo_that_is_made_tomorrow_where_we_were_is_not_less_than_due() -> None:
    assert overdue("once", None, TODAY + DAY, TODAY) == 1
    assert overdue("once", None, TODAY - timedelta(days=30), TODAY) == 2


def test_a_snooze_ends_on_its_day_and_lasts_a_day_or_for_milestones_a_week_where_no_one_says() -> None:
    assert snoozed_to(TODAY, None, Category.ACTIVITY) == date(2026, 2, 20)
    assert snoozed_to(TODAY, None, Category.MILESTONE) == date(2026, 2, 26)
    assert snoozed_to(TODAY, 3, Category.MILESTONE) == date(2026, 2, 22)
    assert is_snoozed(TODAY + DAY, TODAY)
    assert not is_snoozed(TODAY, TODAY)
    assert not is_snoozed(None, TODAY)


@given(logs)
def test_the_state_of_a_todo_is_what_its_log_says(log: list[Did]) -> None:
    done = [place for place, one in enumerate(log) if one.action_type == "completed"]
    put_off = [place for place, one in enumerate(log) if one.action_type == "snoozed"]
    until = log[put_off[-1]].snoozed_to if put_off and put_off[-1] > max(done, default=-1) else None
    last = max((log[place].action_date for place in done), default=None)
    assert state_of(log) == State(last, until, any(one.action_type == "skipped" for one in log))


@given(logs, near, st.booleans())
def test_a_dismissal_shows_above_all_and_a_completion_above_a_snooze(log: list[Did], today: date, once: bool) -> None:
    state = state_of(log)
    status = status_on(state, today, rests_when_done=once)
    done = state.last_completed_on is not None and (once or state.last_completed_on >= today)
    assert (status is Status.SKIPPED) == state.dismissed
    assert (status is Status.COMPLETED) == (done and not state.dismissed)
    put_off = state.snoozed_until is not None and state.snoozed_until > today
    assert (status is Status.SNOOZED) == (put_off and not done and not state.dismissed)


# Streaks and weeks


@given(st.lists(st.tuples(near, st.booleans()), max_size=40), near)
def test_runs_are_the_counted_days_in_any_order_of_actions(changes: list[tuple[date, bool]], today: date) -> None:
    """As in the database: a change looks only at the runs that contain or touch the day."""
    runs: set[Run] = set()
    counted: set[date] = set()
    for day, adding in changes:
        touching = {run for run in runs if run.first_on <= day + DAY and run.last_on >= day - DAY}
        runs = runs - touching | (with_day(touching, day) if adding else without_day(touching, day))
        counted = counted | {day} if adding else counted - {day}
    covered = [run.first_on + timedelta(days=n) for run in runs for n in range((run.last_on - run.first_on).days + 1)]
    assert sorted(covered) == sorted(counted)
    assert all(run.first_on - DAY not in counted and run.last_on + DAY not in counted for run in runs)
    expected, day = 0, today if today in counted else today - DAY
    while day in counted:
        expected, day = expected + 1, day - DAY
    latest = next((run for run in runs if run.first_on <= today and run.last_on >= today - DAY), None)
    assert streak(latest, today) == expected


def test_a_streak_waits_for_today_but_not_for_yesterday() -> None:
    run = Run(date(2026, 2, 15), date(2026, 2, 18))
    assert [streak(run, day) for day in (date(2026, 2, 18), TODAY, date(2026, 2, 20))] == [4, 4, 0]
    assert streak(run, date(2026, 2, 16)) == 2  # after a flight over the date line these days are in the future
    assert streak(run, date(2026, 2, 14)) == 0
    assert streak(None, TODAY) == 0


@given(days)
def test_a_week_begins_on_the_monday_at_or_before_a_day(day: date) -> None:
    monday = monday_of(day)
    assert monday.strftime("%a") == "Mon"
    assert 0 <= (day - monday).days < 7
    told = by_weekday({day: 5, monday - DAY: 7, monday + 7 * DAY: 7}, monday)
    assert list(told) == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert told == dict.fromkeys(told, 0) | {day.strftime("%a"): 5}


# Households


@pytest.mark.parametrize("name", ["Sarah", "O'Neil-Kyi", "佐藤 さくら", "علی\u200cرضا", "ශ්\u200dරීමා", "x" * 80])
def test_a_name_is_a_name_in_every_script(name: str) -> None:
    """Persian and Sinhala need U+200C and U+200D: without them such names are misspelt."""
    assert households.checked_name(f"  {name} ") == name


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b", "a\x1b[31mb", "a\u202eb"])
def test_a_name_is_not_empty_not_endless_and_steers_no_terminal(name: str) -> None:
    with pytest.raises(InvalidHousehold, match="name"):
        households.checked_name(name)


def test_an_address_is_compared_without_case_and_blanks() -> None:
    assert households.checked_email(" Sarah@Example.COM ") == "sarah@example.com"
    for wrong in ("sarah", "sarah@", "@example.com", "sarah@example", "a b@example.com", "a@b@example.com"):
        with pytest.raises(InvalidHousehold):
            households.checked_email(wrong)
    with pytest.raises(InvalidHousehold):
        households.checked_email(f"a@{'b' * 250}.com")


def test_a_time_zone_is_one_that_exists() -> None:
    assert households.checked_time_zone("Asia/Manila") == "Asia/Manila"
    for wrong in ("Europe/Atlantis", "", "../etc/passwd", "/usr/share/zoneinfo/UTC", "EST5EDT4,M3"):
        with pytest.raises(InvalidHousehold):
            households.checked_time_zone(wrong)


def test_a_day_has_three_to_fifteen_activities() -> None:
    assert [count for count in range(-5, 30) if _accepted(count)] == list(range(3, 16))


def test_a_child_was_born_before_tomorrow_and_is_at_most_eighteen() -> None:
    new_year = date(2026, 1, 1)
    eighteen = date(2007, 12, 31), date(2007, 6, 1), date(2007, 1, 2)
    for born in (new_year, date(2024, 2, 29), *eighteen):
        assert households.checked_birthday(born, new_year) == born
    for born in (new_year + DAY, date(2007, 1, 1), date(1980, 5, 5)):
        with pytest.raises(InvalidHousehold):
            households.checked_birthday(born, new_year)


def _accepted(count: int) -> bool:
    try:
        return households.checked_count(count) == count
    except InvalidHousehold:
        return False


# The coach's note


def test_a_note_names_each_person_once_the_commonest_areas_and_where_to_begin() -> None:
    note = daily_note(["Emma", "Noah", "Emma", "Sarah"], ["motor", "math", "math", "rest"], "Counting steps")
    said = "Today is for Emma, Noah and Sarah: numbers and shapes and moving above all."
    assert note == f"{said} A good beginning: Counting steps."
    assert (
        daily_note(["Emma"], ["motor"], "Rolling") == "Today is for Emma: moving above all. A good beginning: Rolling."
    )


@given(st.lists(st.tuples(st.sampled_from(["Emma", "Noah", "Sarah"]), st.sampled_from(Area)), min_size=1, max_size=15))
def test_every_area_can_be_talked_about(chosen: list[tuple[str, Area]]) -> None:
    names, areas = [name for name, _ in chosen], [area for _, area in chosen]
    note = daily_note(names, areas, "Rolling")
    assert all(note.count(name) == 1 for name in set(names))
    assert AREA_NAMES[Counter(areas).most_common(1)[0][0]] in note
    assert len(set(AREA_NAMES.values())) == len(Area)
