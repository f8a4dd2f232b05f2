"""Making a history: the terminals, the judges, the incidents, the records and the days, in the order of their time."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from access.roles import Role
from access.scope import AreaScope
from access.store import add_account
from agents.simulator import roster
from alerting.pipeline.transitions import PUBLISH, put_cursors
from audit.days.keep_store import keep_days
from contract.errors import RemedyError
from contract.home import HOME
from ingest.boots import Boot, Key
from ingest.rows import keys_of, runs_of, take_units
from ingest.store import can_copy, fetch_boots, fetch_earlier, save_rows
from milepost.history.judging import QUERIES, HistoryDesk, HistoryJudges, wall_ms
from milepost.history.people import MadeUpPeople
from milepost.history.plan import DAY, HistoryPlan, PlannedClosure, make_plan
from milepost.history.records import RecordMaker
from milepost.history.rolling import RollingUp
from milepost.history.terminals import MadeUpShard
from registry.closures.rules import NewClosure
from registry.closures.store import approve, declare
from registry.edits import registry_edit
from registry.hours.calendar_store import refresh_calendars
from registry.hours.schedule_store import put_schedules
from registry.importing.importer import import_file
from registry.importing.report import ImportOptions
from registry.store import register_stations
from store.author import OPERATOR, Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Connection

_CLOSES_AT: Final = 245
"""The minute of a day at which the day before is closed: the clocks are four hours past its end."""
_CALENDARS_EVERY: Final = 7
"""Days."""
_ROLLED_UP_EVERY: Final = 7
"""Days: a call makes the figures of one day and looks at all hours that wait. So few wait, and there are few calls."""


class HistorySize(msgspec.Struct, frozen=True, kw_only=True):
    """What a history holds: numbers of rows."""

    incidents: int
    days: int
    records: int


class HistoryMaker:
    """Makes the history of a plan in a database that has nothing of a real installation. `begin`: minute 0; `beside`:
    the session that makes the figures of records while the history goes on."""

    def __init__(
        self,
        connection: Connection,
        plan: HistoryPlan,
        *,
        beside: Connection,
        begin: datetime,
        shard: str,
        partitions: int,
    ) -> None:
        epoch = wall_ms(begin)
        self._connection, self._plan, self._begin = connection, plan, begin
        self._rolling = RollingUp(beside)
        self._terminals = MadeUpShard(plan, shard=shard, epoch=epoch)
        self._records = RecordMaker(plan, shard=shard, epoch=epoch)
        self._judges = HistoryJudges(partitions, self._terminals.terminals)
        self._boots: dict[Key, Boot] = {}
        self._copies = False

    async def make(self, progress: Callable[[int], None]) -> HistorySize:
        """Make everything; the last minute is `plan.end`. `progress` gets the number of each day that begins."""
        async with self._rolling:
            await self._make(progress)
        return HistorySize(**dict(await self._connection.fetchrow(QUERIES.size_of_history) or {}))

    async def _make(self, progress: Callable[[int], None]) -> None:
        connection, plan = self._connection, self._plan
        self._copies = await can_copy(connection)
        technician, approver = await self._people()
        desk = HistoryDesk(connection, MadeUpPeople(plan), self._begin, technician)
        closures = sorted(plan.closures, key=lambda each: each.declared_at, reverse=True)
        for minute in range(plan.end):
            if minute % DAY == 0:
                progress(minute // DAY)
            for station, entry in self._terminals.minute(minute):
                self._judges.apply(station, entry)
            while closures and closures[-1].declared_at <= minute:
                await self._declare(closures.pop(), technician, approver)
                desk.ask_registry()
            await self._of_the_day(minute, desk)
            if await desk.act(minute) or self._judges.has_news or desk.is_due(minute):
                is_grave = await self._judges.save(connection)
                await desk.decide(minute, is_grave=is_grave)
        await self._end(desk)

    async def _of_the_day(self, minute: int, desk: HistoryDesk) -> None:
        """What is done once a day: records arrive, and the day before is closed."""
        day, of_day = divmod(minute, DAY)
        if of_day == 0 and day % _CALENDARS_EVERY == 0:
            await refresh_calendars(self._connection, now=self._time(minute))
            desk.ask_registry()
        if of_day == 0 and day:
            await self._ingest(day - 1)
            if day % _ROLLED_UP_EVERY == 0:
                await self._rolling.begin()
        if of_day == _CLOSES_AT:
            await self._judges.save(self._connection)
            await self._keep_days()

    async def _end(self, desk: HistoryDesk) -> None:
        plan, connection = self._plan, self._connection
        for station, entry in self._terminals.farewell(plan.end):
            self._judges.apply(station, entry)
        await self._judges.save(connection)
        await desk.decide(plan.end, is_grave=False)
        await self._ingest(plan.end // DAY)
        await self._rolling.begin()
        await self._keep_days()
        await connection.execute(QUERIES.tell_nobody)
        newest = await connection.fetch(QUERIES.newest_transitions)
        await put_cursors(connection, PUBLISH, {row["partition"]: row["seq"] for row in newest})

    async def _keep_days(self) -> None:
        while (await keep_days(self._connection)).closed is not None:
            pass

    async def _ingest(self, day: int) -> None:
        units = self._records.day(day)
        missing = [key for key in keys_of(units) if key not in self._boots]
        self._boots |= await fetch_boots(self._connection, missing)
        earlier = await fetch_earlier(self._connection, runs_of(units, self._boots))
        async with self._connection.transaction():
            await save_rows(self._connection, take_units(units, self._boots, earlier), copy=self._copies)

    async def _people(self) -> tuple[str, str]:
        """The accounts of the technician and of the supervisor, without passwords."""
        made = [
            await add_account(
                self._connection, login=login, name=name, role=role, scope=AreaScope(whole=True), by=OPERATOR
            )
            for login, name, role in (
                ("made-up-technician", "李明（虚构）", Role.TECHNICIAN),
                ("made-up-supervisor", "王芳（虚构）", Role.SUPERVISOR),
            )
        ]
        return made[0].id, made[1].id

    async def _declare(self, planned: PlannedClosure, technician: str, approver: str) -> None:
        new = NewClosure(
            station=planned.station,
            from_at=self._time(planned.begin),
            until_at=self._time(planned.end),
            reason=planned.reason,
            declared_by=technician,
        )
        made = await declare(self._connection, new)
        if planned.approved_at is not None:
            await approve(self._connection, made.id, by=Author(approver))

    def _time(self, minute: int) -> datetime:
        return self._begin + timedelta(minutes=minute)


async def make_history(
    connection: Connection,
    beside: Connection,
    *,
    stations: int,
    days: int,
    seed: int,
    now: datetime,
    shard: str,
    partitions: int,
    progress: Callable[[int], None] = lambda _: None,
) -> HistorySize:
    """Fill an empty database with `days` days of history until `now`. `beside`: a second session; `progress`: as in
    `HistoryMaker.make`.

    Raises RemedyError if the database has stations, records or decisions: a made-up history is never mixed with those
    of a real installation.
    """
    if await connection.fetchval(QUERIES.found_of_reality):
        raise RemedyError(
            "this database has stations or data already, and a made-up history is never mixed with them: start with a "
            "new directory, --data DIR",
            "此数据库已有服务点或数据，虚构的历史不能与其混合：请用 --data DIR 指定新的目录",
        )
    begin = (now.astimezone(HOME) - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    named = roster.stations(stations)
    plan = make_plan(named, end=int((now - begin) / timedelta(minutes=1)), seed=seed)
    await _mark(connection, plan, begin, now)
    await connection.execute(QUERIES.wait_for_no_disk)
    await connection.execute(QUERIES.set_effective, begin.astimezone(UTC).isoformat())
    await _register(connection, plan, begin)
    maker = HistoryMaker(connection, plan, beside=beside, begin=begin, shard=shard, partitions=partitions)
    made = await maker.make(progress)
    await connection.execute(QUERIES.set_effective, "")
    async with registry_edit(connection, Author(OPERATOR)):
        await put_schedules(connection, {each.id: "24x7" for each in plan.stations}, now=now, by=OPERATOR)
    await refresh_calendars(connection, now=now)
    return made


async def _mark(connection: Connection, plan: HistoryPlan, begin: datetime, now: datetime) -> None:
    """Say in the database and in the ledger that the history is made up, before there is any."""
    body = {"seed": plan.seed, "stations": len(plan.stations), "from_ms": wall_ms(begin), "until_ms": wall_ms(now)}
    async with connection.transaction():
        await connection.execute(QUERIES.mark_made_up, plan.seed, len(plan.stations), begin, now)
        entry = LedgerEntry(kind=LedgerKind.HISTORY_MADE_UP, subject="history", actor=OPERATOR, body=body)
        await append_entries(connection, [entry])


async def _register(connection: Connection, plan: HistoryPlan, begin: datetime) -> None:
    """Register areas and stations as of the beginning, with their opening hours."""
    wanted = {each.id for each in plan.stations}
    options = ImportOptions(account=OPERATOR)
    await import_file(connection, "areas", roster.AREAS, now=begin, options=options)
    with tempfile.TemporaryDirectory(prefix="milepost-history-") as place:
        file = Path(place) / roster.STATIONS.name
        file.write_text("".join(_lines_of(wanted)), encoding="utf-8")
        await import_file(connection, "stations", file, now=begin, options=options)
    await register_stations(connection, {station: ["001"] for station in wanted}, at=begin, most=len(wanted))
    async with registry_edit(connection, Author(OPERATOR)):
        await put_schedules(connection, {each.id: each.rules for each in plan.stations}, now=begin, by=OPERATOR)


def _lines_of(stations: set[str]) -> Sequence[str]:
    """The lines of the file of stations that are about these ones, with the header."""
    with roster.STATIONS.open(encoding="utf-8") as file:
        lines = file.readlines()
    return [lines[0], *(line for line in lines[1:] if line.partition(",")[0] in stations)]
