"""Time zones to choose from, by region and city, without technical aliases."""

from functools import cache

from api.time_zones import known_time_zones

REGIONS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def time_zones() -> dict[str, tuple[str, ...]]:
    """Zone names by region, sorted. UTC is last, for a zone without a place."""
    names = sorted(known_time_zones())
    regions = {region: tuple(name for name in names if name.startswith(f"{region}/")) for region in REGIONS}
    return regions | {"Other": ("UTC",)}
