"""Login and logout of the admin, in the format of FastAdmin's pages, with our own sessions.
FastAdmin's session is a signed token that stays valid after logout, so it never leaves this process. A browser has our
own cookie. Each of its requests gets a token of FastAdmin's that is valid for a minute.

"""

import secrets
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from typing import Annotated

import jwt
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import HTTPException
from pydantic import AfterValidator, BaseModel, Field, SecretStr
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.admin import queries
from api.admin.accounts import BROWSERS, LONGEST, SESSIONS, LoggedIn, logged_in
from api.app_state import services_of
from api.auth.cookies import Cookie
from api.auth.csrf import is_cross_site
from api.auth.fair_queue import QueueFull
from api.auth.login_throttle import Attempt
from api.clock import utc_now
from api.dependencies import Now, is_plain
from api.http.rate_limits import address_of
from api.http.text import storable
from api.models import Operator

COOKIE = Cookie("buddy-admin", "/admin", int(LONGEST.total_seconds()))
DOOR = "admin"
INNER_COOKIE = "admin_session_id"
INNER_SECONDS = 60
INNER_KEY_BYTES = 32
TRIED_ELSEWHERE = (
    "Too many tries in browsers that never logged in here. Use one that did, or make this one known: "
    "run `buddy admin browser-link` where the service runs."
)
WRONG = "This name and this password do not belong together."

current: ContextVar[LoggedIn | None] = ContextVar("operator", default=None)
"""The operator who makes this request."""

log = structlog.get_logger("api.admin")
router = APIRouter(prefix="/api")


def _storable(password: SecretStr) -> SecretStr:
    storable(password.get_secret_value())
    return password


class SignIn(BaseModel):
    """The body that the login page sends."""

    username: Annotated[str, Field(max_length=254), AfterValidator(storable)]
    password: Annotated[SecretStr, Field(max_length=200), AfterValidator(_storable)]


@router.post("/sign-in")
async def sign_in(request: Request, body: SignIn, now: Now) -> Response:
    """Create a session, after at most ten tries in 15 minutes. A browser that logged in before has its own tries."""
    services, address, shown = services_of(request), address_of(request.scope), _shown_browsers(request)
    async with services.database.read() as session:
        known = BROWSERS.working(shown, now)
        operator, digest = await queries.operator_in_browser(session, body.username, known)
    attempt = Attempt(DOOR, body.username, address, digest[:32] if digest else None)
    refused = await services.attempts.count(attempt)
    if refused is not None:
        log.warning("too many tries to log in to /admin", address=address, unknown_only=refused.unknown_only)
        said = f"Too many tries; wait {max(1, round(refused.seconds / 60))} min."
        raise HTTPException(429, TRIED_ELSEWHERE if refused.unknown_only else said, _after(refused.seconds))
    stored = operator.password_hash if operator else None
    password = body.password.get_secret_value()
    try:
        fits = await services.passwords.match(stored, password, attempt.asker, known=attempt.known is not None)
    except QueueFull as full:
        raise HTTPException(503, "Too many log in just now; try again.", _after(full.seconds)) from full
    if not fits or operator is None:
        log.warning("a login to /admin failed", address=address)
        raise HTTPException(401, WRONG)
    await services.attempts.succeeded(attempt)
    async with services.database.write() as session:
        kept = await session.get(Operator, operator.id, with_for_update=True)
        if kept is None or kept.password_hash != stored:  # changed during the check
            raise HTTPException(401, WRONG)
        secret = await SESSIONS.begin(session, kept.id, now)
        browser = await BROWSERS.remember(session, kept.id, shown, now)
    log.info("logged in to /admin", operator=operator.name, address=address)
    response = JSONResponse(None)
    COOKIE.give(response, secret, is_plain=is_plain(request))
    BROWSERS.cookie.give(response, browser, is_plain=is_plain(request))
    return response


def _after(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session, so that no copy of its cookie works."""
    secret = COOKIE.of(request, is_plain=is_plain(request))
    if secret is not None:
        async with services_of(request).database.write() as session:
            await SESSIONS.end(session, secret)
    response = JSONResponse(None)
    COOKIE.take(response, is_plain=is_plain(request))
    return response


class Inner:
    """ASGI middleware: passes requests of logged-in operators to FastAdmin with its token, and refuses requests from
    another site's page. Of the cookies only our own are passed on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if request.method not in {"GET", "HEAD"} and is_cross_site(request):
            await JSONResponse({"detail": "This was sent by another site."}, 403)(scope, receive, send)
            return
        secret = COOKIE.of(request, is_plain=is_plain(request))
        services, plain = services_of(request), is_plain(request)
        operator = await logged_in(services.database, secret, services.clock()) if secret else None
        kept: dict[str, str | None] = {BROWSERS.cookie.named(is_plain=plain): ".".join(_shown_browsers(request))}
        if operator is not None:
            kept |= {COOKIE.named(is_plain=plain): secret, INNER_COOKIE: _inner_token(operator)}
        scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"cookie"]}
        MutableHeaders(scope=scope)["cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items() if value)
        token = current.set(operator)
        try:
            await self.app(scope, receive, send)
        finally:
            current.reset(token)


def _shown_browsers(request: Request) -> list[str]:
    return BROWSERS.shown(request, is_plain=is_plain(request))


@cache
def inner_key() -> str:
    """The key that signs FastAdmin's tokens. It stays in this process."""
    return secrets.token_hex(INNER_KEY_BYTES)


def _inner_token(operator: LoggedIn) -> str:
    """FastAdmin's token for one request. It uses the machine's clock."""
    expires = utc_now() + timedelta(seconds=INNER_SECONDS)
    told = {"user_id": operator.id, "session_expired_at": expires.isoformat()}
    return jwt.encode(told, inner_key(), algorithm="HS256")
