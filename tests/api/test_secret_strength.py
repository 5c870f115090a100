"""The minimum strength of passwords, tokens and keys: one rule for all."""

import secrets
import string

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
LISTED = sorted(_commonest() - {""})


def test_the_list_holds_what_the_other_rules_let_through() -> None:
    assert len(LISTED) == 1721
    assert {"1234567890", "qwertyuiop", "password123"} <= set(LISTED)
    for one in LISTED:
        assert (one, len(one) >= SHORTEST, len(set(one)) >= FEWEST_DIFFERENT) == (one.casefold().strip(), True, True)


@given(st.sampled_from(LISTED), st.integers(min_value=0))
def test_no_common_password_is_taken_in_whatever_case(listed: str, seed: int) -> None:
    mixed = "".join(letter.upper() if seed >> place & 1 else letter for place, letter in enumerate(listed))
    with pytest.raises(TooWeak, match="commonest"):
        check_strength(mixed, SHORTEST)
    with pytest.raises(PasswordRefused, match="commonest"):
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


@given(st.text(string.ascii_letters + string.digits, min_size=64, max_size=64))
def test_random_secrets_are_taken(text: str) -> None:
    if len(set(text.casefold())) < FEWEST_DIFFERENT or text[:32] == text[32:]:
        return
    check_strength(text, 10)
