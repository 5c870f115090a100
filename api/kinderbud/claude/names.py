"""Which names are sent to Claude: first names. Pure.

People type many things as a name: "Emma Johnson", "Dr. Sarah Johnson", "Johnson, Emma", "山田 太郎", an address. The
rule, in order:

1. An e-mail address, or a name without letters, is not sent.
2. The first name follows a comma. Titles are dropped. Of several words the first one is the first name. If the words
are Chinese, Japanese or Korean, the last one is, since the family name comes first there.
3. One word in those scripts may be a whole name. It is sent if it is as short as a first name: two characters that do
not begin with one of the commonest family names, or up to four kana.
4. A word that is a family name elsewhere in the household (of another member, or of the household) is not sent.

Claude sees "Child 1" or "Adult 2" for a name that is not sent. All other parts of names are removed from every text
that is sent, and so are e-mail addresses, keys, tokens and birthdays. The rule cannot detect a family name that is not
in the household's data, or that is typed as the only name.
"""

import calendar
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib import resources

LONGEST_FIRST_NAME = 40
SHORT_CJK, SHORT_KANA = 2, 4
FAMILY_NAME, EMAIL, KEY, BIRTHDAY = "[name]", "[e-mail]", "[key]", "[birthday]"
"""The replacement for removed text."""

_LISTS = tomllib.loads(resources.files("api.kinderbud.claude").joinpath("names.toml").read_text(encoding="utf-8"))
TITLES, ORDINARY, EVERYDAY, CHINESE_FAMILY_NAMES = (
    frozenset(_LISTS[name].split()) for name in ("titles", "ordinary", "everyday", "chinese_family_names")
)
HONORIFICS = "さん|様|さま|ちゃん|くん|君|先生|氏|家|씨|님|太太|女士|小姐"

_RUN = re.compile(r"\S+")
_IN_ADDRESS = re.compile("[^@]@[^@]")
_KEY = re.compile(r"\b(?:kb_live_|sk-ant-)[\w-]+", re.ASCII)
_NUMBERS = re.compile(r"(?<!\d)(\d{1,4})\s?[-./年]\s?(\d{1,2})\s?[-./月]\s?(\d{1,4})日?(?!\d)")
_MONTHS = tuple(name.lower() for name in calendar.month_name)
"""English; the first is empty."""
_NAMED = re.compile(
    r"\b(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<month>[a-z]{3,9})\.?\s+"
    r"(?:(?P<after>\d{1,2})(?:st|nd|rd|th)?,?\s+)?(?P<year>\d{4})\b",
    re.IGNORECASE,
)
_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff]")
_JOINS = "'’-\u200c\u200d"
"""Characters of a word that are not letters."""


@dataclass(frozen=True)
class Person:
    """A member of a household. `names` are all names that were typed for them."""

    names: tuple[str, ...]
    is_adult: bool = True
    birthday: date | None = None


@dataclass(frozen=True)
class Names:
    """The names of a household. `people` has a fixed order; it numbers those without a first name."""

    household: str
    people: tuple[Person, ...]

    def shown(self, place: int) -> str:
        """The name that Claude sees for the person at an index."""
        return self._shown[place]

    def removed_from(self, text: str) -> str:
        """`text` without family names, addresses, keys and birthdays. Compatibility characters become plain ones, so
        that they cannot hide a name; the text may look slightly different.
        """
        text = _plain(text)
        text = _KEY.sub(KEY, _RUN.sub(lambda run: EMAIL if _IN_ADDRESS.search(run[0]) else run[0], text))
        text = _NUMBERS.sub(self._of_numbers, text)
        text = _NAMED.sub(self._of_month, text)
        for pattern, instead in self._patterns:
            text = pattern.sub(instead, text)
        return text

    @cached_property
    def _family_names(self) -> frozenset[str]:
        """Family names, as typed and case-folded. For the household's name, also the singular of a plural."""
        firsts = {first.casefold() for person in self.people for name in person.names if (first := _first_of(name))}
        found = {part for person in self.people for name in person.names for part in _others_of(name)}
        is_the = self.household.casefold().startswith("the ")  # "The Johnsons", but not a home
        for word in _words(self.household):
            bare = re.sub(r"['’]s?$", "", word)
            singulars = {bare[: -len(end)] for end in ("s", "es") if bare.casefold().endswith(end)}
            found |= {name for name in {bare} | singulars if name.casefold() not in firsts or (is_the and name != bare)}
        found |= {part for name in found for part in name.split("-")}
        found |= {name.casefold() for name in found}
        words = ORDINARY | TITLES
        return frozenset(n for n in found if n.casefold() not in words and (len(n) > 1 or _is_cjk(n)))

    @cached_property
    def _shown(self) -> tuple[str, ...]:
        counts, shown = {True: 0, False: 0}, []
        for person in self.people:
            counts[person.is_adult] += 1
            first = _without(_first_of(person.names[0]), self._family_names)
            shown.append(first or f"{'Adult' if person.is_adult else 'Child'} {counts[person.is_adult]}")
        return tuple(shown)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """Patterns and their replacements: whole names first, the longest first."""
        whole: dict[str, str] = {}
        for person, shown in zip(self.people, self._shown, strict=True):
            for name in person.names:
                typed = " ".join(_plain(name).split())
                if typed and typed.casefold() != shown.casefold():
                    whole[typed] = shown
                    if _is_cjk(typed.replace(" ", "")):
                        whole[typed.replace(" ", "")] = shown
        longest_first = sorted(whole, key=len, reverse=True)
        patterns = [(_pattern(name), whole[name]) for name in longest_first]
        names = sorted(self._family_names, key=len, reverse=True)
        return patterns + [(_pattern(name, plural=True), FAMILY_NAME) for name in names]

    def _of_numbers(self, found: re.Match[str]) -> str:
        numbers = sorted(int(number) for number in found.groups())
        return BIRTHDAY if any(numbers in _forms(day) for day in self._birthdays) else found[0]

    def _of_month(self, found: re.Match[str]) -> str:
        months = [number for number, name in enumerate(_MONTHS) if name.startswith(found["month"].lower())]
        number = found["day"] or found["after"]
        is_birthday = number and any(
            (day.year, day.month, day.day) == (int(found["year"]), month, int(number))
            for day in self._birthdays
            for month in months
        )
        return BIRTHDAY if is_birthday else found[0]

    @property
    def _birthdays(self) -> list[date]:
        return [person.birthday for person in self.people if person.birthday is not None]


