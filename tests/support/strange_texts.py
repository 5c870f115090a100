"""Texts that a database, a file format or a page may take badly."""

import random

from hypothesis import strategies as st

FIXED = [
    "\x00",
    "\ud83d",
    "\udc80",
    "\r",
    "a\rb",
    "=1+1",
    "SKIPPED",
    "\\SKIPPED",
    "'",
    "\\u0000",
    "\ufeff\u202e",
    "\x9f",
]
TEXT = st.text(st.characters(), max_size=30)


def random_text(chance: random.Random) -> str:
    """1 to 29 of all code points, half surrogates included."""
    return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(1, 30)))
