"""The same streams give the same incidents, however they came in, were cut into passes, repeated, or taken up again."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.incidents.book import Incident
from alerting.pipeline.watermark import Waiting, horizon, reached, stride, watermark
from alerting.stations.model import Facts, Judged, StationChange
from alerting.stations.verdict import Clock
from tests.unit.alerting.field_kit import World, at, facts

PARTITIONS = 3
STATIONS = 6
BEGIN = at("08:50")
LASTS = 2400
STATES = ("online", "offline", "away")
USES = (True, False, None)

Streams = list[list[StationChange]]


def partition_of(station: str) -> int:
    return int(station) % PARTITIONS


def registered(station: str) -> Facts:
    """Half of them are open by day, half always; one should have been seen since yesterday."""
    commissioned_at = at("09:10", -1) if station == "0" else at("08:00", -9)
    return facts(station, calendar=1 if int(station) % 2 else None, commissioned_at=commissioned_at)


@st.composite
def streams(draw: st.DrawFn) -> Streams:
    """What judges could write: each station's states one after another, back-dated, in the order of their ticks."""
    found: Streams = [[] for _ in range(PARTITIONS)]
    steps = st.tuples(
        st.integers(0, STATIONS - 1),
        st.integers(1, LASTS),
        st.sampled_from(STATES),
        st.integers(0, 90),
        st.sampled_from(USES),
    )
    state: dict[str, tuple[str, datetime, bool | None]] = {}
    for number, second, after, late, said in sorted(draw(st.lists(steps, max_size=30)), key=lambda step: step[1]):
        station = str(number)
        before, since, usable = state.get(station, ("never_seen", BEGIN, None))
        uses = said if after == "online" else None
        if (after, uses) == (before, usable) or (before == "never_seen" and after == "offline"):
            continue
        tick = BEGIN + timedelta(seconds=second)
        since = max(since, tick - timedelta(seconds=late if after == "offline" else 0))
        reason = "away_overdue" if (before, after) == ("away", "offline") else after
        stream = found[partition_of(station)]
        stream.append(
            StationChange(
                station=station, before=before, after=after, at=since, tick_at=tick, reason=reason, usable=uses,
                partition=partition_of(station), seq=len(stream) + 1, shard="main",
            )
        )  # fmt: skip
        state[station] = after, since, uses
    return found


class Process:
    """An incident process that may be started anew; what is in `world.incidents`, `applied` and `known` is stored."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self.applied: dict[int, int] = {}
        self.known = BEGIN
        self.stored: dict[int, Incident] = {}
        self.start()

    def start(self) -> None:
        self.world = World(self.known, [(registered(s), self._judged(s)) for s in map(str, range(STATIONS))])
        self.world.incidents, self.world._ids = self.stored, len(self.stored)
        open_ones = [incident for incident in self.stored.values() if incident.is_open]
        self.world.watch.reconcile((incident.station or "", incident.kind) for incident in open_ones)
        self.waiting: Waiting[StationChange] = Waiting(self.applied)

    def _judged(self, station: str) -> Judged | None:
        stream = self.streams[partition_of(station)][: self.applied.get(partition_of(station), 0)]
        last = next((change for change in reversed(stream) if change.station == station), None)
        if last is None:
            return None
        own = [change for change in stream if change.station == station]
        moved = next(change for change in reversed(own) if change.before != change.after)
        return Judged(
            partition=last.partition,
            state=last.after,
            since=moved.at,
            usable=last.usable,
            unusable_since=last.at if last.usable is False else None,
            shard=last.shard,
            reason=moved.reason,
        )

    def step(self, now: datetime, ticks: Sequence[datetime], again: int) -> None:
        """A pass; `ticks`: how far each partition's judge has come; `again`: rows that are read a second time."""
        mark = watermark([_clock(partition, tick) for partition, tick in enumerate(ticks)], now)
        for stream, tick in zip(self.streams, ticks, strict=True):
            written = stream[: bisect_right(stream, tick, key=lambda change: change.tick_at)]
            self.waiting.add(
                written[max(0, self.waiting.applied.get(stream[0].partition, 0) - again) :] if stream else []
            )
        reach = stride(horizon(mark.ripe, ()), known=self.known, earliest=self.waiting.earliest)
        ripe = self.waiting.ripe(reach, now)
        self.known = reached(mark, known=self.known, reach=reach, now=now)
        self.world.step(now, *ripe, known=self.known)
        self.applied = dict(self.waiting.applied)
        self.stored = self.world.incidents

    @property
    def incidents(self) -> list[tuple[str, datetime, datetime | None, object]]:
        """What people will read years later; not the minute in which we found it."""
        return sorted((i.key, i.began_at, i.ended_at, i.detail["reason"]) for i in self.stored.values())