def _first_of(name: str) -> str:
    """The first name in a typed name. Empty if there is none that may be sent."""
    if "@" in name:
        return ""
    words = _given_first(name)
    if not words:
        return ""
    if _is_cjk("".join(words)):
        return words[0] if len(words) > 1 or _is_short(words[0]) else ""
    return words[0][:LONGEST_FIRST_NAME]


def _others_of(name: str) -> set[str]:
    """The other words of a name."""
    return set() if "@" in name else set(_given_first(name)[1:])


def _given_first(name: str) -> list[str]:
    """The words of a name without titles, first name first."""
    name = _plain(name)
    family, comma, given = name.partition(",")
    if comma and _words(given) and not _is_title(given):
        return [*_words(given), *_words(family)]
    words = _words(name)
    is_family_first = len(words) > 1 and _is_cjk("".join(words)) and not re.search("[・·•]", name)
    return [words[-1], *words[:-1]] if is_family_first else words


def _words(name: str) -> list[str]:
    """The words of a name that are not titles, unless all are titles. No words for an address."""
    if "@" in name:
        return []
    spaced = "".join(character if _is_of_word(character) else " " for character in _plain(name))
    found = [word for part in spaced.split() if (word := part.strip(_JOINS))]
    return [word for word in found if word.casefold() not in TITLES] or found


def _is_of_word(character: str) -> bool:
    """Letters, marks such as Hindi vowels, and joining characters. A middle dot divides words."""
    return (unicodedata.category(character)[0] in "LM" or character in _JOINS) and character not in "・·•"


def _is_title(text: str) -> bool:
    return all(word.casefold() in TITLES for word in _words(text))


def _without(first: str, family_names: Iterable[str]) -> str:
    """A first name without family names that are attached to it."""
    known = set(family_names)
    parts = [part for part in first.split("-") if part.casefold() not in known]
    first = "-".join(parts)
    for name in known:
        if len(name) > 1 and first.casefold().endswith(name.casefold()):
            first = first[: -len(name)]
    return first


def _pattern(name: str, *, plural: bool = False) -> re.Pattern[str]:
    """Matches a name as a whole word, in any case. Scripts without blanks have no words: there the name matches
    anywhere, but a single character only before a form of address.
    """
    escaped = re.sub("['’]", "['’]", r"\s+".join(re.escape(word) for word in name.split()))
    if _is_cjk(name.replace(" ", "")):
        return re.compile(f"{escaped}(?={HONORIFICS})" if len(name) == 1 else escaped)
    letter = r"[^\W\d_]"
    if name.casefold() in EVERYDAY:
        return re.compile(f"(?<!{letter})(?:{name.capitalize()}|{name.upper()})(?!{letter})")
    ending = "(?:e?s)?" if plural else ""
    return re.compile(f"(?<!{letter}){escaped}{ending}(?!{letter})", re.IGNORECASE)


def _forms(day: date) -> list[list[int]]:
    """The numbers of a date in any order, with a year of four or two digits."""
    return [sorted((day.year, day.month, day.day)), sorted((day.year % 100, day.month, day.day))]


def _plain(text: str) -> str:
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text))


def _is_cjk(text: str) -> bool:
    return bool(text) and all(_script(character) for character in text)


def _is_short(word: str) -> bool:
    """Whether one word in these scripts is as short as a first name."""
    if all(_script(character) == "kana" for character in word):
        return len(word) <= SHORT_KANA
    return len(word) <= SHORT_CJK and (len(word) == 1 or word[0] not in CHINESE_FAMILY_NAMES)


def _script(character: str) -> str:
    """`kana`, `han` or `hangul`; empty for any other script."""
    if "\u3040" <= character <= "\u30ff" or character == "\u3005":
        return "kana"
    if "\uac00" <= character <= "\ud7a3":
        return "hangul"
    ranges = (("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\U00020000", "\U0003ffff"))
    return "han" if any(first <= character <= last for first, last in ranges) else ""
