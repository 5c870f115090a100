"""What a new password ends, and which accounts a browser remembers."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.known_browsers import MOST_BROWSERS
from api.kinderbud.web.sessions import BROWSERS, SESSIONS
from api.models import HouseholdBrowser, HouseholdSession, HouseholdUser
from tests.actors.browser import OTHER, PASSWORD, SEE_OTHER, Browser, link, new_email, signed_up
from tests.actors.family import in_database
from tests.actors.person import somewhere
from tests.support.serving import CLIENT, Service


def test_another_password_ends_every_token_link_and_known_browser(stored: Service) -> None:
    email = new_email()
    browser = signed_up(stored, email)

    def token() -> str:
        return browser.new_api_token()

    def status(shown: str) -> int:
        headers = {"Authorization": f"Bearer {shown}"}
        return CLIENT.get(f"{stored.url}/api/v1/me", headers=headers | somewhere()).status_code

    def change() -> None:
        browser.go("/settings", "/settings/password", present=PASSWORD, password=OTHER)

    def reset() -> None:
        path = link(stored, "reset-link", email)
        browser.go(path, path, password=PASSWORD)

    for renew in (change, reset):
        shown = token()
        invitation = browser.invitation()
        known = link(stored, "browser-link", email)
        assert (status(shown), Browser(stored).get(invitation).status_code) == (200, 200)
        before = httpx.Cookies(browser.client.cookies)
        renew()
        assert status(shown) == 401
        assert Browser(stored).get(invitation).status_code == 404, "a thief may have made it"
        assert Browser(stored).get(known).status_code == 404
        after = dict(browser.client.cookies)
        assert {name for name, value in before.items() if after[name] == value} == set()
        assert browser.get("/people").status_code == 200, "this browser has a new session"
        old = Browser(stored)
        old.client.cookies = before
        assert old.get("/people").status_code == SEE_OTHER

    async def known_browsers(session: AsyncSession) -> int:
        theirs = HouseholdBrowser.owner_id.in_(select(HouseholdUser.id).where(HouseholdUser.email == email))
        return len((await session.scalars(select(HouseholdBrowser).where(theirs))).all())

    assert in_database(stored, known_browsers) == 1


def test_a_browser_keeps_a_secret_for_each_account_and_a_planted_one_becomes_no_ones(running: Service) -> None:
    emails = [new_email() for _ in range(3)]
    attacker = signed_up(running, emails[0])
    planted = attacker.client.cookies["kinderbud-browser"]
    for email in emails[1:]:
        signed_up(running, email)
    victim = Browser(running)
    victim.client.cookies.set("kinderbud-browser", planted, domain="127.0.0.1", path="/family")
    for email in emails[1:]:
        assert victim.log_in(email).status_code == SEE_OTHER
        victim.go("/settings", "/logout")
    secrets_kept = victim.client.cookies["kinderbud-browser"].split(".")
    assert len(secrets_kept) == 3
    assert secrets_kept[-1] == planted

    async def owners(session: AsyncSession) -> list[str]:
        joined = select(HouseholdUser.email).join(HouseholdBrowser, HouseholdBrowser.owner_id == HouseholdUser.id)
        digest = hashlib.sha256(planted.encode()).hexdigest()
        return list(await session.scalars(joined.where(HouseholdBrowser.digest == digest)))

    assert in_database(running, owners) == [emails[0]]


def test_an_account_has_so_many_sessions_and_known_browsers_and_no_more(running: Service) -> None:
    email = new_email()
    first = signed_up(running, email)

    async def fill(session: AsyncSession) -> tuple[int, int]:
        user = (await session.scalars(select(HouseholdUser).where(HouseholdUser.email == email))).one()
        now = datetime.now(UTC) + timedelta(minutes=1)
        for _ in range(SESSIONS.most):
            await SESSIONS.begin(session, user.id, now)
            await BROWSERS.remember(session, user.id, [], now)
        counted = select(func.count()).select_from(HouseholdSession).where(HouseholdSession.owner_id == user.id)
        known = select(func.count()).select_from(HouseholdBrowser).where(HouseholdBrowser.owner_id == user.id)
        return await session.scalar(counted) or 0, await session.scalar(known) or 0

    assert in_database(running, fill) == (SESSIONS.most, MOST_BROWSERS)
    assert first.get("/people").status_code == SEE_OTHER, "the oldest session ended"


def test_no_token_of_a_thief_outlives_the_new_password(stored: Service) -> None:
    """Concurrent requests create tokens and invitations while the password changes: none of them works afterwards."""
    email = new_email()
    owner, thief = signed_up(stored, email), Browser(stored)
    thief.log_in(email)
    tokens = thief.form("/access", "/access/tokens").fields
    invitations = thief.form("/access", "/access/invitations").fields
    change = owner.form("/settings", "/settings/password").fields | {"present": PASSWORD, "password": OTHER}

    def act(number: int) -> str:
        if number == 3:
            return str(owner.post("/settings/password", change).status_code)
        if number % 2:
            return thief.post("/access/invitations", invitations).text
        return thief.post("/access/tokens", tokens | {"name": f"mine {number}"}).text

    with ThreadPoolExecutor(8) as hands:
        answers = list(hands.map(act, range(8)))
    assert answers[3] == str(SEE_OTHER)
    for text in answers:
        for shown in re.findall(r"kb_live_[0-9a-f]{32}", text):
            headers = {"Authorization": f"Bearer {shown}"} | somewhere()
            assert CLIENT.get(f"{stored.url}/api/v1/me", headers=headers).status_code == 401
        for path in re.findall(r"/join/[A-Za-z0-9_-]{43}", text):
            assert Browser(stored).get(path).status_code == 404
