"""Text from outside, cleaned where it enters."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.text import INVISIBLE, CleanedParts, cleaned, is_storable, storable
from tests.support.serving import BUDDY

COMMANDS = (
    ["user", "erase", "--yes"],
    ["research", "withdraw", "--yes"],
    ["research", "rotate-pseudonyms", "--yes"],
    ["study", "start"],
    ["household", "create", "--user", "Sarah:sarah@example.com", "--name"],
)
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


@pytest.mark.parametrize("command", COMMANDS)
def test_an_argument_that_is_no_utf8_is_refused_in_one_line(command: list[str], tmp_path: Path) -> None:
    own = {"DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "SECRET_KEY": "a secret for tests that is long enough"}
    arguments = [os.fsencode(BUDDY), *map(os.fsencode, command), b"a\xff"]
    done = subprocess.run(arguments, env=os.environ | own, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"error: an argument is no text in UTF-8\n")
