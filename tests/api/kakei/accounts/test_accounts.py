from typing import Any
from uuid import uuid4

import pytest

from tests.actors.person import PROFILE, Person, somewhere
from tests.support.serving import CLIENT, Service
from tests.support.time_zones import NO_TIME_ZONES


def test_a_user_is_created_once(stored: Service) -> None:
    person = Person(stored)
    again = CLIENT.post(f"{stored.url}/api/users", json={"uuid": person.uuid})
    assert (again.status_code, again.json()) == (200, {"uuid": person.uuid})
    made = CLIENT.post(f"{stored.url}/api/users/", json={})
    assert made.status_code == 201
    assert len(made.json()["uuid"]) == 36


def test_creating_again_with_the_same_key_is_answered_as_the_first_time(stored: Service) -> None:
    body, headers = {"uuid": str(uuid4())}, somewhere() | {"Idempotency-Key": "create"}
    first, again = (CLIENT.post(f"{stored.url}/api/users/", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    nobodys = [CLIENT.post(f"{stored.url}/api/users/", json={}, headers=headers).json()["uuid"] for _ in range(2)]
    assert nobodys[0] != nobodys[1]


@pytest.mark.parametrize("uuid", ["", ".hidden", "a b", "a/b", "ü", "x" * 65, 7, True, ["a"]])
def test_a_bad_uuid_is_422(uuid: Any, stored: Service) -> None:
    answer = CLIENT.post(f"{stored.url}/api/users/", json={"uuid": uuid})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "uuid"


@pytest.mark.parametrize("name", ["admin", "ADMIN", "Admin", "root"])
def test_reserved_names_are_neither_created_nor_reached(name: str, stored: Service) -> None:
    assert CLIENT.post(f"{stored.url}/api/users/", json={"uuid": name}).status_code == 409
    base = f"{stored.url}/api/users/{name}"
    for path in ("/points", "/profile/", "/badges", "/challenges", "/summaries/weekly/"):
        answer = CLIENT.get(base + path)
        assert (answer.status_code, answer.json()["code"]) == (404, "user_unknown")
    assert CLIENT.put(f"{base}/profile/", json=PROFILE).status_code == 404
    assert CLIENT.post(f"{base}/challenges/1/claim").status_code == 404


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_profile_of_the_reference_is_created_updated_and_read_back(slash: str, stored: Service) -> None:
    person = Person(stored)
    assert person.get(f"/profile{slash}").json()["code"] == "profile_missing"
    assert person.put(f"/profile{slash}", PROFILE).json() == {"status": "created"}
    changed = PROFILE | {"coach_style": 2, "time_zone": "Asia/Manila", "currency": "PHP"}
    assert person.put(f"/profile{slash}", changed).json() == {"status": "updated"}
    assert person.read(f"/profile{slash}") == changed


def test_taking_back_the_leave_erases_the_exact_income(stored: Service) -> None:
    person = Person(stored)
    person.put("/profile", PROFILE | {"allow_exact_income": True, "exact_income_local": 30123.45})
    assert person.read("/profile")["exact_income_local"] == 30123.45
    person.put("/profile", PROFILE)
    assert person.read("/profile")["exact_income_local"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"income_range_id": 99}, "income_range_id"),
        ({"income_range_id": "3"}, "income_range_id"),
        ({"income_range_id": True}, "income_range_id"),
        ({"user_profile": "king"}, "user_profile"),
        ({"coach_style": 3}, "coach_style"),
        ({"savings_goal_type": "daily"}, "savings_goal_type"),
        ({"saving_goal_value": -1}, "saving_goal_value"),
        ({"saving_goal_value": True}, "saving_goal_value"),
        ({"saving_goal_value": "2500"}, "saving_goal_value"),
        ({"saving_goal_value": 1e15}, "saving_goal_value"),
        ({"budget_cycle_start_day": 29}, "budget_cycle_start_day"),
        *[({"time_zone": name}, "time_zone") for name in NO_TIME_ZONES],
        *[({"currency": code}, "currency") for code in ("peso", "ABC", "XXX", "DEM", "XAU", "php", "")],
        ({"exact_income_local": 5}, "exact_income_local"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_profile_is_422_and_named(change: dict[str, Any], field: str, stored: Service) -> None:
    person = Person(stored)
    answer = person.put("/profile/", PROFILE | change)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert person.get("/profile/").status_code == 404  # nothing was written


@pytest.mark.parametrize("name", ["Asia/Manila", "UTC", "EST5EDT", "Etc/GMT+5", "America/Argentina/Ushuaia"])
def test_a_time_zone_of_the_iana_database_is_taken(name: str, stored: Service) -> None:
    person = Person(stored)
    assert person.put("/profile/", PROFILE | {"time_zone": name}).status_code == 200
    assert person.read("/profile/")["time_zone"] == name


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_422(value: str, stored: Service) -> None:
    person = Person(stored)
    body = '{"income_range_id": 3, "user_profile": "student", "allow_exact_income": false, "coach_style": 1,'
    body += f'"savings_goal_type": "monthly", "saving_goal_value": {value}, "budget_cycle_start_day": 1}}'
    url = f"{stored.url}/api/users/{person.uuid}/profile/"
    answer = CLIENT.put(url, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "saving_goal_value"


def test_the_income_ranges_are_seeded(stored: Service) -> None:
    ranges = CLIENT.get(f"{stored.url}/api/income-ranges/").json()
    assert [found["id"] for found in ranges] == [1, 2, 3, 4, 5]


def test_unknown_users_are_404(stored: Service) -> None:
    assert CLIENT.get(f"{stored.url}/api/users/nobody/points").json()["code"] == "user_unknown"
