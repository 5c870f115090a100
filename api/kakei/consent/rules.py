"""Data modes, pseudonyms and data splits of a study. Pure."""

import hmac
from enum import StrEnum

STUDY_VERSION = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""Pattern of a study version."""
PSEUDONYM_BYTES = 15
"""120 bits: among a million people the probability that two share a pseudonym is below 1e-24."""
KEPT_FOR_JUDGING = 1 / 3
"""Share of participants whose data are used for evaluation and never for training (same in docs/simulator.md)."""


class DataMode(StrEnum):
    """Whether a person's texts may leave the service, or only numbers derived from them."""

    PRIVATE = "private"
    SYNC = "sync"


def pseudonym(key: bytes, uuid: str) -> str:
    """A person's pseudonym in a study: HMAC-SHA256 of their id under the study's key, 24 letters and digits."""
    digest = hmac.digest(key, uuid.encode(), "sha256")[:PSEUDONYM_BYTES]
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, without similar characters
    value = int.from_bytes(digest)
    return "p" + "".join(alphabet[value >> shift & 31] for shift in range(PSEUDONYM_BYTES * 8 - 5, -1, -5))


def split_of(draw: float) -> str:
    """The use of a new participant's data (training or evaluation), from a uniform draw in [0, 1)."""
    return "judge" if draw < KEPT_FOR_JUDGING else "learn"
