"""A participant of a study with a row in every table."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.actors.person import (
    ANSWERS,
    EVENT,
    METRICS,
    MONTH,
    PROFILE,
    REFLECTION,
    SNAPSHOT,
    WEEK,
    Person,
)
from tests.support.serving import Server

RING = "Grandmother Aiko's ring"
"""A text that only one person writes."""
REVIEW = {
    "phase": "monthly",
    "instrument_key": "monthly_review",
    "response_type": "survey",
    "responses": {"t1": RING, "t2": None},
}


def busy(stored: Server, study: str, mode: str = "private", **profile: Any) -> Person:
    """A person with a row in every table."""
    person = Person(stored)
    person.put("/profile", PROFILE | {"time_zone": "Asia/Manila"} | profile)
    person.consent(study_version=study, data_mode=mode)
    soon = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    own = {"context": {"note": RING, "screens": 3}, "event_name": "something_new", "client_timestamp": soon}
    for path, body in (
        ("/research/responses", ANSWERS),
        ("/research/responses", ANSWERS | {"responses": {f"q{n}": 4 for n in range(1, 7)}}),
        ("/research/responses", REVIEW),
        ("/reflections", REFLECTION | {"reflection_text": f"I sold {RING}.", "intended_action": RING}),
        ("/events", EVENT),
        ("/events", EVENT | own),
        ("/challenge-metrics", METRICS),
        ("/research/progress-snapshots", SNAPSHOT | {"level_title": RING, "game_metrics": {"gem": RING}}),
        ("/summaries/weekly", WEEK | {"spent_wants": -99, "total_spent": 2201.5}),  # refunds
        ("/summaries/monthly", MONTH),
    ):
        answer = person.post(path, body)
        assert answer.status_code in {200, 201}, answer.text
    person.accept(1)
    person.ask_coach().raise_for_status()
    return person
