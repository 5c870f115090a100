from typing import Any

import pytest

from tests.actors.person import MONTH, WEEK, Person
from tests.support.serving import CLIENT, Service


def stored_part(answer: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in sent}


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_summaries_of_the_reference(slash: str, stored: Service) -> None:
    person = Person(stored)
    for kind, body, path in (("weekly", WEEK, "/202606/2"), ("monthly", MONTH, "/202606")):
        first = person.post(f"/summaries/{kind}{slash}", body)
        assert (first.status_code, stored_part(first.json(), body)) == (201, body)
        again = person.post(f"/summaries/{kind}{slash}", body | {"logging_days_count": 6})
        assert (again.status_code, again.json()["logging_days_count"]) == (200, 6)
        read = person.get(f"/summaries/{kind}{path}{slash}")
        assert stored_part(read.json(), body) == body | {"logging_days_count": 6}
        assert person.get(f"/summaries/{kind}{path[:-1]}3").status_code in {404, 422}


def test_amounts_are_exact(stored: Service) -> None:
    person = Person(stored)
    body = WEEK | {
        "total_spent": 0.3,
        "spent_wants": 0.1,
        "spent_needs": 0.2,
        "spent_culture": 0,
        "spent_unexpected": 0,
    }
    assert stored_part(person.post("/summaries/weekly", body).json(), body) == body
    large = dict.fromkeys(("spent_wants", "spent_needs", "spent_culture"), 0) | {"spent_unexpected": 123456789012.34}
    body = WEEK | large | {"total_spent": 123456789012.34}
    assert stored_part(person.post("/summaries/weekly", body).json(), body) == body


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"month_key": 202613}, "month_key"),
        ({"month_key": 202600}, "month_key"),
        ({"month_key": "202606"}, "month_key"),
        ({"week_key": 0}, "week_key"),
        ({"week_key": 7}, "week_key"),
        ({"total_spent": 10**12}, "total_spent"),
        ({"spent_wants": "900"}, "spent_wants"),
        ({"spent_wants": True}, "spent_wants"),
        ({"total_spent": 3200.56}, "total_spent"),
        ({"week_key": 6}, "week_key"),
        ({"month_key": 202608, "week_key": 6, "logging_days_count": 2}, "logging_days_count"),
        ({"logging_days_count": 8}, "logging_days_count"),
        ({"logging_days_count": True}, "logging_days_count"),
        ({"client_timestamp": "yesterday"}, "client_timestamp"),
        ({"client_timestamp": "2026-06-13T10:30:00"}, "client_timestamp"),
        ({"client_timestamp": 1750000000}, "client_timestamp"),
    ],
)
def test_a_bad_week_is_422_and_named(change: dict[str, Any], field: str, stored: Service) -> None:
    answer = Person(stored).post("/summaries/weekly/", WEEK | change)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


def test_the_parts_may_be_rounded_by_five_hundredths(stored: Service) -> None:
    assert Person(stored).post("/summaries/weekly/", WEEK | {"total_spent": 3200.55}).status_code == 201


def test_a_month_has_no_more_days_than_the_calendar_says(stored: Service) -> None:
    person = Person(stored)
    assert person.post("/summaries/monthly/", MONTH | {"logging_days_count": 31}).status_code == 422
    assert (
        person.post("/summaries/monthly/", MONTH | {"month_key": 202602, "logging_days_count": 29}).status_code == 422
    )
    assert (
        person.post("/summaries/monthly/", MONTH | {"month_key": 202402, "logging_days_count": 29}).status_code == 201
    )


def test_the_latest_client_time_wins_however_they_arrive(stored: Service) -> None:
    person = Person(stored)
    early, late = (WEEK | {"client_timestamp": f"2026-06-13T1{hour}:00:00+02:00"} for hour in (0, 1))
    person.post("/summaries/weekly/", late | {"logging_days_count": 7})
    answer = person.post("/summaries/weekly/", early | {"logging_days_count": 1})
    assert (answer.status_code, answer.json()["logging_days_count"]) == (200, 7)
    assert answer.json()["client_timestamp"] == "2026-06-13T09:00:00.000Z"


def test_lists_are_newest_first_and_come_in_pages(stored: Service) -> None:
    person = Person(stored)
    for month in (202604, 202605, 202606):
        for week in (1, 2):
            key = {"month_key": month, "week_key": week, "logging_days_count": 3}
            assert person.post("/summaries/weekly/", WEEK | key).status_code == 201
    seen, cursor = [], ""
    while True:
        page = person.read(f"/summaries/weekly/?limit=4{cursor}")
        seen += [(item["month_key"], item["week_key"]) for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [(m, w) for m in (202606, 202605, 202604) for w in (2, 1)]
    some = person.read("/summaries/weekly/?from=202605&to=202605")["items"]
    assert [item["month_key"] for item in some] == [202605, 202605]
    for bad in ("cursor=nonsense", "cursor=WzFd", "limit=0", "from=202613"):
        assert person.get(f"/summaries/weekly/?{bad}").status_code == 422


def test_another_users_summaries_are_not_seen(stored: Service) -> None:
    one, other = Person(stored), Person(stored)
    one.post("/summaries/weekly/", WEEK)
    assert other.get("/summaries/weekly/202606/2").status_code == 404
    assert other.read("/summaries/weekly/") == {"items": [], "next_cursor": None}


def test_the_same_key_does_the_work_once(stored: Service) -> None:
    person = Person(stored)
    first = person.post("/summaries/weekly/", WEEK, Idempotency_Key="abc")
    again = person.post("/summaries/weekly/", WEEK, Idempotency_Key="abc")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    other = person.post("/summaries/weekly/", WEEK | {"week_key": 3}, Idempotency_Key="abc")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Person(stored).post("/summaries/weekly/", WEEK, Idempotency_Key="abc").status_code == 201
    assert person.post("/summaries/monthly/", MONTH, Idempotency_Key="abc").status_code == 201
    failed = person.post("/summaries/weekly/", WEEK | {"week_key": 9}, Idempotency_Key="fresh")
    assert failed.status_code == 422
    assert person.post("/summaries/weekly/", WEEK | {"week_key": 4}, Idempotency_Key="fresh").status_code == 201


def test_the_body_must_be_json_and_small(stored: Service) -> None:
    person = Person(stored)
    url = f"{stored.url}/api/users/{person.uuid}/summaries/weekly/"
    assert CLIENT.post(url, content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    assert CLIENT.post(url, content=b" " * 300_000, headers={"Content-Type": "application/json"}).status_code == 413
