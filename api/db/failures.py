"""What can go wrong with a database, in three words: it is away, a row is gone, or neither."""

import sqlite3

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

RETRY_SECONDS = 2
"""When a client may try again after the database was away."""
FOREIGN_KEY_STATE = "23503"
AWAY_STATES = (
    "08",  # the connection is lost, or was never made
    "25006",  # a replica that only reads
    "25P03",  # idle in a transaction for too long
    "26000",  # a pooler handed the connection on: no such prepared statement here
    "28",  # the server refuses this user: a password that was changed
    "3D000",  # there is no such database
    "40",  # serialisation failure, deadlock
    "42501",  # no permission
    "42P05",  # a pooler handed the connection on: a prepared statement of this name is here
    "53",  # no memory, a full disk, too many connections
    "55",  # a lock that is not to be had in time, an object that is in use
    "57",  # shutting down, starting up, cancelled, too slow
    "58",  # the server's operating system
    "F0",  # the server's configuration
    "XX",  # the server's own error, a damaged index
)
"""PostgreSQL's states (https://www.postgresql.org/docs/current/errcodes-appendix.html) in which nothing is wrong with
the request: it may be sent again."""
UNKNOWN_OUTCOME_STATES = ("08", "40003", "57P")
"""After these, whether a commit went through is not known."""
AWAY_CODES = frozenset(
    {
        *(
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
        ),
        *(sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
        *(sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_AUTH),
    }
)
"""SQLite's primary result codes of the same kind."""
MAY_BE_AWAY = (
    *(DBAPIError, PoolTimeout, OSError, TimeoutError, sqlite3.Error),
    # What asyncpg raises itself comes only from a connection that broke while it was made; the rest is translated.
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
)
"""What `is_away` may be true of, for those who catch."""
GONE = (NoResultFound, StaleDataError, ObjectDeletedError)
"""Another request deleted the row while this one was at work."""


class OutcomeUnknown(ConnectionError):
    """The connection broke while a transaction was committed: it may have been stored, or not."""


def is_away(error: BaseException) -> bool:
    """Whether the database is the reason, so that the same request may go well a little later."""
    if isinstance(error, PoolTimeout | OSError):
        return True
    if not isinstance(error, DBAPIError):
        return isinstance(error, MAY_BE_AWAY) and _is_away(error)
    return error.connection_invalidated or (error.orig is not None and _is_away(error.orig))


def is_gone(error: BaseException) -> bool:
    """Whether a row was deleted meanwhile, or what a new row belongs to."""
    if not isinstance(error, IntegrityError):
        return isinstance(error, GONE)
    return _state(error.orig) == FOREIGN_KEY_STATE or "FOREIGN KEY" in str(error.orig)


def is_outcome_unknown(error: Exception) -> bool:
    """Whether a commit that failed so may have gone through nevertheless: the server did not say no."""
    if not is_away(error):
        return False
    driver = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF == sqlite3.SQLITE_IOERR
    state = _state(driver)
    return not state or state.startswith(UNKNOWN_OUTCOME_STATES)


def _is_away(driver: BaseException) -> bool:
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in AWAY_CODES  # the rest of the number says more of the same
    state = _state(driver)
    if state:
        return state.startswith(AWAY_STATES)
    if isinstance(driver, sqlite3.Error):  # Python's own complaints
        return False
    # asyncpg's own: of a connection that is closed, or of an argument that is no value of its type
    return not isinstance(driver, ValueError) and not isinstance(driver.__cause__, ValueError)


def _state(driver: object) -> str:
    return str(getattr(driver, "sqlstate", None) or "")
