"""The admin as the service mounts it: it is built when it is first asked for."""

import asyncio
import logging

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from api.admin.page import POLICY, PREFIX
from api.auth.security_headers import JSON, SecurityHeadersMiddleware


class Admin:
    """The admin, to be mounted in `service` at `PREFIX`; it shares the service's parts. It is built by its first
    request: FastAdmin takes a tenth of the time that the service needs to start, and phones should not wait for it."""

    def __init__(self, service: FastAPI) -> None:
        self._service = service
        self._building = asyncio.Lock()
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            async with self._building:
                if self._app is None:
                    self._app = await asyncio.to_thread(_built, self._service)
        await self._app(scope, receive, send)


def _built(service: FastAPI) -> ASGIApp:
    before = logging.root.manager.disable
    logging.disable(logging.INFO)  # FastAdmin tells which database libraries are missing
    try:
        from api.admin.assembly import create_admin  # noqa: PLC0415 - slow
    finally:
        logging.disable(before)
    return SecurityHeadersMiddleware(create_admin(service), POLICY, f"{PREFIX}/static/", JSON)
