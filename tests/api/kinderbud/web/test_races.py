"""Concurrent requests to the family's pages: unique rows stay unique, and nothing fails."""

import asyncio
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.keyring import Keyring
from api.clock import utc_now
from api.db.engine import open_database
from api.http.rate_limits import address_of
from api.kinderbud.households.rules import MOST_CHILDREN
from api.kinderbud.today.app_state import DayServices
from api.kinderbud.today.prefetch import choose_ahead
from api.models import Household
from api.observability.metrics import Metrics
from api.policies import ServedPolicy
from api.settings import Settings
from coach_model.daily.coach import CONTRACT
from tests.actors.browser import OTHER, PASSWORD, SEE_OTHER, Browser, following, new_email, signed_up
from tests.actors.family import Family, in_database
from tests.actors.person import somewhere
from tests.support.serving import Service, request, service

HANDS = 6


def at_once(browser: Browser, path: str, fields: dict[str, str]) -> list[int]:
    """The statuses of the same form, sent concurrently."""
    cookies, headers = dict(browser.client.cookies), dict(browser.client.headers)

    def send(_: int) -> int:
        url = browser.base + path
        return request("POST", url, data=fields, cookies=cookies, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(HANDS) as hands:
        return sorted(hands.map(send, range(HANDS)))


def test_what_many_hands_add_at_once_is_there_once(stored: Service) -> None:
    browser = following(stored)
    form = browser.form("/today", "/todos").fields | {"title": "Read a story"}
    assert at_once(browser, "/todos", form) == [SEE_OTHER] * HANDS
    assert len(re.findall(r"<h4>Read a story</h4>", browser.page("/today"))) == 1
    token = browser.form("/access", "/access/tokens").fields | {"name": "Tablet"}
    assert at_once(browser, "/access/tokens", token) == [200, *[422] * (HANDS - 1)]
    child = browser.form("/people", "/people").fields | {"name": "Mia", "birthday": "2025-01-02"}
    assert at_once(browser, "/people", child) == [SEE_OTHER] * HANDS
    assert len(re.findall(r"<h2>Mia</h2>", browser.page("/people"))) == 1


def test_leaving_twice_at_once_is_leaving_once(stored: Service) -> None:
    browser = signed_up(stored)
    form = browser.form("/leave", "/leave").fields | {"password": PASSWORD, "everything": "yes"}
    statuses = at_once(browser, "/leave", form)
    assert SEE_OTHER in statuses
    assert set(statuses) <= {SEE_OTHER, 404}


def test_no_login_with_the_old_password_outlives_the_new_one(stored: Service) -> None:
    email = new_email()
    owner = signed_up(stored, email)
    thieves = [Browser(stored) for _ in range(HANDS)]
    forms = [thief.form("/login", "/login").fields for thief in thieves]
    change = owner.form("/settings", "/settings/password").fields | {"present": PASSWORD, "password": OTHER}

    def act(number: int) -> int:
        if number == HANDS // 2:
            return owner.post("/settings/password", change).status_code
        mine = number if number < HANDS // 2 else number - 1
        return thieves[mine].post("/login", forms[mine] | {"email": email, "password": PASSWORD}).status_code

    with ThreadPoolExecutor(HANDS + 1) as hands:
        assert list(hands.map(act, range(HANDS + 1)))[HANDS // 2] == SEE_OTHER
    assert [thief.get("/people").status_code for thief in thieves] == [SEE_OTHER] * HANDS
    assert owner.get("/people").status_code == 200


def test_a_new_password_ends_the_links_that_waited(stored: Service) -> None:
    email = new_email()
    browser = signed_up(stored, email)
    made = json.loads(stored.buddy("household", "reset-link", email, "--json"))["link"].partition("/family")[2]
    browser.go("/settings", "/settings/password", present=PASSWORD, password=OTHER)
    assert Browser(stored).get(made).status_code == 404


def test_a_time_zone_that_the_list_has_not_stays(running: Service) -> None:
    browser = signed_up(running, zone="US/Eastern")
    assert browser.go("/settings", "/settings/household", name="The Bakers") == "/settings?said=saved"
    assert browser.form("/settings", "/settings/household").fields["time_zone"] == "US/Eastern"


def test_a_household_has_so_many_children_and_no_more(running: Service) -> None:
    browser = signed_up(running, child=None)
    fields = browser.form("/people", "/people").fields
    add = [
        browser.post("/people", fields | {"name": f"Child {n}", "birthday": "2024-11-15"})
        for n in range(MOST_CHILDREN + 1)
    ]
    assert [answer.status_code for answer in add] == [SEE_OTHER] * MOST_CHILDREN + [422]
    assert "at most 20 children" in add[-1].text


def test_the_cookie_is_as_public_url_says(tmp_path: Path) -> None:
    with service(tmp_path, {"PUBLIC_URL": "https://buddy.example.org/"}) as running:
        told = request("GET", f"{running.url}/family/login", headers=somewhere()).headers["set-cookie"]
        assert told.startswith("__Host-kinderbud=")
        assert f"Max-Age={180 * 24 * 3600}" in told


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a:strange:name", "a:strange:name"),
    ],
)
def test_a_line_counts_once_however_many_addresses_it_has(host: str, counted: str) -> None:
    assert address_of({"client": (host, 1)}) == counted


def test_a_morning_has_no_zone_of_its_own() -> None:
    assert Settings(curate_at=time(5)).curate_at == time(5)
    for wrong in (time(5, tzinfo=UTC), "25:00", "soon"):
        with pytest.raises(ValidationError):
            Settings(curate_at=wrong)


def test_one_family_that_is_gone_takes_no_other_familys_morning(stored: Service) -> None:
    gone, there = Family(stored), Family(stored)
    there.follow()

    async def read(session: AsyncSession) -> list[Household]:
        return list(await session.scalars(select(Household).where(Household.id.in_([gone.id, there.id]))))

    households = in_database(stored, read)
    stored.buddy("household", "delete", str(gone.id), "--yes")

    async def choose() -> list[Any]:
        database = open_database(stored.environment["DATABASE_URL"])
        metrics = Metrics()
        daily = ServedPolicy(CONTRACT, None, metrics)  # not started: the rules choose
        services = DayServices(database, utc_now, daily, metrics, Keyring(["a secret for tests"]), Settings())
        try:
            return [one async for one in choose_ahead(services, households)]
        finally:
            await database.close()

    (chosen,) = asyncio.run(choose())
    assert (chosen.household_id, chosen.source, chosen.is_new) == (there.id, "rules", True)
