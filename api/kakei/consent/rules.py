"""What a consent allows, and how a person is called within a study. Pure."""

import hmac
from enum import StrEnum

STUDY_VERSION = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What a study version looks like."""
PSEUDONYM_BYTES = 15
"""120 bits: among a million people the chance that two share a pseudonym is below 1e-24."""
KEPT_FOR_JUDGING = 1 / 3
"""Share of participants whose data judge policies and never teach them (docs/simulator.md uses the same)."""


class DataMode(StrEnum):
    """Whether a person's own words may leave the service, or only numbers derived from them."""

    PRIVATE = "private"
    SYNC = "sync"


def pseudonym(key: bytes, uuid: str) -> str:
    """What a person is called in a study: HMAC-SHA256 of their id under the study's key, 24 letters and digits."""
    digest = hmac.digest(key, uuid.encode(), "sha256")[:PSEUDONYM_BYTES]
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing that looks like something else
    value = int.from_bytes(digest)
    return "p" + "".join(alphabet[value >> shift & 31] for shift in range(PSEUDONYM_BYTES * 8 - 5, -1, -5))


def split_of(draw: float) -> str:
    """What a new participant's data are for, by a uniform draw from [0, 1)."""
    return "judge" if draw < KEPT_FOR_JUDGING else "learn"
