"""Only first names are sent to Claude, and nothing else that identifies a family."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from api.kinderbud.claude.names import Names, Person
from api.kinderbud.households.actions import Child
from api.kinderbud.households.queries import users_of
from tests.actors.family import Family, in_database
from tests.support.claude_server import KEY, Claude, claude_server, fenced_in
from tests.support.lived import Lived, lived_service

BORN = date(2024, 11, 15)


@pytest.fixture(scope="module")
def claude() -> Iterator[Claude]:
    with claude_server() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(claude: Claude, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("names")
    url = f"sqlite:///{folder}/buddy.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    own = {"ANTHROPIC_BASE_URL": claude.url, "CLAUDE_SECONDS": "5"}
    with lived_service(folder, url, own, datetime(2026, 2, 2, 15, tzinfo=UTC)) as running:
        yield running


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Emma", "Emma"),
        ("Emma Johnson", "Emma"),
        ("  emma   JOHNSON ", "emma"),
        ("Johnson, Emma", "Emma"),
        ("Emma Johnson, Jr.", "Emma"),
        ("Dr. Emma Johnson", "Emma"),
        ("Prof. Dr. med. Emma Johnson-Smith", "Emma"),
        ("Ms Emma", "Emma"),
        ("Emma-Johnson", "Emma"),
        ("EmmaJohnson", "Emma"),
        ("emma.johnson", "emma"),
        ("emma_johnson", "emma"),
        ("Anna-Lena Johnson", "Anna-Lena"),
        ("Ｅｍｍａ　Ｊｏｈｎｓｏｎ", "Emma"),
        ("D'Arcy Johnson", "D'Arcy"),
        ("Емма Іванова", "Емма"),
        ("रिया शर्मा", "रिया"),
        ("إيما جونسون", "إيما"),
        ("emma.johnson@example.com", "Child 1"),
        ("Johnson", "Child 1"),
        ("12345", "Child 1"),
        ("👶", "Child 1"),
        ("山田太郎", "Child 1"),
        ("山田 太郎", "太郎"),
        ("太郎", "太郎"),
        ("はなこ", "はなこ"),
        ("やまだはなこ", "Child 1"),
        ("やまだ はなこ", "はなこ"),
        ("エマ・ジョンソン", "エマ"),
        ("李明", "Child 1"),
        ("王小明", "Child 1"),
        ("王 小明", "小明"),
        ("小明", "小明"),
        ("김민준", "Child 1"),
        ("민준", "민준"),
    ],
)
def test_a_name_becomes_a_first_name(typed: str, shown: str) -> None:
    assert Names("The Johnsons", (Person((typed,), is_adult=False),)).shown(0) == shown


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Emma Johnson has a cold", "Emma has a cold"),
        ("the Johnsons, JOHNSON's and johnson", "the [name], [name]'s and [name]"),
        ("Johnsonian English", "Johnsonian English"),
        ("Jo\u200bhn\u00adson", "[name]"),
        ("ask sarah.johnson@example.com", "ask [e-mail]"),
        ("we meet @ 5", "we meet @ 5"),
        ("born 2024-11-15, 15.11.2024, 11/15/24, 2024年11月15日", ", ".join(["born [birthday]", *["[birthday]"] * 3])),
        ("on November 15, 2024 or 15th of Nov 2024", "on [birthday] or [birthday]"),
        ("on 2025-11-15", "on 2025-11-15"),
        ("kb_live_00112233445566778899aabbccddeeff sk-ant-api03-abc_d", "[key] [key]"),
        ("山田さんと太郎", "[name]さんと太郎"),
        ("Emma\n likes it", "Emma\n likes it"),
    ],
)
def test_text_is_sent_without_what_says_who_someone_is(text: str, left: str) -> None:
    people = (Person(("Emma Johnson",), is_adult=False, birthday=BORN), Person(("Sarah", "Sarah J.")))
    names = Names("The Johnsons", (*people, Person(("山田 太郎",), is_adult=False, birthday=BORN)))
    assert names.removed_from(text) == left


def test_everyday_words_stay_words() -> None:
    names = Names("Home", (Person(("Emma Young",)),))
    assert names.removed_from("the young child of Mrs Young") == "the young child of Mrs [name]"


LETTERS = st.text(st.characters(categories=["Lu", "Ll"], max_codepoint=0x24F), min_size=3, max_size=12)


@given(LETTERS, LETTERS, st.text(max_size=40), st.sampled_from(["{} {}", "Dr. {} {}", "{}  {} MD", "{}.{}"]))
def test_a_family_name_never_leaves(first: str, family: str, around: str, form: str) -> None:
    names = Names("Ours", (Person((form.format(first, family),)),))
    text = f"{around} {family} {around}, {first} {family}"
    assert family.casefold() not in names.shown(0).casefold().split() or first.casefold() == family.casefold()
    assert f" {family} " not in names.removed_from(text).replace(",", " ") or family in names.shown(0)


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_no_name_breaks_it(household: str, name: str, text: str) -> None:
    names = Names(household, (Person((name,)), Person((text,), is_adult=False, birthday=BORN)))
    assert names.shown(0)
    assert names.shown(1)
    names.removed_from(text)


async def email_of(session: AsyncSession, household_id: int) -> str:
    return (await users_of(session, household_id))[0].email


PRIVATE = ["johnson", "example.com", "2024-11-15", "15.11.2024", "kb_live_", "山田", "smith"]


def test_nothing_that_leaves_says_who_the_family_is(lived: Lived, claude: Claude) -> None:
    """Checks all that the local server receives, headers too, for curations, questions, answers and retries."""
    claude.behaviour = "fine"
    children = (Child("Emma Johnson", BORN), Child("山田 太郎", BORN), Child("Mia Smith-Johnson", BORN))
    family = Family(lived, children, now=lived.clock.now)
    for child in children:
        family.follow("Early Development", child.name)
    family.follow("Early Literacy", "Emma Johnson")
    family.give_claude_key()
    claude.asked.clear()
    claude.headers.clear()
    token = family.token
    told = (
        f"The Johnsons (sarah.johnson@example.com, {token}, born 2024-11-15 and 15.11.2024) say: 山田さん and Mia"
        " Smith-Johnson met Dr. JOHNSON; ask Smith."
    )
    people = {one["name"]: one["id"] for one in family.read("/me")["participants"]}
    own = {"title": f"Call {told}"[:200], "frequency": "daily"}
    created = family.ask("POST", "/todos", own | {"participant_id": people["Emma Johnson"]})
    assert created.status_code == 200, created.text
    for _ in range(2):
        day = family.read("/today")
        first, second = day["activities"][:2]
        family.snooze(first["id"], days=1, reason=told)
        family.complete(second["id"], notes=told)
        family.complete(day["custom_todos"][0]["id"], notes=told)
        family.chat(told)
        lived.clock.move(days=1)
    family.chat("And now?")
    sent = [json.dumps(request, ensure_ascii=False) for request in claude.asked]
    assert len(sent) == 5
    for private in (*PRIVATE, token, in_database(lived, lambda session: email_of(session, family.id))):
        for text in (*sent, *(headers.replace(KEY, "") for headers in claude.headers)):
            assert private.casefold() not in text.casefold(), (private, text)
    said = sent[-1]
    for kept in ("Emma", "太郎", "Mia", "Sarah", "met Dr. [name]"):
        assert kept in said
    ids = {one["id"] for one in fenced_in(claude.asked[0])["candidates"]}
    assert ids == set(range(1, len(ids) + 1))
    assert [one["id"] for one in fenced_in(claude.asked[0])["people"]] == [1, 2, 3, 4]
