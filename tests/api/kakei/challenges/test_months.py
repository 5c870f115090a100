"""The months that an app may send, and what counts for the challenges of a month, compared with a simple model."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.actors.person import METRICS, MONTH, PROFILE, SNAPSHOT, WEEK, Person
from tests.support.challenges import FEW_DAYS
from tests.support.client_times import BROKEN, DAY, MICROSECOND, OFTEN
from tests.support.lived import Lived

ZONES = (
    None,
    *("Etc/GMT+12", "America/New_York", "America/Havana", "Europe/Berlin", "Asia/Manila"),
    *("Australia/Lord_Howe", "Pacific/Kiritimati"),
)
"""From UTC-12 to UTC+14. Havana's clocks change on 1 November 2026, Berlin's in the last week of two months."""


# What counts for the challenges of a month


@dataclass
class Month:
    """A month in a zone, as moments."""

    key: str
    begins: datetime
    ends: datetime
    expires: datetime

    @classmethod
    def of(cls, year: int, month: int, zone: str | None) -> "Month":
        following = (year + month // 12, month % 12 + 1)
        first = [datetime(y, m, 1, tzinfo=ZoneInfo(zone or "UTC")) for y, m in ((year, month), following)]
        begins, ends = (one.astimezone(UTC) for one in first)
        expires = datetime(*following, 8, tzinfo=ZoneInfo(zone or "UTC")).astimezone(UTC)
        if zone is None:  # as long as anywhere on earth
            begins, ends = begins - timedelta(hours=14), ends + timedelta(hours=12)
        return cls(f"{year}-{month:02}", begins, ends, expires)


@dataclass
class Model:
    """A challenge of a month: plain."""

    month: Month
    accepted_at: datetime
    status: str = "accepted"
    progress: int = 0
    progress_at: datetime | None = None

    def seen(self, now: datetime) -> str:
        over = now >= self.month.expires or self.accepted_at >= self.month.ends
        return "expired" if over and self.status in {"accepted", "in_progress"} else self.status

    def problem(self, made: datetime, now: datetime) -> str | None:
        if self.status == "claimed":
            return "challenge_already_claimed"
        if now < self.month.begins:
            return "challenge_not_begun"
        if now >= self.month.expires or self.seen(now) == "expired" or made >= self.month.ends:
            return "challenge_expired"
        return None

    def move(self, value: int, made: datetime) -> bool:
        made = max(made, self.month.begins)  # the clock was behind
        if self.progress_at is not None and made < self.progress_at:
            return False
        self.progress, self.progress_at = value, made
        self.status = "completed" if value >= FEW_DAYS["target_value"] else "in_progress" if value else "accepted"
        return True


def effective(claimed: datetime | None, now: datetime) -> datetime:
    return now if claimed is None or claimed - now > timedelta(minutes=5) else claimed


def around(month: Month) -> st.SearchStrategy[datetime]:
    """Moments near the edges of a month, and anywhere in it."""
    edges = [month.begins, month.ends, month.expires, month.ends - timedelta(hours=12)]
    tiny = [-DAY, -MICROSECOND, 0 * DAY, MICROSECOND, timedelta(hours=3), DAY]
    within = st.integers(-3 * 24, 40 * 24).map(lambda hours: month.begins + timedelta(hours=hours))
    return st.one_of(st.sampled_from([edge + delta for edge in edges for delta in tiny]), within)


@pytest.mark.long
@OFTEN
@given(
    data=st.data(),
    zone=st.sampled_from(ZONES),
    which=st.sampled_from([(2026, 2), (2026, 3), (2026, 10), (2026, 12), (2027, 2)]),
)
def test_what_is_done_in_a_month_counts_for_it_and_nothing_else_does(
    data: st.DataObject, zone: str | None, which: tuple[int, int], lived: Lived
) -> None:
    month = Month.of(*which, zone)
    moments = sorted(data.draw(st.lists(around(month), min_size=2, max_size=6)))
    lived.clock.now = moments[0]
    person = Person(lived)
    if zone is not None:
        person.put("/profile", PROFILE | {"time_zone": zone})
    claimed = data.draw(st.one_of(st.none(), around(month), st.sampled_from(BROKEN)))
    body = {"challenge_template_id": FEW_DAYS["id"], "month_range": month.key, "source": "user"}
    if claimed is not None:
        body["client_timestamp"] = claimed.isoformat()
    accepted = person.post(f"/challenges/{FEW_DAYS['id']}/accept", body)
    assert accepted.status_code == 201, accepted.text
    model = Model(month, effective(claimed, moments[0]))
    assert accepted.json()["status"] == model.seen(moments[0])
    path = f"/challenges/{accepted.json()['id']}"
    for now in moments[1:]:
        lived.clock.now = now
        claimed = data.draw(st.one_of(st.none(), around(month), st.sampled_from(BROKEN)))
        value, made = data.draw(st.sampled_from([0, 1, FEW_DAYS["target_value"]])), effective(claimed, now)
        wrong = model.problem(made, now)
        told = {"client_timestamp": claimed.isoformat() if claimed else None}
        if data.draw(st.booleans()):
            answer = person.post(f"{path}/progress", {"current_progress": value} | told)
            assert answer.json().get("code") == wrong
            if wrong is None:
                assert answer.json()["applied"] is model.move(value, made)
        else:
            metrics = {"month_range": month.key, "metrics": {"expense_log_days": value}}
            answer = person.post("/challenge-metrics", metrics | told)
            moved = wrong is None and model.move(value, made)
            assert len(answer.json()["challenges"]) == moved
        if data.draw(st.booleans()):
            claim = person.post(f"{path}/claim", told if data.draw(st.booleans()) else None)
            assert (claim.status_code == 200) is (model.status == "completed")
            if claim.status_code == 200:
                model.status = "claimed"
        (shown,) = person.read(f"/challenges?month={month.key}")
        assert (shown["status"], shown["current_progress"]) == (model.seen(now), model.progress)
    lived.clock.now = month.expires + 40 * DAY
    last = person.post(f"{path}/claim")
    assert (last.status_code == 200) is (model.status == "completed")  # claimable long after its month


# Months that an app may name


@pytest.mark.parametrize(
    ("now", "accepted", "refused"),
    [
        (datetime(2026, 11, 29, 12, tzinfo=UTC), ["2026-12", "2026-11", "2026-06", "2000-01"], ["2027-01", "2030-01"]),
        (datetime(2026, 11, 30, 9, 59, tzinfo=UTC), ["2026-12"], ["2027-01", "9999-12", "1999-12", "0000-01"]),
        (datetime(2026, 11, 30, 10, tzinfo=UTC), ["2027-01"], ["2027-02"]),  # it is December in Kiritimati
        (datetime(2026, 12, 31, 12, tzinfo=UTC), ["2027-02"], ["2027-03"]),
    ],
)
def test_a_month_after_the_next_one_is_refused(
    now: datetime, accepted: list[str], refused: list[str], lived: Lived
) -> None:
    lived.clock.now = now
    person = Person(lived)
    for month in [*accepted, *refused]:
        body = {"challenge_template_id": FEW_DAYS["id"], "month_range": month, "source": "user"}
        answers = [
            person.post(f"/challenges/{FEW_DAYS['id']}/accept", body),
            person.post("/challenge-metrics", METRICS | {"month_range": month, "metrics": {"expense_log_days": 1}}),
            person.post("/research/progress-snapshots", SNAPSHOT | {"month_range": month}),
        ]
        key = int(month.replace("-", ""))
        sent = [("weekly", WEEK | {"month_key": key, "logging_days_count": 0}), ("monthly", MONTH | {"month_key": key})]
        summaries = [person.post(f"/summaries/{kind}/", body) for kind, body in sent]
        if month in accepted:
            assert [answer.status_code for answer in answers] == [201, 200, 201], (month, answers[0].text)
            assert [answer.status_code for answer in summaries] == [201, 201], month
            assert (answers[0].json()["status"] == "expired") is (month < f"{now:%Y-%m}"), month
        else:
            for answer in answers:
                assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "month_range")
            for answer in summaries:
                assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "month_key")
    assert {one["status"] for one in person.read("/challenges")} <= {"accepted", "in_progress", "expired"}
    assert {"challenge_claimed"} & {row["cause"] for row in person.read("/data")["point_entries"]} == set()


def test_metrics_of_another_time_complete_nothing(lived: Lived) -> None:
    """The next month's, sent before it begins; a month's that is over, sent after it and accepted after it."""
    lived.clock.now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    person = Person(lived)
    for month in ("2026-12", "2026-06"):
        full = METRICS | {"month_range": month, "metrics": {"expense_log_days": FEW_DAYS["target_value"]}}
        assert person.post("/challenge-metrics", full).json()["applied"] is True
        accepted = person.accept(FEW_DAYS["id"], month)
        assert accepted["current_progress"] == 0
        claim = person.post(f"/challenges/{accepted['id']}/claim")
        assert (claim.status_code, claim.json()["code"]) == (409, "challenge_not_completed")
    early = person.post(f"/challenges/{person.accept(2, '2026-12')['id']}/progress", {"current_progress": 1})
    assert (early.status_code, early.json()["code"]) == (409, "challenge_not_begun")


def test_the_reference_body_without_a_time_counts_within_the_month(lived: Lived) -> None:
    lived.clock.now = datetime(2026, 6, 13, 12, tzinfo=UTC)
    person = Person(lived)
    challenge = person.accept(FEW_DAYS["id"], "2026-06")
    done = person.post(f"/challenges/{challenge['id']}/progress", {"current_progress": FEW_DAYS["target_value"]})
    assert (done.json()["status"], done.json()["applied"]) == ("completed", True)
    assert done.json()["completed_at"] == "2026-06-13T12:00:00.000Z"


@pytest.mark.long
@OFTEN
@given(
    zone=st.sampled_from(ZONES),
    claimed=st.sampled_from([BROKEN[0], datetime(2026, 10, 15, tzinfo=UTC)]),
    target=st.sampled_from(["progress", "metrics"]),
    inside=st.integers(1, 12 * 24 * 60),
)
def test_a_clock_that_is_behind_completes_in_the_month_and_gives_way_to_every_time_inside(
    zone: str | None, claimed: datetime, target: str, inside: int, lived: Lived
) -> None:
    month = Month.of(2026, 11, zone)
    lived.clock.now = month.begins - DAY
    person = Person(lived)
    person.put("/profile", PROFILE | {"time_zone": zone})
    path = f"/challenges/{person.accept(FEW_DAYS['id'], '2026-11')['id']}"
    lived.clock.now = datetime(2026, 11, 20, tzinfo=UTC)

    def send(value: int, made: datetime) -> dict[str, Any]:
        told = made.isoformat()
        if target == "progress":
            body: dict[str, Any] = {"current_progress": value, "client_timestamp": told}
            assert person.post(f"{path}/progress", body).status_code == 200
        else:
            metrics = {FEW_DAYS["metric_key"]: value}
            body = METRICS | {"month_range": "2026-11", "metrics": metrics, "client_timestamp": told}
            assert person.post("/challenge-metrics", body).status_code == 200
        (challenge,) = person.read("/challenges?month=2026-11")
        found: dict[str, Any] = challenge
        return found

    done = send(FEW_DAYS["target_value"], claimed)
    assert done["status"] == "completed"
    assert datetime.fromisoformat(done["completed_at"]) == month.begins
    corrected = send(1, month.begins + timedelta(minutes=inside))
    assert (corrected["status"], corrected["current_progress"]) == ("in_progress", 1)
    assert send(FEW_DAYS["target_value"], claimed)["status"] == "in_progress"
