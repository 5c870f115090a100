"""Client times, compared with simple models through the API, on a clock that the test moves."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import CLOCK_TOLERANCE, effective_time
from api.db.upsert import effective_time_of
from api.models import ChallengeMetric, MonthlySummary, ProgressSnapshot, User, WeeklySummary
from tests.actors.family import in_database
from tests.actors.person import METRICS, MONTH, SNAPSHOT, WEEK, Person
from tests.support.challenges import FEW_DAYS
from tests.support.client_times import BROKEN, DAY, MICROSECOND, MINUTE, OFTEN
from tests.support.lived import Lived

NOON = datetime(2026, 6, 13, 12, tzinfo=UTC)


# What an upload does to what is stored

UPLOADS: dict[str, tuple[str, dict[str, Any]]] = {
    "weekly": ("/summaries/weekly/", WEEK),
    "monthly": ("/summaries/monthly/", MONTH),
    "metrics": ("/challenge-metrics", METRICS),
    "snapshot": ("/research/progress-snapshots", SNAPSHOT),
}


def upload(person: Person, kind: str, value: int, claimed: datetime | None) -> tuple[bool, int]:
    """Whether it was applied, and the value that is stored then."""
    path, body = UPLOADS[kind]
    changed: dict[str, Any] = {"logging_days_count": value}
    if kind == "metrics":
        changed = {"metrics": {"expense_log_days": value}}
    if kind == "snapshot":
        changed = {"streak_days": value}
    answer = person.post(path, body | changed | {"client_timestamp": claimed.isoformat() if claimed else None})
    assert answer.is_success, answer.text
    told = answer.json()
    found = told["metrics"]["expense_log_days"] if kind == "metrics" else told[next(iter(changed))]
    if kind == "metrics":
        assert (told["outdated_metrics"] == []) is told["applied"]
    return told["applied"], found


def claims(now: datetime) -> st.SearchStrategy[datetime | None]:
    """The times that a phone may send."""
    near = [now + sign * CLOCK_TOLERANCE + tiny for sign in (-1, 0, 1) for tiny in (-MICROSECOND, 0 * DAY, MICROSECOND)]
    about = st.integers(-400 * 24 * 60, 400 * 24 * 60).map(lambda minutes: now + minutes * MINUTE)
    offsets = st.sampled_from([timezone(timedelta(hours=hours)) for hours in (-12, -5, 0, 3, 14)])
    moments = st.one_of(st.sampled_from([*near, *BROKEN]), about)
    return st.one_of(st.none(), st.builds(lambda moment, zone: moment.astimezone(zone), moments, offsets))


@pytest.mark.long
@OFTEN
@given(data=st.data(), kind=st.sampled_from(sorted(UPLOADS)))
def test_the_latest_effective_time_wins(data: st.DataObject, kind: str, lived: Lived) -> None:
    lived.clock.now = NOON
    person = Person(lived)
    kept: tuple[datetime, int] | None = None
    for value in range(1, 1 + data.draw(st.integers(1, 4))):
        lived.clock.move(minutes=data.draw(st.sampled_from([0, 1, 6, 3000])))
        now = lived.clock.now
        claimed = data.draw(claims(now))
        ahead = claimed is not None and claimed - now > timedelta(minutes=5)
        effective = now if claimed is None or ahead else claimed
        applied = kept is None or effective >= kept[0]
        if applied:
            kept = (effective, value)
        assert kept is not None
        assert upload(person, kind, value, claimed) == (applied, kept[1])


@pytest.mark.parametrize("kind", sorted(UPLOADS))
def test_a_row_that_was_stored_with_a_future_time_gives_way(kind: str, lived: Lived) -> None:
    lived.clock.now = NOON
    person = Person(lived)
    upload(person, kind, 1, NOON)
    tables = {"weekly": WeeklySummary, "monthly": MonthlySummary, "metrics": ChallengeMetric}
    table: Any = tables.get(kind, ProgressSnapshot)

    async def of_an_earlier_version(session: AsyncSession) -> None:
        mine = table.user_id == select(User.id).where(User.uuid == person.uuid).scalar_subquery()
        await session.execute(update(table).where(mine).values(client_timestamp=BROKEN[1]))

    in_database(lived, of_an_earlier_version)
    assert upload(person, kind, 2, NOON - DAY) == (False, 1)
    lived.clock.move(minutes=1)
    assert upload(person, kind, 3, lived.clock.now) == (True, 3)


def test_answers_to_an_instrument_of_a_future_clock_do_not_stay_current(lived: Lived) -> None:
    lived.clock.now = NOON
    person = Person(lived)
    person.consent()
    body = {"phase": "monthly", "instrument_key": "budget_confidence", "response_type": "survey"}
    told = []
    for value, claimed in ((1, "2098-01-01T00:00:00Z"), (2, None), (3, "2026-06-12T00:00:00Z")):
        lived.clock.move(minutes=1)
        answer = person.post("/research/responses", body | {"responses": {"q1": value}, "client_timestamp": claimed})
        assert answer.status_code == 201, answer.text
        told.append((answer.json()["period"], answer.json()["applied"]))
    assert told == [("2026-06", True), ("2026-06", True), ("2026-06", False)]
    again = person.post("/research/responses", body | {"responses": {"q1": 2}})
    assert (again.status_code, again.json()["applied"]) == (200, True)
    assert len(person.read("/data")["responses"]) == 3


def test_reflections_and_events_say_that_they_are_kept(lived: Lived) -> None:
    lived.clock.now = NOON
    person = Person(lived)
    event = {"event_name": "app_opened", "context": {}, "client_timestamp": "2098-01-01T00:00:00Z"}
    assert person.post("/events", event).json() == {"stored": False, "known": None}
    person.consent()
    assert person.post("/events", event).json()["stored"] is True
    reflection = {"phase": "weekly", "category": "wants", "reflection_text": "Snacks.", **dict(list(event.items())[2:])}
    assert person.post("/reflections", reflection).json()["applied"] is True
    (stored,) = person.read("/data")["reflections"]
    assert stored["client_timestamp"] == "2098-01-01T00:00:00.000Z"  # as it was sent
    assert stored["received_at"] == "2026-06-13T12:00:00.000Z"


def moments_between(first: int, last: int) -> st.SearchStrategy[datetime]:
    """Any microsecond of some years."""
    begin, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (first, last))
    return st.integers(0, (end - begin) // MICROSECOND).map(lambda count: begin + count * MICROSECOND)


@OFTEN
@given(
    pairs=st.lists(
        st.tuples(st.one_of(st.none(), moments_between(2000, 2099)), moments_between(2001, 2098), st.booleans()),
        min_size=1,
        max_size=40,
    )
)
def test_sql_and_python_agree_on_the_effective_time(
    pairs: list[tuple[datetime | None, datetime, bool]], lived: Lived
) -> None:
    rows: list[dict[str, Any]] = []
    for claimed, received, near in pairs:
        for tiny in (-MICROSECOND, 0 * DAY, MICROSECOND):
            told = received + CLOCK_TOLERANCE + tiny if near else claimed
            rows.append({"metric_key": f"m{len(rows):05}", "client_timestamp": told, "received_at": received})

    async def stored(session: AsyncSession) -> list[datetime]:
        user = User(uuid=f"t-{uuid.uuid4()}", created_at=NOON)
        session.add(user)
        await session.flush()
        shared = {"user_id": user.id, "month": "2026-06", "value": Decimal(1)}
        await session.execute(insert(ChallengeMetric), [row | shared for row in rows])
        query = select(effective_time_of(ChallengeMetric)).where(ChallengeMetric.user_id == user.id)
        return list(await session.scalars(query.order_by(ChallengeMetric.metric_key)))

    expected = [effective_time(row["client_timestamp"], row["received_at"]) for row in rows]
    assert in_database(lived, stored) == expected


@pytest.mark.long
@OFTEN
@given(data=st.data())
def test_two_phones_in_any_order_are_one_phone_that_was_always_online(data: st.DataObject, lived: Lived) -> None:
    """Each upload has a time of its own in the month; they arrive until the end of the grace."""
    begins, arrives = datetime(2026, 6, 1, 8, tzinfo=UTC), datetime(2026, 7, 6, tzinfo=UTC)
    minutes = data.draw(st.lists(st.integers(0, 29 * 24 * 60), min_size=1, max_size=7, unique=True))
    kinds = st.sampled_from([*sorted(UPLOADS), "progress"])
    made = [(begins + minute * MINUTE, data.draw(kinds), data.draw(st.integers(0, 7))) for minute in minutes]
    made.sort(key=lambda one: one[0])
    states = []
    for order, online in ((made, True), (data.draw(st.permutations(made)), False)):
        lived.clock.now = begins - MINUTE
        person = Person(lived)
        path = f"/challenges/{person.accept(FEW_DAYS['id'], '2026-06')['id']}"
        for moment, kind, value in order:
            lived.clock.now = moment if online else arrives
            told = None if online and data.draw(st.booleans()) else moment
            if kind == "progress":
                sent = {"current_progress": value, "client_timestamp": told.isoformat() if told else None}
                assert person.post(f"{path}/progress", sent).status_code == 200
            else:
                upload(person, kind, value, told)
        lived.clock.now = arrives
        claim = person.post(f"{path}/claim").status_code
        tables = person.read("/data")
        kept = {
            table: [(row["logging_days_count"], row["total_spent"]) for row in tables[table]]
            for table in ("weekly_summaries", "monthly_summaries")
        }
        kept["snapshots"] = [row["streak_days"] for row in tables["progress_snapshots"]]
        kept["metrics"] = [row["value"] for row in tables["challenge_metrics"]]
        kept["challenges"] = [(row["status"], row["current_progress"]) for row in tables["user_challenges"]]
        states.append((claim, person.points(), kept))
    assert states[0] == states[1]
