"""The stored code of an area that a request names."""

from api.http.parameters import area_codes
from registry.store import known_areas
from store.pool import Connection


async def stored_area(connection: Connection, code: str | None) -> str | None:
    """The stored code of an area that may be written short; as given, if there is none."""
    codes = area_codes(code) or []
    return next(iter(await known_areas(connection, codes)), code)
