"""A shortcut for the one request that phones wait for: straight to its endpoint, past FastAPI's routing.

FastAPI matches routes one by one and opens two exit stacks for each request, which costs more than the coach's whole
decision (docs/benchmarks.md). The endpoint is the very one that FastAPI documents; only the way to it is shorter.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import ProblemOccurred, problem_response


@dataclass(frozen=True)
class Way:
    """Where the shortcut leads; `path` is what metrics and logs call it."""

    method: str
    path: str
    endpoint: Callable[[Request], Awaitable[Response]]


class FastPathMiddleware:
    """ASGI middleware, inside of the rate limits: the endpoint writes where somebody says who they are."""

    def __init__(self, app: ASGIApp, way: Way) -> None:
        self.app = app
        self.way = way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self.way.path or scope["method"] != self.way.method:
            await self.app(scope, receive, send)
            return
        scope["route"] = self.way
        request = Request(scope, receive)
        try:
            response = await self.way.endpoint(request)
        except ProblemOccurred as occurred:
            response = problem_response(request, occurred)
        await response(scope, receive, send)
