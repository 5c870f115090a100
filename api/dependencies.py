"""Dependencies of each request: one moment, and one transaction that is committed before the answer.

They are separate from `api.clock` and `api.db.engine`, so that commands need not import the web framework.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession


async def _now(request: Request) -> datetime:
    """Read the clock once per request, so that all its work has the same time."""
    moment: datetime = request.app.state.clock()
    return moment


async def _read_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.database.read() as session:
        yield session


async def _write_session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.database.write() as session:
        request.state.session = session
        yield session


Now = Annotated[datetime, Depends(_now)]
ReadSession = Annotated[AsyncSession, Depends(_read_session, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(_write_session, scope="function")]
