"""Frozen candidates of confirm phases; each process loads a candidate once."""

import asyncio

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.kakei.studies import queries
from coach_model.budget.coach import CONTRACT
from coach_model.onnx_policy import ArtifactRefused, OnnxPolicy, policy_of

log = structlog.get_logger("api.studies")


class FrozenCandidates:
    """Loads a candidate from the database on first use."""

    def __init__(self) -> None:
        self._known: dict[str, OnnxPolicy | None] = {}

    async def policy(self, session: AsyncSession, policy_id: str | None) -> OnnxPolicy | None:
        """The candidate with that id; None if this version of the service cannot run it, which is logged once."""
        if policy_id is None:
            return None
        if policy_id not in self._known:
            self._known[policy_id] = await self._loaded(session, policy_id)
        return self._known[policy_id]

    async def _loaded(self, session: AsyncSession, policy_id: str) -> OnnxPolicy | None:
        stored = await queries.candidate_named(session, policy_id)
        if stored is None:
            log.error("the candidate of a study is not stored", policy_id=policy_id)
            return None
        try:
            return await asyncio.to_thread(policy_of, stored.graph, stored.card, CONTRACT)
        except ArtifactRefused as error:
            log.error("the candidate of a study cannot be run", policy_id=policy_id, why=str(error))
            return None
