"""Access to the family's pages: sign-up, login, logout, new passwords, invitations, and too many tries."""

import hashlib
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.web.sessions import IDLE
from api.models import HouseholdBrowser, HouseholdLink, HouseholdSession, HouseholdUser
from tests.actors.browser import OTHER, PASSWORD, SEE_OTHER, Browser, link, new_email, signed_up
from tests.actors.family import in_database
from tests.actors.person import somewhere
from tests.support.serving import Server, Service, request

TRIES = 10


def until(came: Callable[[], bool]) -> None:
    """Wait for background work of a service."""
    deadline = time.monotonic() + 20
    while not came():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def household_of(service: Service, email: str) -> int:
    async def read(session: AsyncSession) -> int:
        return (
            await session.execute(select(HouseholdUser.household_id).where(HouseholdUser.email == email))
        ).scalar_one()

    return in_database(service, read)


def test_who_signs_up_is_logged_in_and_comes_back_with_the_password(stored: Service) -> None:
    email = new_email()
    browser = signed_up(stored, email)
    assert "Emma" in browser.page("/people")
    again = Browser(stored)
    assert again.get("/people").headers["location"] == "/family/login?next=/people"
    answer = again.send("/login?next=/people", "/login", email=f"  {email.upper()} ", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (SEE_OTHER, "/family/people")
    assert "Emma" in again.page("/people")


def test_passwords_are_argon2id_and_secrets_are_stored_as_digests(stored: Service) -> None:
    email = new_email()
    browser = signed_up(stored, email)

    async def read(session: AsyncSession) -> tuple[str | None, list[str]]:
        user = (await session.scalars(select(HouseholdUser).where(HouseholdUser.email == email))).one()
        sessions = await session.scalars(select(HouseholdSession).where(HouseholdSession.owner_id == user.id))
        browsers = await session.scalars(select(HouseholdBrowser).where(HouseholdBrowser.owner_id == user.id))
        return user.password_hash, [one.digest for one in [*sessions, *browsers]]

    hashed, digests = in_database(stored, read)
    assert hashed is not None
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    cookies = [browser.client.cookies["kinderbud"], browser.client.cookies["kinderbud-browser"]]
    assert digests == [hashlib.sha256(cookie.encode()).hexdigest() for cookie in cookies]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "short"}, "10 to 200 characters"),
        ({"password": "aaaaaaaaaaaa"}, "too easy"),
        ({"password": "x" * 201}, "10 to 200 characters"),
        ({"email": "nobody"}, "looks like"),
        ({"family": "  "}, "1 to 80 characters"),
        ({"name": "a\u202eb"}, "1 to 80 characters"),
        ({"time_zone": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_that_was_typed_is_lost(
    running: Service, wrong: dict[str, str], said: str
) -> None:
    typed = {
        "family": "The Bakers",
        "name": "Noor",
        "email": new_email(),
        "password": PASSWORD,
        "time_zone": "Asia/Manila",
    }
    answer = Browser(running).send("/signup", "/signup", **(typed | wrong))
    assert answer.status_code == 422
    assert said in answer.text
    kept = {name: value for name, value in typed.items() if name not in wrong and name != "password"}
    for value in kept.values():
        assert value in answer.text
    assert PASSWORD not in answer.text


def test_the_address_itself_is_no_password_and_a_taken_one_is_taken(running: Service) -> None:
    email, other = new_email(), new_email()
    signed_up(running, email)
    typed = {"family": "The Bakers", "name": "Noor", "email": email, "password": PASSWORD}
    taken = Browser(running).send("/signup", "/signup", **typed)
    assert (taken.status_code, "already" in taken.text) == (422, True)
    named = Browser(running).send("/signup", "/signup", **(typed | {"email": other, "password": other}))
    assert (named.status_code, "not use your name" in named.text) == (422, True)


def test_logging_out_holds_for_every_copy_of_the_cookie(stored: Service) -> None:
    browser = signed_up(stored)
    copy = Browser(stored)
    copy.client.cookies = httpx.Cookies(browser.client.cookies)
    assert copy.get("/people").status_code == 200
    assert browser.go("/settings", "/logout") == "/login"
    for one in (browser, copy):
        assert one.get("/people").status_code == SEE_OTHER


def test_a_session_is_a_new_one_at_every_login_and_ends_when_no_one_comes(stored: Service) -> None:
    email = new_email()
    signed_up(stored, email)
    browser = Browser(stored)
    browser.page("/login")
    before = dict(browser.client.cookies)
    browser.log_in(email)
    assert dict(browser.client.cookies) != before

    async def age(session: AsyncSession) -> None:
        users = select(HouseholdUser.id).where(HouseholdUser.email == email)
        long_ago = datetime.now(UTC) - IDLE - timedelta(minutes=1)
        theirs = HouseholdSession.owner_id.in_(users)
        await session.execute(update(HouseholdSession).where(theirs).values(seen_at=long_ago))

    assert browser.get("/people").status_code == 200
    in_database(stored, age)
    assert browser.get("/people").status_code == SEE_OTHER


def test_no_one_learns_whether_an_address_is_known(running: Service) -> None:
    known, unknown = new_email(), new_email()
    signed_up(running, known)
    answers = [Browser(running).log_in(email, "not the password") for email in (known, unknown)]
    assert {answer.status_code for answer in answers} == {403}
    said = [answer.text.replace(known, "").replace(unknown, "") for answer in answers]
    assert re.sub(r'value="[0-9a-f]{64}"', "", said[0]) == re.sub(r'value="[0-9a-f]{64}"', "", said[1])
    asked = [Browser(running).send("/forgot", "/forgot", email=email) for email in (known, unknown, "nonsense")]
    assert {(answer.status_code, answer.headers["location"]) for answer in asked} == {
        (SEE_OTHER, "/family/login?said=asked")
    }


@pytest.mark.long
def test_after_ten_wrong_passwords_not_even_the_right_one_opens(stored: Service) -> None:
    email = new_email()
    signed_up(stored, email)
    browser = Browser(stored)
    assert [browser.log_in(email, f"not the password {n}").status_code for n in range(TRIES)] == [403] * TRIES
    locked = browser.log_in(email)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60
    assert Browser(stored).log_in(email).status_code == SEE_OTHER, "from elsewhere the family still comes in"


def test_a_right_password_forgets_the_wrong_ones(running: Service) -> None:
    email = new_email()
    signed_up(running, email)
    browser = Browser(running)
    for _ in range(2):
        for n in range(TRIES - 1):
            assert browser.log_in(email, f"not the password {n}").status_code == 403
        assert browser.log_in(email).status_code == SEE_OTHER
        browser.go("/settings", "/logout")


def test_a_link_sets_a_new_password_once_and_logs_all_other_browsers_out(stored: Service) -> None:
    email = new_email()
    old = signed_up(stored, email)
    Browser(stored).send("/forgot", "/forgot", email=email)
    until(lambda: email in stored.buddy("household", "waiting"))
    first = link(stored, "reset-link", email)
    path = link(stored, "reset-link", email)
    assert email not in stored.buddy("household", "waiting")
    browser = Browser(stored)
    assert browser.get(first).status_code == 404, "a later link ends an earlier one"
    assert browser.get(path).status_code == browser.get(path).status_code == 200, "opening it uses nothing up"
    weak = browser.send(path, path, password="short")
    assert (weak.status_code, browser.get(path).status_code) == (422, 200)
    form = browser.form(path, path)
    assert browser.go(path, path, password=OTHER) == "/today?said=password"
    assert old.get("/people").status_code == SEE_OTHER
    assert browser.get("/people").status_code == 200
    assert browser.post(path, form.fields | {"password": "and once more, please"}).status_code in {403, 404}
    assert Browser(stored).get(path).status_code == 404
    assert Browser(stored).log_in(email).status_code == 403
    assert Browser(stored).log_in(email, OTHER).status_code == SEE_OTHER


def test_who_was_made_by_a_command_gets_a_first_password_by_a_link(stored: Service) -> None:
    email = new_email()
    stored.buddy("household", "create", "--name", "The Bakers", "--user", f"Noor:{email}")
    assert Browser(stored).log_in(email, "").status_code == 403
    path = link(stored, "reset-link", email)
    browser = Browser(stored)
    browser.go(path, path, password=OTHER)
    assert "The Bakers" in browser.page("/people")


def test_a_second_parent_joins_by_an_invitation_that_works_once(stored: Service) -> None:
    first = signed_up(stored)
    path = first.invitation()
    assert path not in first.page("/access"), "it is shown once"
    second = Browser(stored)
    assert "Join The Johnsons" in second.page(path)
    email = new_email()
    taken = second.send(path, path, name="Tom", email="nonsense", password=OTHER)
    assert (taken.status_code, second.get(path).status_code) == (422, 200), "what does not fit uses nothing up"
    assert second.go(path, path, name="Tom", email=email, password=OTHER) == "/today?said=joined"
    assert "Emma" in second.page("/people")
    assert "member" in second.page("/settings")
    assert Browser(stored).get(path).status_code == 404


def test_many_who_have_the_same_link_are_one(stored: Service) -> None:
    email = new_email()
    signed_up(stored, email)
    invitation = link(stored, "invite", str(household_of(stored, email)))
    browsers = [Browser(stored) for _ in range(8)]
    forms = [browser.form(invitation, invitation) for browser in browsers]

    def join(number: int) -> int:
        typed = {"name": f"Tom{number}", "email": new_email(), "password": OTHER}
        return browsers[number].post(invitation, forms[number].fields | typed).status_code

    with ThreadPoolExecutor(8) as crowd:
        assert sorted(crowd.map(join, range(8))) == [SEE_OTHER, *[404] * 7]


def test_an_invitation_runs_out_and_can_be_taken_back(stored: Service) -> None:
    email = new_email()
    browser = signed_up(stored, email)
    household = household_of(stored, email)
    path = link(stored, "invite", str(household))
    assert browser.go("/access", r"/access/invitations/\d+/revoke") == "/access?said=revoked#invitations"
    assert Browser(stored).get(path).status_code == 404
    late = link(stored, "invite", str(household))

    async def expire(session: AsyncSession) -> None:
        mine = HouseholdLink.household_id == household
        await session.execute(update(HouseholdLink).where(mine).values(expires_at=datetime.now(UTC)))

    in_database(stored, expire)
    assert Browser(stored).get(late).status_code == 404


def test_a_member_is_no_admin(running: Service) -> None:
    email = new_email()
    signed_up(running, email)
    path = link(running, "invite", str(household_of(running, email)))
    member = Browser(running)
    member.go(path, path, name="Tom", email=new_email(), password=OTHER)
    token = member.form("/settings", "/logout").fields["form_token"]
    for action in (
        "/settings/household",
        "/settings/claude",
        "/settings/learning",
        "/access/invitations",
        "/access/invitations/1/revoke",
    ):
        refused = member.post(action, {"form_token": token, "name": "Mine", "key": "sk-ant-x", "learning": "yes"})
        assert (refused.status_code, "Only for admins" in refused.text) == (403, True), action
    assert "Invite a second parent" not in member.page("/access")


def test_another_password_needs_the_present_one_and_ends_every_other_session(stored: Service) -> None:
    email = new_email()
    browser, other = signed_up(stored, email), Browser(stored)
    other.log_in(email)
    wrong = browser.send("/settings", "/settings/password", present="not this one", password=OTHER)
    assert (wrong.status_code, "not your current password" in wrong.text) == (422, True)
    assert other.get("/people").status_code == 200
    assert browser.go("/settings", "/settings/password", present=PASSWORD, password=OTHER) == "/settings?said=password"
    assert browser.get("/people").status_code == 200
    assert other.get("/people").status_code == SEE_OTHER
    assert Browser(stored).log_in(email, OTHER).status_code == SEE_OTHER


def test_the_cookie_is_httponly_lax_and_over_https_secure_and_of_this_host(running: Service) -> None:
    plain = request("GET", f"{running.url}/family/login", headers=somewhere()).headers["set-cookie"]
    assert plain.startswith("kinderbud=")
    assert {"HttpOnly", "SameSite=lax", "Path=/family"} <= set(plain.split("; "))
    for headers in ({"X-Forwarded-Proto": "https"}, {"Host": "buddy.example.org"}):
        told = request("GET", f"{running.url}/family/login", headers=somewhere() | headers).headers["set-cookie"]
        assert told.startswith("__Host-kinderbud=")
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Secure"} <= set(told.split("; "))
        assert "Domain" not in told


def test_signing_up_is_bounded_by_address(running: Service) -> None:
    browser = Browser(running)
    form = browser.form("/signup", "/signup")
    typed = {"family": "The Bakers", "name": "Noor", "email": "nonsense", "password": PASSWORD}
    statuses = [browser.post("/signup", form.fields | typed).status_code for _ in range(22)]
    assert statuses == [422] * 10 + [429] * 12, "it tells which addresses are taken"


def test_no_secret_is_in_any_log(stored_server: Server) -> None:
    email = new_email()
    browser = signed_up(stored_server, email)
    path = link(stored_server, "reset-link", email)
    browser.page(path)
    Browser(stored_server).log_in(email, OTHER)
    cookies = list(browser.client.cookies.values())
    log = stored_server.log()
    assert "/family/login" in log
    for secret in (PASSWORD, OTHER, email, *cookies, path.rpartition("/")[2]):
        assert secret not in log
