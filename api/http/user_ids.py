"""How the ids of KakeiBuddy's users compare: a UUID without regard to case (RFC 9562), everything else exactly.

Only the form with hyphens is a UUID here. Other spellings of one (32 digits in a row) are opaque ids like any other.
"""

import re

UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SHARED = frozenset({"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"})
"""UUIDs that stand for none: phones that may not tell their own send the first."""


def canonical_id(uuid: str) -> str:
    """The spelling under which a user is stored, counted and looked for. iOS writes UUIDs with capitals."""
    return uuid.lower() if UUID_FORM.fullmatch(uuid) else uuid


def canonical_path(path: str) -> str:
    """`path` with the ids in it in their one spelling."""
    return "/".join(map(canonical_id, path.split("/")))


def cannot_be_guessed(uuid: str) -> bool:
    """Whether an id is a UUID of its own. Only such ids read or erase what a stranger must not see."""
    return UUID_FORM.fullmatch(uuid) is not None and canonical_id(uuid) not in SHARED
