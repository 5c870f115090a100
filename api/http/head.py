"""HEAD wherever GET works (RFC 9110, section 9.3.2): the same answer, without its body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

IS_HEAD = "is_head"


def is_head(scope: Scope) -> bool:
    """Whether the answer's body is discarded; for routes that are expensive or that store something."""
    return IS_HEAD in scope


class HeadMiddleware:
    """ASGI middleware: calls the routes with GET, and the server sends only the headers. It changes the scope and does
    not copy it, since the outer middlewares read the route from it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        done = False

        async def send_head(message: Message) -> None:
            nonlocal done
            scope["method"] = "HEAD"  # the server reads it
            if message["type"] == "http.response.start":
                await send(message)
            elif message["type"] == "http.response.body" and not done:
                done = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        scope["method"], scope[IS_HEAD] = "GET", True
        try:
            await self.app(scope, receive, send_head)
        finally:
            scope["method"] = "HEAD"
