import re

import pytest

from data.catalog import catalog

EVENTS = {event["name"]: event for event in catalog("events")}
SNAKE_CASE = re.compile(r"[a-z]+(_[a-z]+)*")
PERSONAL = {
    "name",
    "amount",
    "price",
    "merchant",
    "shop",
    "note",
    "text",
    "title",
    "email",
    "address",
    "city",
    "location",
}
"""Words that a key must not contain, because they stand for private content."""


def test_every_event_has_a_name_of_its_own_in_snake_case() -> None:
    assert 30 <= len(EVENTS) == len(catalog("events")) <= 45
    assert [name for name in EVENTS if not SNAKE_CASE.fullmatch(name)] == []


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_says_in_a_sentence_what_happened_and_types_its_context(name: str) -> None:
    event = EVENTS[name]
    assert set(event) == {"name", "label", "context"}
    assert event["label"][0].isupper()
    assert event["label"].endswith(".")
    assert set(event["context"].values()) <= {"string", "number", "boolean"}
    assert [key for key in event["context"] if not SNAKE_CASE.fullmatch(key)] == []


def test_a_yes_or_no_asks_and_a_number_names_its_unit() -> None:
    for event in EVENTS.values():
        for key, kind in event["context"].items():
            assert (kind == "boolean") == key.startswith(("is_", "has_")), key
            if kind == "number":
                assert set(key.split("_")) & {"seconds", "days", "count", "id", "key", "number", "position"}, key


def test_a_key_has_the_same_type_in_every_event() -> None:
    types = {(key, kind) for event in EVENTS.values() for key, kind in event["context"].items()}
    assert len(types) == len({key for key, _ in types})


def test_no_key_asks_for_what_is_private() -> None:
    asked = {key for event in EVENTS.values() for key, kind in event["context"].items() if kind != "boolean"}
    assert [key for key in sorted(asked) if PERSONAL & set(key.split("_"))] == []


def test_the_example_of_the_reference_is_known() -> None:
    assert EVENTS["challenge_catalog_viewed"]["context"]["source"] == "string"
