"""Dependencies of each request: one moment, and one transaction that is committed before the answer.

They are separate from `api.clock` and `api.db.engine`, so that commands need not import the web framework.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection

from api.app_state import services_of
from api.auth.cookies import is_plain_home
from api.http.idempotency import TRANSACTION


async def _now(request: Request) -> datetime:
    """Read the clock once per request, so that all its work has the same time."""
    return services_of(request).clock()


async def _read_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with services_of(request).database.read() as session:
        yield session


async def write_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's transaction."""
    async with services_of(request).database.write() as session:
        TRANSACTION.leave(request, session)
        yield session


Now = Annotated[datetime, Depends(_now)]
ReadSession = Annotated[AsyncSession, Depends(_read_session, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(write_session, scope="function")]


def is_plain(connection: HTTPConnection) -> bool:
    """Whether cookies for this request work without TLS."""
    return is_plain_home(connection, services_of(connection).settings.public_url)
