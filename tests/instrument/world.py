"""A country on simulated time: terminals, brokers, bridges, the log, judges and the incident process, without a socket.

Everything between the sockets is the real code: the fleet simulator's terminals, the bridge's translation, the judges,
the rules of incidents. Time advances in steps of a tick.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from heapq import heappop, heappush
from math import inf
from random import Random

import msgspec

from agents.simulator.fleet import ACTS
from agents.simulator.machine.actions import Connect, Drop, LinkState, Publish, TerminalProfile
from agents.simulator.machine.terminal import SimTerminal
from agents.simulator.timetable import TimedDeed
from alerting.causes.suspicion_rules import MassSettings
from alerting.liveness.model import LivenessSettings, Registration
from alerting.liveness.pipeline_clock import ClockSettings
from alerting.stations.model import Facts
from alerting.stations.snapshot import UNPROVEN
from alerting.stations.verdict import Clocks, Hours, judge
from broker.partition import partition_of
from contract.topics import Topic
from registry.hours.calendar import ALWAYS, Version, calendar_of
from tests.instrument.judges import Committed, Judge
from tests.instrument.script import Group
from tests.instrument.sim_incidents import Desk, DeskSettings, Register
from tests.instrument.sim_transport import PARTITIONS, Log, Shard

EPOCH = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
REFERENCE_TICK = 0.25


def settings_for(tick: float) -> LivenessSettings:
    """The default settings; settings that depend on the tick are scaled to a longer tick."""
    plain = LivenessSettings()
    scale = max(1.0, tick / REFERENCE_TICK)
    if scale == 1.0:
        return plain
    clock = ClockSettings(longest=plain.clock.longest * scale)
    return msgspec.structs.replace(plain, clock=clock)


def path_of(code: str) -> tuple[str, ...]:
    """The area of a code and all areas above it, root first, each with 12 digits."""
    return tuple(code[:length].ljust(12, "0") for length in (2, 4, 6, 9, 12) if len(code) >= length)


class Member:
    """A terminal with its connection; `will` None: not connected."""

    def __init__(self, terminal: SimTerminal, shard: str) -> None:
        self.terminal = terminal
        self.shard = shard
        self.will: bytes | None = None

    @property
    def status_topic(self) -> str:
        return str(Topic(self.terminal.profile.station, self.terminal.profile.terminal, "status"))


class World:
    """The simulated country. `now`: ms since `epoch`."""

    def __init__(self, *, tick: float = REFERENCE_TICK, epoch: datetime = EPOCH, seed: int = 1) -> None:
        self.now = 0
        self.step = round(tick * 1000)
        self.epoch = epoch
        self.epoch_ms = round(epoch.timestamp() * 1000)
        self.register = Register()
        self.registered: dict[str, Registration] = {}
        self.members: list[Member] = []
        settings = settings_for(tick)
        self.judges = [Judge(partition, settings) for partition in range(PARTITIONS)]
        committed = Committed(self.judges, lambda station: partition_of(station, PARTITIONS))
        # A shorter margin than the default of ten minutes: scenarios last minutes.
        mass = MassSettings(margin=20.0, missed=settings.k, floor=settings.floor)
        self.desk = Desk(committed, self.register, DeskSettings(mass=mass), epoch)
        self.log = Log(lambda partition, station, entry: self.judges[partition].unread.append((station, entry)))
        self.shards: dict[str, Shard] = {}
        self.stopped: set[str] = set()
        self._clones: dict[int, int] = {}
        self._due: list[tuple[float, int]] = []
        self._random = Random(seed)
        self._calendars: dict[str, int] = {}
        self._by_terminal: dict[tuple[str, str], int] = {}

    @property
    def seconds(self) -> float:
        return self.now / 1000

    @property
    def wall(self) -> int:
        return self.epoch_ms + self.now

    @property
    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.wall / 1000, UTC)

    # -- building ----------------------------------------------------------------------------------------------

    def add(self, groups: Iterable[Group]) -> None:
        """Register the stations of the groups, and start their terminals within one heartbeat."""
        serials: dict[str, int] = {}
        for group in groups:
            self.shard(group.shard)
            county = group.area[:6].ljust(6, "0")
            for _ in range(group.count):
                serials[county] = serials.get(county, 0) + 1
                self._add_station(f"{county}{serials[county]:04d}", group)
        self.desk.restart()

    def shard(self, name: str) -> Shard:
        if name not in self.shards:
            self.shards[name] = Shard(name, self.log, self._acknowledge, self.epoch_ms)
        return self.shards[name]

    def _add_station(self, station: str, group: Group) -> None:
        path = path_of(group.area)
        self.register.facts[station] = Facts(
            station=station, area=path[-1], path=path, kind=group.kind, isp=group.isp, feeder=group.feeder,
            commissioned_at=self.epoch, calendar=self._calendar(group.schedule),
        )  # fmt: skip
        self.registered[station] = Registration(1)
        for number in range(1, group.terminals + 1):
            profile = TerminalProfile(
                station=station, terminal=f"{number:03d}", area=group.area, every=group.every, sample=1e9
            )
            self._by_terminal[station, profile.terminal] = self._add_member(profile, group.shard)

    def _calendar(self, rules: str) -> int | None:
        calendar = calendar_of([Version(date.min, rules)])
        if calendar is ALWAYS:
            return None
        number = self._calendars.setdefault(calendar.key, len(self._calendars))
        self.register.calendars[number] = calendar
        return number

    def _add_member(self, profile: TerminalProfile, shard: str, *, runs: int = 0, clone: bool = False) -> int:
        random = Random(self._random.getrandbits(64))
        terminal = SimTerminal(profile, epoch=self.epoch_ms, random=random, runs=runs, clone=clone)
        self.members.append(Member(terminal, shard))
        number = len(self.members) - 1
        terminal.start(self.seconds, within=profile.every)
        self._wake(number)
        return number

    # -- deeds -------------------------------------------------------------------------------------------------

    def do(self, deed: TimedDeed) -> None:
        """Apply a deed of the fault script now."""
        member = self.members[deed.index]
        if deed.deed in ("clone", "end-clone"):
            self._clone(deed)
        else:
            ACTS[deed.deed](member.terminal, self.seconds, deed.value)
            self._wake(deed.index)

    def _clone(self, deed: TimedDeed) -> None:
        ended = self._clones.pop(deed.index, None)
        if ended is not None:
            self.members[ended].terminal.die(self.seconds)
            self._wake(ended)
        if deed.deed == "clone":
            original = self.members[deed.index]
            runs = original.terminal.runs
            self._clones[deed.index] = self._add_member(
                original.terminal.profile, original.shard, runs=runs, clone=True
            )

    def move(self, stations: Sequence[str], shard: str) -> None:
        """Connect the terminals of these stations to another broker, as after a changed address."""
        self.shard(shard)
        for number, member in enumerate(self.members):
            if member.terminal.profile.station in stations and member.shard != shard:
                self._drop(member, goodbye=False)
                member.shard = shard
                member.terminal.on_lost(self.seconds, "moved")
                self._wake(number)

    # -- time --------------------------------------------------------------------------------------------------

    def run_until(self, seconds: float) -> None:
        while self.now + self.step <= seconds * 1000:
            self.now += self.step
            self._pass()

    def _pass(self) -> None:
        while self._due and self._due[0][0] <= self.seconds:
            self._wake(heappop(self._due)[1])
        for shard in self.shards.values():
            shard.flow(self.now)
        self.log.flow()
        if "judge" not in self.stopped:
            for judge_ in self.judges:
                judge_.judge(self.wall, self.registered)
        if "incidents" not in self.stopped:
            self.desk.decide(self.clock)

    def _wake(self, number: int) -> None:
        """Step a terminal to the present time, and carry out its actions."""
        member = self.members[number]
        terminal = member.terminal
        terminal.step(self.seconds)
        while actions := terminal.take_actions():
            for action in actions:
                self._carry_out(member, action)
        due = terminal.next_due()
        if due < inf:
            heappush(self._due, (max(due, self.seconds + 0.001), number))

    def _carry_out(self, member: Member, action: object) -> None:
        shard = self.shards[member.shard]
        if isinstance(action, Publish):
            if member.will is not None:
                shard.publish(action.topic, action.payload, retain=action.retain)
                if action.mid and shard.broker_up:
                    member.terminal.on_puback(self.seconds, action.mid)
        elif isinstance(action, Connect):
            self._connect(member, shard, action)
        elif isinstance(action, Drop):
            self._drop(member, goodbye=action.goodbye)

    def _connect(self, member: Member, shard: Shard, action: Connect) -> None:
        if not shard.broker_up:
            member.terminal.on_lost(self.seconds, "refused")
            return
        member.will = action.will
        member.terminal.on_up(self.seconds)

    def _drop(self, member: Member, *, goodbye: bool) -> None:
        will, member.will = member.will, None
        if will is not None and not goodbye:
            self.shards[member.shard].publish(member.status_topic, will, retain=True)

    def lose_connections(self, shard: str) -> None:
        """End all connections of a shard, because its broker is gone."""
        for number, member in enumerate(self.members):
            if member.shard == shard:
                member.will = None
                if member.terminal.link is not LinkState.DOWN:
                    member.terminal.on_lost(self.seconds, "broker gone")
                    self._wake(number)

    def _acknowledge(self, topic: str, payload: bytes) -> None:
        _, _, station, terminal, _ = topic.split("/")
        member = self.members[self._by_terminal[station, terminal]]
        member.terminal.on_message(self.seconds, topic, payload)

    # -- verdicts ----------------------------------------------------------------------------------------------

    def verdicts(self, stations: Iterable[str]) -> dict[str, str]:
        """The verdicts of stations as the console shows them now."""
        clocks = Clocks((clock for one in self.judges for clock in one.clocks()), self.clock)
        return {station: self._verdict(station, clocks) for station in stations}

    def _verdict(self, station: str, clocks: Clocks) -> str:
        facts, home = self.register.facts[station], self.judges[partition_of(station, PARTITIONS)]
        state, shard = home.word_of(station)
        if state == "offline" and self.desk.is_suspected(station):
            state = UNPROVEN
        found = judge(
            lifecycle=facts.lifecycle, state=state, usable=home.usable_of(station), since=None, now=self.clock,
            clock=clocks.clock_of(home.partition, shard), hours=self._hours(station, facts),
        )  # fmt: skip
        return str(found.verdict)

    def _hours(self, station: str, facts: Facts) -> Hours:
        """The hours of a station now, from its calendar and its approved closures, as the database returns them."""
        calendar = None if facts.calendar is None else self.register.calendars[facts.calendar]
        excused = [
            one.from_at
            for one in self.register.closures
            if one.approved_at and one.from_at <= self.clock < one.ends_at and one.station == station
        ]
        return Hours(open=calendar is None or calendar.is_open(self.clock), excused_since=min(excused, default=None))
