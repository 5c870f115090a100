"""Who may be addressed: an id is a capability, and some names never are one."""

import re

WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
RESERVED = frozenset(
    {"admin", "administrator", "root", "system", "me", "self", "null", "none", "undefined", "anonymous"}
)
"""Never reachable, never creatable, in whatever case they are written."""


def is_well_formed(uuid: str) -> bool:
    """Whether `uuid` can be the id of anybody."""
    return WELL_FORMED.fullmatch(uuid) is not None


def is_reserved(uuid: str) -> bool:
    """Whether `uuid` is a name that no client may use."""
    return uuid.casefold() in RESERVED
