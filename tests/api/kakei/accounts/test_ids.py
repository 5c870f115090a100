"""Ids: a guessed id reveals nothing, and UUIDs ignore case."""

import asyncio
import json
import re
import secrets
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from api.db.engine import open_database
from api.http.user_ids import cannot_be_guessed, canonical_id
from tests.actors.person import (
    ANSWERS,
    METRICS,
    MONTH,
    PROFILE,
    REFLECTION,
    SNAPSHOT,
    WEEK,
    Person,
    somewhere,
    this_month,
)
from tests.support.exports import tables
from tests.support.serving import CLIENT, Service, service

INCOME = 31415.92
NIL = "00000000-0000-0000-0000-000000000000"
PRINTED = {
    ("POST", "/users"),
    ("PUT", "/users/{uuid}/profile"),
    ("GET", "/users/{uuid}/points"),
    ("GET", "/users/{uuid}/challenges"),
    ("POST", "/users/{uuid}/challenges/{challenge_template_id}/accept"),
    ("POST", "/users/{uuid}/challenges/{user_challenge_id}/progress"),
    ("POST", "/users/{uuid}/challenges/{user_challenge_id}/claim"),
    ("POST", "/users/{uuid}/summaries/weekly"),
    ("GET", "/users/{uuid}/summaries/weekly/{month_key}/{week_key}"),
    ("POST", "/users/{uuid}/summaries/monthly"),
    ("GET", "/users/{uuid}/summaries/monthly/{month_key}"),
    ("POST", "/users/{uuid}/research/consent"),
    ("PATCH", "/users/{uuid}/research/data-mode"),
    ("POST", "/users/{uuid}/research/responses"),
    ("POST", "/users/{uuid}/reflections"),
    ("POST", "/users/{uuid}/events"),
    ("POST", "/users/{uuid}/challenge-metrics"),
    ("POST", "/users/{uuid}/research/progress-snapshots"),
}
"""What the API reference prints of users. It works for every id; what was added works for UUIDs only."""


def guessable() -> str:
    return f"participant-{secrets.randbelow(10**9)}"


def someone(service: Service, uuid: str) -> Person:
    """A person with an income, a consent, summaries, a challenge and points."""
    person = Person(service, uuid)
    income = {"allow_exact_income": True, "exact_income_local": INCOME, "currency": "EUR"}
    assert person.put("/profile/", PROFILE | income).status_code == 200
    person.consent()
    for path, body in (("/summaries/weekly", WEEK), ("/summaries/monthly", MONTH), ("/reflections", REFLECTION)):
        assert person.post(path, body).status_code == 201
    person.accept(1)
    return person


def of_users(service: Service) -> set[tuple[str, str]]:
    """Method and path below /api of every operation on a user."""
    paths = CLIENT.get(f"{service.url}/openapi.json").json()["paths"]
    return {
        (method.upper(), path.removeprefix("/api").rstrip("/"))
        for path, operations in paths.items()
        for method in operations
        if path.startswith("/api/users")
    }


def test_a_path_that_the_reference_does_not_print_needs_a_uuid(stored: Service) -> None:
    stranger = someone(stored, guessable())
    added = of_users(stored) - PRINTED
    assert of_users(stored) >= PRINTED
    assert len(added) >= 7
    for method, path in added:
        url = f"{stored.url}/api" + path.replace("{uuid}", stranger.uuid)
        answer = CLIENT.request(method, url)
        assert (answer.status_code, answer.json()["code"]) == (403, "guessable_id"), (method, path)
    owner = someone(stored, str(uuid4()))
    for method, path in sorted(added, key=lambda one: one[0] == "DELETE"):
        url = f"{stored.url}/api" + path.replace("{uuid}", owner.uuid)
        assert CLIENT.request(method, url).status_code == 200, (method, path)


def test_what_the_reference_prints_works_for_every_id(stored: Service) -> None:
    person = someone(stored, guessable())
    assert person.put("/profile/", PROFILE).json() == {"status": "updated"}
    assert person.read("/summaries/weekly/202606/2/")["total_spent"] == 3200.5
    assert person.read("/summaries/monthly/202606/")["total_spent"] == 14800
    assert person.get("/points").status_code == 200
    assert len(person.read(f"/challenges?month={this_month()}")) == 1
    context = dict.fromkeys(("budget_used_ratio", "savings_goal_progress", "risk_profile"), 0.5)
    context |= dict.fromkeys(("needs_share", "wants_share", "culture_share", "unexpected_share"), 0.2)
    context |= dict.fromkeys(("prev_w_adj", "prev_c_adj", "prev_s_adj"), 0.5)
    headers = somewhere() | {"X-User-UUID": person.uuid}
    assert CLIENT.post(f"{stored.url}/coach/suggestions", json=context, headers=headers).status_code == 200
    templates = CLIENT.get(f"{stored.url}/templates", headers=headers)
    assert templates.status_code == 200
    assert not any(template["is_ai_suggested"] for template in templates.json())


