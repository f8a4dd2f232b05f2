"""The incident process on simulated time: the real rules, in the order of its passes, without a database.

The shells of `alerting.incident_process.decide_pass`, `alerting.causes.stage` and `alerting.blindspots.stage` do the
same with queries. Their memory is `Memory` here, and `restart` makes a new one from the committed state.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from alerting.blindspots.area_counts import StandingChange
from alerting.blindspots.by_silence import StationLookup
from alerting.blindspots.settings import BlindSpotSettings
from alerting.blindspots.tracker import LOOK_BACK, BlindSpots, StartingState
from alerting.blindspots.unknown_time import Gaps, UnknownTime
from alerting.blindspots.write import keys_to_learn as spot_keys_of
from alerting.blindspots.write import write_spots
from alerting.causes.down_causes import DownCauses
from alerting.causes.evidence import Peer
from alerting.causes.flapping import Flapping, FlappingSettings
from alerting.causes.flapping_pass import CausePlans, FlappingRules
from alerting.causes.steps import Step
from alerting.causes.suspicion_rules import MassSettings
from alerting.causes.suspicion_tracker import Suspicions
from alerting.causes.tracker import Causes
from alerting.causes.use_causes import UseCauses
from alerting.causes.write import CHILD_KINDS, keys_of, write_plan
from alerting.incidents.book import Book
from alerting.pipeline.blind_incidents import (
    LONGEST,
    PipelineGap,
    View,
    Watchdog,
    WatchedClock,
    follow_pipeline,
    pipeline_key,
)
from alerting.pipeline.stability import SPAN
from alerting.pipeline.watermark import Waiting, horizon, reached, stride, watermark
from alerting.station_incidents import shelving as shelf
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.hold import hold_until_open
from alerting.station_incidents.rules import RuleSettings, StationNews, station_rule_key
from alerting.station_incidents.timers import StationWatch
from alerting.station_incidents.write import write_intents
from alerting.stations.model import Facts, Judged, StationChange
from alerting.stations.snapshot import ClockName, Pairs, PassTime, Standing
from alerting.stations.table import Field
from alerting.stations.verdict import Clock
from contract.kinds import IncidentKind
from registry.closures.rules import Closure
from registry.hours.calendar import ALWAYS, Calendar
from tests.instrument.sim_database import Kept


class Source(Protocol):
    """The judges' rows, in place of the database."""

    def clocks(self) -> Sequence[Clock]: ...

    def changes(self, read: Mapping[int, int]) -> Iterable[StationChange]:
        """The transitions of stations after these numbers, {partition: seq}."""

    def gaps(self, read: dict[int, int]) -> list[PipelineGap]:
        """The gaps after these numbers, {partition: seq}; moves the numbers to the newest gaps."""

    def peers(self, stations: Iterable[str], floor: float | None = None) -> dict[str, tuple[datetime, datetime, bool]]:
        """By station: (last heartbeat, next heartbeat due, whether it is overdue)."""

    def promises(self, stations: Iterable[str]) -> Mapping[str, float]:
        """The interval (s) of each station's slowest terminal that counts, for stations that were heard."""

    def heard_through(self, read: int) -> tuple[int, Mapping[str, ClockName]]:
        """The clocks through which stations are heard now. `read`: the number that the last call returned, or 0; a
        station may be left out when its clock is the same as then."""


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    rules: RuleSettings = RuleSettings()
    causes: CauseSettings = CauseSettings()
    flapping: FlappingSettings = FlappingSettings()
    spots: BlindSpotSettings = BlindSpotSettings()
    mass: MassSettings = MassSettings()


class Register:
    """The registry: stations, calendars, closures, targets. `edited`: the stations that the desk reads again."""

    def __init__(self) -> None:
        self.facts: dict[str, Facts] = {}
        self.calendars: dict[int, Calendar] = {}
        self.closures: list[Closure] = []
        self.targets: dict[str, list[str]] = {}
        self.edited: set[str] = set()


