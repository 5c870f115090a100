"""Secrets: wrapping, rotation, comparison, and file permissions."""

import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.auth.keyring import Keyring, SecretMissing, keyring
from api.http.bearer import is_token
from api.settings import Settings

OLD, NEW = "an old secret that is long enough", "a new secret that is long enough"


def test_old_secrets_still_unwrap_and_new_ones_wrap() -> None:
    wrapped = Keyring([OLD]).wrap(b"key")
    rotated = Keyring([NEW, OLD])
    assert rotated.unwrap(wrapped) == b"key"
    again = rotated.wrap(b"key")
    assert Keyring([NEW]).unwrap(again) == b"key"
    for held, stranger in ((wrapped, NEW), (again, OLD)):
        with pytest.raises(SecretMissing):
            Keyring([stranger]).unwrap(held)


def test_what_is_wrapped_shows_nothing_and_is_different_every_time() -> None:
    ring = Keyring([OLD])
    one, two = ring.wrap(b"key"), ring.wrap(b"key")
    assert one != two
    assert "key" not in one


def test_on_sqlite_a_secret_is_made_once_and_no_one_else_reads_it(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/var/x.db")
    wrapped = keyring(settings).wrap(b"key")
    assert keyring(settings).unwrap(wrapped) == b"key"
    file = tmp_path / "var" / "secret-key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_on_postgresql_it_must_be_set() -> None:
    with pytest.raises(SecretMissing):
        keyring(Settings(_env_file=None, database_url="postgresql://127.0.0.1/x"))


@pytest.mark.parametrize(
    ("sent", "right"), [("token-of-tests", True), ("token-of-test", False), ("", False), (None, False)]
)
def test_a_token_is_right_or_wrong(sent: str | None, right: bool) -> None:
    assert is_token(sent, SecretStr("token-of-tests")) is right
