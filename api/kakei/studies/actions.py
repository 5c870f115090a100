"""Starts and ends studies, draws their weekly decision points, and enters the outcomes when they arrive."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.accounts.queries import Writer
from api.kakei.studies import queries, rules
from api.kakei.studies.candidates import FrozenCandidates
from api.kakei.studies.rules import STOPPED, Around, Logged
from api.models import Consent, Study
from api.models import Decision as Stored
from api.time_zones import local_date
from coach_model.budget.actions import SCHEMA_VERSION as ACTION_SCHEMA
from coach_model.budget.actions import eligible_levels
from coach_model.budget.coach import Decision, decide
from coach_model.budget.context import COLUMN, Contexts
from coach_model.budget.context import SCHEMA_VERSION as CONTEXT_SCHEMA
from coach_model.budget.study import CONFIRM_EPSILON, Phase
from coach_model.exploration import decision_seed
from coach_model.onnx_policy import OnnxPolicy
from coach_model.policy import FallbackReason, Source
from data.calendar_weeks import monday_of, summaries_of, week_of, week_that_ends_after
from data.rewards.outcomes import pace_between

FIRST_OF_MONTH = 1
"""Default start day of a person's budget cycle."""
LOGGING_DAYS = 7

log = structlog.get_logger("api.studies")


@dataclass(frozen=True)
class Question:
    """What a person asks the coach. `suggestion_id` becomes the id of the decision and the seed of its draws."""

    writer: Writer
    context: tuple[float, ...]
    suggestion_id: str
    now: datetime

    @property
    def contexts(self) -> Contexts:
        """The context as a batch of one, (1, 10)."""
        return np.array([self.context], dtype=np.float32)

    @property
    def time_zone(self) -> str | None:
        """The person's time zone, where it is known."""
        return self.writer.time_zone


@dataclass(frozen=True)
class Policies:
    """The policies that may decide. `served` runs the served one, and is called only where no study decides."""

    served: Callable[[], Awaitable[Decision]]
    shadow: OnnxPolicy | FallbackReason
    candidates: FrozenCandidates


@dataclass(frozen=True)
class Told:
    """The decision for a participant with its id and time; `drawn` is set if a study drew it just now."""

    decision: Decision
    suggestion_id: str
    since: datetime
    drawn: Logged | None = None


class StudyRefused(ValueError):
    """There is no such study, or it is in another phase."""


async def start_study(
    session: AsyncSession, version: str, around: Around, epsilon: float, started_at: datetime
) -> None:
    """Begin the explore phase of a new study. Raises StudyRefused."""
    found = await queries.study_named(session, version)
    if found is not None:
        raise StudyRefused(f"there is a study {version} already: {found.phase}")
    study = Study(
        study_version=version,
        phase=Phase.EXPLORE,
        around=around,
        explore_epsilon=epsilon,
        confirm_epsilon=CONFIRM_EPSILON,
        started_at=started_at,
    )
    session.add(study)
    await session.flush()


async def confirm_study(session: AsyncSession, version: str, policy: OnnxPolicy, epsilon: float, now: datetime) -> None:
    """Freeze a candidate and begin the confirm phase. Raises StudyRefused."""
    study = await study_in(session, version, Phase.EXPLORE)
    await queries.freeze(session, policy.policy_id, policy.graph, policy.card_bytes, now)
    study.phase, study.candidate_id = Phase.CONFIRM, policy.policy_id
    study.confirm_epsilon, study.confirmed_at = epsilon, now


async def stop_study(session: AsyncSession, version: str, now: datetime) -> None:
    """End a study. Raises StudyRefused."""
    study = await study_in(session, version, Phase.EXPLORE, Phase.CONFIRM)
    study.phase, study.stopped_at = STOPPED, now


async def study_in(session: AsyncSession, version: str, *phases: str) -> Study:
    """A study that is in one of these phases. Raises StudyRefused."""
    found = await queries.study_named(session, version)
    if found is None:
        raise StudyRefused(f"there is no study {version}; `buddy study start {version}` begins one")
    if found.phase not in phases:
        raise StudyRefused(f"{version} is in phase {found.phase}, not {' or '.join(phases)}")
    return found


async def take_decision(session: AsyncSession, consent: Consent, question: Question, policies: Policies) -> Told:
    """The decision for a person with consent: the week's decision in a study, else the served one. It is stored before
    it is told."""
    contexts, now = question.contexts, question.now
    await observe_context(session, consent, question.writer, question.context, now)
    study = await queries.running_study(session, consent.study_version, now)
    logged, monday, week = None, None, None
    if study is not None:
        monday, week = rules.study_week(study.started_at, now, question.time_zone)
        earlier = await queries.decision_of_week(session, consent.user_id, study.id, monday)
        if earlier is not None:
            return _told(earlier)
        logged = await _drawn(session, study, question, policies)
    in_study = logged is not None
    logged = logged or rules.decided_outside(await policies.served(), contexts)
    values = _row(logged, consent, question) | {
        "study_id": study.id if study and in_study else None,
        "local_week": monday if in_study else None,
        "study_week": week if in_study else None,
        "prev_disagrees": rules.prev_disagrees(contexts, await queries.last_levels(session, consent.user_id)),
        **_shadowed(policies.shadow, contexts),
    }
    if not await queries.add_decision(session, values):
        assert study is not None and monday is not None  # noqa: S101, PT018 - only a study's decision is unique
        earlier = await queries.decision_of_week(session, consent.user_id, study.id, monday)
        assert earlier is not None  # noqa: S101 - a concurrent transaction has committed it
        return _told(earlier)
    return Told(logged.decision, question.suggestion_id, now, logged if in_study else None)


