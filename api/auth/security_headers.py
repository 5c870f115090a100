"""The security headers of every page: what it may load, and that no other site may frame, cache or guess it."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORMS, JSON = "application/x-www-form-urlencoded", "application/json"
KEPT_NEVER, KEPT_A_DAY, KEPT_FOR_GOOD = "no-store", "public, max-age=86400", "public, max-age=31536000, immutable"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class SecurityHeadersMiddleware:
    """ASGI middleware: a content security policy and related headers on every answer, errors included. It accepts only
    bodies of the types in `media`, since another type may name a codec that never ends. Browsers cache only `lasting`
    paths: their address changes with their content.
    """

    def __init__(self, app: ASGIApp, policy: dict[str, str], lasting: str, media: str) -> None:
        self.app = app
        self.media = media
        self.headers = ALWAYS | {
            "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items())
        }
        self.lasting = lasting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.headers)
                headers["Cache-Control"] = KEPT_NEVER
                if message["status"] in {200, 304} and scope["path"].startswith(self.lasting):
                    headers["Cache-Control"] = KEPT_FOR_GOOD if scope["query_string"] else KEPT_A_DAY
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("content-type", self.media)
        if sent.partition(";")[0].strip().lower() != self.media:
            await PlainTextResponse(f"Send {self.media}.", 415, {"Connection": "close"})(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)
