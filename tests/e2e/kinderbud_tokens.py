"""Schemathesis loads this as its hooks: every request shows another token of the same user, so that what is answered is
the request and not, once a minute's worth of them was sent, the limit."""

import itertools
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import schemathesis

FILE = "KINDERBUD_TOKENS"
"""Names the file with the tokens, one a line."""


@cache
def tokens() -> Iterator[str]:
    """The tokens, over and over."""
    return itertools.cycle(Path(os.environ[FILE]).read_text(encoding="utf-8").split())


@schemathesis.auth(refresh_interval=None)
class Tokens:
    """Asked before each request."""

    def get(self, _case: Any, _context: Any) -> str:
        return next(tokens())

    def set(self, case: Any, data: str, _context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
