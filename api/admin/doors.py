"""Signing in and out of the admin, in the words that FastAdmin's pages speak, with sessions of our own.

FastAdmin's session is a signed token that survives signing out. It never leaves this process: a browser has our own
cookie, and each of its requests is given a token of FastAdmin's that lives for a minute.
"""

import secrets
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from typing import Any

import jwt
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import HTTPException
from pydantic import BaseModel, Field, SecretStr
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.admin.accounts import LONGEST, SESSIONS, LoggedIn, logged_in, operator_named
from api.browsers import Cookie, is_from_elsewhere
from api.clock import utc_now
from api.dependencies import Now
from api.limits import address_of
from api.models import Operator

COOKIE = Cookie("buddy-admin", "/admin", int(LONGEST.total_seconds()))
DOOR = "admin"
INNER_COOKIE = "admin_session_id"
INNER_SECONDS = 60
INNER_KEY_BYTES = 32
WRONG = "This name and this password do not belong together."

current: ContextVar[LoggedIn | None] = ContextVar("operator", default=None)
"""Who makes this request."""

log = structlog.get_logger("api.admin")
router = APIRouter(prefix="/api")


class SignIn(BaseModel):
    """What the sign-in page sends."""

    username: str = Field(max_length=254)
    password: SecretStr = Field(max_length=200)


@router.post("/sign-in")
async def sign_in(request: Request, body: SignIn, now: Now) -> Response:
    """A new session, after at most ten tries in a quarter of an hour."""
    state = request.app.state
    address = address_of(request.scope)
    wait = await state.attempts.count(DOOR, body.username, address)
    if wait is not None:
        log.warning("too many tries to log in to /admin", address=address)
        minutes = max(1, round(wait / 60))
        raise HTTPException(429, f"Too many tries; wait {minutes} min.", {"Retry-After": str(wait)})
    async with state.database.read() as session:
        operator = await operator_named(session, body.username)
    stored = operator.password_hash if operator else None
    if not await state.passwords.match(stored, body.password.get_secret_value()) or operator is None:
        log.warning("somebody failed to log in to /admin", address=address)
        raise HTTPException(401, WRONG)
    await state.attempts.succeeded(DOOR, body.username, address)
    async with state.database.write() as session:
        kept = await session.get(Operator, operator.id, with_for_update=True)
        if kept is None or kept.password_hash != stored:  # changed while this one was looked at
            raise HTTPException(401, WRONG)
        secret = await SESSIONS.begin(session, kept.id, now)
    log.info("logged in to /admin", operator=operator.name, address=address)
    response = JSONResponse(None)
    COOKIE.give(request, response, secret)
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """The session is gone, and whoever has a copy of its cookie has nothing."""
    secret = COOKIE.of(request)
    if secret is not None:
        async with request.app.state.database.write() as session:
            await SESSIONS.end(session, secret)
    response = JSONResponse(None)
    COOKIE.take(request, response)
    return response


class Inner:
    """ASGI middleware: lets those in who are logged in, as FastAdmin knows them, and nobody from another site's page.
    Whatever cookie of FastAdmin's a browser shows is thrown away. `state` is the service's."""

    def __init__(self, app: ASGIApp, state: Any) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if request.method not in {"GET", "HEAD"} and is_from_elsewhere(request):
            await JSONResponse({"detail": "This was sent by another site."}, 403)(scope, receive, send)
            return
        secret = COOKIE.of(request)
        operator = await logged_in(self.state.database, secret, self.state.clock()) if secret else None
        scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"cookie"]}
        if operator is not None:
            own, inner = f"{COOKIE.named(request)}={secret}", f"{INNER_COOKIE}={_inner_token(operator)}"
            MutableHeaders(scope=scope)["cookie"] = f"{own}; {inner}"
        token = current.set(operator)
        try:
            await self.app(scope, receive, send)
        finally:
            current.reset(token)


@cache
def inner_key() -> str:
    """Signs FastAdmin's tokens; no other process, and no browser, ever sees one."""
    return secrets.token_hex(INNER_KEY_BYTES)


def _inner_token(operator: LoggedIn) -> str:
    """A token of FastAdmin's for one request; it goes by the machine's clock."""
    expires = utc_now() + timedelta(seconds=INNER_SECONDS)
    told = {"user_id": operator.id, "session_expired_at": expires.isoformat()}
    return jwt.encode(told, inner_key(), algorithm="HS256")
