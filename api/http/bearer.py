"""Tokens that a request carries, compared in constant time."""

import hmac
import os

from pydantic import SecretStr

KEY_BYTES = 32


def is_token(sent: str | None, expected: SecretStr) -> bool:
    """Whether a client sent the token. Compares keyed digests, so that the duration does not reveal even the length."""
    key = os.urandom(KEY_BYTES)
    digests = [hmac.digest(key, text.encode(), "sha256") for text in (sent or "", expected.get_secret_value())]
    return sent is not None and hmac.compare_digest(*digests)
