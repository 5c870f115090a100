"""Passwords: argon2id, off the event loop, in a bounded queue, as slow for unknown accounts as for known ones."""

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.fair_queue import FairQueue
from api.secret_strength import TooWeak, check_strength

SHORTEST, LONGEST = 10, 200
"""Characters. NIST SP 800-63B asks for eight at least, and for no rules about which ones."""
AT_ONCE = 2
"""How many are hashed at a time: each takes 64 MiB and some hundredths of a second of a core."""
WAITING, WAITING_OF_ONE = 32, 8
"""How many wait at most, in all and of one network: about a second and a half of work."""


class PasswordRefused(ValueError):
    """This cannot be a password; the message says why."""


class Passwords:
    """Hashes and checks passwords, with the parameters of RFC 9106 for little memory.

    `asker` is who the work is for, as the queue shares its places: a network, or a browser that is `known`. All methods
    raise QueueFull."""

    def __init__(self) -> None:
        self.queue = FairQueue(AT_ONCE, WAITING, WAITING_OF_ONE)

    async def hashed(self, password: str, asker: str, *, known: bool = False) -> str:
        """What is stored of a password."""
        async with self.queue.place(asker, reserved=known):
            return await asyncio.to_thread(_hasher().hash, password)

    async def match(self, stored: str | None, password: str, asker: str, *, known: bool = False) -> bool:
        """Whether it is the password; without a stored one it is not, after the same time."""
        async with self.queue.place(asker, reserved=known):
            return await asyncio.to_thread(_matches, stored, password)


def checked_password(password: str, *, not_like: tuple[str, ...] = ()) -> str:
    """A password that may be taken. It must be none of `not_like` (names and addresses that others can read), nor the
    part of one before an @. Raises PasswordRefused."""
    try:
        check_strength(password, SHORTEST, LONGEST)
    except TooWeak as weak:
        raise PasswordRefused(f"a password {weak}; a short sentence is a good one") from weak
    if password.casefold() in {part.casefold() for one in not_like for part in (one, one.partition("@")[0])}:
        raise PasswordRefused("what others can read in your name or address is no password")
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
    """A hash that takes as long to check as anybody's."""
    return _hasher().hash("nobody has this password")
