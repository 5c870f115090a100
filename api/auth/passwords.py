"""Passwords: argon2id, off the event loop, in a bounded queue, with equal time for unknown and known accounts."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.fair_queue import FairQueue
from api.secret_strength import TooWeak, check_strength

SHORTEST, LONGEST = 10, 200
"""Characters. NIST SP 800-63B asks for at least eight, and for no composition rules."""
AT_ONCE = 2
"""Concurrent hashes: each takes 64 MiB and some hundredths of a second of a core."""
WAITING, WAITING_OF_ONE = 32, 8
"""The most waiting hashes, in total and of one network: about a second and a half of work."""


class PasswordRefused(ValueError):
    """The password is not allowed; the message says why."""


class Passwords:
    """Hashes and checks passwords, with the low-memory parameters of RFC 9106.
    `asker` is the key for fair turns in the queue: a network, or a `known` browser. All methods raise QueueFull.
    """

    def __init__(self) -> None:
        self.queue = FairQueue(AT_ONCE, WAITING, WAITING_OF_ONE)

    async def hashed(self, password: str, asker: str, *, known: bool = False) -> str:
        """The hash to store of a password."""
        async with self.queue.place(asker, reserved=known):
            return await asyncio.to_thread(_hasher().hash, password)

    async def match(self, stored: str | None, password: str, asker: str, *, known: bool = False) -> bool:
        """Whether the password matches. Without a stored hash it is False, after the same time."""
        async with self.queue.place(asker, reserved=known):
            return await asyncio.to_thread(_matches, stored, password)


def checked_password(password: str, *, not_like: tuple[str, ...] = ()) -> str:
    """A valid password. It must not equal any of `not_like` (names and addresses that others can read), nor the part
    before an @. Raises PasswordRefused.
    """
    try:
        check_strength(password, SHORTEST, LONGEST)
    except TooWeak as weak:
        raise PasswordRefused(f"a password {weak}; a short sentence is a good one") from weak
    if password.casefold() in {part.casefold() for one in not_like for part in (one, one.partition("@")[0])}:
        raise PasswordRefused("do not use your name or address as a password")
    return password


def _matches(stored: str | None, password: str) -> bool:
    try:
        return _hasher().verify(stored or _nobodys(), password[:LONGEST]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys() -> str:
    """A hash that takes as long to check as a real one."""
    return _hasher().hash("not a real password")
