"""Mails are sent in the background: with a few retries, then never again, and never with a forged header."""

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from api.auth.fair_queue import QueueFull
from api.auth.mail import PAUSES_SECONDS, WAITING, Mail, Mailer, composed
from api.cli.doctor import _mail
from api.kinderbud.households.rules import InvalidHousehold, checked_email
from api.settings import Settings
from tests.support.certificates import authority
from tests.support.local_servers import free_port
from tests.support.mail_server import Mailbox, mail_server

HELLO = Mail("sarah@example.com", "Hello", "A calm day.\n")


def settings(port: int, **more: Any) -> Settings:
    told = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_from": "k@example.org", "smtp_tls": "none"}
    return Settings.model_validate(told | {"public_url": "https://buddy.example.org"} | more)


def sent(mailbox: Mailbox, mails: int = 1, port: int | None = None, **more: Any) -> list[float]:
    """Send a mail and stop. Returns the pauses between tries."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def run() -> None:
        mailer = Mailer(settings(port or mailbox.port, **more), lambda: datetime.now(UTC), pause)
        mailer.start()

        async def job() -> Mail:
            return HELLO

        for _ in range(mails):
            mailer.later(job)
        await mailer.stop()

    asyncio.run(run())
    return pauses


def test_what_is_refused_for_now_is_tried_again_and_then_arrives() -> None:
    with mail_server() as mailbox:
        mailbox.refusals = ["451 later", "421 busy"]
        assert sent(mailbox) == list(PAUSES_SECONDS)
        assert (mailbox.tries, len(mailbox.mails)) == (3, 1)
        assert mailbox.mails[0].get_content() == "A calm day.\r\n"


@pytest.mark.parametrize(
    ("refusals", "tries"), [(["451 later"] * 9, len(PAUSES_SECONDS) + 1), (["550 unknown"], 1), (["554 no"], 1)]
)
def test_tries_are_bounded(refusals: list[str], tries: int) -> None:
    with mail_server() as mailbox:
        mailbox.refusals = refusals
        sent(mailbox)
        assert (mailbox.tries, mailbox.mails) == (tries, [])


def test_a_server_that_is_away_stops_nothing() -> None:
    with mail_server() as mailbox:
        pauses = sent(mailbox, mails=3, port=free_port())
        assert sorted(pauses) == sorted(PAUSES_SECONDS * 3), "two workers, so that pauses may be mixed"
        assert mailbox.mails == []


def test_what_waits_is_bounded() -> None:
    async def run() -> None:
        mailer = Mailer(settings(1), lambda: datetime.now(UTC))

        async def job() -> None:
            return None

        for _ in range(WAITING):
            mailer.later(job)
        with pytest.raises(QueueFull):
            mailer.later(job)
        mailer.start()
        await mailer.stop()
        mailer.later(job)

    asyncio.run(run())


ADDRESSES = ["a@..com", "a@b..com", "a@.b.com", ".a@b.com", "a.@b.com", "a..b@c.com", "@b.com", "a", "", "a@b\n.com"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_cannot_be_mailed_is_no_address(address: str) -> None:
    with pytest.raises(InvalidHousehold):
        checked_email(address)


@pytest.mark.parametrize("address", ADDRESSES)
def test_mails_go_on_after_one_to_what_is_no_address(address: str) -> None:
    async def run() -> None:
        mailer = Mailer(settings(mailbox.port), lambda: datetime.now(UTC))
        mailer.start()

        async def job(to: str) -> Mail:
            return replace(HELLO, to=to)

        for to in (*[address] * 5, HELLO.to):
            mailer.later(partial(job, to))
        await mailer.stop()

    with mail_server() as mailbox:
        asyncio.run(run())
        assert len(mailbox.mails) == 1


@example("a", ".")
@example(".", "b")
@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=20))
def test_no_address_that_is_taken_forges_a_header(local: str, domain: str) -> None:
    try:
        email = checked_email(f"{local}@{domain}.com")
    except InvalidHousehold:
        return
    try:
        message = composed(Mail(email, "Hello", "x"), settings(1), lambda: datetime.now(UTC))
    except ValueError:
        return
    assert message.as_bytes().split(b"\r\n\r\n")[0].count(b"\r\nTo:") == 1
    assert sorted(message.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", *_CONTENT]
    )
    assert len(message["To"].addresses) == 1


_CONTENT = ("Content-Type", "Content-Transfer-Encoding", "MIME-Version")


@pytest.mark.parametrize("subject", ["a\r\nBcc: b@example.com", "a\nb", "a\rb"])
def test_a_subject_of_two_lines_is_refused(subject: str) -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline|carriage"):
        composed(Mail("a@example.com", subject, "x"), settings(1), lambda: datetime.now(UTC))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"smtp_from": None}, "needs SMTP_FROM"),
        ({"public_url": None}, "PUBLIC_URL"),
        ({"smtp_user": "me"}, "belong together"),
        ({"smtp_host": "smtp.example.org", "smtp_user": "me", "smtp_password": "x"}, "over TLS alone"),
        ({"smtp_from": "a@example.org\r\nBcc: b@example.org"}, "one address"),
        ({"smtp_tls": "ssl"}, "starttls"),
        ({"smtp_port": 0}, "smtp_port"),
    ],
)
def test_settings_that_send_nothing_or_too_much_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(25, **wrong)


@pytest.mark.parametrize(("tls", "speaks"), [("tls", "ssl_context"), ("starttls", "tls_context")])
def test_a_mail_goes_over_tls_to_a_server_with_a_certificate_that_is_trusted(
    tls: str, speaks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE names the authority, as on a machine with its own."""
    own, other = authority(tmp_path, "own"), authority(tmp_path, "other")
    pair = own.sign("mail", "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    more = {"require_starttls": True} if tls == "starttls" else {}
    with mail_server(**{speaks: context}, **more) as mailbox:
        monkeypatch.setenv("SSL_CERT_FILE", str(other.root))
        sent(mailbox, smtp_tls=tls)
        refused = _mail(settings(mailbox.port, smtp_tls=tls))
        assert (mailbox.mails, refused.fine) == ([], False)
        assert "SSLCertVerificationError" in refused.found
        monkeypatch.setenv("SSL_CERT_FILE", str(own.root))
        assert sent(mailbox, smtp_tls=tls) == []
        assert [mail.get_content() for mail in mailbox.mails] == ["A calm day.\r\n"]
        assert _mail(settings(mailbox.port, smtp_tls=tls)).fine


def test_the_doctor_asks_the_mail_server() -> None:
    assert _mail(Settings.model_validate({})).fine
    with mail_server() as mailbox:
        assert _mail(settings(mailbox.port)).fine
        tls = _mail(settings(mailbox.port, smtp_tls="starttls"))
        assert (tls.fine, "SMTPNotSupportedError" in tls.found) == (False, True)
        user = {"smtp_user": "me", "smtp_password": SecretStr("a secret of mine")}
        refused = _mail(settings(mailbox.port, **user))
        assert (refused.fine, "a secret" in refused.found) == (False, False)
    assert not _mail(settings(free_port())).fine
