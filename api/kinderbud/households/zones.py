"""Time zones as people choose among them: by region and city, without what only machines call them."""

from functools import cache

from api.time_zones import known_time_zones

REGIONS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def time_zones() -> dict[str, tuple[str, ...]]:
    """By region, the zones' names in order; UTC stands at the end, for those who want no place."""
    names = sorted(known_time_zones())
    regions = {region: tuple(name for name in names if name.startswith(f"{region}/")) for region in REGIONS}
    return regions | {"Other": ("UTC",)}
