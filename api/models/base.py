"""The base of all tables: names of constraints, and types that behave the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, MetaData, Numeric, TypeDecorator
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

DECIMALS = 4
"""Decimals of CLF, Chile's unit of account, the currency with the most."""
PRECISION = 18
"""Total digits: as many as a 64-bit integer holds, so that both databases accept the same amounts."""


class Base(DeclarativeBase):
    """The base class of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Amount(TypeDecorator[Decimal]):
    """An exact number with four decimals: NUMERIC(18, 4) on PostgreSQL, ten-thousandths as an integer on SQLite.

    It accepts only a Decimal that fits: a float is not exact, and digits must not be lost silently.
    """

    impl = Numeric(PRECISION, DECIMALS)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(PRECISION, DECIMALS))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError("an amount is a finite Decimal")
        if value.adjusted() >= PRECISION - DECIMALS or value != round(value, DECIMALS):
            raise ValueError(f"an amount has at most {DECIMALS} decimals and {PRECISION - DECIMALS} digits before them")
        return int(value.scaleb(DECIMALS)) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        exact = Decimal(value).scaleb(-DECIMALS) if dialect.name == "sqlite" else Decimal(value)
        whole = exact.to_integral_value()
        return whole if exact == whole else exact.normalize()


class Moment(TypeDecorator[datetime]):
    """A point in time with its zone, UTC: timestamptz on PostgreSQL, naive UTC on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)
