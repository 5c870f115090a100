"""Loads the user of an id in a path or a header."""

from sqlalchemy.ext.asyncio import AsyncSession

from api.http.problems import GUESSABLE_ID, USER_UNKNOWN, ProblemOccurred
from api.http.user_ids import cannot_be_guessed
from api.kakei.accounts import queries
from api.kakei.accounts.queries import Writer
from api.kakei.accounts.rules import is_possible
from api.models import User

UNKNOWN = "There is no user with this id."
WRITER = "writer"
"""Key in `session.info`: the writer of the transaction, by the id that was sent."""


async def get_user_or_404(session: AsyncSession, uuid: str, *, for_update: bool = False) -> User:
    """The user with that id. `for_update` waits for other writes of this user, and blocks new ones until the end of the
    transaction. Raises ProblemOccurred (404) if there is no such user, and for reserved names."""
    user = await queries.user_by_uuid(session, uuid, for_update=for_update) if is_possible(uuid) else None
    if user is None:
        raise ProblemOccurred(USER_UNKNOWN, UNKNOWN)
    return user


async def writer_or_404(session: AsyncSession, uuid: str) -> Writer:
    """The user with that id, for the most frequent writes: with the profile, and read once in a transaction. The user
    cannot be erased before it ends. Raises ProblemOccurred like `get_user_or_404`."""
    kept: tuple[str, Writer] | None = session.info.get(WRITER)
    if kept is not None and kept[0] == uuid:
        return kept[1]
    writer = await queries.writer_by_uuid(session, uuid) if is_possible(uuid) else None
    if writer is None:
        raise ProblemOccurred(USER_UNKNOWN, UNKNOWN)
    session.info[WRITER] = (uuid, writer)
    return writer


async def owner(session: AsyncSession, uuid: str) -> User:
    """The user with that id, for private data and actions. Raises ProblemOccurred: 404 like `get_user_or_404`, 403 if
    the id can be guessed, such as `participant-001`."""
    user = await get_user_or_404(session, uuid)
    if not cannot_be_guessed(uuid):
        raise ProblemOccurred(GUESSABLE_ID, "The id of this user could be guessed. Ask the operator of the service.")
    return user
