"""The family's pages: what a family can do there, and that the API shows the same data."""

import json
import re

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.models import CompletionRun, Household, HouseholdUser, Todo
from tests.actors.browser import PASSWORD, SEE_OTHER, Browser, following, new_email, signed_up
from tests.actors.family import in_database
from tests.support.serving import CLIENT, Service, new_client
from tests.support.time_zones import NO_TIME_ZONES

COMPLETE, SNOOZE, UNDO = (rf"/todos/\d+/{action}" for action in ("complete", "snooze", "undo"))
SECRETS = ("digest", "password_hash", "claude_key")


def api(browser: Browser, service: Service) -> httpx.Client:
    """An API client with a new token of the family."""
    headers = {"Authorization": f"Bearer {browser.new_api_token()}"}
    return new_client(base_url=f"{service.url}/api/v1", headers=headers)


def data(client: httpx.Client, path: str) -> dict[str, object]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()["data"]
    return found


def test_the_page_and_the_app_show_the_same_day(stored: Service) -> None:
    browser = following(stored)
    page = browser.page("/today")
    today = data(api(browser, stored), "/today")
    activities = today["activities"]
    assert isinstance(activities, list)
    assert len(activities) == 8
    for todo in activities:
        assert f'id="todo-{todo["id"]}"' in page
        assert f"/family/todos/{todo['id']}/complete" in page
    assert today["cached"] is True
    assert "Good " in page
    assert "14 months" in page or "year" in page


def test_done_later_and_back_again(stored: Service) -> None:
    browser = following(stored)
    app = api(browser, stored)
    leads = browser.go("/today", COMPLETE, notes="She loved it")
    todo = int(leads.rpartition("-")[2])
    assert data(app, f"/todos/{todo}")["status"] == "completed"
    assert browser.send("/today", UNDO).status_code == SEE_OTHER
    assert data(app, f"/todos/{todo}")["status"] == "pending"
    form = browser.form("/today", rf"/todos/{todo}/snooze")
    for days, status in (("3", "snoozed"), ("never", "skipped")):
        browser.post(f"/todos/{todo}/snooze", form.fields | {"days": days, "reason": "She has a cold"})
        assert data(app, f"/todos/{todo}")["status"] == status
    done = browser.post(f"/todos/{todo}/complete", form.fields)
    assert (done.status_code, "said=put-away" in done.headers["location"]) == (SEE_OTHER, True)
    assert data(app, f"/todos/{todo}")["status"] == "skipped"
    assert "She has a cold" in browser.page("/history")
    while any(re.fullmatch(f"/family{UNDO}", one.action) for one in browser.forms("/history")):
        browser.go("/history", UNDO)
    assert data(app, f"/todos/{todo}")["status"] == "pending"


