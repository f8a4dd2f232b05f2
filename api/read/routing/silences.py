"""Silences: a filtered list, one, and those in force of a place."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from alerting.silences.model import Silence
from alerting.silences.store import load_silence as load_stored
from alerting.silences.store import silence_of
from api.http.paging import MAX_ID, AfterSilence, Page
from api.http.problems import not_found
from api.read.found import FoundPage
from api.read.moment import load_now
from api.read.queries import QUERIES
from api.read.schemas import SilenceDocument
from store.pool import Connection

_MOST_HERE: Final = 20
"""Silences of one place that a page shows."""


async def list_silences(
    connection: Connection,
    page: Page,
    *,
    area: list[str] | None = None,
    station: str | None = None,
    status: str | None = None,
) -> FoundPage[SilenceDocument]:
    """Silences, the last made first. `area`: codes of which the whole subtrees are meant; `station`: also those of its
    areas and of everything. Raises a Problem for a cursor that is not ours."""
    after = page.after(AfterSilence, AfterSilence(MAX_ID)).id
    now = await load_now(connection)
    rows = await connection.fetch(QUERIES.list_silences, after, area, station, status, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterSilence(row["id"]))
    return FoundPage(
        rows=shown,
        next=following,
        document=lambda row: silence_document(silence_of(row), now),
        things=len(shown),
    )


async def load_silence(connection: Connection, number: int) -> SilenceDocument:
    """One silence. Raises a Problem (404)."""
    found = await load_stored(connection, number)
    return require_silence(number, found, await load_now(connection))


async def may_end_silence(connection: Connection, number: int) -> bool:
    """Whether a silence that is seen lies in the scope; one above it is seen only."""
    return bool(await connection.fetchval(QUERIES.may_end_silence, number))


async def load_silences_here(
    connection: Connection, station: str | None, area: str | None, kind: str | None = None
) -> Sequence[SilenceDocument]:
    """The silences in force of a station in an area, or of an area; of one kind of incident. The last to end comes
    first."""
    now = await load_now(connection)
    rows = await connection.fetch(QUERIES.silences_here, station, area, _MOST_HERE)
    found = [silence_of(row) for row in rows]
    return [silence_document(one, now) for one in found if kind is None or not one.kinds or kind in one.kinds]


def require_silence(number: int, silence: Silence | None, now: datetime) -> SilenceDocument:
    """The document of a silence that was looked up by its number. Raises a Problem (404) when there is none."""
    if silence is None:
        raise not_found("silence", number)
    return silence_document(silence, now)


def silence_document(silence: Silence, now: datetime) -> SilenceDocument:
    """A silence as the API and the pages show it."""
    names = set(SilenceDocument.model_fields) - {"begin", "until", "status", "kinds"}
    return SilenceDocument(
        begin=silence.from_at,
        until=silence.until_at,
        status=silence.status(now).value,
        kinds=sorted(silence.kinds),
        **{name: getattr(silence, name) for name in names},
    )
