"""Stations in two counties, what judges and terminals say of them, and the process that keeps days."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

from audit.days.keep_store import PassResult, keep_days
from audit.days.rebuild_store import differences
from registry.edits import registry_edit
from registry.hours.schedule_store import put_schedules
from registry.model import Area, Station
from registry.store import upsert_areas, upsert_stations
from store.author import Author
from store.pool import Connection, Pool

FIRST = date(2026, 11, 2)
"""A Monday, the first kept day."""
MIDNIGHT = datetime(2026, 11, 1, 16, tzinfo=UTC)
"""The beginning of the first day in China."""
HOURS = "09:00-17:00"
HOUR_MS = 3_600_000


def at(hours: float) -> datetime:
    """So many hours after the beginning of the first day."""
    return MIDNIGHT + timedelta(hours=hours)


class DayWorld:
    """What happens, in the order in which it is told."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._seq = 0

    @asynccontextmanager
    async def _edit(self, since: float | None = None) -> AsyncIterator[Connection]:
        """An edit of the registry with its entries in the ledger."""
        async with self.pool.acquire() as connection, registry_edit(connection, Author("operator")):
            if since is not None:
                await connection.execute("SELECT set_config('milepost.effective_at', $1, true)", at(since).isoformat())
            yield connection

    async def register(self, stations: Sequence[str], *, area: str = "632122", since: float = -100) -> None:
        """Register stations in an area, open from 9 to 17 each day."""
        async with self._edit(since) as connection:
            areas = [
                Area(code="63", name="63", level="province", path=("63",)),
                *(_county(code) for code in ("632122", "632123")),
            ]
            await upsert_areas(connection, areas, at=at(since))
            await upsert_stations(connection, [_station(name, area) for name in stations])
            await put_schedules(connection, dict.fromkeys(stations, f"Mo-Su {HOURS}"), now=at(since), by="a")

    async def move(self, station: str, area: str, since: float) -> None:
        """Move a station to another area; effective at the next midnight."""
        async with self._edit(since) as connection:
            await connection.execute("UPDATE station SET area = $2 WHERE id = $1", station, area)

    async def retire(self, station: str, since: float) -> None:
        """A station is closed for good."""
        async with self._edit(since) as connection:
            await connection.execute("UPDATE station SET lifecycle = 'retired' WHERE id = $1", station)

    async def judge(self, station: str, hours: float, state: str, *, usable: bool | None = None) -> None:
        """One decision of the judge."""
        self._seq += 1
        await self.pool.execute(
            "INSERT INTO transition (partition, seq, station, before, after, usable, at, tick_at, shard, reason) "
            "VALUES (0, $1, $2, 'online', $3, $4, $5, $5, 'main', 'test')",
            self._seq, station, state, usable, at(hours),
        )  # fmt: skip
        await self.pool.execute(
            "INSERT INTO terminal_state "
            "(station, terminal, partition, shard, state, boot, run, conn, n, every, seen, deadline) "
            "VALUES ($1, '001', 0, 'main', $2, 'b', 1, 1, 1, 30, 0, 0) ON CONFLICT DO NOTHING",
            station, state,
        )  # fmt: skip

    async def gap(self, begin: float, end: float) -> None:
        """The pipeline was blind."""
        self._seq += 1
        await self.pool.execute(
            "INSERT INTO pipeline_gap (partition, seq, shard, began_at, ended_at, reason) "
            "VALUES (0, $1, 'main', $2, $3, 'b')",
            self._seq, at(begin), at(end),
        )  # fmt: skip

    async def ran(self, station: str, begin: float, end: float, *, usable: bool = True) -> None:
        """A presence record arrives."""
        self._seq += 1
        await self.pool.execute(
            "INSERT INTO presence (ts, station, terminal, box, id, device_at, received_at, time_source, until, usable) "
            "VALUES ($1, $2, '001', 'box', $3, 0, now(), 'server', $4, $5)",
            at(begin), station, self._seq, at(end), usable,
        )  # fmt: skip

    async def closure(self, station: str, begin: float, end: float, *, approved: bool = True) -> None:
        """A closure is declared, and approved."""
        async with self._edit() as connection:
            await connection.execute(
                "INSERT INTO closure (station, from_at, until_at, reason, declared_by, declared_at, approved_by, "
                "approved_at) VALUES ($1, $2, $3, 'r', 'a', $2, $4, $5)",
                station, at(begin), at(end), "b" if approved else None, at(begin) if approved else None,
            )  # fmt: skip

    async def clock(self, hours: float, *, blind_since: float | None = None) -> None:
        """The pipeline clock goes on."""
        await self.pool.execute(
            "INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, blind_since, memory) "
            "VALUES (0, 'main', 0, $1, $1, $2, '{}') ON CONFLICT (partition, shard) "
            "DO UPDATE SET tick_at = excluded.tick_at, blind_since = excluded.blind_since",
            at(hours), None if blind_since is None else at(blind_since),
        )  # fmt: skip

    async def keep(self, hours: float | None = None) -> list[PassResult]:
        """Let the clock go on, and pass until no further day closes."""
        if hours is not None:
            await self.clock(hours)
        found: list[PassResult] = []
        async with self.pool.acquire() as connection:
            while not found or found[-1].closed is not None:
                found.append(await keep_days(connection))
        return found

    async def wrong(self) -> list[str]:
        """What `rebuild` would print."""
        async with self.pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            return [each.said.en async for each in differences(connection, date(2026, 1, 1), date(2030, 1, 1))]


def _county(code: str) -> Area:
    return Area(code=code, name=code, parent="63", level="county", path=("63", code))


def _station(name: str, area: str) -> Station:
    return Station(id=name, name=name, area=area)
