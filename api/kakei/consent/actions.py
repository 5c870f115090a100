"""Gives, changes and withdraws consent. Each change is a new entry of the history."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.auth.keyring import Keyring
from api.kakei.consent import queries
from api.kakei.consent.rules import DataMode
from api.models import Consent, User

OF_A_CONSENT = ("study_version", "consented", "age_confirmed", "allow_research_export", "data_mode", "participant_code")
NO_STUDY = "none"
"""The study version of a refusal without an earlier consent."""


class NoConsent(Exception):
    """There is no consent in force."""


async def change_consent(
    session: AsyncSession, keyring: Keyring, user: User, wanted: dict[str, Any], now: datetime
) -> tuple[Consent, bool]:
    """Enter what the person wants (`OF_A_CONSENT`), and make them a participant if they consent. Returns the entry, and
    whether it is new: the same again is no second entry. Without a study version, the last one stays. The user is
    locked. Raises SecretMissing.
    """
    last = await queries.last_consent(session, user.id)
    wanted = wanted | {"study_version": wanted["study_version"] or (last.study_version if last else NO_STUDY)}
    if last is not None and _values(last) == wanted:
        return last, False
    if wanted["consented"]:
        await queries.enrol(session, keyring, user, wanted["study_version"], now)
    return await _enter(session, user, wanted, now), True


async def change_data_mode(session: AsyncSession, user: User, mode: DataMode, now: datetime) -> Consent:
    """Change the mode of the consent in force. The user is locked. Raises NoConsent."""
    last = await queries.consent_in_force(session, user.id)
    if last is None:
        raise NoConsent
    if DataMode(last.data_mode) is mode:
        return last
    return await _enter(session, user, _values(last) | {"data_mode": str(mode)}, now)


async def withdraw(session: AsyncSession, user: User, now: datetime) -> Consent:
    """Withdraw the consent in force. The user is locked. Raises NoConsent."""
    last = await queries.consent_in_force(session, user.id)
    if last is None:
        raise NoConsent
    none = {"consented": False, "allow_research_export": False, "data_mode": str(DataMode.PRIVATE)}
    return await _enter(session, user, _values(last) | none, now)


async def _enter(session: AsyncSession, user: User, values: dict[str, Any], now: datetime) -> Consent:
    entry = Consent(user_id=user.id, received_at=now, **values)
    await queries.add_consent(session, entry)
    return entry


def _values(entry: Consent) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in OF_A_CONSENT}
