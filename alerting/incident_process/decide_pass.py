"""A pass of the incident process: read committed data, decide, and write the decisions, in one transaction."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.causes.suspicion_rules import MassSettings
from alerting.causes.suspicion_stage import SuspicionWatch
from alerting.incident_process.resting import PartError, Resting
from alerting.incident_process.stages import Part, PartSettings, make_parts
from alerting.incidents import store
from alerting.incidents.book import Book, Decision
from alerting.pipeline import store as pipeline_store
from alerting.pipeline.blind_incidents import (
    HUNG,
    LONGEST,
    DatabaseOutage,
    PipelineGap,
    View,
    Watchdog,
    follow_pipeline,
    pipeline_key,
)
from alerting.pipeline.stability import SPAN, RecentGaps
from alerting.pipeline.store import load_announced
from alerting.pipeline.transitions import (
    INCIDENTS,
    INCIDENTS_GAPS,
    Batch,
    load_cursors,
    put_cursors,
    read_further,
    read_gaps,
    set_cursors,
)
from alerting.pipeline.watermark import Waiting, Watermark, horizon, reached, stride, watermark
from alerting.station_incidents import shelving as shelf
from alerting.station_incidents.hold import hold_until_open
from alerting.station_incidents.identity_stage import ConflictWatch
from alerting.station_incidents.rules import RuleSettings, StationNews, station_rule_key
from alerting.station_incidents.store import load_open_incidents
from alerting.station_incidents.timers import StationWatch
from alerting.station_incidents.write import write_intents
from alerting.stations import store as field_store
from alerting.stations.model import Changed, StationChange
from alerting.stations.registry_follower import RegistryFollower, add_unknown_stations
from alerting.stations.snapshot import DOUBTFUL, Pairs, PassTime
from alerting.stations.table import Field
from alerting.stations.verdict import Clock
from store.aside import Aside, is_poison
from store.pool import Connection
from store.sql import queries_beside
from store.troubles import Troubles, said

QUERIES: Final = queries_beside(__file__)
log = logging.getLogger(__name__)

SERVICE: Final = "incidents"
CONFLICTS: Final = "conflicts"
SUSPICIONS: Final = "suspicions"
_KINDS: Final = ("station", "commissioned", "closure", "calendar", "incident", "outage", "part")
_REGISTRY_EVERY = 30.0
_LONGEST_LOAD = "300s"
_MOST_DUE = 500


class PassConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a pass. `limit`: transitions of each partition that one pass reads."""

    limit: int = 200
    rules: RuleSettings = RuleSettings()
    mass: MassSettings = MassSettings()
    parts: PartSettings = PartSettings()


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a pass: its decisions, and whether more data waits to be read."""

    decisions: Sequence[Decision]
    more: bool


class PassMemory(msgspec.Struct, kw_only=True):
    """The memory between passes. It matches the committed state, so after a failed pass all of it is discarded."""

    known: datetime
    field: Field
    watch: StationWatch
    waiting: Waiting[StationChange]
    registry: RegistryFollower
    conflicts: ConflictWatch | None
    suspicions: SuspicionWatch | None
    parts: dict[str, Part]
    refused: Troubles
    recent: RecentGaps = msgspec.field(default_factory=RecentGaps)
    # Stations that were excused at the load; their incidents are shelved in the first pass.
    excused: list[str] = []
    # Stations that had moved at the load; their incidents that go on are moved in the first pass.
    moved: list[str] = []
    registry_due: float = 0.0


async def read_database_time(connection: Connection) -> datetime:
    """The time of a pass, by the clock of the database."""
    now: datetime = await connection.fetchval(QUERIES.read_now)
    return now


class Decider:
    """Runs passes with one database session, the session of the leader. `read_time`: the time of a pass."""

    def __init__(
        self,
        config: PassConfig,
        connection: Connection,
        read_time: Callable[[Connection], Awaitable[datetime]] = read_database_time,
    ) -> None:
        self._config = config
        self._connection = connection
        self._read_time = read_time
        self._watchdog = Watchdog()
        self._memory: PassMemory | None = None
        self._registry_asked = False
        self._resting = Resting()
        self._aside = Aside(SERVICE, _KINDS)

    def ask_registry(self) -> None:
        """Request that the next pass reads the registry."""
        self._registry_asked = True

    @property
    def idle(self) -> bool:
        """Whether no transition waits for other partitions; new transitions wake the process."""
        return self._memory is not None and self._memory.waiting.earliest is None

    async def decide(self, outage: DatabaseOutage | None) -> Passed:
        """Read, decide and write in one transaction. `outage`: an outage of the database that is to be recorded."""
        mono = time.monotonic()
        memory, self._memory = self._memory, None  # after a failed pass, the memory does not match the database
        if self._resting.wake(mono):
            memory = None
        try:
            async with self._connection.transaction(isolation="repeatable_read"):
                passed, memory = await self._pass(memory, outage, mono)
        except PartError as exc:
            log.exception("a part of the incident process rests", extra={"part": exc.part})
            self._resting.fail(exc, mono)
            self._aside.forget()
            return Passed(decisions=(), more=True)
        except BaseException:
            self._aside.forget()
            raise
        self._memory = memory
        return passed

    async def _pass(
        self, memory: PassMemory | None, outage: DatabaseOutage | None, mono: float
    ) -> tuple[Passed, PassMemory]:
        connection = self._connection
        now = await self._read_time(connection)
        clocks = await pipeline_store.load_clocks(connection)
        mark = watermark(clocks, now)
        book = Book()
        if memory is None:
            memory = await _load(connection, self._config, mark, now, self._resting)
        more, ripe, moment = await _read(connection, memory, self._config.limit, mark, now)
        gaps = await read_gaps(connection, INCIDENTS_GAPS, self._config.limit)
        for gap in gaps.rows:
            memory.recent.add_gap(gap["shard"], gap["began_at"], gap["ended_at"])
            if gap["ended_at"] - gap["began_at"] > LONGEST:
                memory.field.resume((gap["partition"], gap["shard"]), gap["ended_at"])
        await self._follow_registry(memory, ripe, clocks, mark, mono)
        await _follow_stations(connection, book, memory, ripe, moment, mono)
        view = self._watchdog.look(pipeline_store.watched(clocks), now=now, mono=mono)
        if memory.suspicions is not None:
            view = view.doubting(memory.suspicions.troubles)
        memory.recent.forget_old(now)
        pipeline = await _decide_pipeline(connection, gaps, view, outage, memory.recent, now)
        for written in (book, pipeline):
            for key, why in (await store.store_book(connection, written, now)).items():
                memory.refused.put("incident", key, why)
        applied = memory.waiting.applied
        await put_cursors(connection, INCIDENTS, {change.partition: applied[change.partition] for change in ripe})
        await set_cursors(connection, INCIDENTS_GAPS, gaps)
        await field_store.save_known_time(connection, moment.known)
        await self._save_aside(memory)
        memory.known = moment.known
        return Passed(
            decisions=(*book.decisions, *pipeline.decisions), more=more or gaps.full or memory.watch.busy
        ), memory

    async def _save_aside(self, memory: PassMemory) -> None:
        """Store which stations, incidents and parts are set aside now."""
        parts = {("part", part): said(why) for part, why in self._resting.why.items()}
        await self._aside.save(self._connection, {**memory.field.troubles.all(), **memory.refused.all(), **parts})

    async def _follow_registry(
        self, memory: PassMemory, ripe: Sequence[StationChange], clocks: Sequence[Clock], mark: Watermark, mono: float
    ) -> None:
        """Read changes of the registry, periodically or on request; add stations that are not in the field at once."""
        connection, field, applied = self._connection, memory.field, memory.waiting.applied
        if self._registry_asked or mono >= memory.registry_due:
            self._registry_asked, memory.registry_due = False, mono + _REGISTRY_EVERY
            has_new_tree = await memory.registry.follow_registry(connection, field, applied)
            if moved := _moved(field.changes):
                await store.move_over(connection, moved)
                await store.recount_shares_of(connection, moved)
            if has_new_tree:
                await store.recount_shares(connection)
            names = [(clock.partition, clock.shard) for clock in clocks]
            await field_store.follow_clocks(connection, field, names, mark.untrusted)
        stations = {change.station for change in ripe if change.terminal is None}
        await add_unknown_stations(connection, field, stations, applied)
        await field_store.follow_promises(connection, field, stations)


def _moved(changes: Iterable[Changed]) -> set[str]:
    """The stations that lie in another area now, or whose area lies elsewhere in the tree."""
    pairs = ((change.before, change.after) for change in changes)
    return {after.station for before, after in pairs if before and after and before.path != after.path}


async def _load(
    connection: Connection, config: PassConfig, mark: Watermark, now: datetime, resting: Resting
) -> PassMemory:
    """Load the memory as of the last committed pass."""
    applied = await load_cursors(connection, INCIDENTS)
    known = await field_store.load_known_time(connection) or mark.known or now
    await connection.execute(QUERIES.bound_load, _LONGEST_LOAD)
    await connection.execute(QUERIES.allow_scans, "on")
    registry = await RegistryFollower.start(connection)
    field = await field_store.load_field(connection, known, applied)
    suspicions = None
    if SUSPICIONS not in resting:
        with _part(SUSPICIONS):
            suspicions = await SuspicionWatch.load(connection, field, config.mass)
    watch = StationWatch(field, config.rules)
    watch.reconcile(await load_open_incidents(connection))
    parts = make_parts(field, config.parts, without=list(resting.why))
    for name, part in parts.items():
        with _part(name):
            await part.load(connection)
    await store.recount_shares(connection)
    await connection.execute(QUERIES.allow_scans, "off")
    log.info("loaded", extra={"stations": len(field)})
    return PassMemory(
        known=known,
        field=field,
        watch=watch,
        waiting=Waiting(applied),
        registry=registry,
        conflicts=None if CONFLICTS in resting else ConflictWatch(field),
        suspicions=suspicions,
        parts=parts,
        refused=Troubles(),
        recent=await _load_recent_gaps(connection, now),
        excused=field.schedule.excused(),
        moved=await store.load_left_behind(connection),
    )


@contextmanager
def _part(name: str) -> Iterator[None]:
    """Raise a PartError when a part fails on its data; errors of the database (see `is_poison`) pass unchanged."""
    try:
        yield
    except Exception as exc:
        if not is_poison(exc):
            raise
        raise PartError(name, exc) from exc


async def _read(
    connection: Connection, memory: PassMemory, limit: int, mark: Watermark, now: datetime
) -> tuple[bool, list[StationChange], PassTime]:
    """Read transitions. Returns whether more data waits, the ripe transitions in one order, and the pass's times."""
    waiting = memory.waiting
    crowded = [partition for partition in waiting.read if waiting.held(partition) >= limit]
    batch = await read_further(connection, waiting.read, limit, crowded)
    waiting.add(field_store.to_change(row) for row in batch.rows)
    full = batch.more | set(crowded)
    until = horizon(mark.ripe, (waiting.newest(partition, now) for partition in full))
    reach = stride(until, known=memory.known, earliest=waiting.earliest)
    ripe = waiting.ripe(reach, now)
    known = reached(mark, known=memory.known, reach=reach, now=now)
    # If nothing of a crowded partition is ripe, it waits for a clock: another pass at once would change nothing.
    more = bool(batch.more) or (bool(full) and bool(ripe)) or reach != until
    return more, ripe, PassTime(now=now, known=known, untrusted=mark.untrusted | {DOUBTFUL})


