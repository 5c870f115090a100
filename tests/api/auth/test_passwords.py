"""Passwords: correct hashes, and equal work for an unknown user."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from argon2 import PasswordHasher

from api.auth import passwords
from api.auth.fair_queue import QueueFull
from api.auth.passwords import PasswordRefused, Passwords, checked_password

HOME, ELSEWHERE = "203.0.113.0/24", "198.51.100.0/24"


def test_a_password_matches_itself_alone() -> None:
    async def run() -> list[bool]:
        mine = Passwords()
        stored = await mine.hashed("a calm day in spring", HOME)
        tried = ("a calm day in spring", "a calm day in Spring", "", "x" * 100_000)
        return [await mine.match(stored, one, HOME) for one in tried]

    assert asyncio.run(run()) == [True, False, False, False]


def test_without_a_stored_password_nothing_matches_after_as_much_work(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
            verified.append(str(hash))
            return super().verify(hash, password)

    hasher = Watched()
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    passwords._nobodys.cache_clear()
    assert asyncio.run(Passwords().match(None, "nobody has this password", HOME)) is False
    assert asyncio.run(Passwords().match(hasher.hash("a calm day in spring"), "another day", HOME)) is False
    of_nobody, of_somebody = (one.rsplit("$", 2)[0] for one in verified)
    assert of_nobody == of_somebody, "the same parameters, so the same work"
    passwords._nobodys.cache_clear()


@pytest.mark.parametrize(
    "password", ["a calm day in spring", "8051734926", "ひらがなのみじかいぶんしょう", "x y z 1 2 3"]
)
def test_length_counts_and_not_which_characters(password: str) -> None:
    assert checked_password(password) == password


@pytest.mark.parametrize(
    ("password", "hints"),
    [
        ("123456789", ()),
        ("x" * 201, ()),
        ("0123456789", ()),
        ("abababababab", ()),
        ("Sarah@Example.com", ("sarah@example.com",)),
    ],
)
def test_what_is_easy_to_guess_is_refused(password: str, hints: tuple[str, ...]) -> None:
    with pytest.raises(PasswordRefused):
        checked_password(password, not_like=hints)


def test_a_flood_is_refused_beyond_its_places_and_others_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts real work: what runs, what waits, what is refused, and in which order it begins. Two hashes that run at
    once may end in any order."""

    async def run() -> tuple[list[str], int, int]:
        mine, begun = Passwords(), list[str]()
        place = mine.queue.place

        @contextlib.asynccontextmanager
        async def noted(who: str, *, reserved: bool) -> AsyncIterator[None]:
            async with place(who, reserved=reserved):
                begun.append(f"known {who}" if reserved else who)
                yield

        async def one(who: str, known: bool = False) -> None:
            await mine.match(None, "not the password", who, known=known)

        monkeypatch.setattr(mine.queue, "place", noted)
        flood = [asyncio.create_task(one(HOME)) for _ in range(200)]
        await asyncio.sleep(0)
        most = mine.queue.running, mine.queue.waiting_now()
        assert most == (passwords.AT_ONCE, passwords.WAITING_OF_ONE)
        others = [asyncio.create_task(one(ELSEWHERE)), asyncio.create_task(one("a browser", known=True))]
        answers = await asyncio.gather(*flood, return_exceptions=True)
        await asyncio.gather(*others)
        refused = sum(isinstance(answer, QueueFull) for answer in answers)
        return begun, refused, mine.queue.running + mine.queue.waiting_now()

    begun, refused, left = asyncio.run(run())
    assert refused == 200 - passwords.AT_ONCE - passwords.WAITING_OF_ONE
    assert begun.index("known a browser") == passwords.AT_ONCE, "next after those that run"
    assert begun.index(ELSEWHERE) <= passwords.AT_ONCE + 2, "askers take turns"
    assert left == 0
