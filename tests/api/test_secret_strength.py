"""The minimum strength of passwords, tokens and keys: one rule for all."""

import base64
import hashlib
import secrets
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.auth.passwords import SHORTEST, PasswordRefused, checked_password
from api.secret_strength import FEWEST_DIFFERENT, TooWeak, _commonest, check_strength
from api.settings import SHORTEST_PASSWORD, SHORTEST_SECRET, SHORTEST_TOKEN, Settings

FLOORS = {
    "admin_password": SHORTEST_PASSWORD,
    "metrics_token": SHORTEST_TOKEN,
    "research_export_token": SHORTEST_TOKEN,
    "secret_key": SHORTEST_SECRET,
}
LISTED = sorted(_commonest())


def test_the_list_holds_what_the_other_rules_let_through() -> None:
    assert len(LISTED) == 1721
    assert {"1234567890", "qwertyuiop", "password123"} <= set(LISTED)
    for one in LISTED:
        assert (one, len(one) >= SHORTEST, len(set(one)) >= FEWEST_DIFFERENT) == (one.casefold().strip(), True, True)


@given(st.sampled_from(LISTED), st.integers(min_value=0))
def test_no_common_password_is_taken_in_any_case(listed: str, seed: int) -> None:
    mixed = "".join(letter.upper() if seed >> place & 1 else letter for place, letter in enumerate(listed))
    with pytest.raises(TooWeak, match="too easy to guess"):
        check_strength(mixed, SHORTEST)
    with pytest.raises(PasswordRefused, match="too easy to guess"):
        checked_password(mixed)


@given(st.text(min_size=1, max_size=9), st.integers(min_value=2, max_value=60))
def test_a_short_part_again_and_again_is_refused_everywhere(part: str, times: int) -> None:
    with pytest.raises(TooWeak):
        check_strength(part * times, SHORTEST)


@pytest.mark.parametrize(("name", "shortest"), FLOORS.items())
def test_every_secret_of_the_settings_has_the_floor(name: str, shortest: int) -> None:
    good = secrets.token_hex(shortest)
    assert Settings.model_validate({name: good}).model_dump()[name].get_secret_value() == good
    for weak in (good[: shortest - 1], "x" * 64, "12" * 32, "changeme" * 8, "Passw0rd!" * 8):
        with pytest.raises(ValidationError, match=name) as refused:
            Settings.model_validate({name: weak})
        assert weak not in str(refused.value.errors(include_input=False, include_url=False)[0]["msg"])


def test_a_weak_secret_key_can_retire_behind_a_new_one() -> None:
    weak, good = "x" * SHORTEST_SECRET, secrets.token_hex(32)
    with pytest.raises(ValidationError, match="put a new one in front"):
        Settings.model_validate({"secret_key": f"{weak},{good}"})
    kept = Settings.model_validate({"secret_key": f"{good},{weak}"}).secret_key
    assert kept is not None
    assert kept.get_secret_value() == f"{good},{weak}"


@pytest.mark.parametrize(
    ("name", "weak"),
    [
        *(("admin_password", one) for one in ("123456789012", "abcdefghijkl", "changeme1234", "admin-password")),
        *(("admin_password", one) for one in ("adminadmin12", "welcome12345", "P@ssw0rd2026!", "qwertyuiopas")),
        *(("admin_password", one) for one in ("zyxwvutsrqpo", "KinderBud2026", "Letmein!!123", "password123!")),
        *(("metrics_token", one) for one in ("1234567890123456", "0123456789abcdef", "changeme-changeme")),
        *(("secret_key", one) for one in ("12345678901234567890123456789012", "abcdefg" * 5, "a1b2c3d" * 5)),
    ],
)
def test_sequences_and_common_words_are_refused(name: str, weak: str) -> None:
    with pytest.raises(ValidationError, match="is too easy to guess"):
        Settings.model_validate({name: weak})


WORDS = [
    *("correct", "horse", "battery", "staple", "calm", "river", "stone"),
    *("cloud", "paper", "lemon", "window", "garden", "violin", "pepper"),
    *("anchor", "marble", "copper", "silver", "walnut", "cactus", "donkey"),
    *("engine", "fabric", "goblin", "harbor", "insect", "jacket", "kettle"),
    *("ladder", "magnet", "needle", "orange"),
]


@given(st.binary(min_size=32, max_size=32), st.uuids(version=4), st.permutations(WORDS))
def test_random_secrets_are_taken(made: bytes, uuid: UUID, words: list[str]) -> None:
    """As the usual generators print them; hypothesis also makes bytes that no generator would."""
    random = hashlib.sha256(made).digest()
    for text in (random[:16].hex(), random.hex(), base64.b64encode(random).decode(), str(uuid5(uuid, made.hex()))):
        check_strength(text, SHORTEST_SECRET)
    check_strength(base64.urlsafe_b64encode(random[:16]).decode().rstrip("="), SHORTEST_TOKEN)
    for separator in (" ", "-", ""):
        check_strength(separator.join(words[:4]), SHORTEST_PASSWORD)