def _clock(partition: int, tick: datetime) -> Clock:
    return Clock(partition=partition, shard="main", clock=0, tick_at=tick, judged_at=tick)


def run(streams: Streams, pauses: Sequence[tuple[int, Sequence[float], bool, int]]) -> Process:
    """Passes with pauses (s) between them, how far each partition lags (s), whether the process is started anew, and
    how many rows it reads again; at last everything is known."""
    process, now = Process(streams), BEGIN
    ticks = [BEGIN] * PARTITIONS
    for pause, lags, anew, again in pauses:
        now += timedelta(seconds=pause)
        if now > BEGIN + timedelta(seconds=LASTS):
            break
        ticks = [max(tick, now - timedelta(seconds=lag)) for tick, lag in zip(ticks, lags, strict=True)]
        if anew:
            process.start()
        process.step(now, ticks, again)
    now = BEGIN + timedelta(seconds=LASTS + 1)
    while process.known < now:
        process.step(now, [now] * PARTITIONS, 0)
    return process


PASSES = st.tuples(
    st.integers(1, 400),
    st.tuples(*[st.floats(0, 1.9)] * PARTITIONS),
    st.booleans(),
    st.integers(0, 5),
)


@settings(max_examples=150, deadline=None)
@given(streams(), st.lists(PASSES, max_size=30))
def test_any_interleaving_repetition_and_restart_gives_the_same_incidents(
    streams: Streams, pauses: list[tuple[int, tuple[float, ...], bool, int]]
) -> None:
    steady = [(20, (0.0,) * PARTITIONS, False, 0)] * (LASTS // 20)
    assert run(streams, pauses).incidents == run(streams, steady).incidents


@settings(max_examples=100, deadline=None)
@given(streams())
def test_it_ends_with_an_incident_for_each_station_that_is_down(streams: Streams) -> None:
    """40 minutes after the opening, of those that were not up when it came and since."""
    process = run(streams, [])
    last = {change.station: change.after for stream in streams for change in stream}
    down = {station for station, state in last.items() if state == "offline"}
    late = {change.station for stream in streams for change in stream if change.tick_at > at("09:14")}
    opened = [incident for incident in process.stored.values() if incident.is_open]
    found = {incident.station for incident in opened if incident.kind != "unusable"}
    assert {s for s in down if s not in late or int(s) % 2 == 0} <= found
    assert not found & {station for station, state in last.items() if state == "online"}


@settings(max_examples=100, deadline=None)
@given(streams())
def test_it_ends_with_an_incident_for_each_station_that_is_of_no_use(streams: Streams) -> None:
    """Of those that have been so for the grace, and should be open."""
    process = run(streams, [])
    last = {change.station: change for stream in streams for change in stream}
    of_no_use = {station for station, change in last.items() if change.after == "online" and change.usable is False}
    late = {station for station in of_no_use if last[station].at > at("09:25")}
    found = {
        incident.station for incident in process.stored.values() if incident.is_open and incident.kind == "unusable"
    }
    assert of_no_use - late <= found
    assert not found & {
        station for station, change in last.items() if change.after == "online" and change.usable is not False
    }
