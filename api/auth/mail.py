"""Mails that verify an address. They are sent in the background, after their data is committed.
A request only adds a job to a bounded queue, for known and unknown addresses; the job looks the address up. So the
answer and its time do not show which addresses exist. If the process ends, its waiting mails are lost and people ask
again. An outbox in the database would store strangers' addresses, and a row for each try.

"""

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.auth.fair_queue import QueueFull
from api.clock import Clock
from api.db.failures import MAY_BE_AWAY
from api.settings import Settings, SmtpTls

TIMEOUT_SECONDS = 10.0
"""Time limit of each SMTP step."""
PAUSES_SECONDS = (1.0, 5.0)
"""Pauses before the second and the third try; there is no fourth."""
WORKERS = 2
WAITING = 100
STOPPING_SECONDS = 5.0
"""How long a stopping service continues to send waiting mails."""

log = structlog.get_logger("api.mail")


@dataclass(frozen=True)
class Mail:
    """A mail in plain text. It contains no text that a stranger typed, so that it cannot carry a stranger's message."""

    to: str
    subject: str
    text: str


type Job = Callable[[], Awaitable[Mail | None]]
type Pause = Callable[[float], Awaitable[None]]


class Mailer:
    """Runs jobs one after another and sends the mails that they return, if there is a mail server (SMTP_HOST)."""

    def __init__(self, settings: Settings, clock: Clock, pause: Pause = asyncio.sleep) -> None:
        self.settings = settings
        self.clock = clock
        self._pause = pause
        self.is_on = settings.smtp_host is not None
        self._jobs: asyncio.Queue[Job] = asyncio.Queue(WAITING)
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the worker."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(WORKERS)]

    async def stop(self) -> None:
        """Finish waiting jobs within a time limit, then stop."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOPPING_SECONDS):
                await self._jobs.join()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    def later(self, job: Job) -> None:
        """Add a job to run in the background. Raises QueueFull."""
        try:
            self._jobs.put_nowait(job)
        except asyncio.QueueFull as error:
            raise QueueFull from error

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                mail = await job()
                if mail is not None and self.is_on:
                    await self._send(mail)
            except (SQLAlchemyError, *MAY_BE_AWAY, ValueError, smtplib.SMTPException) as error:
                log.error("a mail was not sent", why=type(error).__name__)
            finally:
                self._jobs.task_done()

    async def _send(self, mail: Mail) -> None:
        """Send a mail; one try more than there are pauses. Raises the last error."""
        message = composed(mail, self.settings, self.clock)
        for pause in (*PAUSES_SECONDS, None):
            try:
                await asyncio.to_thread(deliver, message, self.settings)
            except (OSError, smtplib.SMTPException) as error:
                if pause is None or is_final(error):
                    raise
                await self._pause(pause)
            else:
                log.info("a mail was sent")
                return


def composed(mail: Mail, settings: Settings, clock: Clock) -> EmailMessage:
    """The message. Raises ValueError for an address or a subject that is none or could forge a header."""
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.smtp_from
    try:
        message["To"] = Address(addr_spec=mail.to)
    except (MessageError, IndexError) as error:  # what the parser raises for some addresses is no ValueError
        raise ValueError("this is no e-mail address") from error
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(clock())
    message["Message-ID"] = make_msgid(domain=str(settings.smtp_from).rpartition("@")[2].strip(" >"))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


def deliver(message: EmailMessage, settings: Settings) -> None:
    """Send a message to the mail server. Raises OSError, smtplib.SMTPException."""
    with connected(settings) as server:
        server.send_message(message)


@contextlib.contextmanager
def connected(settings: Settings):  # type: ignore[no-untyped-def]
    """An SMTP connection after TLS and login. Raises OSError, smtplib.SMTPException."""
    host, tls = settings.smtp_host or "", ssl.create_default_context()
    server: smtplib.SMTP
    if settings.smtp_tls is SmtpTls.TLS:
        server = smtplib.SMTP_SSL(host, settings.smtp_port, timeout=TIMEOUT_SECONDS, context=tls)
    else:
        server = smtplib.SMTP(host, settings.smtp_port, timeout=TIMEOUT_SECONDS)
    with server:
        if settings.smtp_tls is SmtpTls.STARTTLS:
            server.starttls(context=tls)
        if settings.smtp_user is not None and settings.smtp_password is not None:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        yield server


def is_final(error: Exception) -> bool:
    """Whether a retry is useless: the server refused permanently (RFC 5321: 5yz)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())  # noqa: PLR2004 - the number in the RFC
    final = smtplib.SMTPNotSupportedError | smtplib.SMTPAuthenticationError
    refused = isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500  # noqa: PLR2004
    return refused or isinstance(error, final)
