"""Text from outside, cleaned where it enters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.text import INVISIBLE, CleanedParts, cleaned, is_storable, storable

ANY_TEXT = st.text(st.characters(), max_size=60)
"""Half characters too."""
LONG = 1000


@given(ANY_TEXT)
def test_what_is_cleaned_can_be_stored_and_stays(text: str) -> None:
    found = cleaned(text, LONG)
    assert is_storable(found)
    assert not INVISIBLE.search(found)
    assert "\r" not in found
    assert found == found.strip() == cleaned(found, LONG)
    found.encode()


@given(
    st.lists(st.text(st.characters() | st.sampled_from("\ud83d\ude00\r\n"), max_size=6), max_size=10),
    st.integers(0, 20),
)
def test_parts_join_to_the_cleaned_whole(parts: list[str], longest: int) -> None:
    for limit in (longest, LONG):
        reading = CleanedParts(limit)
        said = "".join([*(reading.add(part) for part in parts), reading.end()])
        assert len(said) <= limit
        assert reading.is_cut or said.strip() == cleaned("".join(parts), LONG)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\ud83d\ude00", "😀"),
        ("a\ud83d", "a"),
        ("a\x00b\x1b[1mc\x9f", "ab[1mc"),
        ("a\r\nb\rc\u2028d\te", "a\nb\nc\nd\te"),
        ("\u202eabc\u2069", "abc"),
        ("می\u200cخواهم 👨\u200d👩", "می\u200cخواهم 👨\u200d👩"),
        ("\x00 \u202e", ""),
    ],
)
def test_what_goes_and_what_stays(text: str, plain: str) -> None:
    assert cleaned(text, LONG) == plain


@pytest.mark.parametrize("text", ["a\x00", "\ud83d", "\udc80 from a shell"])
def test_people_are_told(text: str) -> None:
    with pytest.raises(ValueError, match="Unicode text without NUL"):
        storable(text)
