"""A catalog upgrade: new items reach every family, removed items are offered no more."""

import asyncio
import secrets
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.db import migrate
from api.db.engine import Database, open_database
from api.kinderbud.guides.actions import move_on, subscribe
from api.kinderbud.guides.queries import guides, items_of, stages_of
from api.kinderbud.households import actions
from api.kinderbud.households.queries import participants_of
from api.kinderbud.todos.queries import current_todos
from api.models import Guide, GuideItem, GuideStage, Household
from data.catalog.guides import guides as catalog
from tests.actors.family import EMMA
from tests.support.databases import url_of

NOW = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return url_of(request, tmp_path_factory.mktemp("upgrade"))


async def family(session: AsyncSession) -> Household:
    """Emma, who follows the first guide."""
    sarah = actions.Person("Sarah", f"{secrets.token_hex(6)}@example.com")
    household = await actions.create_household(session, "The Johnsons", [sarah], [EMMA], "UTC", 8, NOW)
    emma = (await participants_of(session, household.id))[0]
    await subscribe(session, emma, await early_development(session), NOW.date(), NOW)
    return household


async def early_development(session: AsyncSession) -> Guide:
    return (await session.scalars(select(Guide).where(Guide.key == "early_development"))).one()


async def titles(database: Database, household_id: int) -> set[str]:
    """The titles that Emma may be offered today."""
    async with database.write() as session:
        stages = await move_on(session, household_id, NOW.date())
        return {seen.title for seen in await current_todos(session, household_id, stages, NOW.date())}


def test_items_come_and_go_with_the_catalog_and_edited_ones_stay(url: str) -> None:
    async def live() -> None:
        database = open_database(url)
        await migrate.prepare(database)
        async with database.write() as session:
            household = await family(session)
            stage = (await session.scalars(select(GuideStage).where(GuideStage.stage_key == "12_to_18_months"))).first()
            assert stage is not None
            there = list(await items_of(session, [stage.id]))
        before = await titles(database, household.id)
        missing, edited, *_ = there
        assert {missing.title, edited.title} <= before
        async with database.write() as session:  # an older catalog: one item less, one more, one edited
            row = {column.name: getattr(edited, column.name) for column in GuideItem.__table__.columns}
            gone = row | {"item_key": "gone", "title": "No longer wise", "seeded": "of an older catalog"}
            del gone["id"]
            await session.execute(insert(GuideItem).values(**gone))
            await session.execute(update(GuideItem).where(GuideItem.id == edited.id).values(title="Our own words"))
            await session.execute(
                update(GuideItem).where(GuideItem.id == missing.id).values(item_key="unknown", title="Soon away")
            )
        await migrate.prepare(database)
        after = await titles(database, household.id)
        assert after == before - {edited.title} | {"Our own words"}
        async with database.write() as session:
            counted = {one.guide.key: one.items for one in await guides(session)}
            assert counted == {guide.key: sum(1 for _ in guide.items()) for guide in catalog()}
            await session.execute(delete(Household).where(Household.id == household.id))
        await database.close()

    asyncio.run(live())


def test_a_stage_that_was_renamed_is_there_once(url: str) -> None:
    async def live() -> None:
        database = open_database(url)
        await migrate.prepare(database)
        async with database.write() as session:
            household = await family(session)
            guide = await early_development(session)
            key = GuideStage.stage_key == "12_to_18_months"
            renamed = update(GuideStage).where(key, GuideStage.guide_id == guide.id).values(stage_key="old_name")
            await session.execute(renamed)
        await migrate.prepare(database)
        async with database.read() as session:
            stages = await stages_of(session, [guide.id])
            assert [stage.stage_key for stage in stages].count("old_name") == 0
            assert len({stage.position for stage in stages}) == len(stages) == 12
        assert await titles(database, household.id)
        await database.close()

    asyncio.run(live())
