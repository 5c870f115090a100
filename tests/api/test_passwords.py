"""Passwords: hashed as they must be, and looked at as long where there is nobody."""

import asyncio
from typing import Literal

import pytest
from argon2 import PasswordHasher

from api import passwords
from api.passwords import PasswordRefused, Passwords, checked_password


def test_a_password_matches_itself_alone() -> None:
    async def run() -> list[bool]:
        mine = Passwords()
        stored = await mine.hashed("a calm day in spring")
        tried = ("a calm day in spring", "a calm day in Spring", "", "x" * 100_000)
        return [await mine.match(stored, one) for one in tried]

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
    assert asyncio.run(Passwords().match(None, "nobody has this password")) is False
    assert asyncio.run(Passwords().match(hasher.hash("a calm day in spring"), "another day")) is False
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