async def _follow_stations(
    connection: Connection, book: Book, memory: PassMemory, ripe: Sequence[StationChange], moment: PassTime, mono: float
) -> None:
    """Run the stages in order: suspected shards, station incidents, identity conflicts, the other parts, shelving."""
    own = [change for change in ripe if change.terminal is None]
    if memory.suspicions is not None:
        with _part(SUSPICIONS):
            await memory.suspicions.begin(connection, own, moment, memory.registry.revision)
    intents = memory.watch.follow(own, moment)
    await store.learn_newest(connection, book, {station_rule_key(i.kind, i.station) for i in intents})
    followed = write_intents(book, intents, moment.now)
    taken = memory.watch.take_changes()
    news = StationNews(changes=[(changed.before, changed.after) for changed in taken], intents=followed)
    terminals = [change for change in ripe if change.terminal is not None]
    if memory.conflicts is not None:
        with _part(CONFLICTS):
            await memory.conflicts.follow(connection, book, terminals, news.changes, moment, mono)
    for name, part in memory.parts.items():
        with _part(name):
            await part.follow(connection, book, news, moment)
    if memory.suspicions is not None:
        with _part(SUSPICIONS):
            await memory.suspicions.follow(connection, taken, moment)
    await _follow_shelf(connection, book, memory, news.changes, moment)
    hold_until_open(book, memory.field, moment.known, memory.watch.settings)


