"""The coach with an identified user: the stored suggestions and their use."""

import asyncio
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from api.db.engine import open_database
from api.db.failures import MAY_BE_AWAY
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from api.models import Suggestion
from tests.actors.actor import named
from tests.actors.person import PROFILE, Person, this_month
from tests.support.serving import CLIENT, Service, service


def templates(person: Person, **headers: str) -> dict[str, dict[str, Any]]:
    mine = {"X-User-UUID": person.uuid} | named(headers)
    found = CLIENT.get(f"{person.service.url}/templates", headers=mine).json()
    return {template["slug"]: template for template in found}


def test_templates_of_the_last_suggestion_say_so_and_why(stored: Service) -> None:
    person, other = Person(stored), Person(stored)
    person.ask_coach()
    answer = person.ask_coach().json()
    pointed = {said["challenge_slug"]: said for said in answer["suggestions"] if said["challenge_slug"]}
    assert pointed
    seen = templates(person)
    assert {slug for slug, template in seen.items() if template["is_ai_suggested"]} == set(pointed)
    for slug, said in pointed.items():
        expected = {"suggestion_id": answer["suggestion_id"], "reason": said["title"], "lever": said["lever"]}
        assert seen[slug]["ai_suggestion"] == expected
    assert not any(template["is_ai_suggested"] for template in templates(other).values())
    japanese = templates(person, Accept_Language="ja")
    assert all(japanese[slug]["ai_suggestion"]["reason"] != said["title"] for slug, said in pointed.items())


def test_a_challenge_is_accepted_as_the_coachs_only_with_a_suggestion_of_ones_own(stored: Service) -> None:
    person, other = Person(stored), Person(stored)
    suggestion = person.ask_coach().json()["suggestion_id"]
    body = {"challenge_template_id": 1, "month_range": this_month(), "source": "ai", "ai_suggestion_id": suggestion}
    refused = other.post("/challenges/1/accept", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "suggestion_unknown")
    assert person.post("/challenges/1/accept", body | {"ai_suggestion_id": None}).status_code == 422
    accepted = person.post("/challenges/1/accept", body)
    assert accepted.status_code == 201
    assert (accepted.json()["source"], accepted.json()["ai_suggestion_id"]) == ("ai", suggestion)


def test_the_same_key_gets_the_same_answer(stored: Service) -> None:
    person = Person(stored)
    first, again = (person.ask_coach(Idempotency_Key="monday") for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(person.read("/data")["suggestions"]) == sum(
        said["challenge_slug"] is not None for said in first.json()["suggestions"]
    )
    assert person.ask_coach(Idempotency_Key="tuesday").json()["suggestion_id"] != first.json()["suggestion_id"]
    assert person.ask_coach(Idempotency_Key="x" * 256).status_code == 422


@pytest.mark.parametrize("uuid", ["admin", "Admin", "nobody-knows-me", "../admin"])
def test_strangers_and_reserved_names_are_404(uuid: str, stored: Service) -> None:
    url = f"{stored.url}/coach/suggestions"
    answer = CLIENT.post(url, json=EXAMPLE_CONTEXT, headers={"X-User-UUID": uuid})
    assert (answer.status_code, answer.json()["code"]) == (404, "user_unknown")
    assert CLIENT.get(f"{stored.url}/templates", headers={"X-User-UUID": uuid}).status_code == 404


def test_the_coach_speaks_in_the_tone_that_the_person_chose(stored: Service) -> None:
    person = Person(stored)
    said = {}
    for style in (0, 1, 2):
        person.put("/profile", PROFILE | {"coach_style": style})
        said[style] = [one["message"] for one in person.ask_coach().json()["suggestions"]]
    assert len({tuple(messages) for messages in said.values()}) == 3


def test_nothing_but_id_lever_and_challenge_is_kept(stored: Service) -> None:
    person = Person(stored)
    person.ask_coach()
    kept = person.read("/data")["suggestions"]
    assert {name for row in kept for name in row} == {"id", "suggestion_id", "lever", "challenge_slug", "created_at"}
    assert {column.name for column in Suggestion.__table__.columns} - {name for row in kept for name in row} == {
        "user_id"
    }


def test_with_the_database_away_the_coach_answers_all_the_same(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        person = Person(running)
        with sqlite3.connect(tmp_path / "var" / "buddy.db", isolation_level=None) as locked:
            locked.execute("BEGIN EXCLUSIVE")
            answer = person.ask_coach()
            locked.execute("ROLLBACK")
        assert (answer.status_code, answer.json()["source"]) == (200, "policy")
        assert "the coach answers without the database" in running.log()
        assert person.ask_coach().status_code == 200


def test_a_server_that_hangs_up_while_it_is_connected_to_is_an_error_that_is_answered_503() -> None:
    """What asyncpg raises then is its own, and no error of SQLAlchemy's."""

    async def connected(port: int) -> None:
        database = open_database(f"postgresql://somebody@127.0.0.1:{port}/nothing")
        try:
            async with database.read() as session:
                await session.connection()
        finally:
            await database.close()

    async def against_a_rude_server() -> None:
        async def rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"R\x00\x00\x00\x08\x00\x00\x00\x00E\x00\x00\x00\x1fSFATAL\x00C57P03\x00Mgo away\x00\x00")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(rude, "127.0.0.1", 0, family=socket.AF_INET)
        async with server:
            await connected(server.sockets[0].getsockname()[1])

    with pytest.raises(MAY_BE_AWAY):
        asyncio.run(against_a_rude_server())
