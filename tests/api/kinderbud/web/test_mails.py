"""Sign-up, joining and a forgotten password with a mail server: no answer shows which addresses exist."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.web.auth.mails import RESET_WORKS_FOR, TO_ONE
from api.models import HouseholdLink, HouseholdUser
from tests.actors.browser import OTHER, PASSWORD, SEE_OTHER, Browser, new_email
from tests.actors.family import in_database
from tests.support.local_servers import free_port
from tests.support.mail_server import Mailbox, mail_server
from tests.support.serving import Service, service


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def mailed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Mailbox]]:
    """A service with a mail server."""
    folder, port = tmp_path_factory.mktemp("mailed"), free_port()
    url = f"sqlite:///{folder}/x.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with mail_server() as mailbox:
        settings = {
            "DATABASE_URL": url,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(mailbox.port),
            "SMTP_FROM": "Kinderbud <kinderbud@example.org>",
            "SMTP_TLS": "none",
        }
        with service(folder, settings, port) as running:
            yield running, mailbox
            assert "example.com" not in running.log(), "no address is logged"


def ask(browser: Browser, email: str, **typed: str) -> httpx.Response:
    """The answer to a sign-up. The page has no password field."""
    form = {"family": "The Bakers", "name": "Noor", "email": email, "time_zone": "Asia/Manila"}
    assert "password" not in browser.form("/signup", "/signup").fields
    return browser.send("/signup", "/signup", **(form | typed))


def link_in(mailbox: Mailbox, email: str, kind: str, number: int = 1) -> str:
    """The path of a link in the newest mail."""
    text = mailbox.to(email, number)[-1].get_content()
    return str(re.findall(rf"/family(/{kind}/[^\s]+)", text)[0])


def signed_up(running: Service, mailbox: Mailbox, email: str) -> Browser:
    """A family with a verified address."""
    browser = Browser(running)
    ask(browser, email)
    path = link_in(mailbox, email, "confirm")
    assert browser.go(path, path, password=PASSWORD) == "/people?said=welcome"
    return browser


def told(answer: httpx.Response) -> tuple[int, str, set[str], bytes]:
    """All that a stranger sees of an answer."""
    names = set(answer.headers) - {"x-request-id", "date"}
    return answer.status_code, answer.headers.get("location", ""), names, answer.content


def test_signing_up_answers_the_same_for_every_address(mailed: tuple[Service, Mailbox]) -> None:
    running, mailbox = mailed
    known, unknown = new_email(), new_email()
    signed_up(running, mailbox, known)
    answers = [told(ask(Browser(running), email)) for email in (known, unknown)]
    assert answers[0] == answers[1]
    assert answers[0][:2] == (SEE_OTHER, "/family/login?said=mailed")
    assert "account already" in mailbox.to(known, 2)[-1]["Subject"]
    assert "choose a password" in mailbox.to(unknown)[-1].get_content()


def test_a_link_signs_up_once_and_the_mail_repeats_nothing_that_was_typed(mailed: tuple[Service, Mailbox]) -> None:
    running, mailbox = mailed
    email, browser = new_email(), Browser(running)
    ask(browser, email, family="Win a prize at evil.example", name="Click here")
    mail = mailbox.to(email)[0]
    assert "evil" not in mail.as_string()
    assert "Click" not in mail.as_string()
    assert (mail["From"], mail["Auto-Submitted"]) == ("Kinderbud <kinderbud@example.org>", "auto-generated")
    path = link_in(mailbox, email, "confirm")
    assert "Welcome, Click here" in browser.page(path)
    weak = browser.send(path, path, password="password123")
    assert (weak.status_code, "too easy to guess" in weak.text) == (422, True)
    assert browser.go(path, path, password=PASSWORD) == "/people?said=welcome"
    assert "evil.example" in browser.page("/people")
    again = Browser(running).send(path, path, password=OTHER)
    assert (again.status_code, "already" in again.text) == (422, True)
    forged = path[:-8] + "AAAAAAAA"
    for wrong in (forged, "/confirm/x", "/confirm/%F0%9F%98%80", f"/confirm/{'A' * 3000}"):
        assert Browser(running).get(wrong).status_code == 404


def test_joining_answers_the_same_for_every_address_and_uses_the_invitation_once(
    mailed: tuple[Service, Mailbox],
) -> None:
    running, mailbox = mailed
    known, unknown = new_email(), new_email()
    admin = signed_up(running, mailbox, known)
    path = admin.invitation()
    answers = [told(Browser(running).send(path, path, name="Tom", email=email)) for email in (known, unknown)]
    assert answers[0] == answers[1]
    second, link = Browser(running), link_in(mailbox, unknown, "confirm")
    assert second.go(link, link, password=OTHER) == "/today?said=joined"
    assert "member" in second.page("/settings")
    assert Browser(running).get(path).status_code == 404
    assert "account already" in mailbox.to(known, 2)[-1]["Subject"]


def test_a_forgotten_password_is_mailed_a_link_for_an_hour(mailed: tuple[Service, Mailbox]) -> None:
    running, mailbox = mailed
    known, unknown = new_email(), new_email()
    old = signed_up(running, mailbox, known)
    answers = [told(Browser(running).send("/forgot", "/forgot", email=email)) for email in (known, unknown, "no")]
    assert answers[0] == answers[1] == answers[2]
    path = link_in(mailbox, known, "reset", 2)

    async def waits(session: AsyncSession) -> tuple[timedelta, str]:
        query = select(HouseholdLink).join(HouseholdUser, HouseholdUser.id == HouseholdLink.user_id)
        link = (await session.scalars(query.where(HouseholdUser.email == known))).one()
        return link.expires_at - link.created_at, link.digest

    works_for, digest = in_database(running, waits)
    assert (works_for, path.rpartition("/")[2] in digest) == (RESET_WORKS_FOR, False)
    browser = Browser(running)
    assert browser.go(path, path, password=OTHER) == "/today?said=password"
    assert old.get("/people").status_code == SEE_OTHER
    assert Browser(running).get(path).status_code == 404
    assert [mail for mail in mailbox.mails if mail["To"] == unknown] == []


def test_one_address_gets_so_many_mails_and_no_more(mailed: tuple[Service, Mailbox]) -> None:
    running, mailbox = mailed
    email, after = new_email(), new_email()
    statuses = [ask(Browser(running), email).status_code for _ in range(TO_ONE.amount + 3)]
    assert set(statuses) == {SEE_OTHER}
    ask(Browser(running), after)
    mailbox.to(after)
    assert len(mailbox.to(email, TO_ONE.amount)) == TO_ONE.amount


@pytest.mark.parametrize(
    "email",
    [
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com,b@example.com",
        "<a@example.com>",
        "a b@example.com",
        "a@example.com\0",
        '"a"@example.com',
        "a@exam\u2028ple.com",
    ],
)
def test_an_address_that_could_forge_a_header_is_refused(mailed: tuple[Service, Mailbox], email: str) -> None:
    running, mailbox = mailed
    before = len(mailbox.mails)
    assert ask(Browser(running), email).status_code in {400, 422}
    assert ask(Browser(running), new_email(), name="a\r\nBcc: b@example.com").status_code in {SEE_OTHER, 422}
    assert all("Bcc" not in mail for mail in mailbox.mails[before:])