def test_an_exact_income_is_told_to_no_guessable_id_on_any_route(stored: Service) -> None:
    person = someone(stored, guessable())
    values = {"uuid": person.uuid, "month_key": "202606", "week_key": "2", "challenge_template_id": "1"}
    values |= {"user_challenge_id": "1"}
    for method, path in of_users(stored):
        if method == "DELETE":
            continue
        url = f"{stored.url}/api" + re.sub(r"\{(\w+)\}", lambda found: values[found[1]], path)
        body = {"GET": None, "PATCH": {"data_mode": "sync"}}.get(method, {})
        answer = CLIENT.request(method, url, json=body, headers=somewhere() | {"X-User-UUID": person.uuid})
        assert str(INCOME) not in answer.text, (method, path)
        assert "P-001" not in answer.text, (method, path)


def test_a_uuid_is_the_same_in_any_case(stored: Service) -> None:
    lower = str(uuid4()).replace("0", "a", 1)
    phone = Person(stored, lower.upper())
    url = f"{stored.url}/api/users"
    for spelled in (lower, lower.upper(), lower.title()):
        again = CLIENT.post(url, json={"uuid": spelled}, headers=somewhere())
        assert (again.status_code, again.json()) == (200, {"uuid": lower})
    assert phone.put("/profile", PROFILE).status_code == 200
    assert CLIENT.get(f"{url}/{lower}/profile").json()["saving_goal_value"] == 2500
    first = phone.post("/summaries/weekly", WEEK, Idempotency_Key="one")
    again = CLIENT.post(f"{url}/{lower}/summaries/weekly", json=WEEK, headers={"Idempotency-Key": "one"})
    assert (again.content, again.headers.get("idempotent-replayed")) == (first.content, "true")
    header = {"X-User-UUID": lower.title()}
    assert CLIENT.get(f"{stored.url}/templates", headers=somewhere() | header).status_code == 200
    assert phone.read("/data")["users"][0]["uuid"] == lower
    receipt = json.loads(stored.buddy("user", "erase", lower.upper(), "--yes"))
    assert receipt["erased"]["users"] == 1
    assert CLIENT.delete(f"{url}/{lower}").status_code == 404
    assert phone.get("/points").status_code == 404


def test_other_ids_compare_exactly(stored: Service) -> None:
    name = f"Participant-{secrets.token_hex(4)}"
    person = Person(stored, name)
    assert person.get("/points").status_code == 200
    assert CLIENT.get(f"{stored.url}/api/users/{name.lower()}/points").status_code == 404
    undashed = uuid4().hex.replace("0", "a", 1).upper()
    assert Person(stored, undashed).get("/data").status_code == 403
    assert CLIENT.get(f"{stored.url}/api/users/{undashed.lower()}/points").status_code == 404
    for spelled in (f"{{{uuid4()}}}", f"urn:uuid:{uuid4()}"):
        assert CLIENT.post(f"{stored.url}/api/users", json={"uuid": spelled}).status_code == 422


def test_both_spellings_of_a_uuid_share_one_rate_limit() -> None:
    from api.http.rate_limits import _counted

    lower = str(uuid4())
    counted = []
    for spelled in (lower, lower.upper()):
        scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": [], "client": ("10.0.0.1", 1)}
        counted.append([key for _, key in _counted(scope | {"path": f"/api/users/{spelled}/points"})])
    assert counted[0] == counted[1]


def test_a_guessable_id_is_counted_for_each_network_and_a_uuid_everywhere() -> None:
    from api.http.rate_limits import REQUESTS_PER_USER, _counted

    for uuid, counts in ((str(uuid4()), 1), (guessable(), 3), (NIL, 3), (uuid4().hex, 3)):
        keys = set()
        for host in ("10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:db8::2"):  # two of one network
            for path, headers in (
                (f"/api/users/{uuid}/points", []),
                ("/coach/suggestions", [(b"x-user-uuid", uuid.encode())]),
            ):
                scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": headers}
                keys |= {key for item, key in _counted(scope | {"client": (host, 1)}) if item is REQUESTS_PER_USER}
        assert len(keys) == counts, uuid


@pytest.mark.parametrize("uuid", [NIL, "FFFFFFFF-ffff-ffff-ffff-ffffffffffff", "x", ""])
def test_a_uuid_that_many_phones_share_can_be_guessed(uuid: str) -> None:
    assert not cannot_be_guessed(uuid)
    assert cannot_be_guessed(str(uuid4()).upper())
    assert canonical_id("Participant-001") == "Participant-001"


def in_database(stored: Service, statement: str, **values: Any) -> list[Any]:
    async def run() -> list[Any]:
        database = open_database(stored.environment["DATABASE_URL"])
        try:
            async with database.write() as session:
                found = await session.execute(text(statement), values)
                return list(found) if found.returns_rows else []  # type: ignore[attr-defined]
        finally:
            await database.close()

    return asyncio.run(run())