async def _follow_shelf(
    connection: Connection, book: Book, memory: PassMemory, changes: Pairs, moment: PassTime
) -> None:
    """Update incidents of stations that moved or are excused, and reopen due incidents; runs after the rules."""
    field, grace = memory.field, timedelta(seconds=memory.watch.settings.opening_grace)
    stations = shelf.concerned(changes)
    if stations or memory.excused or memory.moved:
        book.learn(await store.load_going_on(connection, {*stations, *memory.excused, *memory.moved}))
    shelf.follow_moved(book, set(memory.moved), field)
    memory.moved = []
    shelf.follow_stations(book, stations, field, moment, grace)
    at_load = {station for station in memory.excused if (known := field.standing(station)) and known.excused}
    memory.excused = []
    found = [incident for incident in book.going_on() if incident.station in at_load]
    shelf.shelve_excused(book, found, field, moment, grace)
    due = await store.load_due_shelved(connection, moment.now, _MOST_DUE)
    book.learn(due)
    shelf.reopen_due(book, due, field, moment, grace)


async def _load_recent_gaps(connection: Connection, now: datetime) -> RecentGaps:
    recent = RecentGaps()
    for row in await connection.fetch(QUERIES.latest_gaps, now - SPAN):
        recent.add_gap(row["shard"], row["began_at"], row["ended_at"])
    return recent


async def _decide_pipeline(
    connection: Connection, batch: Batch, view: View, outage: DatabaseOutage | None, recent: RecentGaps, now: datetime
) -> Book:
    gaps = [pipeline_store.to_gap(row) for row in batch.rows]
    if outage is not None:
        ago = time.monotonic()
        began, ended = (now - timedelta(seconds=ago - mono) for mono in (outage.began, outage.ended))
        gaps += [PipelineGap(shard=shard, began_at=began, ended_at=ended, cause=HUNG) for shard in view.shards]
    shards = {*view.shards, *(gap.shard for gap in gaps)}
    book = Book(await store.load_recent(connection, {pipeline_key(shard) for shard in shards}) if shards else ())
    follow_pipeline(
        book,
        gaps=gaps,
        view=view,
        now=now,
        complete=not batch.full,
        recent={shard: recent.gaps_of(shard) for shard in shards},
        announced=await load_announced(connection, now),
    )
    return book
