"""Classifies database errors: the database is unavailable ("away"), a row was deleted ("gone"), or neither."""

import sqlite3

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

RETRY_SECONDS = 2
"""Seconds after which a client may retry when the database was unavailable."""
FOREIGN_KEY_STATE = "23503"
AWAY_STATES = (
    "08",  # the connection was lost or refused
    "25006",  # a read-only replica
    "25P03",  # idle in a transaction for too long
    "26000",  # behind a pooler: the prepared statement is missing on this connection
    "28",  # the server refuses this user, for example after a password change
    "3D000",  # the database does not exist
    "40",  # serialisation failure, deadlock
    "42501",  # no permission
    "42P05",  # behind a pooler: a prepared statement of this name exists on this connection
    "53",  # no memory, a full disk, too many connections
    "55",  # a lock timeout, an object in use
    "57",  # shutdown, startup, cancelled, statement timeout
    "58",  # the server's operating system
    "F0",  # the server's configuration
    "XX",  # the server's own error, a damaged index
)
"""PostgreSQL's states (https://www.postgresql.org/docs/current/errcodes-appendix.html) that are not the fault of the
request; it may be retried."""
UNKNOWN_OUTCOME_STATES = ("08", "40003", "57P")
"""States after which the result of a commit is unknown."""
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
RESTORING_STATE = "57P03"
"""What a transaction is refused with while the database starts or is restored (api/db/postgres.py)."""
CLOSED_IN_THE_POOL = "This connection is closed"
"""SQLAlchemy's `InvalidRequestError` for a connection that another request closed while the pool handed it out."""
MISSING_STATES = ("42P01", "42703")
"""PostgreSQL's states for a table and for a column that is not there."""
SQLITE_MISSING = ("no such table", "no such column")
MAY_BE_AWAY = (
    *(DBAPIError, PoolTimeout, OSError, TimeoutError, sqlite3.Error, InvalidRequestError),
    # asyncpg's own errors come only from connections that break while they open; SQLAlchemy translates the rest.
    *(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError),
)
"""The exception types for which `is_away` may be true, for `except` clauses."""
GONE = (NoResultFound, StaleDataError, ObjectDeletedError)
"""Exceptions that occur when another request deletes the row."""


class OutcomeUnknown(ConnectionError):
    """The connection broke during a commit; the transaction may or may not be stored."""


def is_away(error: BaseException) -> bool:
    """Whether the database is the cause, so that the same request may succeed later."""
    if isinstance(error, PoolTimeout | OSError):
        return True
    if isinstance(error, InvalidRequestError):
        return str(error) == CLOSED_IN_THE_POOL
    if not isinstance(error, DBAPIError):
        return isinstance(error, MAY_BE_AWAY) and _is_away(error)
    return error.connection_invalidated or (error.orig is not None and _is_away(error.orig))


def is_without_tables(error: BaseException) -> bool:
    """Whether the database has no tables, or those of an older version."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(driver, sqlite3.Error) and driver.sqlite_errorcode == sqlite3.SQLITE_ERROR:
        return str(driver).startswith(SQLITE_MISSING)
    return sqlstate(error) in MISSING_STATES


def is_gone(error: BaseException) -> bool:
    """Whether the row, or the parent of a new row, was deleted meanwhile."""
    driver = error.orig if isinstance(error, IntegrityError) else error
    if isinstance(driver, sqlite3.IntegrityError):
        return "FOREIGN KEY" in str(driver)
    return isinstance(error, GONE) or sqlstate(driver) == FOREIGN_KEY_STATE


def is_outcome_unknown(error: Exception) -> bool:
    """Whether a commit with this error may still be stored, because the server did not refuse it."""
    if not is_away(error):
        return False
    driver = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF == sqlite3.SQLITE_IOERR
    state = sqlstate(driver)
    return not state or state.startswith(UNKNOWN_OUTCOME_STATES)


def _is_away(driver: BaseException) -> bool:
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in AWAY_CODES  # the higher bits only add detail
    state = sqlstate(driver)
    if state:
        return state.startswith(AWAY_STATES)
    if isinstance(driver, sqlite3.Error):  # raised by Python itself
        return False
    # asyncpg's own: for a closed connection, or for an argument of the wrong type
    return not isinstance(driver, ValueError) and not isinstance(driver.__cause__, ValueError)


def sqlstate(error: BaseException | None) -> str:
    """PostgreSQL's code of an error, or of the driver's error behind one of SQLAlchemy; empty if there is none."""
    driver = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(driver, "sqlstate", None) or "")
