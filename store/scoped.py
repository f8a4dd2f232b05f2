"""What roles see: `reader.sql` for dashboards of the whole, `scoped.sql` for the API within its scope, and
`dashboards.sql` for dashboards about some areas."""

import hashlib
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from store.pool import Connection
from store.sql import queries_beside

READER: Final = Path(__file__).with_name("reader.sql")
SCOPED: Final = Path(__file__).with_name("scoped.sql")
DASHBOARDS: Final = Path(__file__).with_name("dashboards.sql")
QUERIES: Final = queries_beside(__file__)
API_ROLE: Final = "milepost_api"
"""The group into which every connection of the API goes, whatever its login is."""
SEARCH_PATH: Final = "scoped,public"
"""Where the API looks for a table: the view within its scope before the table itself."""


def whole_url(url: str) -> str:
    """A URL whose connections see the whole, for commands on the machine itself. Its login is that of the API, which
    these commands share, or the owner's."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'search_path': SEARCH_PATH, 'milepost.scope': '*'})}"


async def put_reader(connection: Connection, version: int) -> None:
    """Give dashboards of the whole their rights unless they are those of this file and of schema `version`."""
    made, text = QUERIES.reader_made, READER.read_text(encoding="utf-8")
    await _put(connection, "FUNCTION grant_reader()", text, made, version)


async def put_scoped(connection: Connection, version: int) -> None:
    """Make the policies and views anew unless they are those of this file and of schema `version`. Without the roles,
    which the migrations may not be allowed to create, there are none."""
    if await connection.fetchval(QUERIES.has_roles):
        await _put(connection, "SCHEMA scoped", SCOPED.read_text(encoding="utf-8"), QUERIES.scoped_made, version)


async def put_dashboards(connection: Connection, version: int) -> None:
    """The same for the views of dashboards about some areas."""
    await _put(
        connection, "SCHEMA dashboards", DASHBOARDS.read_text(encoding="utf-8"), QUERIES.dashboards_made, version
    )


async def _put(connection: Connection, thing: str, text: str, made: str, version: int) -> None:
    """Run a file unless the comment on `thing`, which the query `made` reads, says that it ran."""
    wanted = f"{version} {hashlib.sha256(text.encode()).hexdigest()}"
    if await connection.fetchval(made) == wanted:
        return
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute(f"COMMENT ON {thing} IS '{wanted}'")
