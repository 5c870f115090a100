"""The floor under every secret that a person chooses: passwords of families and of the admin, and the tokens and keys
of the settings. `settings.py` and `passwords.py` both ask here.

The floor is length, variety, and a list of the commonest passwords. NIST SP 800-63B asks for the first and the last,
and for no rules about which characters a password must have.
"""

from functools import cache
from importlib.resources import files

FEWEST_DIFFERENT = 5
"""Different characters: `aaaaaaaaaa` and `1212121212` are among the first that an attacker tries."""
COMMONEST = "commonest_passwords.txt"
"""1,721 passwords of ten characters and more, lower case, the commonest first. They come from the 20,000 commonest ones
of the Have I Been Pwned collection, as Royce Williams published them
(https://gist.github.com/roycewilliams/226886fd01572964e1431ac8afc999ce) and Django 5.2 ships them. Shorter ones, and
those with fewer than `FEWEST_DIFFERENT` different characters, are left out: other rules refuse them."""


class TooWeak(ValueError):
    """A secret is below the floor. The message says why, and does not repeat the secret."""


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
    """How many times `text` says its shortest part; 1 where it repeats nothing."""
    return len(text) // (text + text).find(text, 1)


@cache
def _commonest() -> frozenset[str]:
    return frozenset(files("api").joinpath(COMMONEST).read_text(encoding="utf-8").split("\n"))
