"""SQL of stored answers. `kept` is the table of one app."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Text, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.prepared import Prepared
from api.models.requests import KeptAnswer


class KeyLocked(Exception):
    """Another transaction is at work on the request with this key."""


@dataclass(frozen=True, slots=True)
class _Statements:
    """What is sent for a request with a key."""

    forget: Prepared
    find: Prepared
    keep: Prepared


_COLUMNS = ("owner_id", "route", "key", "fingerprint", "status", "body", "created_at")
_LOCK = Prepared(
    lambda _: select(
        func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=Text), 0)).label("is_ours")
    )
)


@cache
def _statements(kept: type[KeptAnswer]) -> _Statements:
    same = [column == bindparam(column.key) for column in (kept.owner_id, kept.route, kept.key)]
    values: dict[Any, Any] = {getattr(kept, name): bindparam(name) for name in _COLUMNS}
    return _Statements(
        forget=Prepared(lambda _: delete(kept).where(kept.created_at < bindparam("before"))),
        find=Prepared(lambda _: select(kept.fingerprint, kept.status, kept.body).where(*same)),
        keep=Prepared(lambda _: insert(kept).inline().values(values)),
    )


async def forget_answers(session: AsyncSession, kept: type[KeptAnswer], before: datetime) -> None:
    """Delete the answers that were stored before that time."""
    await _statements(kept).forget.rows(session, before=before)


async def find_or_lock(session: AsyncSession, kept: type[KeptAnswer], owner_id: int, route: str, key: str) -> Any:
    """Fingerprint, status and body of the stored answer to the sender's request with this key. Without one the key is
    locked until the transaction ends; SQLite has one writer at a time, which is lock enough. Raises KeyLocked.
    """
    is_ours = True
    if session.get_bind().dialect.name == "postgresql":
        is_ours = (await _LOCK.row(session, name=f"{kept.__tablename__} {owner_id} {route} {key}")).is_ours
    # Only after the lock: the first request may just have ended.
    stored = await _statements(kept).find.row(session, owner_id=owner_id, route=route, key=key)
    if stored is None and not is_ours:
        raise KeyLocked
    return stored


async def keep_answer(session: AsyncSession, answer: KeptAnswer) -> None:
    """Store an answer."""
    values = {name: getattr(answer, name) for name in _COLUMNS}
    await _statements(type(answer)).keep.rows(session, **values)
