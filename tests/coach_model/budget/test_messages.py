import itertools

import pytest

from coach_model.budget.actions import CHANGE_PERCENT, LEVERS
from coach_model.budget.messages import CODES, LANGUAGES, STYLES, messages, preferred_language
from tests.support.shaming import SHAMING


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_level_of_every_lever_is_said_in_every_tone(language: str) -> None:
    said = [messages(language, style) for style in range(len(STYLES))]
    texts = [message.message for by_lever in said for by_level in by_lever for message in by_level]
    assert len(texts) == len(set(texts)) == len(STYLES) * len(LEVERS) * len(CHANGE_PERCENT)
    for by_lever in said:
        for lever, codes, by_level in zip(LEVERS, CODES, by_lever, strict=True):
            assert [message.code for message in by_level] == list(codes)
            assert [message.change_percent for message in by_level] == list(CHANGE_PERCENT)
            assert {message.lever for message in by_level} == {lever}


@pytest.mark.parametrize(("language", "style"), list(itertools.product(LANGUAGES, range(len(STYLES)))))
def test_a_message_names_its_percent_and_does_not_shame(language: str, style: int) -> None:
    for by_level in messages(language, style):
        for message in by_level:
            text = f"{message.title} {message.message}"
            assert not [word for word in SHAMING if word in text.lower()]
            assert (message.challenge_slug is None) == (message.change_percent == 0)
            if message.change_percent:
                assert f"{abs(message.change_percent)}%" in text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-US,en;q=0.9,ja;q=0.8", "en"),
        ("fr, ja;q=0.3", "ja"),
        ("fr, de", "en"),
        ("en;q=0.2, ja;q=0.7", "ja"),
        ("ja;q=0", "en"),
        ("ja;q=nonsense, en;q=0.1", "en"),
        ("*", "en"),
        (";;,,;q=", "en"),
    ],
)
def test_accept_language_chooses_by_quality(header: str, language: str) -> None:
    assert preferred_language(header) == language
