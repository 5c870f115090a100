"""The messages of the budget coach, by language, tone and level. They are read from `texts/` on first use."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from coach_model.budget.actions import CHANGE_PERCENT, LEVERS

LANGUAGES = ("en", "ja")
STYLES = ("gentle", "balanced", "firm")
"""By `coach_style`: 0 gentle, 1 balanced, 2 firm."""
BALANCED = 1

CODES = (
    ("cut_wants", "trim_wants", "hold_wants", "ease_wants", "loosen_wants"),
    ("cut_culture", "trim_culture", "hold_culture", "ease_culture", "loosen_culture"),
    ("lower_savings", "soften_savings", "hold_savings", "raise_savings", "boost_savings"),
)
"""By lever, then by level."""

CHALLENGE_SLUGS = {
    "cut_wants": "three-days-without-wants",
    "trim_wants": "no-spend-weekend",
    "ease_wants": "one-planned-treat",
    "loosen_wants": "wish-list-pick",
    "cut_culture": "free-culture-week",
    "trim_culture": "library-first",
    "ease_culture": "one-culture-outing",
    "loosen_culture": "learn-something-new",
    "lower_savings": "note-the-unexpected",
    "soften_savings": "small-change-jar",
    "raise_savings": "pay-yourself-first",
    "boost_savings": "save-twice-a-week",
}
"""Message code to the slug of its challenge; the codes that hold a level have no challenge."""


@dataclass(frozen=True, slots=True)
class Message:
    """The message for one lever at one level."""

    code: str
    lever: str
    change_percent: int
    title: str
    message: str
    challenge_slug: str | None


type Messages = tuple[tuple[Message, ...], ...]
"""By lever, then by level."""


@cache
def messages(language: str, style: int) -> Messages:
    """The messages of one of `LANGUAGES` in the tone of `coach_style`. Raises KeyError for another language."""
    if language not in LANGUAGES:
        raise KeyError(language)
    text = resources.files("coach_model.budget").joinpath("texts", f"{language}.toml").read_text(encoding="utf-8")
    catalog = tomllib.loads(text)
    return tuple(
        tuple(
            Message(
                code=code,
                lever=lever,
                change_percent=percent,
                title=catalog[code]["title"],
                message=catalog[code][STYLES[style]],
                challenge_slug=CHALLENGE_SLUGS.get(code),
            )
            for code, percent in zip(codes, CHANGE_PERCENT, strict=True)
        )
        for lever, codes in zip(LEVERS, CODES, strict=True)
    )


def title_behind(challenge_slug: str, language: str) -> str:
    """The title of the message that belongs to a challenge. Raises KeyError when no message does."""
    titles = {message.challenge_slug: message.title for lever in messages(language, BALANCED) for message in lever}
    return titles[challenge_slug]


def preferred_language(accept_language: str) -> str:
    """The language of `LANGUAGES` that an Accept-Language header prefers; English when the header names none of them.

    Quality values are respected. A tag matches by its first part: `ja-JP` is `ja`. See RFC 9110, section 12.5.4.
    """
    best, best_quality = LANGUAGES[0], 0.0
    for entry in accept_language.split(","):
        tag, *parameters = (part.strip().lower() for part in entry.split(";"))
        language = tag.partition("-")[0]
        quality = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if language in LANGUAGES and quality > best_quality:
            best, best_quality = language, quality
    return best


def _quality(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0
