"""A successful request for every operation of both apps, by its `operationId`, of a person who uses the app.

Each value prepares what one request needs, and returns the request; asked again, it prepares another one.
"""

import itertools
import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from api.kakei.coach.schemas import EXAMPLE_CONTEXT
from tests.actors.actor import named
from tests.actors.family import Family
from tests.actors.person import (
    ANSWERS,
    CONSENT,
    EVENT,
    MONTH,
    PROFILE,
    REFLECTION,
    SNAPSHOT,
    WEEK,
    Person,
    somewhere,
)
from tests.support.challenges import FEW_DAYS, TEMPLATES
from tests.support.lived import Lived
from tests.support.serving import METRICS_TOKEN
from tests.support.work import Ask

type Requests = dict[str, Callable[[], Ask]]

NOW = datetime(2026, 7, 6, 9, tzinfo=UTC)
"""When the app is used, so that children are of one age and the same weeks are over."""
MONTH_NOW, MONTH_AFTER = "2026-07", "2026-08"
WITH_KEY = "summaries_put_weekly with Idempotency-Key"
WITH_USER = "coach_suggest with X-User-UUID"
ASKED_WITH_A_TOKEN = 20
"""Well below the limit of a minute, since most requests ask for more to prepare what they need."""


def of_all(service: Lived) -> Requests:
    """The requests of both apps but for those that wait for Claude or for an export."""
    person = _known_person(service)
    return of_anyone(person) | of_a_person(person) | of_a_new_person(service) | of_a_family(service)


def of_anyone(person: Person) -> Requests:
    """The requests of KakeiBuddy whose paths name no user."""

    def ask(method: str, path: str, body: Any = None, **headers: str) -> Ask:
        return Ask(method, path, body, named(headers) | somewhere())

    return {
        "root_welcome": lambda: ask("GET", "/"),
        "health_live": lambda: ask("GET", "/health/live"),
        "health_ready": lambda: ask("GET", "/health/ready"),
        "metrics_read": lambda: ask("GET", "/metrics", Authorization=f"Bearer {METRICS_TOKEN}"),
        "coach_suggest": lambda: ask("POST", "/coach/suggestions", EXAMPLE_CONTEXT),
        WITH_USER: lambda: ask("POST", "/coach/suggestions", EXAMPLE_CONTEXT, X_User_UUID=person.uuid),
        "coach_suggest_batch": lambda: ask("POST", "/coach/suggestions/batch", {"contexts": [EXAMPLE_CONTEXT] * 3}),
        "coach_get_model": lambda: ask("GET", "/coach/model"),
        "coach_get_model_graph": lambda: ask("GET", "/coach/model/policy.onnx"),
        "badges_list": lambda: ask("GET", "/badges"),
        "templates_list": lambda: ask("GET", "/templates"),
        "income_ranges_list": lambda: ask("GET", "/api/income-ranges"),
        "instruments_list": lambda: ask("GET", "/api/research/instruments"),
        "users_create": lambda: ask("POST", "/api/users", {"uuid": str(uuid.uuid4())}),
    }


def of_a_person(person: Person) -> Requests:
    """The requests that one person may repeat."""

    def ask(method: str, path: str, body: Any = None) -> Ask:
        return _of(person, method, path, body)

    def event() -> Ask:
        return ask("POST", "/events", EVENT | {"context": {"source": secrets.token_hex(4)}})

    metrics = {"month_range": MONTH_NOW, "metrics": {"expense_log_days": 12}}
    return {
        "users_get_data": lambda: ask("GET", "/data"),
        "users_put_profile": lambda: ask("PUT", "/profile", PROFILE),
        "users_get_profile": lambda: ask("GET", "/profile"),
        "users_get_points": lambda: ask("GET", "/points"),
        "users_list_badges": lambda: ask("GET", "/badges"),
        "summaries_list_weekly": lambda: ask("GET", "/summaries/weekly"),
        "summaries_get_weekly": lambda: ask("GET", "/summaries/weekly/202606/2"),
        "summaries_list_monthly": lambda: ask("GET", "/summaries/monthly"),
        "summaries_get_monthly": lambda: ask("GET", "/summaries/monthly/202606"),
        "challenges_list": lambda: ask("GET", "/challenges"),
        "challenge_metrics_put": lambda: ask("POST", "/challenge-metrics", metrics),
        "consents_list": lambda: ask("GET", "/research/consent"),
        "consents_set_data_mode": lambda: ask("PATCH", "/research/data-mode", {"data_mode": "sync"}),
        "responses_create": lambda: ask("POST", "/research/responses", ANSWERS),
        "events_create": event,
        "progress_snapshots_put": lambda: ask("POST", "/research/progress-snapshots", SNAPSHOT),
        "reflections_create": lambda: ask("POST", "/reflections", REFLECTION),
    }


