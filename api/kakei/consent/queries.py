"""Queries on consents, participants and their pseudonyms."""

import random
import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, case, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.keyring import KEY_BYTES, Keyring
from api.db.prepared import Prepared
from api.db.upsert import insert_into
from api.kakei.consent.rules import pseudonym, split_of
from api.models import Consent, Participant, PseudonymKey, User

_LAST = Prepared(
    lambda _: (
        select(*inspect(Consent).columns)
        .where(Consent.user_id == bindparam("user_id"))
        .order_by(Consent.id.desc())
        .limit(1)
    )
)


async def last_consent(session: AsyncSession, user_id: int) -> Consent | None:
    """The newest entry of a person's history: a row with its attributes."""
    found: Consent | None = await _LAST.row(session, user_id=user_id)
    return found


async def consent_in_force(session: AsyncSession, user_id: int) -> Consent | None:
    """The consent in force now, None if there is none. In a writing session `user_by_uuid` has locked the user against
    changes of consent, so it stays in force until the end of the transaction."""
    last = await last_consent(session, user_id)
    return last if last is not None and last.consented else None


def id_in_force(user_id: ColumnElement[int]) -> ScalarSelect[int]:
    """The id of the consent in force, as a part of a statement that stores a row under it. The statement comes after
    the one that locks the user."""
    last = select(case((Consent.consented, Consent.id))).where(Consent.user_id == user_id)
    return last.order_by(Consent.id.desc()).limit(1).scalar_subquery()


async def consent_id_in_force(session: AsyncSession, user_id: int) -> int | None:
    """The id of the consent in force, for rows received under it."""
    consent = await consent_in_force(session, user_id)
    return consent.id if consent else None


async def history(session: AsyncSession, user_id: int) -> list[Consent]:
    """All entries, newest first."""
    return list(await session.scalars(select(Consent).where(Consent.user_id == user_id).order_by(Consent.id.desc())))


async def add_consent(session: AsyncSession, consent: Consent) -> None:
    session.add(consent)
    await session.flush()


async def enrol(session: AsyncSession, keyring: Keyring, user: User, study_version: str, now: datetime) -> None:
    """Make the person a participant of the study, unless they already are."""
    mine = select(Participant.id).where(Participant.user_id == user.id, Participant.study_version == study_version)
    if await session.scalar(mine) is not None:
        return
    _, key = await study_key(session, keyring, study_version, now)
    insert = insert_into(session, Participant).values(
        user_id=user.id,
        study_version=study_version,
        pseudonym=pseudonym(key, user.uuid),
        split=split_of(random.SystemRandom().random()),
        joined_at=now,
    )
    await session.execute(insert.on_conflict_do_nothing(index_elements=["user_id", "study_version"]))


async def study_key(session: AsyncSession, keyring: Keyring, study_version: str, now: datetime) -> tuple[int, bytes]:
    """The newest generation of the study's key, and the key; created if missing. Raises SecretMissing."""
    found = await _newest_key(session, study_version)
    if found is None:
        await _add_key(session, keyring, study_version, 1, now)
        found = await _newest_key(session, study_version)
        assert found is not None  # noqa: S101 - inserted here or by a concurrent transaction
    return found.generation, keyring.unwrap(found.wrapped)


async def rotate_pseudonyms(session: AsyncSession, keyring: Keyring, study_version: str, now: datetime) -> int:
    """Give every participant of the study a pseudonym that cannot be linked to the old one. Returns their number."""
    generation, _ = await study_key(session, keyring, study_version, now)
    await _add_key(session, keyring, study_version, generation + 1, now)
    _, key = await study_key(session, keyring, study_version, now)
    people = select(Participant.id, User.uuid).join(User, User.id == Participant.user_id)
    rows = (await session.execute(people.where(Participant.study_version == study_version))).all()
    for participant_id, uuid in rows:
        renamed = update(Participant).where(Participant.id == participant_id)
        await session.execute(renamed.values(pseudonym=pseudonym(key, uuid)))
    return len(rows)


async def _newest_key(session: AsyncSession, study_version: str) -> PseudonymKey | None:
    keys = select(PseudonymKey).where(PseudonymKey.study_version == study_version)
    return await session.scalar(keys.order_by(PseudonymKey.generation.desc()).limit(1))


async def _add_key(session: AsyncSession, keyring: Keyring, study_version: str, generation: int, now: datetime) -> None:
    wrapped = keyring.wrap(secrets.token_bytes(KEY_BYTES))
    insert = insert_into(session, PseudonymKey).values(
        study_version=study_version, generation=generation, wrapped=wrapped, created_at=now
    )
    await session.execute(insert.on_conflict_do_nothing(index_elements=["study_version", "generation"]))
