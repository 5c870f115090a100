"""Stores what people answer, once, with its score."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import effective_time
from api.kakei.accounts.queries import profile_of
from api.kakei.research import queries, rules
from api.models import Consent, Response
from api.time_zones import local_date
from data.catalog.instruments import Instrument, score
from data.schema.missing import Missing


@dataclass(frozen=True)
class Answers:
    """A person's answers to an instrument in a phase."""

    instrument: Instrument
    phase: str
    responses: dict[str, Any]
    client_timestamp: datetime | None


@dataclass(frozen=True)
class Kept:
    """The stored answers: `is_new` unless they were stored before, `applied` unless later ones are there."""

    response: Response
    is_new: bool
    applied: bool


async def keep_answers(session: AsyncSession, consent: Consent, answers: Answers, now: datetime) -> Kept:
    """Store the answers under the consent in force. Without a client's time, the same as the latest is a repeat."""
    user_id, instrument = consent.user_id, answers.instrument
    profile = await profile_of(session, user_id)
    made_on = local_date(effective_time(answers.client_timestamp, now), profile.time_zone if profile else None)
    period = rules.period_of(answers.phase, made_on)
    if answers.client_timestamp is None:
        latest = await queries.latest_response(session, user_id, instrument.key, answers.phase, period)
        if latest is not None and latest.answers == answers.responses:
            return Kept(latest, is_new=False, applied=True)
    moment = answers.client_timestamp or now
    mark = rules.fingerprint(instrument.key, answers.phase, period, answers.responses, moment)
    result = score(instrument, answers.responses)
    values = {
        "user_id": user_id,
        "consent_id": consent.id,
        "client_timestamp": answers.client_timestamp,
        "received_at": now,
        "fingerprint": mark,
        "instrument_key": instrument.key,
        "instrument_version": instrument.version,
        "phase": answers.phase,
        "period": period,
        "answers": answers.responses,
        "score": None if isinstance(result, Missing) else result,
        "score_missing": str(result) if isinstance(result, Missing) else None,
    }
    is_new = await queries.add_once(session, Response, values)
    stored = await queries.response(session, user_id, mark)
    latest = await queries.latest_response(session, user_id, instrument.key, answers.phase, period)
    return Kept(stored, is_new, applied=latest is not None and latest.id == stored.id)
