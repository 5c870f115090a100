"""Scores a written reflection by its content: an observation, an amount, a cause and a plan.

The score is the sum of the weights of the signals that are present, each counted once:

    score = 0.40 observation + 0.25 plan + 0.20 cause + 0.15 amount

So length, spelling, style and mood do not count, and three short sentences can reach 1. Signals are found by the words
of data/catalog/reflections.toml, in English and Japanese; in other languages only numbers and the intended action are
recognised. The score cannot measure honesty: the words can be written without the thought.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any

OBSERVATION, AMOUNT, CAUSE, PLAN = "observation", "amount", "cause", "plan"

WEIGHTS = {
    OBSERVATION: 0.40,  # the basis: without an observation there is nothing to explain or to change
    AMOUNT: 0.15,  # the least: the app already knows the amounts, and some people do not like to write them
    CAUSE: 0.20,  # shows where a change can begin
    PLAN: 0.25,  # more than a cause: a plan of when and how makes an action likelier (Gollwitzer, 1999)
}
"""Shares of the score, in the order in which feedback is given. They sum to 1; the sizes are ours."""

CLEAR_FROM = 0.40
"""Score of an observation alone."""
STRONG_FROM = 0.75
"""Score that needs an observation and two of the other three; those three without it are 0.60."""

FEWEST_WORDS = 2
"""Least different words and numbers of an observation: "Snacks." is only a topic, "Snacks again." says something."""
CHARACTERS_PER_WORD = 3
"""Different Japanese characters that count as one word, rounded up: お菓子 is one, 外食多め are two."""
KEYBOARD_RUN = 3
"""Letters from which on a run of neighbouring keys is not a word; "we" and "as" are words."""

_LATIN = "0-9a-z\u00df-\u024f"
_JAPANESE = "\u3005\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff"
_VOWELS = frozenset("aeiouy")
_KEYBOARD_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

_NO_AMOUNT = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}:\d{2}|\d{1,2} ?[ap]\.?m(?![a-z])"  # dates and times of day
    r"|\d{4}年|\d{1,2}月(?:\d{1,2}日)?|\d{1,2}時(?!間)(?:\d{1,2}分)?"
    r"|7[- ]?(?:eleven|11)|(?:100|百)(?:均|円(?:ショップ|均一|ローソン))|八百屋"  # shops
)
_KANJI_AMOUNT = re.compile(
    "(?<!精)[一二三四五六七八九十百千万億数]{1,8}(?:円|回|個|杯|本|枚|割|倍|日間|週間|[かヶカヵ]月|箱|袋|冊|着|缶|皿|食)"
    "|[二三四五六七八九]つ|[一二三四五六七八九十数何][百千万]|[二三四五六七八九十]分の[一二三四五六七八九]"
)


class QualityLevel(StrEnum):
    """The level of a reflection; `starting` is the lowest."""

    STARTING = "starting"
    CLEAR = "clear"
    STRONG = "strong"


@dataclass(frozen=True)
class Quality:
    """Strengths and missing are keys of `WEIGHTS`, in that order; each key is in one of the two."""

    score: float  # from 0 to 1, two decimals
    level: QualityLevel
    strengths: tuple[str, ...]
    missing: tuple[str, ...]


def quality_of(reflection_text: str, intended_action: str | None, signals: Iterable[Mapping[str, Any]]) -> Quality:
    """The quality of a reflection by the signals of the catalog. Case, spacing and NFKC-equal forms do not matter."""
    text, action = _even(reflection_text), _even(intended_action or "")
    by_key = {signal["key"]: signal for signal in signals}
    found = {key: _is_said(text, by_key[key]) for key in WEIGHTS}
    found[OBSERVATION] &= _words(text) + len(set(re.findall(r"\d+", text))) >= FEWEST_WORDS
    found[AMOUNT] |= _has_number(text)
    found[PLAN] |= _words(action) > 0 and action.strip(" .!?-。、・") not in by_key[PLAN]["no_action"]
    score = round(sum(weight for key, weight in WEIGHTS.items() if found[key]), 2)
    return Quality(
        score=score,
        level=_level_of(score),
        strengths=tuple(key for key in WEIGHTS if found[key]),
        missing=tuple(key for key in WEIGHTS if not found[key]),
    )


def feedback(quality: Quality, texts: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """One sentence for each signal from `texts_in` a language: the strengths first, then the missing ones."""
    there = (texts[key]["present"] for key in quality.strengths)
    asked = (texts[key]["missing"] for key in quality.missing)
    return (*there, *asked)


def texts_in(language: str, signals: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The two sentences of each signal in a language. Raises KeyError for a language that the catalog lacks."""
    return {signal["key"]: {kind: signal[kind][language] for kind in ("present", "missing")} for signal in signals}


def _level_of(score: float) -> QualityLevel:
    if score >= STRONG_FROM:
        return QualityLevel.STRONG
    return QualityLevel.CLEAR if score >= CLEAR_FROM else QualityLevel.STARTING


def _even(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.replace("’", "'").split())


def _is_said(text: str, signal: Mapping[str, Any]) -> bool:
    english = _any_of(signal["english"], signal.get("english_except", ()))
    japanese = _any_of(signal["japanese"], signal.get("japanese_except", ()))
    excepted = {*signal.get("english_except", ()), *signal.get("japanese_except", ())}
    found = chain(
        re.finditer(f"(?<![{_LATIN}])(?:{english})(?![{_LATIN}])", text),
        re.finditer(japanese, text),
    )
    return any(match.group() not in excepted for match in found)


def _any_of(words: Iterable[str], exceptions: Iterable[str]) -> str:
    """A pattern of all phrases, the longest first, so that an exception matches before the word inside it."""
    longest_first = sorted((*words, *exceptions), key=lambda phrase: (-len(phrase), phrase))
    return "|".join(re.escape(phrase).replace(r"\*", f"[{_LATIN}]*") for phrase in longest_first)


def _has_number(text: str) -> bool:
    rest = _NO_AMOUNT.sub(" ", text)
    return any(character.isdecimal() for character in rest) or _KANJI_AMOUNT.search(rest) is not None


def _words(text: str) -> int:
    """The number of different plausible words: no single letters, no keyboard runs, none without a vowel."""
    japanese = len(set(re.findall(f"[{_JAPANESE}]", text)))
    others = {_unit(token) for token in re.findall(rf"[^\W\d_{_JAPANESE}]+", text)}
    japanese_words = -(-japanese // CHARACTERS_PER_WORD) if japanese > 1 else 0
    return japanese_words + sum(_could_be_a_word(unit) for unit in others)


def _unit(token: str) -> str:
    """The repeated part of a token: "a" of "aaaa", "asdf" of "asdfasdf"."""
    return token[: (token + token).index(token, 1)]


def _could_be_a_word(unit: str) -> bool:
    if len(unit) == 1 or (unit.isascii() and _VOWELS.isdisjoint(unit)):
        return False
    return len(unit) < KEYBOARD_RUN or not any(unit in row for row in _KEYBOARD_ROWS)
