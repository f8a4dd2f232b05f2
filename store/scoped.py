"""The policies and views by which the API sees its scope; `scoped.sql` has them."""

import hashlib
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from store.pool import Connection
from store.sql import queries_beside

SCOPED: Final = Path(__file__).with_name("scoped.sql")
QUERIES: Final = queries_beside(__file__)
API_ROLE: Final = "milepost_api"
"""The group into which every connection of the API goes, whatever its login is."""
SEARCH_PATH: Final = "scoped,public"
"""Where the API looks for a table: the view within its scope before the table itself."""


def whole_url(url: str) -> str:
    """A URL whose connections see the whole, for commands on the machine itself. Its login is that of the API, which
    these commands share, or the owner's."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'search_path': SEARCH_PATH, 'milepost.scope': '*'})}"


async def put_scoped(connection: Connection, version: int) -> None:
    """Make the policies and views anew unless they are those of this file and of schema `version`. Without the roles,
    which the migrations may not be allowed to create, there are none."""
    text = SCOPED.read_text(encoding="utf-8")
    wanted = f"{version} {hashlib.sha256(text.encode()).hexdigest()}"
    if not await connection.fetchval(QUERIES.has_roles) or await connection.fetchval(QUERIES.scoped_made) == wanted:
        return
    async with connection.transaction():
        await connection.execute(text)
        await connection.execute(f"COMMENT ON SCHEMA scoped IS '{wanted}'")
