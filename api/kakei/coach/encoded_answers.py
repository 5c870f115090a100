"""The anonymous answer as bytes, joined from parts that were encoded before.

All answers together consist of few different parts: a lever's suggestion depends on the language, the level and the
features behind it. Only the id and the time are new in each answer. The parts are encoded from the same structs as
every other answer, so that both are the same bytes; a test compares them.
"""

from functools import lru_cache

import msgspec

from api.kakei.coach.responses import ADJUSTMENTS, new_suggestion_id, suggestion_of, weakness
from api.kakei.coach.schemas import CoachAnswer
from coach_model.budget.coach import Decision
from coach_model.budget.messages import BALANCED, messages
from coach_model.policy import FallbackReason, Source

OPENING, CLOSING = b'{"suggestion_id":"', b'],"created_at":""}'
"""An answer without an id, suggestions and a time begins and ends so."""
SUGGESTIONS_KEPT = 10_000
"""Some 400 bytes each; a policy gives a few hundred different ones."""

_encode = msgspec.json.Encoder().encode


def encoded(decision: Decision, language: str, created_at: bytes) -> bytes:
    """`answer_of` the decision in the balanced tone, encoded; `created_at` is its encoded timestamp."""
    levels, source, reason, policy_id, because = decision
    said = [_suggestion(language, lever, levels[lever], tuple(because[lever])) for lever in _strongest_first(*levels)]
    head = _head(source, reason, policy_id, *levels)
    return b"".join(
        (OPENING, new_suggestion_id().encode(), head, b",".join(said), b'],"created_at":"', created_at, b'"}')
    )


@lru_cache(maxsize=SUGGESTIONS_KEPT)
def _suggestion(language: str, lever: int, level: int, because: tuple[str, ...]) -> bytes:
    return _encode(suggestion_of(messages(language, BALANCED)[lever][level], list(because)))


@lru_cache(maxsize=1_000)
def _head(source: Source, reason: FallbackReason | None, policy_id: str, w: int, c: int, s: int) -> bytes:
    """What stands between the id and the suggestions."""
    adjustments = (ADJUSTMENTS[w], ADJUSTMENTS[c], ADJUSTMENTS[s])
    answer = _encode(CoachAnswer("", source, reason, policy_id, *adjustments, suggestions=[], created_at=""))
    return answer.removeprefix(OPENING).removesuffix(CLOSING)


@lru_cache(maxsize=1_000)
def _strongest_first(*levels: int) -> list[int]:
    """The levers in the order of `answer_of`."""
    said = messages("en", BALANCED)
    return sorted(range(len(levels)), key=lambda lever: weakness(said[lever][levels[lever]]))
