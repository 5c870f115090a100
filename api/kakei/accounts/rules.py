"""Who may be addressed: an id is a capability, and some names never are one."""

RESERVED = frozenset(
    {"admin", "administrator", "root", "system", "me", "self", "null", "none", "undefined", "anonymous"}
)
"""Never reachable, never creatable, in whatever case they are written."""


def is_reserved(uuid: str) -> bool:
    """Whether `uuid` is a name that no client may use."""
    return uuid.casefold() in RESERVED
