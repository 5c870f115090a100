"""Times that phones send."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings

OFTEN = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MICROSECOND, MINUTE, DAY = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)
BROKEN = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2098, 1, 1, tzinfo=UTC))
"""The times of broken clocks."""
