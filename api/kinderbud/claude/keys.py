"""A household's Claude key. It is stored encrypted with SECRET_KEY and decrypted only to ask Claude."""

import structlog

from api.auth.keyring import Keyring, SecretMissing
from api.models import Household

log = structlog.get_logger("api.kinderbud")


def key_of(keyring: Keyring, household: Household) -> str | None:
    """The key. None if there is none, or if SECRET_KEY cannot decrypt it, which is logged."""
    if household.claude_key is None:
        return None
    try:
        return keyring.unwrap(household.claude_key).decode()
    except SecretMissing:
        log.error("a Claude key cannot be decrypted: SECRET_KEY has changed", household=household.id)
        return None


def set_key(keyring: Keyring, household: Household, key: str | None) -> None:
    """Store a key, encrypted. None removes it."""
    household.claude_key = keyring.wrap(key.strip().encode()) if key is not None else None
