"""The admin over HTTP: what an operator can see and change, and what is read-only."""

import json
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.admin import dashboard, instruments, kakei, kinderbud
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from api.models import Badge, ChallengeTemplate, GuideItem, Household, PointEntry
from tests.actors.admin import CHANGEABLE, Admin
from tests.actors.family import Family, in_database
from tests.actors.person import EVENT, PROFILE, Person, somewhere
from tests.support.serving import CLIENT, Server

TRIES = 10
MODELS = [model.__name__ for screens in (dashboard, kakei, instruments, kinderbud) for model in screens.SCREENS]
DELETABLE = {"User", "Household"}


@pytest.mark.long
def test_every_screen_lists_its_table_and_only_some_may_be_changed(served: Server, admin: Admin) -> None:
    person = Person(served)
    person.put("/profile", PROFILE)
    person.consent()
    person.post("/events", EVENT)
    Family(served)
    told = {one["name"]: one for one in admin.read("/configuration")["models"]}
    assert set(told) == set(MODELS)
    for name, one in told.items():
        allowed = {"Change"} if name in CHANGEABLE else set()
        allowed |= {"Delete"} if name in DELETABLE else set()
        assert set(one["permissions"]) == allowed, name
        page = admin.read(f"/list/{name}?limit=3")
        assert len(page["results"]) <= 3
        assert page["total"] >= len(page["results"])
        if name not in CHANGEABLE:
            assert admin.patch(f"/change/{name}/1", {"points": 10**6}).status_code == 403
        if name not in DELETABLE:
            assert admin.delete(f"/delete/{name}/1").status_code == 403
        assert admin.post(f"/add/{name}", {"points": 1}).status_code == 403
        assert admin.post(f"/export/{name}", {"format": "CSV"}).status_code == 404


@pytest.mark.long
def test_capabilities_secrets_and_what_people_wrote_are_on_no_screen(served: Server, admin: Admin) -> None:
    person = Person(served)
    person.put("/profile", PROFILE | {"allow_exact_income": True, "exact_income_local": 98765.43})
    person.consent(participant_code="CODE-4711")
    person.post("/events", EVENT)
    family = Family(served)
    everything = ""
    for model in MODELS:
        page = admin.read(f"/list/{model}?limit=1000")
        everything += json.dumps(page)
        for row in page["results"][:3]:
            key = row.get("id") or row.get("user_id") or row.get("key")
            everything += json.dumps(admin.read(f"/retrieve/{model}/{key}"))
    assert person.uuid[:8] in everything
    for secret in (person.uuid, "98765", "CODE-4711", family.token, "Emma", "@example.com", "argon2"):
        assert secret not in everything


def test_a_changed_template_is_what_the_api_tells_and_an_upgrade_keeps_it(served: Server, admin: Admin) -> None:
    title = f"Cook at home {secrets.token_hex(3)}"
    changed = admin.patch("/change/ChallengeTemplate/1", {"title": f"  {title} ", "reward_points": 42})
    assert changed.status_code == 200, changed.text
    served.buddy("db", "upgrade")
    template = next(one for one in CLIENT.get(f"{served.url}/templates").json() if one["id"] == 1)
    assert (template["title"], template["reward_points"]) == (title, 42)
    assert re.search(r'"changed in /admin".*"by":"admin"|"by":"admin".*"changed in /admin"', served.log())
    assert title not in served.log()


@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("ChallengeTemplate", {"difficulty": "impossible"}),
        ("ChallengeTemplate", {"title": ""}),
        ("ChallengeTemplate", {"title": "x" * 101}),
        ("ChallengeTemplate", {"reward_points": -1}),
        ("ChallengeTemplate", {"reward_points": "many"}),
        ("Badge", {"points": 101}),
        ("Guide", {"color": "red"}),
        ("GuideItem", {"frequency": "hourly"}),
        ("GuideItem", {"minutes": None}),
        ("Badge", {"title": "a\0b"}),
    ],
)
def test_what_the_rules_forbid_is_refused_by_name_and_nothing_changes(
    admin: Admin, model: str, body: dict[str, Any]
) -> None:
    before = admin.read(f"/retrieve/{model}/1")
    refused = admin.patch(f"/change/{model}/1", body)
    assert refused.status_code == 422
    assert next(iter(body)) in refused.json()["detail"]
    assert admin.read(f"/retrieve/{model}/1") == before


def test_fields_that_no_one_may_change_stay(served: Server, admin: Admin) -> None:
    sent = {
        "slug": "mine",
        "metric_key": "mine",
        "target_value": 1,
        "category_id": 9,
        "seeded": "x",
        "id": 7,
        "rule": {},
    }
    for model in (ChallengeTemplate, Badge, GuideItem):

        async def row(session: AsyncSession, model: Any = model) -> dict[str, Any]:
            found = await session.get(model, 1)
            return {column.key: getattr(found, column.key) for column in model.__table__.columns}

        before = in_database(served, row)
        assert admin.patch(f"/change/{model.__name__}/1", sent).status_code == 200
        assert in_database(served, row) == before


def test_a_household_follows_its_own_rules_and_goes_with_everything(served: Server, admin: Admin) -> None:
    family = Family(served)
    path = f"/change/Household/{family.id}"
    for body in ({"daily_task_count": 16}, {"time_zone": "Mars"}, {"name": " "}):
        assert admin.patch(path, body).status_code == 422
    assert admin.patch(path, {"name": "The Bakers", "claude_key": "stolen"}).status_code == 200
    assert family.read("/me")["household"]["name"] == "The Bakers"

    async def key(session: AsyncSession) -> str | None:
        return (await session.get_one(Household, family.id)).claude_key

    assert in_database(served, key) is None
    assert admin.delete(f"/delete/Household/{family.id}").status_code == 200
    assert family.ask("GET", "/me").status_code == 401


