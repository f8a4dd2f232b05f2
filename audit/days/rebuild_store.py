"""Kept days compared with their sources: `milepost audit rebuild`."""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from enum import StrEnum
from typing import Final

import msgspec

from audit.days.compute_store import CHUNK, compute
from audit.days.day_store import QUERIES, load_kept, lock_state
from audit.days.figures import Figures
from audit.days.sealed.missing_store import missing_days, missing_months
from audit.days.sealed.tree_store import wrong_days, wrong_months
from audit.days.station_days import StationDay
from contract.said import Said
from store.pool import Connection
from store.troubles import said


class AreaFault(StrEnum):
    """The figures of an area that differ."""

    SUM = "sum"
    NO_SUM = "no_sum"
    GONE = "gone"
    FROZEN_GONE = "frozen_gone"
    SEALED = "sealed"
    FROZEN = "frozen"


_AREA_FAULTS: Final = {
    AreaFault.SUM: ("the sum is not that of its stations", "合计与其站点之和不符"),
    AreaFault.NO_SUM: (
        "the sum did not exist; it is written again from its stations",
        "合计曾缺失；已按其站点重新写入",
    ),
    AreaFault.GONE: (
        "the ledger has figures of this day, and no station has any here",
        "账本中有当日数值，而此处没有任何站点的数值",
    ),
    AreaFault.FROZEN_GONE: (
        "the frozen figures of the month did not exist; they are written again from the ledger",
        "已冻结的当月数值曾缺失；已按账本重新写入",
    ),
    AreaFault.SEALED: (
        "figures or revisions of its stations are not those that the ledger has",
        "站点的数值或修订与账本中的记录不符",
    ),
    AreaFault.FROZEN: (
        "the frozen figures of the month are not those that the ledger has",
        "已冻结的当月数值与账本中的记录不符",
    ),
}


class DayDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A kept day that differs from its sources. For an area, `station` is None, and `kind` names the difference. `why`:
    the reason why the station cannot be computed from this day on."""

    station: str | None
    day: date
    path: tuple[str, ...]
    kept: StationDay | None = None
    fresh: StationDay | None = None
    kind: AreaFault = AreaFault.SUM
    why: str | None = None

    @property
    def said(self) -> Said:
        """One line for people; figures have the names of docs/uptime.md."""
        place = "/".join(self.path)
        if self.why is not None:
            return Said(
                f"{self.day} station {self.station}: cannot be computed ({self.why})",
                f"{self.day} 站点 {self.station}：无法计算（{self.why}）",
            )
        if self.kept is None or self.fresh is None:
            en, zh = _AREA_FAULTS[self.kind]
            return Said(f"{self.day} area {place}: {en}", f"{self.day} 区划 {place}：{zh}")
        found = [*_different(self.kept.figures, self.fresh.figures)]
        if self.kept.path != self.fresh.path:
            found.append(f"area {'/'.join(self.kept.path)} -> {place}")
        told = ", ".join(found)
        return Said(
            f"{self.day} station {self.station}: kept -> computed: {told}",
            f"{self.day} 站点 {self.station}：留存值 -> 重算值：{told}",
        )


def _different(kept: Figures, fresh: Figures) -> Iterator[str]:
    for name in Figures.__struct_fields__:
        was, now = getattr(kept, name), getattr(fresh, name)
        if was != now:
            yield f"{name} {was} -> {now}"


async def differences(
    connection: Connection, first: date, last: date, area: str | None = None
) -> AsyncIterator[DayDifference]:
    """Every kept day from `first` to `last` that differs from its sources, with the facts that the kept days follow, or
    from its entry in the ledger. Sums and frozen figures of areas that do not exist are differences too, and are
    written again. Stations are not computed for days of which sources are deleted.

    Needs a transaction with one snapshot; what was not yet kept before it is a difference too.
    """
    state = await lock_state(connection)
    if state is None:
        return
    first, last = max(first, state.first_day), min(last, state.last_day)
    async for of_station in _of_stations(connection, max(first, state.first_computable), last, area, state.cut):
        yield of_station
    async for kind, day, path in _of_areas(connection, first, last, area):
        yield DayDifference(station=None, day=day, path=path, kind=kind)


async def uncomputable_until(connection: Connection, first: date) -> date | None:
    """The day before which stations cannot be computed again, because sources are deleted; None: all can that are kept
    from `first` on. Needs a transaction."""
    state = await lock_state(connection)
    if state is None or state.first_computable <= max(first, state.first_day):
        return None
    return state.first_computable


async def _of_stations(
    connection: Connection, first: date, last: date, area: str | None, cut: int
) -> AsyncIterator[DayDifference]:
    after = ""
    while first <= last and (rows := await connection.fetch(QUERIES.stations_of_days, first, last, area, after, CHUNK)):
        stations = [row["station"] for row in rows]
        after = stations[-1]
        kept = await load_kept(connection, stations, first, last)
        refused: dict[str, Exception] = {}
        async for each in compute(connection, dict.fromkeys(stations, (first, last)), cut, refused.__setitem__):
            for fresh in each.figures:
                found = _difference(kept.get((each.station, fresh.day)), fresh)
                if found is not None:
                    yield found
        for station, exc in refused.items():
            yield DayDifference(station=station, day=first, path=(), why=said(exc))


async def _of_areas(
    connection: Connection, first: date, last: date, area: str | None
) -> AsyncIterator[tuple[AreaFault, date, tuple[str, ...]]]:
    for row in await connection.fetch(QUERIES.add_missing_sums, first, last, area):
        yield AreaFault.NO_SUM, row["day"], tuple(row["path"])
    async for day, path in missing_days(connection, first, last, area):
        yield AreaFault.GONE, day, path
    for row in await connection.fetch(QUERIES.wrong_sums, first, last, area):
        yield AreaFault.SUM, row["day"], tuple(row["path"])
    async for day, path in wrong_days(connection, first, last, area):
        yield AreaFault.SEALED, day, path
    async for month, path in missing_months(connection, first, last, area):
        yield AreaFault.FROZEN_GONE, month, path
    async for month, path in wrong_months(connection, first, last, area):
        yield AreaFault.FROZEN, month, path


def _difference(kept: StationDay | None, fresh: StationDay) -> DayDifference | None:
    before = kept or StationDay(station=fresh.station, day=fresh.day, revision=0, figures=Figures())
    if (before.figures, before.path) == (fresh.figures, fresh.path):
        return None
    return DayDifference(station=fresh.station, day=fresh.day, path=fresh.path, kept=before, fresh=fresh)
