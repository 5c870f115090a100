"""Hooks for Schemathesis: each request uses another token of the same user, so that the rate limit does not answer
instead of the route.
"""

import itertools
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import schemathesis

FILE = "KINDERBUD_TOKENS"
"""The variable with the path of the token file, one token per line."""


@cache
def tokens() -> Iterator[str]:
    """The tokens in an endless cycle."""
    return itertools.cycle(Path(os.environ[FILE]).read_text(encoding="utf-8").split())


@schemathesis.auth(refresh_interval=None)
class Tokens:
    """Sets the token before each request."""

    def get(self, _case: Any, _context: Any) -> str:
        return next(tokens())

    def set(self, case: Any, data: str, _context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"
