"""The minimum strength of every secret that a person chooses: passwords of families and of the admin, and tokens and
keys of the settings. `settings.py` and `passwords.py` use it.

It checks length, variety, and a list of common passwords. NIST SP 800-63B recommends the first and the last, and no
rules about required characters.
"""

from functools import cache
from importlib.resources import files

FEWEST_DIFFERENT = 5
"""Different characters: attackers try `aaaaaaaaaa` and `1212121212` early."""
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
    if len(set(folded)) < FEWEST_DIFFERENT:
        raise TooWeak(f"is too easy to guess: it has fewer than {FEWEST_DIFFERENT} different characters")
    if len(secret) // _repetitions(folded) < shortest:
        raise TooWeak("is too easy to guess: it repeats a short part")
    if folded.strip() in _commonest():
        raise TooWeak("is too easy to guess: it is one of the commonest passwords")


def _repetitions(text: str) -> int:
    """How many times `text` repeats its shortest period; 1 if it repeats nothing."""
    return len(text) // (text + text).find(text, 1)


@cache
def _commonest() -> frozenset[str]:
    return frozenset(files("api").joinpath(COMMONEST).read_text(encoding="utf-8").split("\n"))
