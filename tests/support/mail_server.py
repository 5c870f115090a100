"""A real mail server for the tests: it stores the mails, and refuses a given number of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.local_servers import free_port

WAITING_SECONDS = 30


class Mailbox:
    """What the server took, in order; `refusals` are answered first."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusals: list[str] = []
        self.tries = 0
        self.port = free_port()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.tries += 1
        if self.refusals:
            return self.refusals.pop(0)
        mail = message_from_bytes(envelope.content, policy=policy.SMTP)
        assert isinstance(mail, EmailMessage)
        assert mail["To"] == envelope.rcpt_tos[0]
        self.mails.append(mail)
        return "250 OK"

    def to(self, address: str, number: int = 1) -> list[EmailMessage]:
        """The mails to an address, once there are so many."""
        deadline = time.monotonic() + WAITING_SECONDS
        while time.monotonic() < deadline:
            found = [mail for mail in self.mails if mail["To"] == address]
            if len(found) >= number:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{number} mails were expected, there are {len(found)}")


@contextmanager
def mail_server(**tls: Any) -> Iterator[Mailbox]:
    """A server on a free port. `ssl_context` makes it speak TLS from the first byte, `tls_context` after STARTTLS."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **tls)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
