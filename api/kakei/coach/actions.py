"""Answers an identified user: decides, stores the decision before it is told, and also answers without the database."""

import asyncio
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import to_the_second
from api.db.failures import MAY_BE_AWAY
from api.kakei.accounts.queries import Writer
from api.kakei.coach import queries
from api.kakei.coach.app_state import CoachServices
from api.kakei.coach.responses import answer_of, new_suggestion_id
from api.kakei.coach.schemas import CoachAnswer
from api.kakei.consent.queries import consent_in_force
from api.kakei.studies.actions import Policies, Question, Told, take_decision
from coach_model.budget.coach import Decision
from coach_model.budget.messages import BALANCED, messages

DATABASE_SECONDS = 2.0
"""Seconds that an answer waits for the database before the coach answers without it."""

log = structlog.get_logger("api.coach")


class Asker(Protocol):
    """The user behind a request, and the safe retry of the request."""

    async def user(self, session: AsyncSession) -> Writer:
        """The user. Raises what the request is answered with instead: there is no such user, or it is a retry."""

    async def keep(self, session: AsyncSession, answer: CoachAnswer) -> None:
        """Store the answer for a retry."""


class Answering:
    """One answer to one user for a context, in a language."""

    def __init__(self, coach: CoachServices, asker: Asker, context: tuple[float, ...], language: str) -> None:
        self._coach = coach
        self._asker = asker
        self._context = context
        self._language = language
        self._decision: Decision | None = None
        self._prepared: CoachAnswer | None = None
        """The answer, once only the commit is missing. It must be told then, because it may be stored."""

    async def answer(self) -> CoachAnswer:
        """The stored answer; without the database in time, the anonymous answer. Raises what `Asker.user` raises."""
        work = asyncio.create_task(self._stored())
        done, _ = await asyncio.wait({work}, timeout=DATABASE_SECONDS)
        if not done and self._prepared is not None:
            # A decision that is told and not stored is missing in the study; one that is stored and not told would
            # falsify it. So the transaction goes on.
            log.warning("the coach answers before the database has", why="too slow")
            self._coach.background.keep(work, "what the coach told was not stored")
            return self._prepared
        try:
            if done:
                return work.result()
            work.cancel()  # it is not awaited: a driver may be slow even to cancel
            log.warning("the coach answers without the database", why="too slow")
        except MAY_BE_AWAY as error:
            log.warning("the coach answers without the database", why=type(error).__name__)
            if self._prepared is not None:
                return self._prepared
        return answer_of(await self._served(), messages(self._language, BALANCED), to_the_second(self._coach.clock))

    async def _stored(self) -> CoachAnswer:
        """Decide and store the decision, in one transaction."""
        coach = self._coach
        async with coach.database.write() as session:
            writer = await self._asker.user(session)
            now = to_the_second(coach.clock)
            told = await self._told(session, Question(writer, self._context, new_suggestion_id(), now))
            said = messages(self._language, BALANCED if writer.coach_style is None else writer.coach_style)
            answer = answer_of(told.decision, said, told.since, told.suggestion_id)
            if told.since == now:
                await queries.remember_suggestions(session, writer.id, answer, now)
            await self._asker.keep(session, answer)
            self._prepared = answer
        if told.drawn is not None:
            coach.metrics.drawn.labels(told.drawn.phase, told.drawn.component).inc()
        return answer

    async def _told(self, session: AsyncSession, question: Question) -> Told:
        """The decision of the user's study, or the served one."""
        consent = await consent_in_force(session, question.writer.id)
        if consent is None:
            return Told(await self._served(), question.suggestion_id, question.now)
        policies = Policies(self._served, self._coach.shadow.now, self._coach.candidates)
        return await take_decision(session, consent, question, policies)

    async def _served(self) -> Decision:
        """The decision of the served policy, which is the same for everyone with this context."""
        if self._decision is None:
            self._decision = await self._coach.decider.decision(self._context)
        return self._decision