def of_a_new_person(service: Lived) -> Requests:
    """The requests that a person sends once."""

    def ask(method: str, path: str, body: Any = None) -> Ask:
        return _of(_new_person(service), method, path, body)

    def with_key() -> Ask:
        plain = ask("POST", "/summaries/weekly", WEEK)
        return replace(plain, headers=plain.headers | {"Idempotency-Key": str(uuid.uuid4())})

    def progress() -> Ask:
        person = _new_person(service)
        challenge = person.accept(FEW_DAYS["id"], MONTH_NOW)
        return _of(person, "POST", f"/challenges/{challenge['id']}/progress", {"current_progress": 1})

    def claim() -> Ask:
        person = _new_person(service)
        return _of(person, "POST", f"/challenges/{person.complete(month=MONTH_NOW)['id']}/claim")

    free = next(one["id"] for one in TEMPLATES.values() if one["id"] != FEW_DAYS["id"])
    acceptance = {"challenge_template_id": free, "month_range": MONTH_AFTER, "source": "user", "ai_suggestion_id": None}
    return {
        "users_erase": lambda: ask("DELETE", ""),
        "summaries_put_weekly": lambda: ask("POST", "/summaries/weekly", WEEK),
        WITH_KEY: with_key,
        "summaries_put_monthly": lambda: ask("POST", "/summaries/monthly", MONTH),
        "challenges_accept": lambda: ask("POST", f"/challenges/{free}/accept", acceptance),
        "challenges_progress": progress,
        "challenges_claim": claim,
        "consents_create": lambda: ask("POST", "/research/consent", CONSENT),
    }


def of_a_family(service: Lived) -> Requests:
    """The requests of Kinderbud."""
    reads, acts, asked = _known_family(service), _known_family(service), itertools.count()

    def own(method: str, path: str, body: Any = None) -> Ask:
        family = reads if method == "GET" else acts
        if next(asked) % ASKED_WITH_A_TOKEN == 0:
            family.token = family.new_token()
            family.read("/me")  # the first use of a token is noted
        return _of_family(family, method, path, body)

    def on_todo(method: str, path: str, body: Any = None) -> Ask:
        return own(method, f"/todos/{acts.create_todo()}{path}", body)

    def undo() -> Ask:
        todo = acts.create_todo()
        acts.complete(todo)
        return own("POST", f"/todos/{todo}/undo", {"action_id": acts.last_action(todo)})

    def new_day() -> Ask:
        new = Family(service, now=NOW)
        new.follow()
        return _of_family(new, "GET", "/today")

    def subscribe() -> Ask:
        new = Family(service, now=NOW)
        emma, guide = new.read("/me")["participants"][0]["id"], new.read("/guides")["guides"][0]["id"]
        return _of_family(new, "POST", "/plans", {"participant_id": emma, "guide_id": guide})

    def unsubscribe() -> Ask:
        new = Family(service, now=NOW)
        return _of_family(new, "DELETE", f"/plans/{new.follow()['id']}")

    todo = reads.create_todo()
    return {
        "get_health": lambda: own("GET", "/health"),
        "get_me": lambda: own("GET", "/me"),
        "get_today": lambda: own("GET", "/today"),
        "get_today, the first of the day": new_day,
        "list_todos": lambda: own("GET", "/todos"),
        "get_todo": lambda: own("GET", f"/todos/{todo}"),
        "create_todo": lambda: own("POST", "/todos", {"title": "Sing"}),
        "edit_todo": lambda: on_todo("PUT", "", {"title": "Sing twice"}),
        "delete_todo": lambda: on_todo("DELETE", ""),
        "complete_todo": lambda: on_todo("POST", "/complete", {}),
        "snooze_todo": lambda: on_todo("POST", "/snooze", {}),
        "undo_action": undo,
        "get_history": lambda: own("GET", "/history"),
        "get_stats": lambda: own("GET", "/stats"),
        "list_milestones": lambda: own("GET", "/milestones"),
        "get_summary": lambda: own("GET", "/summary"),
        "list_guides": lambda: own("GET", "/guides"),
        "get_guide": lambda: own("GET", "/guides/1"),
        "list_plans": lambda: own("GET", "/plans"),
        "subscribe_participant": subscribe,
        "unsubscribe_participant": unsubscribe,
        "list_messages": lambda: own("GET", "/chat"),
    }


def _new_person(service: Lived) -> Person:
    """A person with a profile and a consent."""
    person = Person(service)
    person.data("PUT", "/profile", PROFILE, **somewhere())
    person.consent(data_mode="sync")
    return person


def _known_person(service: Lived) -> Person:
    """A person with some weeks and a claimed challenge."""
    person = _new_person(service)
    for body in (WEEK, WEEK | {"week_key": 1}):
        person.data("POST", "/summaries/weekly", body)
    person.data("POST", "/summaries/monthly", MONTH)
    person.data("POST", f"/challenges/{person.complete(month=MONTH_NOW)['id']}/claim")
    return person


def _known_family(service: Lived) -> Family:
    """A family whose day is chosen."""
    family = Family(service, now=NOW)
    family.follow()
    family.read("/today")
    family.complete(family.read("/todos")["todos"][0]["id"])
    return family


def _of(person: Person, method: str, path: str, body: Any = None) -> Ask:
    return Ask(method, f"/api/users/{person.uuid}{path}", body, somewhere())


def _of_family(family: Family, method: str, path: str, body: Any = None) -> Ask:
    headers = {"Authorization": f"Bearer {family.token}"} | somewhere()
    return Ask(method, f"/api/v1{path}", body, headers)
