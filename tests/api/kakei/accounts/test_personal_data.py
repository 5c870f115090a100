"""A person can read and erase all their stored data."""

import json
import secrets
import subprocess
from pathlib import Path

from sqlalchemy import Table

from api.db.migrate import newest_revision
from api.db.personal_data import tables_of
from api.db.seed import SEEDED
from api.kakei.accounts.erasure import USERS
from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from api.models import Base
from tests.actors.person import (
    ANSWERS,
    EVENT,
    MONTH,
    PROFILE,
    REFLECTION,
    SNAPSHOT,
    WEEK,
    Person,
    this_month,
)
from tests.support import forking
from tests.support.serving import CLIENT, Service, service

NOBODYS = {*SEEDED, "users", "pseudonym_keys", "releases", "released_participants", "studies", "candidates"}
NOBODYS |= {"operators", "operator_sessions", "operator_browsers", "leases"}
"""Tables without rows of a person. A new table must be here or have a foreign key to its person."""


def of_families() -> set[str]:
    """Kinderbud's tables: the catalog of guides, and the data of households."""
    found = {"households", "guides", "guide_stages", "guide_items"}
    for table in Base.metadata.sorted_tables:
        if any(key.column.table.name in found - {"guides"} for key in table.foreign_keys):
            found.add(table.name)
    return found


def full_life(person: Person) -> None:
    """Something in every table."""
    study = f"study-{secrets.token_hex(4)}"
    person.service.buddy("study", "start", study)
    coach, mine = f"{person.service.url}/coach/suggestions", {"X-User-UUID": person.uuid}
    CLIENT.post(coach, json=EXAMPLE_CONTEXT, headers=mine).raise_for_status()  # its challenges are kept
    person.put("/profile", PROFILE)
    person.consent(study_version=study)
    person.post("/research/responses", ANSWERS)
    person.post("/reflections", REFLECTION)
    person.post("/events", EVENT)
    person.post("/research/progress-snapshots", SNAPSHOT)
    person.post("/summaries/weekly", WEEK, Idempotency_Key="kept")
    person.post("/summaries/monthly", MONTH)
    person.post("/challenge-metrics", {"month_range": this_month(), "metrics": {"expense_log_days": 1}})
    person.post(f"/challenges/{person.complete()['id']}/claim")
    CLIENT.post(coach, json=EXAMPLE_CONTEXT, headers=mine).raise_for_status()  # and in the study: decision and outcome


def test_every_table_is_someones_or_known_to_be_no_ones() -> None:
    mine = {table.name for table in tables_of(USERS)}
    assert mine | NOBODYS | of_families() == set(Base.metadata.tables)
    assert not mine & (NOBODYS | of_families())


def test_children_are_erased_before_their_parents() -> None:
    order = list(reversed(tables_of(USERS)))
    for position, table in enumerate(order):
        parents: set[Table] = {key.column.table for key in table.foreign_keys}
        assert not parents & set(order[:position])


def test_a_person_reads_everything_about_them(stored: Service) -> None:
    person = Person(stored)
    full_life(person)
    data = person.read("/data")
    assert set(data) == {table.name for table in tables_of(USERS)} | {"users"}
    assert all(data.values()), {name for name, rows in data.items() if not rows}
    assert data["users"][0]["uuid"] == person.uuid
    assert data["weekly_summaries"][0]["total_spent"] == 3200.5


def test_all_of_it_is_gone_and_the_receipt_says_how_much(stored: Service) -> None:
    person, other = Person(stored), Person(stored)
    for one in (person, other):
        full_life(one)
    before, others = person.read("/data"), other.get("/data").json()
    answer = CLIENT.delete(f"{stored.url}/api/users/{person.uuid}/")
    assert answer.status_code == 200
    assert answer.json()["erased"] == {name: len(rows) for name, rows in before.items()}
    assert len(answer.json()["digest"]) == 64
    for path in ("/data", "/points", "/profile", "/summaries/weekly/202606/2"):
        assert person.get(path).json()["code"] == "user_unknown"
    assert CLIENT.delete(f"{stored.url}/api/users/{person.uuid}").status_code == 404
    assert other.read("/data") == others
    fresh = Person(stored, person.uuid)  # a new user with the same id has no old data
    assert fresh.points() == 0
    assert fresh.post("/summaries/weekly", WEEK, Idempotency_Key="kept").status_code == 201


def test_ids_that_could_be_guessed_are_kept_from_reading_and_erasing_all(stored: Service) -> None:
    person = Person(stored, f"participant-{id(stored)}-{this_month()}")
    for answer in (person.get("/data"), CLIENT.delete(f"{stored.url}/api/users/{person.uuid}")):
        assert (answer.status_code, answer.json()["code"]) == (403, "guessable_id")
    for name in ("admin", "ADMIN"):
        assert CLIENT.delete(f"{stored.url}/api/users/{name}").status_code == 404
        assert CLIENT.get(f"{stored.url}/api/users/{name}/data").status_code == 404


def test_an_operator_erases_whomever_they_must(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return forking.run(*arguments, env=environment)

    assert run("db", "upgrade").returncode == 0
    assert "as this version needs it" in run("db", "check").stdout
    unknown = run("user", "erase", "nobody", "--yes")
    assert (unknown.returncode, unknown.stderr) == (1, "error: there is no user nobody\n")
    with service(tmp_path, environment) as running:
        person = Person(running, "participant-1")  # an id that could be guessed, so the person cannot do it themselves
        person.put("/profile", PROFILE)
        erased = run("user", "erase", "participant-1", "--yes")
        assert erased.returncode == 0, erased.stderr
        assert json.loads(erased.stdout)["erased"]["profiles"] == 1
        assert person.get("/points").status_code == 404
    assert run("db", "downgrade", "base", "--yes").returncode == 0
    outdated = run("db", "check")
    assert outdated.returncode == 1
    assert f"this version needs {newest_revision()}" in outdated.stderr
    away = forking.run("db", "check", env={"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"})
    assert away.returncode == 1
    assert away.stderr.startswith("error: database: ")
    assert len(away.stderr.strip().splitlines()) == 1
