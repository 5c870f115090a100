"""The minimum strength of every secret that a person chooses: passwords of families and of the admin, and tokens and
keys of the settings. `settings.py` and `passwords.py` use it.

It checks length, variety, and a list of common passwords. NIST SP 800-63B recommends the first and the last, and no
rules about required characters.
"""

import string
from functools import cache
from importlib.resources import files

FEWEST_DIFFERENT = 5
"""Different characters: attackers try `aaaaaaaaaa` and `1212121212` early."""
DIFFERENT_IN_KEYS = 8
"""The same for keys and tokens of 32 characters and more; 32 random hex digits have fewer in one case of 10^8."""
SHORTEST_OF_KEYS, LONG_KEY = 16, 32
FEWEST_PARTS = 6
"""Runs such as `1234`, `cba` and `qwerty` count once: `0123456789abcdef` has two parts."""
MOST_DECORATION = 8
"""Digits and punctuation around common words that do not help; more of them are a secret of their own."""
ROWS = ("0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm")
PUNCTUATION = string.punctuation + string.whitespace
DECORATION = PUNCTUATION + string.digits
LEET = str.maketrans("0134578@$!", "oieastbasi")
LEET_WITH_L = str.maketrans("0134578@$!", "oleastbasl")
_WORDS = (
    "abc access admin administrator asdf baby baseball buddy budget bud change changeme changeit coach "
    "default demo dragon example family football guest hello household iloveyou is kakei kakeibo "
    "kakeibuddy key kid kids kinder kinderbud letmein login love me metrics money monkey my mypassword "
    "new observe pass passwd password passwort princess prometheus qwerty qwertz root secret shadow "
    "sunshine super superuser system temp test the this token user welcome your zxcv "
)
COMMON_WORDS = frozenset(_WORDS.split())
"""Short words of common passwords, and this product's own."""
COMMONEST = "commonest_passwords.txt"
"""1,721 passwords of at least ten characters, lower case, the most common first. They are from the 20,000 most common
ones of the Have I Been Pwned collection, as Royce Williams published them
(https://gist.github.com/roycewilliams/226886fd01572964e1431ac8afc999ce) and Django 5.2 ships them. Shorter ones, and
those with fewer than `FEWEST_DIFFERENT` different characters, are omitted, because other rules refuse them."""


class TooWeak(ValueError):
    """A secret is too weak. The message says why, and does not repeat the secret."""


def check_strength(secret: str, shortest: int, longest: int | None = None) -> None:
    """Check that `secret` has at least `shortest` characters, at most `longest`, and is not easy to guess.

    Raises TooWeak."""
    if len(secret) < shortest or (longest is not None and len(secret) > longest):
        wanted = f"at least {shortest}" if longest is None else f"{shortest} to {longest}"
        raise TooWeak(f"needs {wanted} characters")
    folded = secret.casefold()
    if len(secret) // _repetitions(folded) < shortest or _is_easy(folded.strip(), shortest):
        raise TooWeak("is too easy to guess (common words, a sequence or a repetition)")


def _is_easy(text: str, shortest: int) -> bool:
    different = DIFFERENT_IN_KEYS if shortest >= SHORTEST_OF_KEYS and len(text) >= LONG_KEY else FEWEST_DIFFERENT
    if len(set(text)) < different or _parts(text) < FEWEST_PARTS:
        return True
    plain, core = text.strip(PUNCTUATION), text.strip(DECORATION)
    if not _commonest().isdisjoint({text, plain, core}) or _is_common_words(text):
        return True
    is_decorated = _parts(text) - _parts(core) <= MOST_DECORATION
    return is_decorated and any(_is_common_words(core.translate(spelling)) for spelling in (LEET, LEET_WITH_L))


def _parts(text: str) -> int:
    """How many parts `text` has, if a run along the digits, the alphabet or a row of keys is one part."""
    parts, step = 0, None
    for one, before in zip(text, " " + text, strict=False):
        steps = {(row, end) for row in ROWS for end in (1, -1) if _follows(row, before, one, end)}
        step = steps if step is None else step & steps
        if not step:
            parts += 1
            step = None
    return parts


def _follows(row: str, before: str, one: str, end: int) -> bool:
    return before in row and one in row and (row.index(before) + end) % len(row) == row.index(one)


def _is_common_words(text: str) -> bool:
    """Whether `text` is common words one after another, with at most `MOST_DECORATION` parts of other characters."""
    letters = "".join(one if one.isalpha() else " " for one in text).split()
    others = "".join(one for one in text if not one.isalpha())
    return bool(letters) and _parts(others) <= MOST_DECORATION and all(map(_is_made_of_words, letters))


def _is_made_of_words(letters: str) -> bool:
    reached = {0}
    for end in range(1, len(letters) + 1):
        if any(end - len(word) in reached and letters.startswith(word, end - len(word)) for word in COMMON_WORDS):
            reached.add(end)
    return len(letters) in reached


def _repetitions(text: str) -> int:
    """How many times `text` repeats its shortest period; 1 if it repeats nothing."""
    return len(text) // (text + text).find(text, 1) if text else 1


@cache
def _commonest() -> frozenset[str]:
    return frozenset(files("api").joinpath(COMMONEST).read_text(encoding="utf-8").split("\n")) - {""}
