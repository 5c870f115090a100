"""The key ring that encrypts secrets before they are stored."""

import base64
from pathlib import Path

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.auth import key_file
from api.database_url import SqliteUrl
from api.settings import Settings

KEY_FILE = "secret-key"
KEY_BYTES = 32
log = structlog.get_logger("api.auth.keyring")


class SecretMissing(ValueError):
    """`SECRET_KEY` must be set unless the database is a local SQLite file."""


class Keyring:
    """Encrypts with the newest secret, and decrypts with any of them."""

    def __init__(self, secrets: list[str]) -> None:
        single = [Fernet(_derived(secret)) for secret in secrets]
        self._newest, self._fernet = single[0], MultiFernet(single)

    def is_newest(self, wrapped: str) -> bool:
        """Whether the newest secret decrypts the value."""
        try:
            self._newest.decrypt(wrapped)
        except InvalidToken:
            return False
        return True

    def wrap(self, plain: bytes) -> str:
        """`plain`, encrypted and authenticated."""
        return self._fernet.encrypt(plain).decode()

    def unwrap(self, wrapped: str) -> bytes:
        """The decrypted value. Raises SecretMissing if none of the secrets decrypts it."""
        try:
            return self._fernet.decrypt(wrapped)
        except InvalidToken as error:
            raise SecretMissing("SECRET_KEY does not hold the key that this was encrypted with") from error


def keyring(settings: Settings) -> Keyring:
    """The secrets of the settings. On SQLite without any, one is created once and stored beside the database.
    Raises SecretMissing if there is none on PostgreSQL, since several processes must share it.

    """
    if settings.secret_key is not None:
        return Keyring([secret.strip() for secret in settings.secret_key.get_secret_value().split(",")])
    file = key_file_of(settings)
    try:
        keys, made = key_file.read_or_make(file)
        keys += key_file.retired_keys(file)
    except key_file.KeyFileBroken as error:
        raise SecretMissing(str(error)) from error
    if made:
        log.warning("SECRET_KEY is not set: one was made; back it up together with the database", file=str(file))
    return Keyring(keys)


def key_file_of(settings: Settings) -> Path:
    """The path of the key file of an SQLite database. Raises SecretMissing for other databases."""
    if not isinstance(settings.database, SqliteUrl):
        raise SecretMissing("SECRET_KEY must be set: `openssl rand -hex 32` makes one")
    return settings.database.file.with_name(KEY_FILE)


def _derived(secret: str) -> bytes:
    """A Fernet key from a secret of any form (HKDF, RFC 5869)."""
    key = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"buddy-coach/keyring/1").derive(secret.encode())
    return base64.urlsafe_b64encode(key)