class Memory:
    """The memory of the incident process, which a restart loses."""

    def __init__(self, known: datetime, field: Field, settings: DeskSettings, applied: Mapping[int, int]) -> None:
        self.known = known
        self.field = field
        self.suspicions = Suspicions(settings.mass, field)
        self.watch = StationWatch(field, settings.rules)
        self.waiting: Waiting[StationChange] = Waiting(applied)
        self.down = DownCauses(field, settings.causes)
        self.use = UseCauses(field, settings.causes)
        self.flapping = FlappingRules(field, settings.flapping, self.down, self.use)
        self.spots = BlindSpots(StationLookup(field.standing, self._hours), settings.spots)
        self.gaps = Gaps()
        # The clocks through which stations are heard, and those of which the state may rest on another clock.
        self.heard: dict[str, ClockName] = {}
        self.heard_read = 0
        self.moving: set[str] = set()

    def _hours(self, station: str) -> Calendar:
        found = self.field.schedule.hours(station)
        return found if isinstance(found, Calendar) else ALWAYS


class Desk:
    """The incident process, with its committed state over restarts."""

    def __init__(self, source: Source, register: Register, settings: DeskSettings, begin: datetime) -> None:
        self.kept = Kept()
        # By shard: the last time at which a person decided that the shard is sound.
        self.decisions: dict[str, datetime] = {}
        self._source, self._register, self._settings = source, register, settings
        self._known = begin
        self._applied: dict[int, int] = {}
        self._judged: dict[str, Judged] = {}
        self._gaps_read: dict[int, int] = {}
        self._gaps: list[PipelineGap] = []
        self.restart()

    def restart(self) -> None:
        """Restore the memory of the last pass from the committed state."""
        field = Field(self._known, self._register.calendars)
        for facts in self._register.facts.values():
            field.restore_station(facts, self._judged.get(facts.station))
        for station, every in self._source.promises(self._register.facts).items():
            field.note_promise(station, every)
        field.schedule.set_closures(self._register.closures)
        field.take_changes()
        self._watchdog = Watchdog()
        self._memory = memory = Memory(self._known, field, self._settings, self._applied)
        for gap in self._gaps:
            self._note_gap(memory, gap)
        memory.suspicions.restore(self.kept.suspected())
        memory.watch.reconcile(self.kept.handled())
        self._restore_causes(memory)
        had = frozenset(area for area, cells in self.kept.counts.items() if any(cells[:-2]))
        start = StartingState(
            known=self._known, spots=self.kept.spots(), memory=self.kept.memory(), targets=self._register.targets,
            had=had,
        )  # fmt: skip
        memory.spots.load_stations(field.standings(), start)
        self.kept.counts.update(memory.spots.counts.take_changed())

    def _restore_causes(self, memory: Memory) -> None:
        every_of = memory.field.every_of
        memory.use.restore(self.kept.causes(every_of, IncidentKind.UNUSABLE), self.kept.down([IncidentKind.UNUSABLE]))
        memory.down.restore(self.kept.causes(every_of, IncidentKind.AREA_OUTAGE), self.kept.down(CHILD_KINDS))
        for station, (changes, flaps, slot) in self.kept.flapping.items():
            memory.flapping.flapping.restore(station, changes, flaps=flaps, slot=slot)

    # -- a pass ------------------------------------------------------------------------------------------------

    @property
    def counts(self) -> Mapping[str, Sequence[int]]:
        return self.kept.counts

    @property
    def applied(self) -> Mapping[int, int]:
        """The newest applied number of each partition, {partition: seq}."""
        return self._applied

    def is_suspected(self, station: str) -> bool:
        return self._memory.field.suspected.is_suspected(station)

    def standing(self, station: str) -> Standing | None:
        return self._memory.field.standing(station)

    def decide(self, now: datetime) -> None:
        """Run passes until no more data waits."""
        while self._pass(now):
            pass

    def _pass(self, now: datetime) -> bool:
        memory, clocks = self._memory, self._source.clocks()
        mark = watermark(clocks, now)
        memory.waiting.add(self._source.changes(memory.waiting.read))
        until = horizon(mark.ripe, ())
        reach = stride(until, known=memory.known, earliest=memory.waiting.earliest)
        ripe = memory.waiting.ripe(reach, now)
        known = reached(mark, known=memory.known, reach=reach, now=now)
        moment = PassTime(now=now, known=known, untrusted=mark.untrusted)
        gaps = self._source.gaps(self._gaps_read)
        for gap in gaps:
            self._gaps.append(gap)
            self._note_gap(memory, gap)
        self._follow_register(memory, moment)
        book = Book()
        self._follow_stations(memory, book, ripe, moment)
        self.kept.store(book, now)
        self._follow_pipeline(clocks, gaps, now)
        self._known = memory.known = known
        self._applied = dict(memory.waiting.applied)
        return reach != until or memory.watch.busy

    def _note_gap(self, memory: Memory, gap: PipelineGap) -> None:
        if gap.partition is not None and gap.ended_at - gap.began_at > LONGEST:
            memory.field.resume((gap.partition, gap.shard), gap.ended_at)
        if gap.partition is not None and gap.ended_at - gap.began_at > timedelta(seconds=1):
            memory.gaps.add_gaps([UnknownTime(gap.partition, gap.shard, gap.began_at, gap.ended_at)])

    def _follow_register(self, memory: Memory, moment: PassTime) -> None:
        edited, self._register.edited = self._register.edited, set()
        for station in sorted(edited):
            memory.field.register(self._register.facts[station], self._judged.get(station))
        if edited:
            memory.field.schedule.set_closures(self._register.closures)
        self._follow_clocks(memory, moment)

    def _follow_clocks(self, memory: Memory, moment: PassTime) -> None:
        """As `alerting.stations.store.follow_clocks`, but it looks only at stations that moved, because a month has
        many passes."""
        memory.heard_read, heard = self._source.heard_through(memory.heard_read)
        memory.heard |= heard
        memory.moving |= heard.keys()
        for station in sorted(memory.moving):
            clock, rests = memory.heard[station], memory.field.clock_of(station)
            if rests == clock:
                memory.moving.discard(station)
            elif rests in moment.untrusted and clock not in moment.untrusted:
                memory.field.note_clock(station, clock)

    def _follow_stations(self, memory: Memory, book: Book, ripe: Sequence[StationChange], moment: PassTime) -> None:
        for station, every in self._source.promises({change.station for change in ripe}).items():
            memory.field.note_promise(station, every)
        for change in ripe:
            self._note_judged(change)
        memory.moving |= memory.heard.keys() & {change.station for change in ripe}
        peers = self._suspect(memory, ripe, moment)
        intents = memory.watch.follow(ripe, moment)
        self._learn(book, {station_rule_key(intent.kind, intent.station) for intent in intents})
        followed = write_intents(book, intents, moment.now)
        taken = memory.watch.take_changes()
        pairs = [(changed.before, changed.after) for changed in taken]
        self._follow_causes(memory, book, StationNews(changes=pairs, intents=followed), moment)
        self._follow_spots(memory, book, pairs, moment)
        memory.suspicions.follow(taken, peers, self.decisions, moment)
        self.kept.keep_suspicions(memory.suspicions)
        self._follow_shelf(memory, book, pairs, moment)
        hold_until_open(book, memory.field, moment.known, self._settings.rules)

    def _follow_shelf(self, memory: Memory, book: Book, pairs: Pairs, moment: PassTime) -> None:
        grace = timedelta(seconds=self._settings.rules.opening_grace)
        stations = shelf.concerned(pairs)
        book.learn(self.kept.going_on_at(stations))
        shelf.follow_stations(book, stations, memory.field, moment, grace)
        due = self.kept.due_shelved(moment.now)
        book.learn(due)
        shelf.reopen_due(book, due, memory.field, moment, grace)

    def _suspect(self, memory: Memory, ripe: Sequence[StationChange], moment: PassTime) -> dict[str, list[Peer]]:
        wanted = memory.suspicions.wanted(ripe, moment)
        stations = {one for asked in wanted.values() for one in asked.stations}
        found = self._source.peers(stations, self._settings.mass.floor)
        known = {one: Peer(one, *row) for one, row in found.items()}
        peers = {shard: [known[one] for one in asked.stations if one in known] for shard, asked in wanted.items()}
        memory.suspicions.begin(peers, moment, "1")
        return peers

    def _note_judged(self, change: StationChange) -> None:
        known = self._judged.get(change.station)
        moved = known is None or known.state != change.after
        self._judged[change.station] = Judged(
            partition=change.partition,
            state=change.after,
            since=change.at if moved else known.since,  # type: ignore[union-attr]
            usable=change.usable,
            unusable_since=known.unusable_since
            if known and known.unusable_since and not moved and known.usable is False
            else change.at,
            shard=change.shard,
            seen_at=change.seen_at,
            reason=change.reason if moved else known.reason,  # type: ignore[union-attr]
        )

    def _learn(self, book: Book, keys: Iterable[str]) -> None:
        book.learn(self.kept.newest(keys))

    # -- causes and flapping -----------------------------------------------------------------------------------

    def _follow_causes(self, memory: Memory, book: Book, news: StationNews, moment: PassTime) -> None:
        samples = memory.down.begin(news, moment)
        rows = self._source.peers({one for sample in samples.values() for one in sample})
        found = {one: Peer(one, *row, every=memory.field.every_of(one)) for one, row in rows.items()}
        down = memory.down.decide(samples, found, moment)
        self._write_causes(book, memory.down.causes, down, moment)
        shared = memory.use.children_of(news.changes)
        of_no_use = memory.use.decide(news, moment)
        self._write_causes(book, memory.use.causes, of_no_use, moment)
        plans = CausePlans(down=down, of_no_use=of_no_use, shared=shared)
        plan = memory.flapping.decide(plans, news, moment)
        self._learn(book, plan.keys)
        memory.flapping.write(book, plan, moment)
        self._keep_flapping(memory.flapping.flapping, plan.touched)

    def _write_causes(self, book: Book, causes: Causes, plan: Sequence[Step], moment: PassTime) -> None:
        self._learn(book, keys_of(plan))
        write_plan(book, plan, moment.now)
        changed, gone = causes.members.take_unsaved()
        self.kept.outages |= {(one.key, one.began): msgspec.json.encode(one.to_store()) for one in changed}
        for key in gone:
            self.kept.outages.pop(key, None)

    def _keep_flapping(self, flapping: Flapping, touched: Collection[str]) -> None:
        gone = flapping.take_gone()
        for station in set(touched) - gone:
            self.kept.flapping[station] = (
                list(flapping.changes_of(station)),
                station in flapping,
                flapping.slot_of(station),
            )
        for station in gone:
            self.kept.flapping.pop(station, None)

    # -- blind spots -------------------------------------------------------------------------------------------

    def _follow_spots(self, memory: Memory, book: Book, pairs: Pairs, moment: PassTime) -> None:
        core = memory.spots
        core.follow_stations([StandingChange(before, after, moment.known) for before, after in pairs], moment.known)
        outages = [one for causes in (memory.down, memory.use) for one in causes.causes.members.outages.values()]
        if core.may_be_due(moment.known, {outage.key for outage in outages}):
            memory.gaps.forget_before(moment.known - LOOK_BACK)
            core.find_due(moment, memory.gaps, outages)
        turns = core.take_changes()
        if turns:
            self._learn(book, spot_keys_of(turns))
            write_spots(book, turns, moment.now)
        self.kept.counts.update(core.counts.take_changed())
        self.kept.remember(core.memory.take_changed())

    # -- the pipeline ------------------------------------------------------------------------------------------

    def _follow_pipeline(self, clocks: Sequence[Clock], gaps: Sequence[PipelineGap], now: datetime) -> None:
        watched = [
            WatchedClock(
                partition=one.partition, shard=one.shard, tick_at=one.tick_at, judged_at=one.judged_at,
                blind_since=one.blind_since,
            )
            for one in clocks
        ]  # fmt: skip
        view: View = self._watchdog.look(watched, now=now, mono=now.timestamp())
        view = view.doubting(self._memory.suspicions.troubles())
        book = Book(self.kept.all_of({pipeline_key(shard) for shard in (*view.shards, *(gap.shard for gap in gaps))}))
        recent: dict[str, list[tuple[datetime, datetime]]] = {}
        for gap in self._gaps:
            if gap.ended_at > now - SPAN:
                recent.setdefault(gap.shard, []).append((gap.began_at, gap.ended_at))
        recent = {shard: recent.get(shard, []) for shard in {*view.shards, *recent}}
        follow_pipeline(book, gaps=gaps, view=view, now=now, recent=recent)
        self.kept.store(book, now)
