"""Hooks for Schemathesis: each request uses another token of the same user and comes from another address, so that no
rate limit answers instead of the route. Probes without a token keep the address of their request.
"""

import itertools
import os
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import schemathesis

FILE = "KINDERBUD_TOKENS"
"""The variable with the path of the token file, one token per line."""

ADDRESSES = map(IPv4Address, itertools.count(int(IPv4Address("10.0.0.1"))))


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
        case.headers["X-Forwarded-For"] = str(next(ADDRESSES))
