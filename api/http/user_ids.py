"""How the ids of KakeiBuddy's users compare: UUIDs ignore case (RFC 9562), all other ids compare exactly.

Only the form with hyphens is a UUID here. Other spellings of one (32 digits in a row) are opaque ids like any other.
"""

import re

UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SHARED = frozenset({"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"})
"""UUIDs that identify no user: phones that may not reveal their own id send the first."""


def canonical_id(uuid: str) -> str:
    """The spelling of an id in storage, counts and lookups. iOS writes UUIDs in capitals."""
    return uuid.lower() if UUID_FORM.fullmatch(uuid) else uuid


def canonical_path(path: str) -> str:
    """`path` with canonical ids."""
    return "/".join(map(canonical_id, path.split("/")))


def cannot_be_guessed(uuid: str) -> bool:
    """Whether an id is a UUID that identifies one user. Only such ids may read or erase private data."""
    return UUID_FORM.fullmatch(uuid) is not None and canonical_id(uuid) not in SHARED
