"""Who may be addressed: an id is a capability, and some names never are one."""

import re

WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
RESERVED = frozenset(
    {"admin", "administrator", "root", "system", "me", "self", "null", "none", "undefined", "anonymous"}
)
"""Never reachable, never creatable, in whatever case they are written."""


def is_well_formed(uuid: str) -> bool:
    """Whether `uuid` can be the id of anybody."""
    return WELL_FORMED.fullmatch(uuid) is not None


def cannot_be_guessed(uuid: str) -> bool:
    """Whether an id is a UUID, which is what reading and erasing everything takes."""
    return UUID_FORM.fullmatch(uuid) is not None


def is_reserved(uuid: str) -> bool:
    """Whether `uuid` is a name that no client may use."""
    return uuid.casefold() in RESERVED
