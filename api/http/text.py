"""Text from outside: refused if its author can correct it, else cleaned.

Clients and commands get an error (`storable`). Text of a model or of another service is cleaned (`cleaned`), since its
author cannot correct it.
"""

import re
from typing import Any

BIDI_CONTROLS = "\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates: they display text in another order than it is stored (CVE-2021-42574)."""
INVISIBLE = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff{BIDI_CONTROLS}]")
"""Controls other than newline and tab, lone surrogates, byte order marks and noncharacters."""
LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
HIGH_SURROGATES = ("\ud800", "\udbff")


def is_storable(text: str) -> bool:
    """Whether every database and file format can hold `text`: it has no NUL and no lone surrogate."""
    return NOT_STORABLE.search(text) is None


def storable(text: str) -> str:
    """`text`, unchanged. Raises ValueError if a database cannot hold it."""
    if not is_storable(text):
        raise ValueError("must be Unicode text without NUL")
    return text


def check_texts(value: Any) -> None:
    """Check every text in `value`, names of fields included. Raises ValueError as `storable` does. The texts are looked
    at as characters: one may well mention `\\u0000`. However deep they lie, the stack does not grow."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            storable(part)
        elif isinstance(part, dict):
            waiting += (*part.keys(), *part.values())
        elif isinstance(part, list | tuple):
            waiting += part


def cleaned(text: str, longest: int) -> str:
    """Clean a text from outside: valid characters, no controls but newline and tab, no blanks around it, at most
    `longest` characters. The result may be empty."""
    return _plain(text).strip()[:longest].rstrip()


class CleanedParts:
    """Cleans a text that arrives in parts: the joined result is `cleaned` of the whole, except for blanks around it.

    A part may end inside a character or a line end; that remainder waits for the next part.
    """

    def __init__(self, longest: int) -> None:
        self._left = longest
        self._waiting = ""
        self.is_cut = False
        """Whether more than `longest` characters arrived."""

    def add(self, part: str) -> str:
        """The next characters that are complete."""
        text = self._waiting + part
        splits = text and (text[-1] == "\r" or HIGH_SURROGATES[0] <= text[-1] <= HIGH_SURROGATES[1])
        text, self._waiting = (text[:-1], text[-1]) if splits else (text, "")
        return self._bounded(_plain(text))

    def end(self) -> str:
        """The remainder."""
        text, self._waiting = self._waiting, ""
        return self._bounded(_plain(text))

    def _bounded(self, text: str) -> str:
        self.is_cut = self.is_cut or len(text) > self._left
        text = text[: self._left]
        self._left -= len(text)
        return text


def _plain(text: str) -> str:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")  # joins surrogate pairs
    return INVISIBLE.sub("", LINE_ENDS.sub("\n", whole))
