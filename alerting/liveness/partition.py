"""Who is online, away or offline in one partition: a function of the log, and for stations of the registry. Pure.

Feed it the entries of the partition in their order; it returns nothing and raises nothing for what they say, but
collects transitions, gaps and the rows that changed, until the caller takes them.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from alerting.liveness.boot_order import Memory, Promise, highest_run, replace
from alerting.liveness.columns import NEVER, UNKNOWN, WORDS, State, Stations, Terminals, conn_of, flag, unflag
from alerting.liveness.pipeline_clock import MESSAGES_LOST, Advance, ClockSettings, ClockState, Gap, PipelineClock
from alerting.liveness.rivals import NUMBERS, OTHER_UNHEARD, TWO_BOOTS, Rivals
from alerting.liveness.silence import gap_since, is_proven, next_proof
from contract.clocks import WallMs
from contract.log import HeartbeatEntry, LiveEntry, StatusEntry, Tick
from contract.messages import MOST_TERMINALS, Status
from store.troubles import Troubles

LONGEST_AWAY: Final = 86_400.0


class LivenessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`k` heartbeats may be missed; `floor` and `will_grace` are seconds.

    `floor` is how long all terminals of a shard may take to connect again after a gap of the pipeline. A station has at
    most `terminals`; of the stations that nobody registered a partition follows at most `strangers`.
    """

    k: float = 3.0
    floor: float = 10.0
    will_grace: float = 10.0
    clock: ClockSettings = ClockSettings()
    terminals: int = MOST_TERMINALS
    strangers: int = 5_000


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A decided change; `terminal` is None for a station's own. Times in wall ms."""

    station: str
    terminal: str | None
    before: State
    after: State
    usable: bool | None
    at: int
    tick_at: int
    deadline_at: int | None
    seen_at: int | None
    shard: str
    reason: str


class Registration(msgspec.Struct, frozen=True):
    """What the registry says of a station: its quorum, and which of its terminals do not count."""

    quorum: int
    not_counting: frozenset[str] = frozenset()


class ShardGap(msgspec.Struct, frozen=True):
    shard: str
    gap: Gap


class Surplus(msgspec.Struct):
    """What a station with too many terminals sent under further names: the first of them, when (wall ms) it was
    received, through which shard, and how many messages there were."""

    terminal: str
    received: WallMs
    shard: str
    messages: int = 0


class _Shard:
    """A shard as seen in this partition."""

    def __init__(self, name: str, settings: ClockSettings, state: ClockState | None = None) -> None:
        self.name = name
        self.clock = PipelineClock(settings, state)
        # Rows stamped by a bridge that has not ticked yet.
        self.unsettled: set[int] = set()

    def note_stamp(self, row: int, *, settled: bool) -> None:
        """Whether the newest stamp of a row is final."""
        if settled:
            self.unsettled.discard(row)
        else:
            self.unsettled.add(row)


