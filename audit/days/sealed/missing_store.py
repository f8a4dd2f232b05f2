"""Figures of areas that the ledger has and the kept days have not."""

from collections.abc import AsyncIterator, Iterable
from datetime import date, timedelta

import asyncpg
import msgspec

from audit.days.day_store import figures_row
from audit.days.figures import Figures
from audit.days.freezing import months_between
from audit.days.sealed.tree_store import OF_DAYS, QUERIES, AreaDay, path_in
from audit.days.sealed.trees import Path
from store.ledger_kinds import LedgerKind
from store.pool import Connection


async def missing_days(
    connection: Connection, first: date, last: date, area: str | None = None
) -> AsyncIterator[AreaDay]:
    """The days of areas of which the ledger has figures and no sum is kept."""
    kept = _by_day(await connection.fetch(QUERIES.areas_of_days, first, last, area))
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        sealed = await _sealed_bodies(connection, "area_day", str(day), OF_DAYS)
        for path in sorted(sealed.keys() - kept.get(day, set())):
            if area is None or area in path:
                yield day, path


async def missing_months(
    connection: Connection, first: date, last: date, area: str | None = None
) -> AsyncIterator[AreaDay]:
    """The same for frozen months; the date is the first day of the month. The frozen figures are written again from
    their entry."""
    for month in months_between(first, last):
        kept = {tuple(row["path"]) for row in await connection.fetch(QUERIES.frozen_figures, month)}
        sealed = await _sealed_bodies(connection, "area_month", f"{month:%Y-%m}", [LedgerKind.MONTH_FROZEN])
        for path in sorted(sealed.keys() - kept):
            if area is None or area in path:
                await _restore_frozen(connection, month, path, sealed[path])
                yield month, path


async def _restore_frozen(connection: Connection, month: date, path: Path, body: bytes) -> None:
    try:
        figures = msgspec.convert(msgspec.json.decode(body)["figures"], Figures)
    except (msgspec.MsgspecError, KeyError, TypeError):
        return  # a damaged entry, which `milepost verify` names
    await connection.execute(QUERIES.restore_frozen, month, path[-1], list(path), *figures_row(figures))


async def _sealed_bodies(
    connection: Connection, subject: str, when: str, kinds: Iterable[LedgerKind]
) -> dict[Path, bytes]:
    """The newest entry of each area that has one about a day or month."""
    found: dict[Path, bytes] = {}
    rows = await connection.fetch(QUERIES.entries_of_areas, subject, when, [kind.value for kind in kinds])
    for row in rows:
        if path := path_in(row["body"]):
            found.setdefault(path, row["body"])
    return found


def _by_day(rows: Iterable[asyncpg.Record]) -> dict[date, set[Path]]:
    found: dict[date, set[Path]] = {}
    for row in rows:
        found.setdefault(row["day"], set()).add(tuple(row["path"]))
    return found
