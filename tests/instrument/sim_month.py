"""A simulated month, minute by minute: heartbeats, statuses and ticks reach the log, and the real judges read them.

Settings that depend on the tick are scaled to a tick of a minute and heartbeats of half an hour or an hour; times of
the calendar are not scaled.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from alerting.liveness.model import LivenessSettings, Registration, ShardGap, Transition
from alerting.liveness.partition import PartitionLiveness
from alerting.liveness.pipeline_clock import ClockSettings
from broker.ticks.census import Census
from contract.log import HeartbeatEntry, LiveEntry, StatusEntry, Tick
from contract.messages import Heartbeat, Status
from tests.instrument import ground_truth as facts
from tests.instrument.ground_truth import BEGIN, DAYS, END, Odd, Stop, Truth, is_hit
from tests.instrument.judges import restarted

PARTITIONS = 3
MINUTE = 60_000
CENSUS_SCALE = 12
"""The census sees ticks of a minute as ticks of five seconds, the longest tick that it does not count as a gap."""
SETTINGS = LivenessSettings(floor=600.0, will_grace=600.0, clock=ClockSettings(longest=300.0))
EPOCH = round(BEGIN.timestamp() * 1000)
CLOCKS = (-EPOCH, 0, 0, 0, 0, 0, 2_000_000_000_000, 3_600_000)
"""Errors of the devices' wall clocks in ms: some are in 1970, some are decades ahead, some an hour ahead."""

Act = Callable[[int], None]
"""An event of the timetable; its argument is the minute."""
Decided = list[tuple[int, list[Transition]]]