class PartitionLiveness:
    """The judge's memory and decisions for one partition."""

    def __init__(self, settings: LivenessSettings) -> None:
        self.settings = settings
        self.stations = Stations()
        self.terminals = Terminals()
        self.shards: list[_Shard] = []
        self.transitions: list[Transition] = []
        self.gaps: list[ShardGap] = []
        self.dirty: set[int] = set()
        self.dirty_stations: set[int] = set()
        # Heard of, but the registry was not asked yet.
        self.strangers: dict[str, set[str]] = {}
        # What of it cannot be judged.
        self.troubles = Troubles()
        # By station, since the last `take_surplus`.
        self.surplus: dict[str, Surplus] = {}
        # Rows of stations of which the registry said that it does not know them.
        self.unknown: set[int] = set()
        self._shard_index: dict[str, int] = {}
        self.rivals = Rivals(self.terminals.memory, lambda name: self.shards[self.shard(name)].clock.clock)

    # -- what comes in -----------------------------------------------------------------------------------------

    def apply(self, station: str, entry: LiveEntry) -> None:
        """Take one entry of the log in; `station` is its key (ignored for ticks)."""
        if type(entry) is HeartbeatEntry:
            if not entry.retain and (row := self._heard(station, entry)) >= 0:
                self._heartbeat(row, entry)
        elif type(entry) is StatusEntry:
            self._status(station, entry)
        elif type(entry) is Tick:
            self._tick(entry)

    def register(self, station: str, registration: Registration, now: int) -> None:
        """Take over what the registry says; `now` (wall ms) dates a change of state that follows from it."""
        row = self.stations.index.get(station)
        if row is None:
            return
        self._note_registration(row, registration)
        if self.stations.first[row] < 0 or self._is_judged(row):
            return
        at = now if self.stations.since[row] else self._first_seen_at(row) or now
        self._judge_station(row, at, "registry", self._shard_of_station(row))

    def _is_judged(self, row: int) -> bool:
        """Whether a station is plainly as its only terminal is, which nearly all are."""
        s, t, terminal = self.stations, self.terminals, self.stations.first[row]
        if terminal < 0 or t.next[terminal] >= 0 or not t.counts[terminal] or s.quorum[row] != 1:
            return False
        usable = t.usable[terminal] if s.state[row] == State.ONLINE else UNKNOWN
        return s.state[row] == t.state[terminal] and s.usable[row] == usable

    def _note_registration(self, row: int, registration: Registration) -> None:
        t, terminal, silent = self.terminals, self.stations.first[row], registration.not_counting
        self.stations.quorum[row] = registration.quorum
        self.unknown.discard(row)
        while terminal >= 0:
            t.counts[terminal] = t.ids[terminal] not in silent
            terminal = t.next[terminal]

    def estrange_unregistered(self) -> None:
        """Ask the registry again about the stations that it did not know."""
        for station in self.stations.ids:
            if not self.is_registered(station):
                self.strangers[station] = set(self.terminals_of(station))

    def is_registered(self, station: str) -> bool:
        return self.stations.quorum[self.stations.index[station]] > 0

    def terminals_of(self, station: str) -> list[str]:
        return [self.terminals.ids[t] for t in self._terminals_of(self.stations.index[station])]

    def _terminals_of(self, row: int) -> Iterator[int]:
        terminal = self.stations.first[row]
        while terminal >= 0:
            yield terminal
            terminal = self.terminals.next[terminal]

    # -- restoring ---------------------------------------------------------------------------------------------

    def shard(self, name: str, state: ClockState | None = None) -> int:
        """The number of a shard in this partition, with a clock that may be given from a store."""
        number = self._shard_index.get(name)
        if number is None:
            number = self._shard_index[name] = len(self.shards)
            self.shards.append(_Shard(name, self.settings.clock, state))
        return number

    def station(self, station: str) -> int:
        """The row of a station, made when it is new."""
        row = self.stations.index.get(station)
        return self.stations.add(station) if row is None else row

    def terminal(self, station: str, terminal: str) -> int:
        """The row of a terminal, made when it is new."""
        home = self.station(station)
        row = self._find(home, terminal)
        return self._add(home, terminal) if row < 0 else row

    def _find(self, home: int, terminal: str) -> int:
        """The row of a station's terminal; -1: it has none of this name."""
        row = self.stations.first[home]
        ids, following = self.terminals.ids, self.terminals.next
        while row >= 0 and ids[row] != terminal:
            row = following[row]
        return row

    def _add(self, home: int, terminal: str) -> int:
        row = self.terminals.add(terminal, home, self.stations.first[home])
        self.stations.first[home] = row
        return row

    def add_terminals(self, stations: Sequence[str], terminals: Sequence[str]) -> None:
        """Rows for terminals that are not there yet, in their order; the columns of what is known of them follow."""
        first, homes, following = self.stations.first, self.stations.rows(stations), []
        for row, home in enumerate(homes, len(self.terminals)):
            following.append(first[home])
            first[home] = row
        self.terminals.extend(terminals, homes, following)

    def _heard(self, station: str, entry: HeartbeatEntry | StatusEntry) -> int:
        """The row of the terminal that sent something; -1: it is one too many."""
        home = self.stations.index.get(station)
        if home is None:
            self.strangers.setdefault(station, set()).add(entry.terminal)
            if len(self.unknown) >= self.settings.strangers:
                return -1
            return self._add(self.station(station), entry.terminal)
        row = self.stations.first[home]
        if row >= 0 and self.terminals.ids[row] == entry.terminal:
            return row  # the only terminal of its station, as nearly all are
        row = self._find(home, entry.terminal)
        return self._meet(home, station, entry) if row < 0 else row

    def _meet(self, home: int, station: str, entry: HeartbeatEntry | StatusEntry) -> int:
        """A row for a name that a known station never used, if it may have one more."""
        if sum(1 for _ in self._terminals_of(home)) < self.settings.terminals:
            self.strangers.setdefault(station, set()).add(entry.terminal)
            return self._add(home, entry.terminal)
        surplus = self.surplus.get(station)
        if surplus is None:
            surplus = self.surplus[station] = Surplus(entry.terminal, entry.received, entry.shard)
        surplus.messages += 1
        return -1

    def note_answer(self, asked: Iterable[str], known: Container[str]) -> None:
        """The registry was asked about stations and knows these: they are followed, however many others there are."""
        for station in asked:
            if station in known:
                self.station(station)
            elif station in self.stations.index:
                self.unknown.add(self.stations.index[station])

    def note_unknown(self) -> None:
        """All registrations were given: the other stations are strangers."""
        self.unknown.update(row for row, quorum in enumerate(self.stations.quorum) if quorum == 0)

    # -- heartbeats --------------------------------------------------------------------------------------------

    def _heartbeat(self, row: int, entry: HeartbeatEntry) -> None:
        t, body = self.terminals, entry.body
        number = self._shard_index.get(entry.shard)
        if number is None:
            number = self.shard(entry.shard)
        shard = self.shards[number]
        stamp = shard.clock.stamp(entry.start, entry.mono)
        if t.boot.holds(row, body.boot):
            run, n = t.run[row], t.n[row]
            if body.run < run or (body.run == run and body.n <= n):
                self._repeats(row, number, stamp, entry)
                return
        elif not self._starts(row, number, stamp, entry):
            return
        t.run[row] = body.run
        t.conn[row] = UNKNOWN if body.conn is None else body.conn
        t.n[row] = body.n
        t.every[row] = body.every
        t.seen[row] = stamp
        t.seen_at[row] = entry.received
        t.deadline[row] = stamp + self.settings.k * body.every
        if t.shard[row] != number or self.stations.shard[t.station[row]] != number:
            self._move(row, number)
        t.users[row] = -1 if body.users is None else body.users
        self.dirty.add(row)
        known = shard.clock.knows(entry.start)
        if shard.unsettled or not known:
            shard.note_stamp(row, settled=known)
        usable = -1 if body.usable is None else int(body.usable)
        if t.state[row] != State.ONLINE or t.usable[row] != usable or t.will[row]:
            self._after_heartbeat(row, usable, stamp, entry)

    def _move(self, row: int, number: int) -> None:
        """A terminal is heard through a shard that it, or its station, was not heard through last."""
        t, s, home = self.terminals, self.stations, self.terminals.station[row]
        if 0 <= t.shard[row] != number:
            self.shards[t.shard[row]].unsettled.discard(row)
        t.shard[row] = s.shard[home] = number
        if s.quorum[home] and s.since[home]:
            self.dirty_stations.add(home)

    def _after_heartbeat(self, row: int, usable: int, stamp: float, entry: HeartbeatEntry) -> None:
        t = self.terminals
        t.will[row] = 0
        t.usable[row] = usable
        conflict, why = self.rivals.conflict(row), "heartbeat"
        if conflict == TWO_BOOTS and self.rivals.is_unheard(row, (entry.shard, stamp)):
            conflict, why = None, OTHER_UNHEARD
        state = State.ONLINE if conflict is None else State.CONFLICTING
        reason = "usable" if t.state[row] == state else conflict or why
        self._change(row, state, entry.received, reason)

    def _starts(self, row: int, number: int, stamp: float, entry: HeartbeatEntry) -> bool:
        """Whether a heartbeat of another boot than the current begins the terminal's life, or a new one of it."""
        if self.terminals.run[row] >= 0 and not self._believe(row, number, stamp, entry):
            return False
        self.terminals.boot[row] = entry.body.boot
        return True

    def _believe(self, row: int, number: int, stamp: float, entry: HeartbeatEntry) -> bool:
        """Whether a heartbeat of another boot than the current is the terminal's from now on."""
        t, heard = self.terminals, self._promise(number, stamp, entry)
        self.dirty.add(row)
        verdict = self.rivals.judge(row, t.run[row], heard)
        if verdict == "rival" and t.state[row] in _UP:
            if self._stands_still(row, number, stamp):
                self._exchange(row, heard.boot, number, stamp)
                return True
            if t.state[row] == State.ONLINE:
                self._change(row, State.CONFLICTING, entry.received, "identity_conflict")
            return False
        if verdict not in ("believed", "rival"):
            return False
        self._replace(row, heard.boot, number, stamp)
        return True

    def _stands_still(self, row: int, number: int, stamp: float) -> bool:
        """Whether the shard of the current boot stood still while a rival was heard through shard `number`."""
        own, here = self.shards[self.terminals.shard[row]].name, (self.shards[number].name, stamp)
        return self.rivals.stood_still(row, own, here) >= self.settings.floor

    def _exchange(self, row: int, boot: str, number: int, stamp: float) -> None:
        """A rival that is heard takes the place of a current boot of which nobody can know whether it is; that one
        keeps its promise, as the rival."""
        t, own = self.terminals, self.shards[self.terminals.shard[row]].name
        current = Promise(
            boot=t.boot[row], run=t.run[row], n=t.n[row], conn=t.conn[row], every=t.every[row], seen=t.seen[row],
            seen_at=t.seen_at[row], deadline=t.deadline[row], usable=t.usable[row], shard=own,
        )  # fmt: skip
        self._replace(row, boot, number, stamp)
        self.rivals.stay(row, current)

    def _repeats(self, row: int, number: int, stamp: float, entry: HeartbeatEntry) -> None:
        """A heartbeat of the current boot has no newer number: most are doubles, but a machine may live behind it."""
        t, body = self.terminals, entry.body
        seen = t.seen[row] if t.shard[row] == number else None
        shard = self.shards[number]
        if seen is not None and self.rivals.is_double(body, (t.run[row], t.n[row]), stamp - seen):
            return
        self.dirty.add(row)
        heard = self._promise(number, stamp, entry)
        if self.rivals.repeated(row, heard, (t.run[row], t.n[row]), alone=shard.clock.has_one_bridge):
            self._succeed(row, heard, entry.received, NUMBERS)

    def _promise(self, number: int, stamp: float, entry: HeartbeatEntry) -> Promise:
        body, shard = entry.body, self.shards[number]
        return Promise(
            boot=body.boot, run=body.run, n=body.n, conn=conn_of(body), every=body.every, seen=stamp,
            seen_at=entry.received, deadline=stamp + self.settings.k * body.every, usable=flag(body.usable),
            shard=shard.name, unsettled=not shard.clock.knows(entry.start),
        )  # fmt: skip

    def _replace(self, row: int, boot: str, number: int, stamp: float) -> None:
        """Another boot than the current one, heard through shard `number` at `stamp`, takes its place."""
        t = self.terminals
        shard = self.shards[t.shard[row] if t.shard[row] >= 0 else number]
        place = (shard.name, stamp if t.shard[row] == number else shard.clock.clock)
        replace(t.memory.open(row), (t.boot[row], (t.run[row], t.n[row])), boot, place)

    def _succeed(self, row: int, heard: Promise, at: int, reason: str) -> None:
        """The terminal's newest heartbeat is this one, whatever was thought to be its newest; it is online, or away if
        that boot said goodbye since."""
        t, number = self.terminals, self.shard(heard.shard)
        if t.boot[row] != heard.boot:
            self._replace(row, heard.boot, number, heard.seen)
            t.boot[row] = heard.boot
        t.run[row], t.n[row], t.conn[row], t.every[row] = heard.run, heard.n, heard.conn, heard.every
        t.seen[row], t.seen_at[row], t.deadline[row] = heard.seen, heard.seen_at, heard.deadline
        t.usable[row], t.users[row], t.will[row] = heard.usable, UNKNOWN, 0
        self._move(row, number)
        self.shards[number].note_stamp(row, settled=not heard.unsettled)
        conflict = self.rivals.conflict(row)
        state = State.AWAY if heard.away else State.ONLINE if conflict is None else State.CONFLICTING
        self._change(row, state, at, conflict or reason)

    def _lives_on(self, row: int, shard: _Shard) -> bool:
        """Whether the terminal lives by another boot, though the current one ended: a rival takes its place, and one
        that may be believed at its next heartbeat gets the time for that."""
        self.rivals.forget_unheard(row, (shard.name, shard.clock.clock))
        rival = self.rivals.living(row)
        if rival is not None:
            self._succeed(row, rival, shard.clock.tick_at, "other_boot")
            return True
        left, away = self.rivals.awaited(row), self.rivals.away(row)
        if left <= 0 and away is not None:
            self._succeed(row, away, shard.clock.tick_at, "away")
            return True
        if left > 0:
            self.terminals.deadline[row] = shard.clock.clock + left
            self.dirty.add(row)
        return left > 0

    # -- statuses ----------------------------------------------------------------------------------------------

    def _status(self, station: str, entry: StatusEntry) -> None:
        body = entry.body
        if entry.retain and body.state != "away":
            return
        row = self._heard(station, entry)
        if row < 0:
            return
        number = self.shard(entry.shard)
        is_current = self.terminals.boot.holds(row, body.boot)
        if body.state == "lost":
            self._will(row, number, entry)
        elif is_current and self._is_newer(row, entry):
            self._note_order(row, body)
            if body.state == "away":
                self._away(row, number, entry)
        elif body.state == "away" and not is_current:
            self._other_away(row, number, entry)

    def _is_newer(self, row: int, entry: StatusEntry) -> bool:
        """Whether a status is newer than what was heard of its boot. Where the numbers of a boot are not to be trusted,
        each is, but for one that lay in the broker and comes again with every subscription."""
        t, body = self.terminals, entry.body
        n = t.n[row] + 1 if body.n is None else body.n
        if (body.run, n) > (t.run[row], t.n[row]):
            return True
        return not entry.retain and self.rivals.conflict(row) == NUMBERS

    def _note_order(self, row: int, body: Status) -> None:
        t = self.terminals
        if body.n is not None:
            t.n[row] = body.n
        elif t.run[row] != body.run:
            t.n[row] = -1
        t.run[row], t.conn[row] = body.run, conn_of(body)
        self.dirty.add(row)

    def _other_away(self, row: int, number: int, entry: StatusEntry) -> None:
        """Another boot than the current one says goodbye: a newer start of the terminal, or one beside it."""
        t, body = self.terminals, entry.body
        memory = t.memory.look(row) or Memory()
        if body.boot in memory.older or (memory.candidate is not None and memory.candidate.boot == body.boot):
            until = self._stamp(number, entry) + _seconds_away(body)
            self.rivals.leave(row, body.boot, (body.run, body.n), (entry.shard, until))
            self.dirty.add(row)
        elif body.run > highest_run(memory, t.run[row]):
            if t.run[row] >= 0:
                self._replace(row, body.boot, number, self._stamp(number, entry))
            t.boot[row], t.run[row], t.conn[row] = body.boot, body.run, conn_of(body)
            t.n[row] = -1 if body.n is None else body.n
            self.dirty.add(row)
            if not (entry.retain and t.state[row] == State.NEVER_SEEN):
                self._away(row, number, entry)

    def _stamp(self, number: int, entry: StatusEntry) -> float:
        return self.shards[number].clock.stamp(entry.start, entry.mono)

    def _away(self, row: int, number: int, entry: StatusEntry) -> None:
        t, body = self.terminals, entry.body
        stamp = self._stamp(number, entry)
        rival = self.rivals.living(row)
        if rival is not None:
            self._succeed(row, rival, entry.received, "other_boot")
            return
        self._move(row, number)
        # The goodbye is a sign of life: an interval that does not count holds it as it holds a heartbeat.
        t.seen[row], t.deadline[row] = stamp, stamp + _seconds_away(body)
        self._change(row, State.AWAY, entry.received, "away")

    def _will(self, row: int, number: int, entry: StatusEntry) -> None:
        """A Last Will of its boot's newest connection shortens the deadline of that; of any other it says nothing."""
        t, body = self.terminals, entry.body
        grace, stamp = self.settings.will_grace, self._stamp(number, entry)
        if t.boot[row] != body.boot:
            if self.rivals.shorten(row, body.boot, (body.run, conn_of(body)), entry.shard, stamp, grace):
                self.dirty.add(row)
            return
        if (body.run, conn_of(body)) != (t.run[row], t.conn[row]) or t.shard[row] != number:
            return
        if t.state[row] not in _UP:
            return
        end = max(stamp + grace, t.seen[row] + t.every[row] + grace)
        t.will[row] = 1
        t.deadline[row] = min(t.deadline[row], end)
        self.dirty.add(row)

    # -- ticks -------------------------------------------------------------------------------------------------

    def _tick(self, tick: Tick) -> None:
        number = self.shard(tick.shard)
        shard = self.shards[number]
        doubt = MESSAGES_LOST if shard.clock.misses_messages(tick) else None
        advance = shard.clock.tick(tick, doubt)
        if advance is None:
            return
        self._settle_stamps(shard, advance.seconds)
        if advance.counted:
            self._counted(number, shard, advance)
        else:
            self._hold(number, shard.clock.clock)

    def _hold(self, number: int, clock: float) -> None:
        """An interval did not count: the clock stands."""
        self.dirty.update(self.terminals.hold_stamps(number, clock))
        self.dirty.update(self.rivals.hold(self.shards[number].name, clock))

    def _counted(self, number: int, shard: _Shard, advance: Advance) -> None:
        if advance.gap is not None:
            self.gaps.append(ShardGap(shard.name, advance.gap))
        for row in self.terminals.due(number, shard.clock.clock):
            self._expire_or_set_aside(row, shard)

    def _settle_stamps(self, shard: _Shard, seconds: float) -> None:
        """Messages of a bridge that had not ticked yet may be as young as the tick that followed them."""
        for row in shard.unsettled:
            self.terminals.seen[row] += seconds
            self.terminals.deadline[row] += seconds
        self.dirty.update(shard.unsettled)
        shard.unsettled.clear()
        self.dirty.update(self.rivals.settle(shard.name, seconds))

    def _expire_or_set_aside(self, row: int, shard: _Shard) -> None:
        """One that cannot be judged is unknown until it is heard again, and named; the tick goes on with the others."""
        try:
            self._expire(row, shard)
        except Exception as exc:  # whatever it is: it costs this terminal, and no other
            t = self.terminals
            t.deadline[row] = NEVER
            self.troubles.put("terminal", f"{self.stations.ids[t.station[row]]}/{t.ids[row]}", exc)
            self._change(row, State.UNPROVEN, shard.clock.tick_at, "unproven")

    def _expire(self, row: int, shard: _Shard) -> None:
        """A counted deadline has passed: the terminal is offline, unless another boot of it lives, or gaps leave open
        whether it is."""
        if self._lives_on(row, shard):
            return
        if self._is_proven(row, shard):
            self._fall(row, shard)
        else:
            self._doubt(row, shard)

    def _is_proven(self, row: int, shard: _Shard) -> bool:
        t, rival = self.terminals, self.rivals.last_rival(row)
        if rival is not None and not self._proves(self.shards[self.shard(rival.shard)], rival.seen, None, rival.every):
            return False
        return self._proves(shard, t.seen[row], self._silent_from(row), t.every[row])

    def _proves(self, shard: _Shard, seen: float, since: float | None, every: float) -> bool:
        """Whether a boot that was heard at `seen` is down, if its heartbeats are missing from `since` (None: from
        then) on."""
        stretches, settings = shard.clock.stretches, self.settings
        if not gap_since(stretches, seen):
            return True
        return is_proven(stretches, seen if since is None else since, every, floor=settings.floor, k=settings.k)

    def _silent_from(self, row: int) -> float:
        """From when on its heartbeats are missed: who said goodbye owes none before it is overdue."""
        t = self.terminals
        return t.deadline[row] if t.state[row] == State.AWAY else t.seen[row]

    def _doubt(self, row: int, shard: _Shard) -> None:
        """Its silence proves nothing yet; look again when it may."""
        t, clock, settings = self.terminals, shard.clock, self.settings
        since, state, at = self._silent_from(row), State(t.state[row]), self._missed_since(row, shard)
        deadline_at = clock.wall_of(t.deadline[row])
        t.seen[row] = since  # an overdue return owes heartbeats since then, not since it said goodbye
        t.deadline[row] = next_proof(clock.stretches, since, t.every[row], floor=settings.floor, k=settings.k)
        self.dirty.add(row)
        if state is not State.UNPROVEN:
            self._change(row, State.UNPROVEN, at, "unproven", deadline_at)

    def _missed_since(self, row: int, shard: _Shard) -> int:
        """Since when the terminal owes a heartbeat, wall ms."""
        t, clock = self.terminals, shard.clock
        return clock.wall_of(t.deadline[row] if t.state[row] == State.AWAY else t.seen[row] + t.every[row])

    def _fall(self, row: int, shard: _Shard) -> None:
        t = self.terminals
        deadline_at = shard.clock.wall_of(t.deadline[row])
        if t.state[row] == State.UNPROVEN:
            at, reason = deadline_at, "missed_heartbeats"
        else:
            at = self._missed_since(row, shard)
            away = t.state[row] == State.AWAY
            reason = "away_overdue" if away else "last_will" if t.will[row] else "missed_heartbeats"
        self._change(row, State.OFFLINE, at, reason, deadline_at)
        t.deadline[row] = NEVER

    # -- what goes out -----------------------------------------------------------------------------------------

    def _change(self, row: int, state: State, at: int, reason: str, deadline_at: int | None = None) -> None:
        """Set a terminal's state, dated no earlier than the one before, and judge its station."""
        t = self.terminals
        shard = self.shards[t.shard[row]] if t.shard[row] >= 0 else self.shards[0]
        before = State(t.state[row])
        at = max(at, t.since[row])
        self.dirty.add(row)
        home = t.station[row]
        if before != state:
            t.state[row] = state
            t.since[row] = at
            self.transitions.append(
                Transition(
                    station=self.stations.ids[home],
                    terminal=t.ids[row],
                    before=before,
                    after=state,
                    usable=unflag(t.usable[row]),
                    at=at,
                    tick_at=max(shard.clock.tick_at, at),
                    deadline_at=deadline_at,
                    seen_at=t.seen_at[row] or None,
                    shard=shard.name,
                    reason=reason,
                )
            )
        self._judge_station(home, at, reason, shard, deadline_at)

    def _judge_station(self, row: int, at: int, reason: str, shard: _Shard, deadline_at: int | None = None) -> None:
        """Derive a registered station's state from its terminals'; a change is a transition of its own."""
        s = self.stations
        if s.quorum[row] == 0:
            return
        members = self._members(row)
        state, usable = _station_state(members, s.quorum[row])
        before = State(s.state[row])
        if state == before and flag(usable) == s.usable[row]:
            return
        if before is State.ONLINE and state in (State.OFFLINE, State.AWAY, State.UNPROVEN):
            at = _quorum_lost_at(members, s.quorum[row])
        at = max(at, s.since[row])
        s.state[row], s.usable[row], s.since[row] = state, flag(usable), at
        self.dirty_stations.add(row)
        self.transitions.append(
            Transition(
                station=s.ids[row],
                terminal=None,
                before=before,
                after=state,
                usable=usable,
                at=at,
                tick_at=max(shard.clock.tick_at, at),
                deadline_at=deadline_at,
                seen_at=max((member.seen_at for member in members), default=0) or None,
                shard=shard.name,
                reason=reason if state != before else "usable",
            )
        )

    def _members(self, row: int) -> list["_Member"]:
        """The counting terminals of a station."""
        t, found = self.terminals, []
        for terminal in self._terminals_of(row):
            if t.counts[terminal]:
                state = State(t.state[terminal])
                usable = unflag(t.usable[terminal])
                found.append(_Member(state, t.since[terminal], usable, t.seen_at[terminal]))
        return found

    def _first_seen_at(self, row: int) -> int:
        """When the first terminal of a station that was judged by nobody came online, wall ms; 0 for never."""
        return min((m.since for m in self._members(row) if m.state is not State.NEVER_SEEN), default=0)

    def _shard_of_station(self, row: int) -> _Shard:
        terminal = self.stations.first[row]
        number = self.terminals.shard[terminal] if terminal >= 0 else -1
        return self.shards[max(number, 0)]

    def take(self) -> tuple[list[Transition], list[ShardGap]]:
        """What was decided since the last call."""
        decided = self.transitions, self.gaps
        self.transitions, self.gaps = [], []
        return decided

    def take_strangers(self) -> dict[str, set[str]]:
        """Stations and terminals heard of since the last call that the registry is to be asked about."""
        taken, self.strangers = self.strangers, {}
        return taken

    def take_surplus(self) -> dict[str, Surplus]:
        """What stations with too many terminals sent since the last call."""
        taken, self.surplus = self.surplus, {}
        return taken

    def newest_tick_at(self) -> int:
        """The pipeline's present, wall ms; 0 before the first tick."""
        return max((shard.clock.tick_at for shard in self.shards), default=0)

    def state_word(self, row: int) -> str:
        return WORDS[self.terminals.state[row]]

    def station_word(self, row: int) -> str:
        return WORDS[self.stations.state[row]]

    def clocks(self) -> Mapping[str, PipelineClock]:
        return {shard.name: shard.clock for shard in self.shards}