async def observe_context(
    session: AsyncSession, consent: Consent, writer: Writer, context: tuple[float, ...], now: datetime
) -> None:
    """Enter a context as the next context of the decisions that wait for it."""
    for decision in await queries.without_next_context(session, consent.user_id, consent.study_version, now):
        before, after = (
            _position(moment, values, writer.time_zone)
            for moment, values in ((decision.decided_at, decision.context), (now, context))
        )
        pace = pace_between(before, after, writer.budget_cycle_start_day or FIRST_OF_MONTH)
        seen = {name: None if math.isnan(value) else value for name, value in asdict(pace).items()}
        needs = context[COLUMN["needs_share"]]
        await queries.observe_first(session, decision.id, seen | {"next_needs_share": needs, "context_at": now})


async def observe_summary(
    session: AsyncSession, consent: Consent, zone: str | None, week: tuple[int, int], now: datetime
) -> None:
    """Enter the logging days of a calendar week once all its summaries were sent at its end or later. `week` is the
    (month_key, week_key) of the received summary, `zone` the person's time zone."""
    covered = week_of(*week)
    if covered is None:
        return
    monday = monday_of(covered[0])
    waiting = [
        decision
        for decision in await queries.ripening(session, consent.user_id, consent.study_version, now)
        if week_that_ends_after(local_date(decision.decided_at, zone)) == monday
    ]
    if not waiting:
        return
    keys = summaries_of(monday)
    found = await queries.summaries_at(session, consent.user_id, consent.study_version, keys)
    complete = [row for row in found if _is_over(row.month_key, row.week_key, local_date(row.received_at, zone))]
    if len(complete) == len(keys):
        days = min(sum(row.logging_days_count for row in complete), LOGGING_DAYS)
        for decision in waiting:
            await queries.observe(session, decision.id, {"logging_days": days, "summary_at": now})


async def _drawn(session: AsyncSession, study: Study, question: Question, policies: Policies) -> Logged | None:
    """A draw of the study's phase; None if its candidate cannot run, so that the coach answers as usual."""
    contexts, seed = question.contexts, decision_seed(question.suggestion_id)
    if study.phase == Phase.EXPLORE:
        around = await policies.served() if study.around == Around.COACH else None
        return rules.explored(seed, contexts, around, study.explore_epsilon)
    policy = await policies.candidates.policy(session, study.candidate_id)
    if policy is None:
        return None
    decided = decide(policy, contexts)
    if decided.problem is not None:
        log.error("the candidate failed, its rules answer", study=study.study_version, why=decided.problem)
    candidate = decided.rows[0]
    return rules.confirmed(seed, contexts, candidate, policy.policy_id, study.confirm_epsilon)


def _told(earlier: Stored) -> Told:
    """The stored decision of the week."""
    source = Source.RULES if earlier.policy_id.startswith("budget-rules/") or earlier.fallback_reason else Source.POLICY
    reason = FallbackReason(earlier.fallback_reason) if earlier.fallback_reason else None
    told = Decision(earlier.levels, source, reason, earlier.policy_id, earlier.because or [[], [], []])
    return Told(told, earlier.decision_id, earlier.decided_at)


def _row(logged: Logged, consent: Consent, question: Question) -> dict[str, object]:
    told = logged.decision
    return {
        "decision_id": question.suggestion_id,
        "user_id": consent.user_id,
        "consent_id": consent.id,
        "decided_at": question.now,
        "policy_id": logged.policy_id,
        "source": "study" if logged.phase in set(Phase) else told.source,
        "fallback_reason": told.fallback_reason,
        "phase": logged.phase,
        "component": logged.component,
        "candidate_id": logged.candidate_id,
        "epsilon": logged.epsilon,
        "context": list(question.context),
        "eligible": ["".join("01"[int(level)] for level in row) for row in eligible_levels(question.contexts)[0]],
        "levels": told.levels,
        "distributions": logged.distributions,
        "propensity": logged.propensity,
        "because": told.because,
        "rules_levels": logged.rules_levels,
        "candidate_levels": logged.candidate_levels,
        "seed": decision_seed(question.suggestion_id),
        "context_schema": CONTEXT_SCHEMA,
        "action_schema": ACTION_SCHEMA,
    }


def _shadowed(shadow: OnnxPolicy | FallbackReason, contexts: Contexts) -> dict[str, object]:
    """The decision of the challenger, which is only logged."""
    if not isinstance(shadow, OnnxPolicy):
        return {"shadow_policy_id": None, "shadow_levels": None}
    decided = decide(shadow, contexts)
    if decided.problem is not None:
        log.error("the challenger failed, nothing of it is logged", why=decided.problem)
        return {"shadow_policy_id": None, "shadow_levels": None}
    return {"shadow_policy_id": shadow.policy_id, "shadow_levels": decided.rows[0].levels}


def _position(
    moment: datetime, context: tuple[float, ...] | list[float], zone: str | None
) -> tuple[date, float, float]:
    day = local_date(moment, zone)
    return day, context[COLUMN["budget_used_ratio"]], context[COLUMN["savings_goal_progress"]]


def _is_over(month_key: int, week_key: int, today: date) -> bool:
    covered = week_of(month_key, week_key)
    return covered is not None and today >= covered[1]
