"""A household's Claude key: encrypted with SECRET_KEY where it is kept, and in the clear only while Claude is asked."""

import structlog

from api.auth.keyring import Keyring, SecretMissing
from api.models import Household

log = structlog.get_logger("api.kinderbud")


def key_of(keyring: Keyring, household: Household) -> str | None:
    """The key; None where there is none, or where SECRET_KEY has lost it, which the log says."""
    if household.claude_key is None:
        return None
    try:
        return keyring.unwrap(household.claude_key).decode()
    except SecretMissing:
        log.error("a Claude key cannot be decrypted: SECRET_KEY has changed", household=household.id)
        return None


def set_key(keyring: Keyring, household: Household, key: str | None) -> None:
    """Keep a key, encrypted; None takes it away."""
    household.claude_key = keyring.wrap(key.strip().encode()) if key is not None else None
