"""A fast path for the one request that phones wait for: it calls the endpoint directly, without FastAPI's routing.

FastAPI matches routes one by one and opens two exit stacks for each request. That costs more than the coach's whole
decision (docs/benchmarks.md). FastAPI documents the same endpoint; only the path to it is shorter.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.problems import ProblemOccurred, problem_response


@dataclass(frozen=True)
class Way:
    """A route of the fast path; metrics and logs name it by `path`."""

    method: str
    path: str
    endpoint: Callable[[Request], Awaitable[Response]]


class FastPathMiddleware:
    """ASGI middleware, inside the rate limits, because the endpoint writes when the request names a user."""

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