def _seconds_away(body: Status) -> float:
    away = LONGEST_AWAY if body.back_by is None else (body.back_by - body.at) / 1000
    return min(max(away, 0.0), LONGEST_AWAY)


class _Member(msgspec.Struct, frozen=True):
    """A counting terminal, for the judgement of its station."""

    state: State
    since: int
    usable: bool | None
    seen_at: int


_UP: Final = (State.ONLINE, State.CONFLICTING)


def _station_state(members: list[_Member], quorum: int) -> tuple[State, bool | None]:
    """The station's state, and whether a visitor can use it (None: nobody said, or it is not online).

    A conflicting terminal counts: something answers at the station, and the conflict has an incident of its own.
    """
    online = [member for member in members if member.state in _UP]
    if len(online) >= quorum:
        words = {member.usable for member in online}
        return State.ONLINE, True if True in words else False if False in words else None
    unproven = sum(member.state is State.UNPROVEN for member in members)
    if unproven and len(online) + unproven >= quorum:
        return State.UNPROVEN, None
    away = sum(member.state is State.AWAY for member in members)
    if away and len(online) + away >= quorum:
        return State.AWAY, None
    if unproven and len(online) + away + unproven >= quorum:
        return State.UNPROVEN, None
    if all(member.state is State.NEVER_SEEN for member in members):
        return State.NEVER_SEEN, None
    return State.OFFLINE, None


def _quorum_lost_at(members: list[_Member], quorum: int) -> int:
    """When fewer than `quorum` were online: the end of the quorum-th longest lasting one, wall ms.

    Terminals end back-dated, so the last to be found offline need not be the last that was heard.
    """
    online = sum(member.state in _UP for member in members)
    ends = sorted((m.since for m in members if m.state not in _UP and m.state is not State.NEVER_SEEN), reverse=True)
    place = quorum - online - 1
    return ends[min(place, len(ends) - 1)] if ends else 0