class Bridge:
    """The bridge of a shard; `lives` counts its runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lives = 0
        self.running = self.frozen = True
        self.whole = True
        self.held: list[tuple[int, HeartbeatEntry | StatusEntry]] = []
        # All stations that its ticks named.
        self.named: set[str] = set()
        # The seconds of the month at which its ticks said that fewer than half of the stations keep their promises.
        self.weak: set[int] = set()
        self.restart(0)

    def restart(self, minute: int) -> None:
        self.lives += 1
        self.start = f"{self.name}-{self.lives}"
        self.born = minute * MINUTE
        self.seq = 0
        self.census = Census()
        self.running, self.frozen = True, False

    def count(self, station: str, entry: HeartbeatEntry | StatusEntry) -> None:
        """Count an entry in the census, as the translator does, with times scaled to the census."""
        if isinstance(entry, StatusEntry):
            if not entry.retain:
                self.census.note_status(station, entry.terminal, entry.body)
            return
        body = msgspec.structs.replace(entry.body, every=entry.body.every / CENSUS_SCALE)
        self.census.note_heartbeat(station, entry.terminal, body, entry.mono // CENSUS_SCALE)

    def tick(self, now: int) -> Tick:
        """The next tick."""
        self.seq += 1
        whole, self.whole = self.whole and self.seq > 1, True
        counts = self.census.count((now - self.born) // CENSUS_SCALE, whole=whole)
        self.named.update(counts.named or ())
        if counts.kept < counts.missed:
            self.weak.add(now // 1000)
        return Tick(
            shard=self.name, bridge=f"bridge-{self.name}", start=self.start, seq=self.seq,
            at=EPOCH + now, mono=now - self.born, whole=whole,
            kept=counts.kept, missed=counts.missed, losses=counts.losses, named=counts.named,
        )  # fmt: skip


class Found:
    """All transitions of stations, as columns: number of the station, new state, its beginning, time of decision."""

    def __init__(self) -> None:
        self.number, self.state = array("i"), array("b")
        self.at, self.decided = array("q"), array("q")

    def add(self, number: int, one: Transition) -> None:
        self.number.append(number)
        self.state.append(one.after)
        self.at.append(one.at - EPOCH)
        self.decided.append(one.tick_at - EPOCH)


class Country:
    """The simulated stations, bridges and judges of a month. A station is identified by its number in the truth."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        count = len(truth.places)
        self.lives = [PartitionLiveness(SETTINGS) for _ in range(PARTITIONS)]
        self.bridges = {name: Bridge(name) for name in facts.SHARDS}
        self.found = Found()
        self.numbers = {place.name: number for number, place in enumerate(truth.places)}
        self.registered = {place.name: Registration(1) for place in truth.places}
        self.beats = 0
        # (partition, gap) of the gaps that the incident process has not taken yet.
        self.gaps: list[tuple[int, ShardGap]] = []
        self._shard = [place.shard for place in truth.places]
        self._wanted, self._dead, self._up = bytearray(count), bytearray(count), bytearray(count)
        self._broken = bytearray(count)
        self._cut = array("b", bytes(count))
        self._run, self._conn, self._n = ([0] * count for _ in range(3))
        self._slot, self._began = [0] * count, [0] * count
        # Each boot name is unique, although a run number may be used again.
        self._boot, self._starts = [""] * count, [0] * count
        self._first: dict[int, tuple[str, int, int, int]] = {}
        self._stuck: set[int] = set()
        self._skips: set[int] = set()
        # Running clones by station: boot, run, and the number of the last heartbeat.
        self._clones: dict[int, tuple[str, int, int]] = {}
        self._names = [place.name for place in truth.places]
        self._every = [place.every for place in truth.places]
        self._rings: dict[int, list[set[int]]] = {every: [set() for _ in range(every)] for every in (30, 60)}
        self._acts: dict[int, list[Act]] = defaultdict(list)
        # Retained `away` messages of each shard; a bridge gets them when it subscribes.
        self._retained: dict[str, dict[int, StatusEntry]] = {name: {} for name in facts.SHARDS}
        # Partitions whose judge does not run, with the entries that wait for it.
        self.behind: dict[int, list[tuple[str, LiveEntry]]] = {}
        self._plan()

    # -- the timetable -----------------------------------------------------------------------------------------

    def _plan(self) -> None:
        truth = self.truth
        for day in range(DAYS):
            self._at(day * facts.DAY, partial(self._plan_day, day))
        for number, deaths in truth.deaths.items():
            for death in deaths:
                self._at(death.begin, partial(self._die, number))
                self._at(death.end, partial(self._revive, number))
        for number, odd in truth.odd.items():
            self._at(odd.begin, partial(self._turn_odd, number, odd))
            self._at(odd.end, partial(self._end_odd, number))
        for number, broken in truth.unusable.items():
            self._at(broken.begin, partial(self._break, number, True))
            self._at(broken.end, partial(self._break, number, False))
        for cut in truth.cuts:
            members = [number for number, place in enumerate(truth.places) if is_hit(place, cut)]
            self._at(cut.begin, partial(self._cut_off, members, 1, cut.wills))
            self._at(cut.end, partial(self._cut_off, members, -1, False))
        for stop in truth.stops:
            self._plan_stop(stop)
        self._at(truth.moves_at, self._lose_shard)

    def _at(self, minute: int, act: Act) -> None:
        if minute < END:
            self._acts[minute].append(act)

    def _plan_day(self, day: int, _: int) -> None:
        for number, place in enumerate(self.truth.places):
            if place.kind == facts.ALWAYS:
                if day == 0:
                    self._at(1 + number % 60, partial(self._switch, number, True))
                continue
            opening = facts.hours(place, day)
            if opening is not None:
                self._at(opening[0] - facts.lead(number), partial(self._switch, number, True))
                self._at(opening[1] + facts.lag(place, number), partial(self._switch, number, False))

    def _plan_stop(self, stop: Stop) -> None:
        if stop.part == "bridge":
            self._at(stop.begin, partial(self._stop_bridge, stop))
            self._at(stop.end, partial(self._start_bridge, stop))
        elif stop.part == "judge":
            self._at(stop.begin, lambda _: self.behind.update({int(stop.where): []}))
            self._at(stop.end, partial(self._catch_up, stop))

    # -- events of stations ------------------------------------------------------------------------------------

    def _switch(self, number: int, on: bool, minute: int) -> None:
        sent = self._up[number] and self._began[number] < minute
        if not on and sent and self.truth.places[number].says_goodbye:
            self._say(number, minute, "away")
        self._wanted[number] = on
        self._settle(number, minute, restarted=on)

    def _die(self, number: int, minute: int) -> None:
        self._dead[number] = True
        if self._up[number] and number % 2:
            self._say(number, minute, "lost")
        self._settle(number, minute)

    def _revive(self, number: int, minute: int) -> None:
        self._dead[number] = False
        self._settle(number, minute, restarted=True)

    def _turn_odd(self, number: int, odd: Odd, minute: int) -> None:
        if odd.kind == "stuck":
            self._stuck.add(number)
        elif odd.kind == "skip":
            self._skips.add(number)
        elif odd.kind == "clone":
            self._clones[number] = (f"clone-{number}", self._run[number] + 1, 0)
        elif odd.kind == "renumber":
            self._n[number] = 0
        elif odd.kind == "snapshot" and number in self._first:
            self._boot[number], self._run[number], self._conn[number], self._n[number] = self._first[number]
        elif odd.kind == "old_disk":
            self._run[number] = max(0, self._run[number] - 4)
            if self._wanted[number] and not self._dead[number]:  # also while its link is cut
                self._start(number)
                self._conn[number] += self._up[number]

    def _end_odd(self, number: int, minute: int) -> None:
        self._stuck.discard(number)
        self._clones.pop(number, None)

    def _start(self, number: int) -> None:
        """Start the agent of a terminal: new run, new boot, numbers from 0."""
        self._run[number] += 1
        self._starts[number] += 1
        self._boot[number] = f"{self._starts[number]}"
        self._conn[number] = self._n[number] = 0

    def _break(self, number: int, broken: bool, _: int) -> None:
        self._broken[number] = broken

    def _cut_off(self, members: Iterable[int], more: int, wills: bool, minute: int) -> None:
        for number in members:
            self._cut[number] += more
            if wills and self._up[number]:
                self._say(number, minute, "lost")
            self._settle(number, minute)

    def _lose_shard(self, minute: int) -> None:
        self.bridges["b"].running = False
        for number, shard in enumerate(self._shard):
            if shard == "b":
                self._shard[number] = "a"
                self._cut[number] += 1
                self._settle(number, minute)
                back = minute + facts.relink(number)
                self._at(back, partial(self._cut_off, (number,), -1, False))

    def _settle(self, number: int, minute: int, *, restarted: bool = False) -> None:
        """Start or stop sending, according to power, link and hours; `restarted`: the agent starts first."""
        up = bool(self._wanted[number] and not self._dead[number] and self._cut[number] == 0)
        if restarted and self._wanted[number] and not self._dead[number]:
            self._start(number)
        if up == self._up[number]:
            return
        self._up[number] = up
        every = self._every[number]
        if up:
            self._conn[number] += 1
            self._slot[number] = minute % every
            self._began[number] = minute
            self._retained[self._shard[number]].pop(number, None)
            self._rings[every][minute % every].add(number)
        else:
            self._rings[every][self._slot[number]].discard(number)

    # -- messages ----------------------------------------------------------------------------------------------

    def _beat(self, number: int, minute: int) -> None:
        self._n[number] += (number not in self._stuck) + (number in self._skips and minute % 7 < 4)
        boot, run, n = self._boot[number], self._run[number], self._n[number]
        if number in self.truth.odd:
            self._first.setdefault(number, (boot, run, self._conn[number], n))
        self._heartbeat(number, minute * MINUTE + number % 50 * 1000, (boot, run, n))

    def _beat_clones(self, minute: int) -> None:
        for number, (boot, run, n) in list(self._clones.items()):
            if (minute - self.truth.odd[number].begin) % self._every[number] == 0:
                self._clones[number] = (boot, run, n + 1)
                self._heartbeat(number, minute * MINUTE + 55_000, (boot, run, n + 1))

    def _heartbeat(self, number: int, now: int, who: tuple[str, int, int]) -> None:
        bridge, (boot, run, n) = self.bridges[self._shard[number]], who
        entry = HeartbeatEntry(
            terminal="001", shard=bridge.name, start=bridge.start, received=EPOCH + now, mono=now - bridge.born,
            body=Heartbeat(
                v=1, boot=boot, run=run, conn=self._conn[number], n=n,
                at=EPOCH + now + CLOCKS[number % 8], every=self._every[number] * 60.0,
                usable=not self._broken[number],
            ),
        )  # fmt: skip
        self.beats += 1
        self._send(bridge, number, self._names[number], entry)

    def _say(self, number: int, minute: int, state: str) -> None:
        """Send a status: `away` until the next opening, or `lost`, the Last Will that the broker publishes."""
        bridge, run = self.bridges[self._shard[number]], self._run[number]
        now = minute * MINUTE
        at = EPOCH + now + CLOCKS[number % 8]
        self._n[number] += state == "away"
        back_by = at + self._minutes_away(number, minute) * MINUTE if state == "away" else None
        entry = StatusEntry(
            terminal="001", shard=bridge.name, start=bridge.start, received=EPOCH + now, mono=now - bridge.born,
            body=Status(
                v=1, boot=self._boot[number], run=run, conn=self._conn[number],
                n=self._n[number] if state == "away" else None,
                state=state, at=at, back_by=back_by,  # type: ignore[arg-type]
            ),
        )  # fmt: skip
        if state == "away":
            self._retained[bridge.name][number] = entry
        self._send(bridge, number, self._names[number], entry)

    def _minutes_away(self, number: int, minute: int) -> int:
        return facts.away_minutes(self.truth.places[number], number, minute)

    def _send(self, bridge: Bridge, number: int, station: str, entry: HeartbeatEntry | StatusEntry) -> None:
        if bridge.frozen:
            bridge.held.append((number, entry))
        elif bridge.running:
            bridge.count(station, entry)
            self._append(number % PARTITIONS, station, entry)

    def _append(self, partition: int, station: str, entry: LiveEntry) -> None:
        waiting = self.behind.get(partition)
        if waiting is None:
            self.lives[partition].apply(station, entry)
        else:
            waiting.append((station, entry))

    # -- events of the platform --------------------------------------------------------------------------------

    def _stop_bridge(self, stop: Stop, _: int) -> None:
        bridge = self.bridges[stop.where]
        if bridge.running:
            bridge.running, bridge.frozen = False, not stop.killed

    def _start_bridge(self, stop: Stop, minute: int) -> None:
        bridge = self.bridges[stop.where]
        if minute >= self.truth.moves_at and stop.where == "b":
            return
        if stop.killed:
            if stop.blink:
                bridge.running, bridge.whole = True, False
                bridge.census.excuse()
            else:
                bridge.restart(minute)
            self._resubscribe(bridge, minute * MINUTE)
            return
        bridge.running, bridge.frozen = True, False
        held, bridge.held = bridge.held, []
        for number, entry in held:
            self._send(bridge, number, self._names[number], _later(entry, bridge, minute * MINUTE))

    def _resubscribe(self, bridge: Bridge, now: int) -> None:
        for number, entry in self._retained[bridge.name].items():
            self._send(bridge, number, self._names[number], _later(entry, bridge, now, retain=True))

    def _catch_up(self, stop: Stop, _: int) -> None:
        """The judge runs again and reads the waiting entries; after a kill it starts from its stored rows."""
        partition = int(stop.where)
        waiting = self.behind.pop(partition)
        if stop.killed:
            self.lives[partition] = restarted(self.lives[partition], self.registered)
        for station, entry in waiting:
            self.lives[partition].apply(station, entry)
            if self.lives[partition].roster.strangers:
                self._meet(self.lives[partition])

    def _meet(self, live: PartitionLiveness) -> None:
        strangers = live.roster.take_strangers()
        for station in strangers:
            live.register(station, self.registered[station], live.shards.newest_tick_at())

    # -- time --------------------------------------------------------------------------------------------------

    def play(self, until: int = END, on_minute: "Callable[[Country, int, Decided], None] | None" = None) -> None:
        """Simulate the month; `on_minute` gets the decisions of the partitions in each minute."""
        for minute in range(until):
            for act in self._acts.pop(minute, ()):
                act(minute)
            for every, rings in self._rings.items():
                for number in sorted(rings[minute % every]):
                    self._beat(number, minute)
            self._beat_clones(minute)
            self._tick((minute + 1) * MINUTE)
            decided = self._take()
            if on_minute is not None:
                on_minute(self, minute, decided)

    def _tick(self, now: int) -> None:
        for bridge in self.bridges.values():
            if bridge.running:
                tick = bridge.tick(now)
                for partition in range(PARTITIONS):
                    self._append(partition, "", tick)

    def _take(self) -> Decided:
        decided: Decided = []
        for partition, live in enumerate(self.lives):
            if live.roster.strangers:
                self._meet(live)
            transitions, gaps = live.take_decided()
            self.gaps += [(partition, gap) for gap in gaps]
            live.changes.dirty.clear()
            live.changes.dirty_stations.clear()
            stations = [one for one in transitions if one.terminal is None]
            for one in stations:
                if one.before != one.after:
                    self.found.add(self.numbers[one.station], one)
            decided.append((partition, stations))
        return decided


def _later(
    entry: HeartbeatEntry | StatusEntry, bridge: Bridge, now: int, *, retain: bool = False
) -> HeartbeatEntry | StatusEntry:
    """The same message with the bridge's times of its arrival at the log, `now`."""
    fresh = {"start": bridge.start, "received": EPOCH + now, "mono": now - bridge.born, "retain": retain}
    return msgspec.structs.replace(entry, **fresh)
