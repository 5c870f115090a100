"""Rate limits of tokens, exactly as in the reference's table, with headers on every answer.
Each window of a minute (an hour for the chat) allows a fixed number of requests, counted over all processes. Requests
without a token, or with an unknown token, are counted by address.

"""

from collections import OrderedDict

from limits import RateLimitItem, parse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.cookies import secret_digest
from api.db.engine import Database
from api.db.failures import MAY_BE_AWAY
from api.http.rate_limits import REQUESTS_PER_ADDRESS, RateLimits, address_of
from api.kinderbud import queries
from api.kinderbud.auth import shown_token
from api.kinderbud.errors import Code, failure

READ = parse("120/minute")
WRITE = parse("60/minute")
CHAT = parse("30/hour")
MOST_KNOWN = 10_000
"""Tokens that a process caches as existing; the database is asked about others."""


class TokenLimits:
    """ASGI middleware of the sub-app: counts requests, adds `X-RateLimit-*`, and answers 429 with `Retry-After`."""

    def __init__(self, app: ASGIApp, database: Database, limits: RateLimits, addresses: RateLimits) -> None:
        self.app = app
        self.database = database
        self.limits = limits
        self.addresses = addresses
        self._known: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name, item = _tier(scope)
        address = address_of(scope)
        wait = await self.addresses.seconds_to_wait(REQUESTS_PER_ADDRESS, f"kinderbud/address/{address}")
        if wait is not None:
            told = {"X-RateLimit-Limit": str(REQUESTS_PER_ADDRESS.amount), "X-RateLimit-Remaining": "0"}
            await _refuse(REQUESTS_PER_ADDRESS, wait, told)(scope, receive, send)
            return
        token = shown_token(Headers(scope=scope).get("authorization"))
        digest = secret_digest(token) if token else None
        by_token = digest is not None and await self._exists(digest)
        who = f"token/{digest[:32]}" if digest is not None and by_token else f"anonymous/{address}"
        window = await self.limits.hit(item, f"kinderbud/{name}/{who}")
        told = {"X-RateLimit-Limit": str(item.amount), "X-RateLimit-Remaining": str(window.remaining)}
        if not window.allowed:
            await _refuse(item, window.seconds, told)(scope, receive, send)
            return

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self.app(scope, receive, send_told)

    async def _exists(self, digest: str) -> bool:
        """Whether the token exists; False while the database is unavailable. A token revoked meanwhile may still have
        its own count: its requests are refused anyway.
        """
        if digest in self._known:
            self._known.move_to_end(digest)
            return True
        try:
            async with self.database.read() as session:
                exists = await queries.is_token(session, digest)
        except MAY_BE_AWAY:
            return False
        if exists:
            self._known[digest] = None
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return exists


def _refuse(item: RateLimitItem, seconds: int, told: dict[str, str]) -> ASGIApp:
    error = f"At most {item}; try again in {seconds} s."
    return failure(429, Code.RATE_LIMITED, error, told | {"Retry-After": str(seconds)})


def _tier(scope: Scope) -> tuple[str, RateLimitItem]:
    if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
        return "read", READ
    if scope["path"].removeprefix(scope.get("root_path", "")).rstrip("/") == "/chat":
        return "chat", CHAT
    return "write", WRITE
