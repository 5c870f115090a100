"""Which ids are valid: an id is a capability, and some names are reserved."""

import re

WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED = frozenset(
    {"admin", "administrator", "root", "system", "me", "self", "null", "none", "undefined", "anonymous"}
)
"""Names that clients can neither use nor create, in any case."""


def is_well_formed(uuid: str) -> bool:
    """Whether `uuid` can be the id of a user."""
    return WELL_FORMED.fullmatch(uuid) is not None


def is_reserved(uuid: str) -> bool:
    """Whether `uuid` is a name that no client may use."""
    return uuid.casefold() in RESERVED


def is_possible(uuid: str) -> bool:
    """Whether there can be a user with that id."""
    return is_well_formed(uuid) and not is_reserved(uuid)