def test_a_form_that_is_sent_twice_does_it_once(stored: Service) -> None:
    browser = following(stored)
    app = api(browser, stored)
    for path, action, typed in (
        ("/people", "/people", {"name": "Mia", "birthday": "2025-01-02"}),
        ("/today", "/todos", {"title": "Read a story"}),
        ("/today", COMPLETE, {}),
        ("/guides", r"/guides/\d+/follow", {}),
    ):
        form = browser.form(path, action)
        answers = [browser.post(form.action.removeprefix("/family"), form.fields | typed) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [SEE_OTHER] * 2
        assert answers[0].headers["location"] == answers[1].headers["location"]
    people = data(app, "/me")["participants"]
    assert isinstance(people, list)
    assert [one["name"] for one in people] == ["Emma", "Mia", "Sarah"]
    assert len(data(app, "/today")["custom_todos"]) == 1  # type: ignore[arg-type]
    assert data(app, "/history")["total_actions"] == 1
    first = browser.form("/access", "/access/tokens")
    assert browser.post("/access/tokens", first.fields | {"name": "Tablet"}).status_code == 200
    again = browser.post("/access/tokens", first.fields | {"name": "Tablet"})
    assert (again.status_code, "kb_live_" in again.text) == (422, False)


def test_a_token_is_shown_once_works_and_is_revoked(stored: Service) -> None:
    browser = signed_up(stored)
    shown = browser.send("/access", "/access/tokens", name="Kitchen tablet")
    token = re.findall(r"kb_live_[0-9a-f]{32}", shown.text)
    assert len(token) == 1
    assert token[0] not in browser.page("/access")
    headers = {"Authorization": f"Bearer {token[0]}"}
    assert CLIENT.get(f"{stored.url}/api/v1/me", headers=headers).status_code == 200
    assert browser.go("/access", r"/access/tokens/\d+/revoke") == "/access?said=revoked#tokens"
    assert CLIENT.get(f"{stored.url}/api/v1/me", headers=headers).status_code == 401


def test_children_are_changed_and_removed_with_all_that_was_theirs(stored: Service) -> None:
    browser = following(stored)
    browser.go("/today", COMPLETE)
    child = next(one for one in re.findall(r"/family/people/(\d+)", browser.page("/people")))
    for wrong in ({"birthday": "2999-01-01"}, {"birthday": "soon"}, {"name": ""}, {"birthday": "1990-01-01"}):
        typed = {"name": "Emmy", "birthday": "2024-11-16"} | wrong
        refused = browser.send(f"/people/{child}", f"/people/{child}", **typed)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    browser.go(f"/people/{child}", f"/people/{child}", name="Emmy", birthday="2024-11-16")
    assert "Emmy" in browser.page("/people")
    assert browser.go(f"/people/{child}/remove", f"/people/{child}/remove") == "/people?said=removed"
    assert "Emmy" not in browser.page("/people")
    assert browser.get(f"/people/{child}").status_code == 404

    async def left(session: AsyncSession) -> tuple[int, int]:
        todos = await session.scalar(select(func.count()).where(Todo.participant_id == int(child)))
        runs = await session.scalar(
            select(func.count())
            .select_from(CompletionRun)
            .join(HouseholdUser, HouseholdUser.household_id == CompletionRun.household_id)
            .where(HouseholdUser.email == email_of(browser))
        )
        return todos or 0, runs or 0

    assert in_database(stored, left) == (0, 0), "a day on which nothing was done any more is in no streak"


def email_of(browser: Browser) -> str:
    found = re.search(r"sarah-[0-9a-f]+@example\.com", browser.page("/settings"))
    assert found is not None
    return found[0]


def test_settings_say_what_is_wrong_and_keep_what_was_typed(stored: Service) -> None:
    browser = signed_up(stored)
    for zone in NO_TIME_ZONES:
        wrong = browser.send("/settings", "/settings/household", name="The Bakers", time_zone=zone, daily_tasks="8")
        assert wrong.status_code == 422, zone
        assert 'value="The Bakers"' in wrong.text
    browser.go("/settings", "/settings/household", name="The Bakers", time_zone="Asia/Manila", daily_tasks="3")
    app = api(browser, stored)
    household = data(app, "/me")["household"]
    assert household == {"id": household["id"], "name": "The Bakers", "timezone": "Asia/Manila", "daily_task_count": 3}  # type: ignore[index]
    assert browser.send("/settings", "/settings/household", daily_tasks="16").status_code == 422


def test_taking_part_in_learning_is_a_decision_that_can_be_taken_back(stored: Service) -> None:
    browser = signed_up(stored)
    email = email_of(browser)

    async def since(session: AsyncSession) -> bool:
        query = select(Household.learning_since).join(HouseholdUser, HouseholdUser.household_id == Household.id)
        return (await session.execute(query.where(HouseholdUser.email == email))).scalar_one() is not None

    assert in_database(stored, since) is False
    for answer, taking_part in (("yes", True), ("no", False)):
        browser.go("/settings", "/settings/learning", learning=answer)
        assert in_database(stored, since) is taking_part
        assert ("You take part." in browser.page("/settings")) is taking_part


def test_a_guide_is_read_followed_and_stopped(stored: Service) -> None:
    browser = signed_up(stored)
    guide = re.findall(r"/family/guides/(\d+)\"", browser.page("/guides"))[0]
    read = browser.page(f"/guides/{guide}")
    assert "Emma now" in read
    assert read.count("<details") == 12
    browser.go("/guides", rf"/guides/{guide}/follow")
    app = api(browser, stored)
    assert len(data(app, "/plans")["plans"]) == 1  # type: ignore[arg-type]
    todo = re.findall(r"/family/todos/(\d+)\"", browser.page("/today"))[0]
    told = browser.page(f"/todos/{todo}")
    assert "How to do it" in told
    assert "Why" in told
    browser.go("/guides", r"/plans/\d+/stop")
    assert data(app, "/plans")["plans"] == []


def test_everything_goes_along_without_a_secret(stored: Service) -> None:
    browser = following(stored)
    browser.go("/today", COMPLETE, notes="a private note")
    token = browser.new_api_token()
    answer = browser.get("/export")
    assert "attachment" in answer.headers["content-disposition"]
    told = json.loads(answer.text)
    assert told["household"]["name"] == "The Johnsons"
    assert {one["name"] for one in told["household_participants"]} == {"Emma", "Sarah"}
    assert "a private note" in answer.text
    assert len(told["todos"]) > 8
    cookie = browser.client.cookies["kinderbud"]
    for secret in (token, cookie, "$argon2id$"):
        assert secret not in answer.text
    for rows in told.values():
        for row in rows if isinstance(rows, list) else [rows]:
            for name in SECRETS:
                assert row.get(name) in {None, True, False}


def test_an_admin_deletes_everything_and_a_member_leaves(stored: Service) -> None:
    admin = following(stored)
    path = admin.invitation()
    member = Browser(stored)
    member.go(path, path, name="Tom", email=new_email(), password=PASSWORD)
    member.go("/today", COMPLETE)
    for browser in (member, admin):
        wrong = browser.send("/leave", "/leave", password="not this one", everything="yes")
        assert (wrong.status_code, "not your password" in wrong.text) == (422, True)
        assert browser.get("/people").status_code == 200
    assert member.go("/leave", "/leave", password=PASSWORD) == "/login?said=goodbye"
    assert member.get("/people").status_code == SEE_OTHER
    assert "Tom" not in admin.page("/people")
    assert "a former member" in admin.page("/history")
    assert admin.go("/leave", "/leave", password=PASSWORD) == "/leave", "without the tick nothing is deleted"
    assert admin.go("/leave", "/leave", password=PASSWORD, everything="yes") == "/login?said=goodbye"
    assert admin.get("/people").status_code == SEE_OTHER


@pytest.mark.parametrize("days", ["7", "30", "90", "8", "-1", "0"])
def test_history_draws_twelve_weeks(running: Service, days: str) -> None:
    browser = following(running)
    browser.go("/today", COMPLETE)
    page = browser.page(f"/history?days={days}")
    weeks = len(re.findall(r'<g class="plant ', page))
    assert 11 * 7 < weeks <= 12 * 7
    assert page.count('class="plant sprout today"') == 1


def test_every_page_is_guarded_and_nothing_of_a_family_is_kept(running: Service) -> None:
    browser = following(running)
    todo = re.findall(r"/family/todos/(\d+)\"", browser.page("/today"))[0]
    for path in (
        "/login",
        "/today",
        f"/todos/{todo}",
        "/people",
        "/guides",
        "/history",
        "/settings",
        "/access",
        "/leave",
        "/nothing",
    ):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|<style", answer.text), path
    sheet = re.findall(r'href="/family(/static/family\.css\?[0-9a-f]+)"', browser.page("/today"))[0]
    assert "immutable" in browser.get(sheet).headers["cache-control"]