def test_a_user_is_erased_with_everything(served: Server, admin: Admin) -> None:
    person = Person(served)
    person.put("/profile", PROFILE)
    found = admin.read(f"/list/User?search={person.uuid}")
    assert found["total"] == 1
    assert admin.read(f"/list/User?search={person.uuid[:-1]}")["total"] == 0, "parts of a capability find no user"
    for condition in ("uuid", "uuid__contains", "uuid__gt", "uuid__in"):
        assert admin.get(f"/list/User?{condition}={person.uuid[:4]}").status_code == 422
    assert admin.delete(f"/delete/User/{found['results'][0]['id']}").status_code == 200
    assert person.get("/profile").status_code == 404
    assert person.uuid not in served.log()


def test_the_ledger_cannot_be_written_in_any_way(served: Server, admin: Admin) -> None:
    async def entries(session: AsyncSession) -> int:
        return await session.scalar(select(func.count()).select_from(PointEntry)) or 0

    before = in_database(served, entries)
    body = {"user_id": 1, "points": 1000, "cause": "gift", "cause_id": 1, "created_at": "2026-01-01T00:00:00Z"}
    for method, path in (
        ("POST", "/add/PointEntry"),
        ("PATCH", "/change/PointEntry/1"),
        ("DELETE", "/delete/PointEntry/1"),
    ):
        assert admin.ask(method, path, body).status_code == 403
    assert admin.post("/action/PointEntry/delete_selected", {"ids": [1]}).status_code == 403
    assert in_database(served, entries) == before


@pytest.mark.long
@pytest.mark.parametrize("key", ["0", "-1", "abc", "9" * 30, "1.5", "%00", "00000000-0000-0000-0000-000000000000"])
def test_ids_that_someone_made_up_are_not_there(admin: Admin, key: str) -> None:
    for model in ("User", "ChallengeTemplate", "Decision"):
        assert admin.get(f"/retrieve/{model}/{key}").status_code == 404
    assert admin.patch(f"/change/ChallengeTemplate/{key}", {"title": "Mine"}).status_code == 404
    assert admin.delete(f"/delete/User/{key}").status_code == 200, "what is not there is gone already"


@pytest.mark.parametrize(
    "query",
    [
        {"created_at__gt": "soon"},
        {"sort_by": "uuid"},
        {"sort_by": "password"},
        {"id__regex": "x"},
        {"id": "x"},
        {"limit": 10**9},
        {"search": "%' OR 1=1 --"},
    ],
)
def test_odd_lists_are_answered_calmly(admin: Admin, query: dict[str, Any]) -> None:
    assert admin.get(f"/list/User?{urlencode(query)}").status_code in {200, 422}


def test_the_dashboard_says_what_happened(served: Server, admin: Admin) -> None:
    def told(widget: str) -> list[dict[str, Any]]:
        answer = admin.post(f"/widget-action/Operator/{widget}", {"query": []})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["data"]
        return rows

    def decisions() -> int:
        rows = told("decisions_by_source")
        return sum(row["decisions"] for row in rows if (row["coach"], row["source"]) == ("budget", "policy"))

    before = decisions()
    for _ in range(3):
        CLIENT.post(f"{served.url}/coach/suggestions", json=EXAMPLE_CONTEXT, headers=somewhere()).raise_for_status()
    assert decisions() == before + 3
    odd = EXAMPLE_CONTEXT | {"needs_share": 1.0, "wants_share": 1.0, "culture_share": 1.0, "unexpected_share": 1.0}
    answer = CLIENT.post(f"{served.url}/coach/suggestions", json=odd, headers=somewhere()).json()
    reasons = {(row["coach"], row["reason"]) for row in told("fallbacks_by_reason")}
    assert answer["fallback_reason"] == "out_of_support"
    assert ("budget", "out_of_support") in reasons
    study = f"study-{secrets.token_hex(3)}"
    served.buddy("study", "start", study)
    agreeing, leaving = Person(served), Person(served)
    for person in (agreeing, leaving):
        person.consent(study_version=study)
    leaving.consent(study_version=study, consented=False)
    mine = {"X-User-UUID": agreeing.uuid} | somewhere()
    CLIENT.post(f"{served.url}/coach/suggestions", json=EXAMPLE_CONTEXT, headers=mine).raise_for_status()
    consents = {row["state"]: row["people"] for row in told("consents") if row["study"] == study}
    assert consents == {"consent": 1, "took it back": 1}
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert any(row["day"] == today and row["source"].startswith("budget: ") for row in told("kept_decisions"))
    assert told("kept_fallbacks")[0].keys() == {"day", "decisions", "fallback_reason"}
    family = Family(served)
    family.follow()
    todo = family.read("/today")["activities"][0]["id"]
    family.complete(todo)
    assert {"users", "households"} <= {row["who"] for row in told("active")}
    served.buddy("research", "export", str(Path(served.log_file.parent, study)), "--study", study)
    assert sum(row["exports"] for row in told("exports")) >= 1


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("text", ["a\0b", "half \ud83d of a face"], ids=["NUL", "half a character"])
def test_a_sign_in_with_text_that_no_database_holds_is_refused(served: Server, field: str, text: str) -> None:
    body = json.dumps({"username": "admin", "password": "x"} | {field: text})
    refused = Admin(served).client.post("/sign-in", content=body, headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()) == (422, {"detail": f"{field}: must be Unicode text without NUL"})
