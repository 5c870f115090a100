"""How often a token may ask: exactly what the reference's table says, and headers on every answer that say it.

Any window of a minute (an hour for the chat) holds at most so many requests, counted over all processes. Who shows no
token is counted by address.
"""

from limits import RateLimitItem, parse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kinderbud.caller import shown_token, token_digest
from api.kinderbud.errors import Code, failure
from api.limits import REQUESTS_PER_ADDRESS, RateLimits, address_of

READ = parse("120/minute")
WRITE = parse("60/minute")
CHAT = parse("30/hour")


class TokenLimits:
    """ASGI middleware of the sub-app: counts, tells in `X-RateLimit-*`, and answers 429 with `Retry-After`."""

    def __init__(self, app: ASGIApp, limits: RateLimits, addresses: RateLimits) -> None:
        self.app = app
        self.limits = limits
        self.addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name, item = _tier(scope)
        token = shown_token(Headers(scope=scope).get("authorization"))
        address = address_of(scope)
        who = f"token/{token_digest(token)[:32]}" if token else f"nobody/{address}"
        window = await self.limits.hit(item, f"kinderbud/{name}/{who}")
        if window.allowed:  # whoever makes up a token for each request is told by the address
            crowd = await self.addresses.hit(REQUESTS_PER_ADDRESS, f"kinderbud/address/{address}")
            window = window if crowd.allowed else crowd
        told = {"X-RateLimit-Limit": str(item.amount), "X-RateLimit-Remaining": str(window.remaining)}
        if not window.allowed:
            told["Retry-After"] = str(window.seconds)
            error = f"At most {item}; try again in {window.seconds} s."
            await failure(429, Code.RATE_LIMITED, error, told)(scope, receive, send)
            return

        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(told)
            await send(message)

        await self.app(scope, receive, send_told)


def _tier(scope: Scope) -> tuple[str, RateLimitItem]:
    if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
        return "read", READ
    if scope["path"].removeprefix(scope.get("root_path", "")).rstrip("/") == "/chat":
        return "chat", CHAT
    return "write", WRITE
