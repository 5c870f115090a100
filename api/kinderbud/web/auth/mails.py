"""The mails of the pages: a sign-up link, a link for a new password, or a note that the account exists already."""

from datetime import datetime, timedelta

import msgspec
from fastapi import Request
from limits import parse

from api.app_state import services_of
from api.auth.cookies import secret_digest
from api.auth.keyring import Keyring, SecretMissing
from api.auth.login_throttle import LoginThrottle
from api.auth.mail import Mail
from api.kinderbud.households import actions, queries
from api.kinderbud.web.rendering import address

SIGNUP_WORKS_FOR = timedelta(days=1)
RESET_WORKS_FOR = timedelta(hours=1)
TO_ONE = parse("3/hour")
"""The most mails to one address."""
PURPOSE = "kinderbud signup 1"
"""Marks a sign-up among the values that the key ring encrypts."""
FOOT = "\nIf you did not ask for this mail, do nothing. Nothing has changed.\n"
UNKNOWN = "Go on here, and choose a password:\n\n{link}\n\nThe link works for a day, once.\n" + FOOT
KNOWN = (
    "You have an account at Kinderbud with this address already.\n\nLog in: {login}\nA new password: {forgot}\n" + FOOT
)
RESET = "Set a new password here:\n\n{link}\n\nThe link works for an hour, once.\n" + FOOT


class Signup(msgspec.Struct, frozen=True):
    """A sign-up. It is in the mail's link, encrypted, so that strangers leave no rows. With `invitation`, the secret of
    one, it joins a household; else `family` and `time_zone` describe a new one.
    """

    purpose: str
    email: str
    name: str
    family: str
    time_zone: str
    invitation: str | None
    until: float


def signup(
    email: str, name: str, now: datetime, *, family: str = "", time_zone: str = "", invitation: str | None = None
) -> Signup:
    """The link value for a sign-up that waits for its mail."""
    return Signup(PURPOSE, email, name, family, time_zone, invitation, (now + SIGNUP_WORKS_FOR).timestamp())


def signup_in(keyring: Keyring, link: str, now: datetime) -> Signup | None:
    """The sign-up in a link, while the link is valid."""
    try:
        found = msgspec.json.decode(keyring.unwrap(link), type=Signup)
    except (SecretMissing, msgspec.DecodeError, ValueError):
        return None
    return found if found.purpose == PURPOSE and found.until > now.timestamp() else None


async def mail_signup(request: Request, wanted: Signup) -> None:
    """Mail the sign-up link. A known address gets a note that it is known. Raises QueueFull."""
    services = services_of(request)
    link = address(request, "/confirm/" + services.keyring.wrap(msgspec.json.encode(wanted)).rstrip("="))
    login, forgot = address(request, "/login"), address(request, "/forgot")

    async def job() -> Mail | None:
        if not await _may_mail(services.attempts, wanted.email):
            return None
        async with services.database.read() as session:
            known = await queries.user_with_email(session, wanted.email) is not None
        if known:
            return Mail(wanted.email, "You have a Kinderbud account already", KNOWN.format(login=login, forgot=forgot))
        return Mail(wanted.email, "Your Kinderbud account", UNKNOWN.format(link=link))

    services.mailer.later(job)


def ask_for_reset(request: Request, email: str, now: datetime) -> None:
    """Mail a link for a new password. Without a mail server, record the request for operators. Raises QueueFull."""
    services = services_of(request)

    async def job() -> Mail | None:
        if services.mailer.is_on and not await _may_mail(services.attempts, email):
            return None
        async with services.database.write() as session:
            user = await queries.user_with_email(session, email)
            if user is None:
                return None
            if not services.mailer.is_on:
                user.reset_asked_at = now
                return None
            _, secret = await actions.make_link(session, user.household_id, now, user, works_for=RESET_WORKS_FOR)
        link = address(request, f"/reset/{secret}")
        return Mail(email, "A new password for Kinderbud", RESET.format(link=link))

    services.mailer.later(job)


async def _may_mail(attempts: LoginThrottle, email: str) -> bool:
    key = f"family/mail/{secret_digest(email)[:32]}"
    return await attempts.limits.seconds_to_wait(TO_ONE, key) is None
