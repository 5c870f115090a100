"""Random rows in every table that is exported, written to the database directly: what apps, older versions and clients
with odd clocks may have left there."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select

from api.db.engine import Database
from api.db.upsert import insert_into
from api.models import (
    AppEvent,
    Base,
    ChallengeMetric,
    ChallengeTemplate,
    Consent,
    Decision,
    IncomeRange,
    MonthlySummary,
    Outcome,
    Participant,
    PointEntry,
    Profile,
    ProgressSnapshot,
    Reflection,
    Response,
    Study,
    User,
    UserChallenge,
    WeeklySummary,
)
from data.catalog import metric_keys
from data.catalog.instruments import instruments
from data.schema.app import ASKED_IN, CATEGORIES, QUALITY
from data.schema.people import PROFILES

NOW = datetime(2026, 11, 15, 9, 30, 0, 123456, tzinfo=UTC)
"""The moment of the export."""
STUDIES = ("random-a", "random-b")
ZONES = ("Asia/Manila", "Europe/Berlin", "America/New_York", "Pacific/Chatham", "Africa/Casablanca", "Gone/Nowhere")
TEXTS = (
    *("plain", "", " ", "日本語", "ü, with comma", 'with "quotes"', "line\nbreak", "return\r\nbreak", "lone\rreturn"),
    *("=1+1", "-5", "+x", "@y", "'apostrophe", "''", "SKIPPED", "PRIVATE", "\t", "\u00a0=1", "back\\slash", "\\N"),
    *("null", "\u2028", "😀", "e\u0301", '{"a": 1}', "withheld", "true", "\x01", "\x7f", "NaN"),
)
NUMBERS = (0, 1, -1, 0.5, 1e-7, 1e16, 123456789.125, 2**53 + 1, 10**18, 10**25, 0.1, -0.0, 1e300, 5.0)
AMOUNTS = tuple(map(Decimal, ("0", "5", "-0.0001", "1234.5678", "99999999999999.9999", "900719925474.0993", "0.3")))


CONSENTS = select(Consent.id, Consent.user_id, Consent.study_version).order_by(Consent.id)


class RandomStudy:
    """Fills a migrated database. The same seed gives the same rows."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    async def fill(self, database: Database, people: int, rows: int) -> None:
        """`rows` in each table, of `people`."""
        one = self.chance.choice
        async with database.write() as session:
            incomes = list(await session.scalars(select(IncomeRange.id).order_by(IncomeRange.id)))
            templates = list(await session.scalars(select(ChallengeTemplate.id).order_by(ChallengeTemplate.id)))
            before = await session.scalar(select(func.max(User.id))) or 0
            await session.execute(insert(User), [{"uuid": self.unique(), "created_at": NOW} for _ in range(people)])
            users = list(await session.scalars(select(User.id).where(User.id > before).order_by(User.id)))
            await session.execute(insert(Profile), [self.profile(user, incomes) for user in users if one((1, 1, 1, 0))])
            for study in STUDIES:
                await session.execute(insert(Study), [self.study(study)])
            studies = list(await session.scalars(select(Study.id).order_by(Study.id)))
            await session.execute(insert(Consent), [self.consent(one(users)) for _ in range(4 * people)])
            consents = (await session.execute(CONSENTS)).all()
            await session.execute(insert(Participant), self.participants(consents))
            owned = [self.owned(consents) for _ in range(rows)]
            await self.add(session, Response, [self.response() | own for own in owned])
            await self.add(session, Reflection, [self.reflection() | own for own in owned])
            await self.add(session, AppEvent, [self.event() | own for own in owned])
            await self.add(session, ChallengeMetric, [self.metric(number) | own for number, own in enumerate(owned)])
            await self.add(session, ProgressSnapshot, [self.snapshot(number) | own for number, own in enumerate(owned)])
            await self.add(session, WeeklySummary, [self.week(number) | own for number, own in enumerate(owned)])
            await self.add(session, MonthlySummary, [self.summary(number) | own for number, own in enumerate(owned)])
            await self.add(session, UserChallenge, [self.challenge(n, templates) | own for n, own in enumerate(owned)])
            await self.add(session, PointEntry, [self.points(number) | own for number, own in enumerate(owned)])
            sure = [own for own in owned if own["consent_id"] is not None]
            await self.add(session, Decision, [self.decision(n, studies) | own for n, own in enumerate(sure)])
            decisions = (await session.execute(select(Decision.id, Decision.user_id).order_by(Decision.id))).all()
            await self.add(session, Outcome, [self.outcome(*row) for row in decisions if one((1, 1, 0))])

    async def add(self, session: Any, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
        names = set(table.__table__.columns.keys())
        for row in rows:
            values = {name: cell for name, cell in row.items() if name in names}
            await session.execute(insert_into(session, table).values(values).on_conflict_do_nothing())

    def moment(self) -> datetime:
        return NOW - timedelta(microseconds=self.chance.randrange(400 * 86_400 * 10**6))

    def maybe(self, value: Any) -> Any:
        return value if self.chance.random() < 0.7 else None

    def text(self) -> str:
        return "".join(self.chance.choices(TEXTS, k=self.chance.randrange(1, 3)))

    def some(self, depth: int = 2) -> Any:
        """Any JSON."""
        kind = self.chance.randrange(6 if depth else 4)
        if kind < 2:
            return self.text()
        if kind == 2:
            return self.chance.choice(NUMBERS)
        if kind == 3:
            return self.chance.choice((None, True, False))
        many = range(self.chance.randrange(4))
        return [self.some(depth - 1) for _ in many] if kind == 4 else self.document(depth - 1)

    def document(self, depth: int = 2) -> dict[str, Any]:
        return {self.text(): self.some(depth) for _ in range(self.chance.randrange(4))}

    def profile(self, user: int, incomes: Sequence[int]) -> dict[str, Any]:
        rare = self.chance.random() < 0.3
        return {
            "user_id": user,
            "income_range_id": self.chance.choice(incomes) if rare else incomes[user % 2],
            "user_profile": self.chance.choice(list(PROFILES)) if rare else "student",
            "allow_exact_income": False,
            "coach_style": 1,
            "savings_goal_type": "percent",
            "saving_goal_value": Decimal(10),
            "budget_cycle_start_day": self.chance.randrange(1, 29),
            "time_zone": self.maybe(self.chance.choice(ZONES) if rare else ZONES[user % 3]),
            "currency": "JPY",
            "updated_at": NOW,
        }

    def study(self, name: str) -> dict[str, Any]:
        shares = {"explore_epsilon": 0.2, "confirm_epsilon": 0.1}
        return shares | {"study_version": name, "phase": "explore", "around": "rules", "started_at": NOW}

    def consent(self, user: int) -> dict[str, Any]:
        often = self.chance.random() < 0.9
        return {
            "user_id": user,
            "study_version": self.chance.choice(STUDIES),
            "consented": often,
            "age_confirmed": self.chance.random() < 0.95,
            "allow_research_export": self.chance.random() < 0.95,
            "data_mode": self.chance.choice(("sync", "sync", "private")),
            "participant_code": self.chance.choice((None, "", "P-1", "=2")),
            "received_at": self.moment(),
        }

    def participants(self, consents: Sequence[Any]) -> list[dict[str, Any]]:
        return [
            {
                "user_id": user,
                "study_version": study,
                "pseudonym": f"{self.chance.getrandbits(80):020x}",
                "split": self.chance.choice(("learn", "judge")),
                "joined_at": NOW - timedelta(days=30 * self.chance.randrange(3)),
            }
            for user, study in sorted({(user, study) for _, user, study in consents})
        ]

    def owned(self, consents: Sequence[Any]) -> dict[str, Any]:
        """What most rows have: whose they are, under which consent, and both clocks."""
        consent, user, _ = self.chance.choice(consents)
        received = self.moment()
        ahead = timedelta(seconds=self.chance.choice((-86_400, -1, 0, 299, 300, 301, 40 * 86_400)), microseconds=1)
        claimed = self.chance.choice((None, received + ahead, received + ahead, self.moment()))
        times = {"client_timestamp": claimed, "received_at": received}
        return times | {"user_id": user, "consent_id": consent if self.chance.random() < 0.9 else None}

    def unique(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"

    def response(self) -> dict[str, Any]:
        instrument = self.chance.choice(list(instruments().values()))
        known = self.chance.random() < 0.9
        answers: dict[str, Any] = {}
        for item in instrument.items:
            if self.chance.random() < 0.8:
                number = self.chance.choice(item.options).value if item.options else self.chance.choice((1, 2.5, 40))
                answers[item.id] = self.maybe(self.text() if item.type == "text" else number)
        if not known:
            answers = {"x1": 1, "x2": self.text(), "x3": None, "x4": 2.5}
        return {
            "fingerprint": self.unique(),
            "instrument_key": instrument.key if known else "retired_instrument",
            "instrument_version": "1",
            "phase": self.chance.choice(list(ASKED_IN)),
            "period": self.chance.choice(("", "2026-W03", "2026-04")),
            "answers": answers,
            "score": self.maybe(self.chance.choice((1.0, 2.5, 72.5))),
            "score_missing": self.chance.choice((None, "SKIPPED", "NOT_ASKED")),
        }

    def reflection(self) -> dict[str, Any]:
        return {
            "fingerprint": self.unique(),
            "phase": self.chance.choice(list(ASKED_IN)),
            "category": self.chance.choice(list(CATEGORIES)),
            "reflection_text": self.text(),
            "intended_action": self.maybe(self.text()),
            "confidence_rating": self.maybe(self.chance.randrange(1, 6)),
            "quality_score": self.chance.choice((Decimal("0.25"), Decimal(1), Decimal("0.7"))),
            "quality_level": self.chance.choice(list(QUALITY)),
            "strengths": [name for name in ("observation", "amount", "cause", "plan") if self.chance.random() < 0.5],
        }

    def event(self) -> dict[str, Any]:
        name = self.chance.choice(("screen_viewed", "app_backgrounded", "something_new"))
        context = self.chance.choice(({"screen": "home", "seconds": 3}, self.document()))
        return {"fingerprint": self.unique(), "event_name": name, "known": name != "something_new", "context": context}

    def metric(self, number: int) -> dict[str, Any]:
        key = self.chance.choice((*sorted(metric_keys()), "made_up"))
        return {"month": f"{2000 + number // 12}-{1 + number % 12:02}", "metric_key": key, "value": self.amount()}

    def amount(self) -> Decimal:
        return self.chance.choice(AMOUNTS)

    def snapshot(self, number: int) -> dict[str, Any]:
        counts = [column.name for column in ProgressSnapshot.__table__.columns if column.name.endswith("_count")]
        return {
            "month": f"{2000 + number // 12}-{1 + number % 12:02}",
            **{name: self.chance.randrange(10**6) for name in (*counts, "level", "total_points", "streak_days")},
            "level_title": self.text(),
            "game_metrics": self.document(),
            "learning_metrics": self.document(),
            "badge_ids": [self.chance.randrange(9) for _ in range(self.chance.randrange(3))],
            "mission_summary": [self.some() for _ in range(self.chance.randrange(3))],
        }

    def summary(self, number: int) -> dict[str, Any]:
        spent = ("total_spent", "spent_needs", "spent_wants", "spent_culture", "spent_unexpected")
        amounts = {name: self.amount() for name in spent}
        return amounts | {"month_key": 200001 + number // 12 * 100 + number % 12, "logging_days_count": number % 8}

    def week(self, number: int) -> dict[str, Any]:
        return self.summary(number) | {"week_key": 1 + number % 6}

    def challenge(self, number: int, templates: Sequence[int]) -> dict[str, Any]:
        return {
            "challenge_template_id": templates[number % len(templates)],
            "month": self.chance.choice(("2026-09", "2026-10", "2026-11", "2025-01")),
            "status": self.chance.choice(("accepted", "in_progress", "completed", "claimed")),
            "current_progress": abs(self.amount()),
            "source": self.chance.choice(("user", "ai")),
            "accepted_at": self.moment(),
            "completed_at": self.maybe(self.moment()),
            "claimed_at": self.maybe(self.moment()),
            "changed_at": self.moment(),
        }

    def points(self, number: int) -> dict[str, Any]:
        cause = self.chance.choice(("challenge_claimed", "badge_earned"))
        return {"points": self.chance.randrange(100), "cause": cause, "cause_id": number, "created_at": self.moment()}

    def levels(self) -> list[int]:
        return [self.chance.randrange(5) for _ in range(3)]

    def decision(self, number: int, studies: Sequence[int]) -> dict[str, Any]:
        inside = self.chance.random() < 0.7
        return {
            "decision_id": self.unique(),
            "decided_at": self.moment(),
            "policy_id": "rules",
            "source": "study" if inside else "rules",
            "fallback_reason": self.maybe("no_policy"),
            "study_id": self.chance.choice(studies) if inside else None,
            "local_week": (NOW + timedelta(weeks=number)).date() if inside else None,
            "study_week": number if inside else None,
            "phase": self.chance.choice(("explore", "confirm")) if inside else "outside",
            "component": "rules",
            "candidate_id": self.maybe("candidate-1"),
            "epsilon": 0.2,
            "context": [self.chance.choice((0, 1, 0.5, round(self.chance.random(), 4))) for _ in range(10)],
            "eligible": self.maybe(["11100", "01110", "00111"]),
            "levels": self.levels(),
            "distributions": [[self.chance.choice((0, 1, 0.2, 1 / 3)) for _ in range(5)] for _ in range(3)],
            "propensity": self.chance.random(),
            "because": [["x"], [], []],
            "prev_disagrees": self.chance.random() < 0.5,
            "rules_levels": self.maybe(self.levels()),
            "candidate_levels": self.maybe(self.levels()),
            "shadow_policy_id": self.maybe("shadow-1"),
            "shadow_levels": self.maybe(self.levels()),
            "seed": self.unique(),
            "context_schema": "budget-context/1",
            "action_schema": "budget-levels/1",
        }

    def outcome(self, decision: int, user: int) -> dict[str, Any]:
        seen = {
            "spent_share": self.chance.uniform(-0.2, 1),
            "saved_share": self.chance.random(),
            "elapsed_share": self.maybe(self.chance.choice((0.25, 0.5, self.chance.random()))),
            "budget_used_up": float(self.chance.randrange(2)),
            "goal_reached": float(self.chance.randrange(2)),
            "next_needs_share": self.chance.random(),
            "context_at": self.moment(),
        }
        summed = {"logging_days": self.maybe(self.chance.randrange(8)), "summary_at": self.maybe(self.moment())}
        own = {"decision_key": decision, "user_id": user}
        return own | (seen if self.chance.random() < 0.8 else dict.fromkeys(seen)) | summed