def test_two_users_that_differ_in_case_stay_two(stored: Service) -> None:
    lower = str(uuid4()).replace("0", "a", 1)
    one = Person(stored, lower)
    insert = "INSERT INTO users (uuid, created_at) VALUES (:uuid, CURRENT_TIMESTAMP)"
    in_database(stored, insert, uuid=lower.upper())  # as an earlier version stored it
    again = CLIENT.post(f"{stored.url}/api/users", json={"uuid": lower.upper()}, headers=somewhere())
    assert (again.status_code, again.json()) == (200, {"uuid": lower.upper()})
    other = f"{stored.url}/api/users/{lower.upper()}"
    assert CLIENT.post(f"{other}/summaries/weekly", json=WEEK).status_code == 201
    assert one.get("/summaries/weekly/202606/2").status_code == 404
    assert CLIENT.delete(other).status_code == 200
    assert one.get("/points").status_code == 200


@pytest.mark.parametrize("body", [None, "", " \n", "null", "{}"])
@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
def test_a_user_is_created_without_a_body(body: str | None, headers: dict[str, str], stored: Service) -> None:
    made = CLIENT.post(f"{stored.url}/api/users/", content=body, headers=headers | somewhere())
    assert (made.status_code, cannot_be_guessed(made.json()["uuid"])) == (201, True)


@pytest.mark.parametrize("body", ["[]", "7", '"x"', "false", "{"])
def test_another_body_than_an_object_creates_no_user(body: str, stored: Service) -> None:
    headers = {"Content-Type": "application/json"} | somewhere()
    assert CLIENT.post(f"{stored.url}/api/users/", content=body, headers=headers).status_code == 422


def test_only_uuids_are_created_where_they_are_required(stored: Service, tmp_path: Any) -> None:
    before = Person(stored, guessable())
    environment = stored.environment | {"REQUIRE_UUIDS": "true"}
    with service(tmp_path, environment) as strict:
        url = f"{strict.url}/api/users"
        for uuid in (guessable(), uuid4().hex, NIL):
            refused = CLIENT.post(url, json={"uuid": uuid}, headers=somewhere())
            assert (refused.status_code, refused.json()["code"]) == (422, "uuid_needed")
            assert refused.json()["errors"][0]["field"] == "uuid"
            assert CLIENT.get(f"{url}/{uuid}/points").status_code == 404
        assert CLIENT.post(url, json={"uuid": before.uuid}, headers=somewhere()).status_code == 200
        assert CLIENT.get(f"{url}/{before.uuid}/points").status_code == 200
        for sent in (None, {}, {"uuid": str(uuid4()).upper()}):
            assert CLIENT.post(url, json=sent, headers=somewhere()).status_code == 201
        assert CLIENT.post(url, json={"uuid": "Admin"}, headers=somewhere()).status_code == 409


def test_pseudonyms_do_not_depend_on_the_spelling(stored: Service) -> None:
    lower, study = str(uuid4()).replace("0", "a", 1), f"spelling-{secrets.token_hex(4)}"
    person = Person(stored, lower.upper())
    person.consent(study_version=study)
    CLIENT.post(f"{stored.url}/api/users/{lower}/summaries/weekly", json=WEEK)
    exported = tables(stored, study_version=study)
    assert len(exported["participants"]) == len(exported["weekly_summaries"]) == 1
    assert lower not in json.dumps(exported).lower()


PRIVATE, LATE = 7777, "2000-01-01T00:00:00Z"


@pytest.mark.parametrize("can_be_guessed", [True, False])
def test_an_upload_that_changes_nothing_tells_a_stranger_nothing(can_be_guessed: bool, stored: Service) -> None:
    """A guessable id is answered what the very request sent; a UUID is answered what is stored."""
    uuid = guessable() if can_be_guessed else str(uuid4())
    person = Person(stored, uuid)
    person.consent()
    hidden = {"game_metrics": {"secret": PRIVATE}, "learning_metrics": {"secret": PRIVATE}, "streak_days": PRIVATE}
    hidden |= {"mission_summary": [{"secret": PRIVATE}], "total_points": PRIVATE, "level_title": str(PRIVATE)}
    assert person.post("/research/progress-snapshots", SNAPSHOT | hidden).status_code == 201
    private = METRICS | {"metrics": {"expense_log_days": 13, "something": PRIVATE}}
    assert person.post("/challenge-metrics", private).status_code == 200
    probes = {
        "/research/progress-snapshots": SNAPSHOT,
        "/challenge-metrics": METRICS | {"metrics": {"expense_log_days": 1, "something": 2, "new": 3}},
    }
    for path, sent in probes.items():
        answer = person.post(path, sent | {"client_timestamp": LATE})
        assert (answer.status_code, answer.json()["applied"]) == (200, False)
        assert (str(PRIVATE) in answer.text) is not can_be_guessed, path
        if can_be_guessed:
            assert {name: answer.json()[name] for name in sent if name in answer.json()}.items() <= (
                sent | {"client_timestamp": "2000-01-01T00:00:00.000Z"}
            ).items()
            assert "13" not in str(answer.json().get("metrics"))
    for path, sent in (("/research/responses", ANSWERS), ("/reflections", REFLECTION)):
        first, again = (person.post(path, sent) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200)
        assert (first.json()["received_at"] == again.json()["received_at"]) is not can_be_guessed, path
