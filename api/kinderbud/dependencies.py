"""Dependencies of several features: the stages that are current for the caller, for the lists of todos and the day."""

from typing import Annotated

from fastapi import Depends, Request

from api.app_state import services_of
from api.dependencies import ReadSession
from api.kinderbud.auth import Reader
from api.kinderbud.guides.actions import caught_up


async def _stages(request: Request, caller: Reader, session: ReadSession) -> dict[int, int]:
    return await caught_up(services_of(request).database, session, caller.household.id, caller.today)


Stages = Annotated[dict[int, int], Depends(_stages, scope="function")]
"""By plan."""
