"""A simulated month of a country through the real judges and rules, compared with the results of the oracle.

`python -m tests.instrument.month [--stations N] [--seed S]` simulates a month and prints all differences.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from math import inf

import msgspec

from alerting.causes.flapping import FlappingSettings
from alerting.causes.suspicion_rules import MassSettings
from alerting.incidents.book import Incident
from alerting.liveness.columns import WORDS
from alerting.pipeline.blind_incidents import PipelineGap
from alerting.station_incidents.rules import RuleSettings
from alerting.stations.model import Facts, StationChange
from alerting.stations.snapshot import ClockName
from alerting.stations.verdict import Clock
from contract.kinds import IncidentKind
from registry.hours.calendar import ALWAYS, Version, calendar_of
from tests.instrument import ground_truth as facts
from tests.instrument.ground_truth import BEGIN, Cut, Truth
from tests.instrument.judges import change_of, gap_of, moment, peer_of, promise_of
from tests.instrument.oracle import Oracle, compare
from tests.instrument.oracle_incidents import GRACE, Expected, compare_incidents, expected, second
from tests.instrument.oracle_numbers import compare_names
from tests.instrument.oracle_use import GRACE as USE_GRACE
from tests.instrument.oracle_use import compare_use
from tests.instrument.sim_incidents import Desk, DeskSettings, Register
from tests.instrument.sim_month import EPOCH, MINUTE, PARTITIONS, Country, Decided

SETTINGS = DeskSettings(
    rules=RuleSettings(opening_grace=GRACE, unusable_grace=USE_GRACE),
    flapping=FlappingSettings(slot=5400.0),
    mass=MassSettings(floor=600.0),
)
IDLE = 5
"""Minutes between passes of the incident process while no transitions arrive."""
MANY = 10
"""Minimum number of stations of a cut for the check that they had one common parent."""
MOSTLY = 0.7
"""Minimum share of a parent's stations that fell by one cut; other stations may lose power at the same time."""
HOLD = 72
"""Minutes that a cause waits after the last return, with heartbeats every half hour or hour."""
SLOWEST = 3600
"""Seconds between heartbeats of the slowest stations."""
DOWN = ("station_offline", "overdue_return")


class Committed:
    """The judges' rows that the incident process has not applied yet: the Source of the month."""

    def __init__(self, country: Country) -> None:
        self._country = country
        self._rows: list[list[StationChange]] = [[] for _ in range(PARTITIONS)]
        self._seq = [0] * PARTITIONS
        self._gaps: list[list[PipelineGap]] = [[] for _ in range(PARTITIONS)]
        self._judged_at = [EPOCH] * PARTITIONS
        # Every move of a station from one clock to another. A station has one terminal here.
        self._moved: list[tuple[str, ClockName]] = []

    def take(self, minute: int, decided: Decided) -> None:
        for partition, transitions in decided:
            for one in transitions:
                self._seq[partition] += 1
                self._rows[partition].append(change_of(one, partition, self._seq[partition]))
        for partition, gap in self._country.gaps:
            self._gaps[partition].append(gap_of(gap, partition))
        self._country.gaps.clear()
        for partition, live in enumerate(self._country.lives):
            self._moved += [(one.station, (partition, one.after)) for one in live.shards.take_moves()]
        for partition in range(PARTITIONS):
            if partition not in self._country.behind:
                self._judged_at[partition] = EPOCH + (minute + 1) * MINUTE

    @property
    def news(self) -> bool:
        """Whether there are transitions that the incident process has not applied."""
        return any(self._rows)

    def forget(self, applied: Mapping[int, int]) -> None:
        for partition, rows in enumerate(self._rows):
            if rows and rows[-1].seq <= applied.get(partition, 0):
                rows.clear()

    def clocks(self) -> list[Clock]:
        return [
            Clock(
                partition=partition,
                shard=name,
                clock=clock.clock,
                tick_at=moment(clock.tick_at),
                judged_at=moment(self._judged_at[partition]),
                blind_since=None if clock.state.blind_since is None else moment(clock.state.blind_since),
            )
            for partition, live in enumerate(self._country.lives)
            for name, clock in live.shards.clocks().items()
            if clock.tick_at
        ]

    def changes(self, read: Mapping[int, int]) -> list[StationChange]:
        return [one for partition, rows in enumerate(self._rows) for one in rows if one.seq > read.get(partition, 0)]

    def gaps(self, read: dict[int, int]) -> list[PipelineGap]:
        found = []
        for partition, gaps in enumerate(self._gaps):
            found += gaps[read.get(partition, 0) :]
            read[partition] = len(gaps)
        return found

    def heard_through(self, read: int) -> tuple[int, dict[str, ClockName]]:
        return len(self._moved), dict(self._moved[read:])

    def promises(self, stations: Iterable[str]) -> dict[str, float]:
        lives, numbers = self._country.lives, self._country.numbers
        found = ((station, promise_of(lives[numbers[station] % PARTITIONS], station)) for station in stations)
        return {station: every for station, every in found if every}

    def peers(self, stations: Iterable[str], floor: float | None = None) -> dict[str, tuple[datetime, datetime, bool]]:
        found = {}
        for station in stations:
            peer = peer_of(self._country.lives[self._country.numbers[station] % PARTITIONS], station, floor)
            if peer is not None:
                found[station] = peer
        return found


class Month:
    """A country and its incident process, minute by minute."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.country = Country(truth)
        self.committed = Committed(self.country)
        self.desk = Desk(self.committed, _register(truth), SETTINGS, BEGIN.astimezone(UTC))
        self._stops = [stop for stop in truth.stops if stop.part == "incidents"]

    def play(self) -> None:
        self.country.play(on_minute=self._on_minute)

    def _on_minute(self, country: Country, minute: int, decided: Decided) -> None:
        self.committed.take(minute, decided)
        if any(stop.begin <= minute < stop.end for stop in self._stops):
            return
        if any(stop.end == minute and stop.killed for stop in self._stops):
            self.desk.restart()
        if minute % IDLE and not self.committed.news:
            return
        self.desk.decide(moment(EPOCH + (minute + 1) * MINUTE))
        self.committed.forget(self.desk.applied)


def _register(truth: Truth) -> Register:
    register = Register()
    numbers: dict[str, int] = {}
    for place in truth.places:
        calendar = calendar_of([Version(date.min, facts.rules(place))])
        number = None if calendar is ALWAYS else numbers.setdefault(calendar.key, len(numbers))
        if number is not None:
            register.calendars[number] = calendar
        register.facts[place.name] = _facts(place, number)
    return register


def _facts(place: facts.Place, calendar: int | None) -> Facts:
    path = tuple(code.ljust(12, "0") for code in (place.county[:2], place.county[:4], place.county, place.township))
    return Facts(
        station=place.name, area=path[-1], path=path, isp=place.isp, feeder=place.feeder, calendar=calendar,
        commissioned_at=BEGIN.astimezone(UTC),
    )  # fmt: skip


class Report(msgspec.Struct, kw_only=True):
    """The results of a month."""

    stations: int
    beats: int
    silences: int
    called: int
    incidents: Counter[str]
    notified: int
    false: list[str]
    missed: list[str]
    causes: list[str]
    seconds: float


def run(stations: int, seed: int) -> Report:
    began = time.process_time()
    truth = facts.make(stations, seed=seed)
    month = Month(truth)
    month.play()
    return _report(month, began)


def _weak(country: Country) -> dict[str, set[int]]:
    return {bridge.name: bridge.weak for bridge in country.bridges.values()}


def _report(month: Month, began: float) -> Report:
    country, oracle = month.country, Oracle(month.truth, _weak(month.country))
    states = called(country)
    downs = _of_kinds(month.desk.kept.incidents.values(), DOWN)
    uses = _of_kinds(month.desk.kept.incidents.values(), (IncidentKind.UNUSABLE,))
    false, missed, silences = list[str](), list[str](), 0
    wanted: dict[int, list[Expected]] = {}
    for number in range(len(month.truth.places)):
        lives = oracle.lives(number)
        silent = oracle.silences(number, lives)
        silences += sum(one.must for one in silent)
        found = compare(lives, silent, states[number])
        wanted[number] = [expected(month.truth, oracle, number, one) for one in silent]
        wrong = compare_incidents(wanted[number], downs.get(month.truth.places[number].name, []))
        name = month.truth.places[number].name
        used = compare_use(month.truth, oracle, number, lives, uses.get(name, []))
        false += [f"{number} {name}: {text}" for text in (*found.false, *wrong.false, *used.false)]
        missed += [f"{number} {name}: {text}" for text in (*found.missed, *wrong.missed, *used.missed)]
    misnumbered = compare_names(month.truth, oracle, {bridge.name: bridge.named for bridge in country.bridges.values()})
    false += [*misnumbered.false, *(f"suspected: shard {shard} at {at}" for shard, at in month.desk.kept.suspicions)]
    missed += misnumbered.missed
    kept = month.desk.kept
    return Report(
        stations=len(month.truth.places),
        beats=country.beats,
        silences=silences,
        called=sum(state == "offline" for one in states for _, state in one),
        incidents=Counter(one.kind for one in kept.incidents.values()),
        notified=len(kept.notified),
        false=false,
        missed=missed,
        causes=[
            *(text for cut in month.truth.cuts for text in _one_cause(month, oracle, cut, wanted, downs)),
            *_no_cause(month),
        ],
        seconds=time.process_time() - began,
    )


def _one_cause(
    month: Month, oracle: Oracle, cut: Cut, wanted: Mapping[int, list[Expected]], downs: Mapping[str, list[Incident]]
) -> Iterator[str]:
    """The errors about a cut of many stations: their incidents must have one parent, and only the parent notifies."""
    hit = list(_incidents_of(month.truth, cut, oracle, wanted, downs))
    if len(hit) < MANY or not oracle.sees(cut):
        return
    kept = month.desk.kept
    notified = kept.notified_of(moment(EPOCH + facts.END * MINUTE))
    notified &= {one.id for one in hit} | {one.parent for one in hit if one.parent is not None}
    # A station that fell by an earlier cut and did not open since may still belong to the parent of that cut. One that
    # was closed when this cut ended may still be down in a later cut: then it belongs to the parent of the later cut.
    news = {number for number in notified if second(kept.incidents[number]) >= cut.begin * 60}
    news = {number for number in news if _began(kept.incidents[number]) <= cut.end * 60 + SLOWEST}
    if not notified or len(news) > 1:
        named = [(kept.incidents[number].key, str(kept.incidents[number].opened_at)) for number in sorted(notified)]
        yield f"{cut}: {len(hit)} stations, notified of {named}"


def _began(incident: Incident) -> float:
    """The first heartbeat that was missed, in seconds of the month."""
    return (incident.began_at - BEGIN).total_seconds()


def _incidents_of(
    truth: Truth, cut: Cut, oracle: Oracle, wanted: Mapping[int, list[Expected]], downs: Mapping[str, list[Incident]]
) -> Iterator[Incident]:
    """The incidents of the stations that sent heartbeats until the cut."""
    for number, place in enumerate(truth.places):
        dies = any(death.end > cut.begin for death in truth.deaths.get(number, ()))
        if dies or not facts.is_hit(place, cut):
            continue
        for life, one in zip(oracle.lives(number), wanted[number], strict=True):
            # If the judge may have rejected the last heartbeats, it is not sure that the station sent until the cut.
            if life.end == cut.begin and not life.unsure:
                silence = one.silence
                yield from (i for i in downs.get(place.name, ()) if silence.last < second(i) <= silence.next + 120)


def _no_cause(month: Month) -> Iterator[str]:
    """The errors about parents without a cut: each of their stations fell by itself."""
    incidents, hit = month.desk.kept.incidents.values(), _hits(month.truth)
    children = defaultdict[int, list[Incident]](list)
    for one in incidents:
        if one.parent is not None and one.kind in DOWN:
            children[one.parent].append(one)
    for parent in incidents:
        if parent.kind == "area_outage" and parent.id in children:
            mine = children[parent.id]
            most = max(_taken(mine, cut, hit) for cut, _ in hit)
            if most < MOSTLY * len(mine):
                yield f"{parent.key} of {parent.began_at}: {len(mine)} stations, of which one cut took {most}"


def _taken(mine: Sequence[Incident], first: Cut, hit: Sequence[tuple[Cut, set[str]]]) -> int:
    """The number of incidents from a cut and from later cuts of the same place within the hold: these have one
    parent."""
    until, found = float(first.begin), set[int]()
    for cut, stations in sorted(hit, key=lambda one: one[0].begin):
        if (cut.kind, cut.name) == (first.kind, first.name) and first.begin <= cut.begin <= until:
            took = [one for one in mine if _is_of(one, cut, stations)]
            found |= {one.id for one in took}
            until = max([until, *(_over(one) + HOLD for one in took)])
    return len(found)


def _over(incident: Incident) -> float:
    """The minute in which the station was back (inf: it is not back)."""
    return inf if incident.ended_at is None else (incident.ended_at - BEGIN).total_seconds() / 60


def _hits(truth: Truth) -> list[tuple[Cut, set[str]]]:
    return [(cut, {place.name for place in truth.places if facts.is_hit(place, cut)}) for cut in truth.cuts]


def _is_of(one: Incident, cut: Cut, stations: set[str]) -> bool:
    """Whether the station of an incident fell by a cut; a station that is missing at an opening falls up to a day
    after the cut."""
    opened = second(one) / 60
    return one.station in stations and cut.begin <= opened <= cut.end + facts.DAY


def called(country: Country) -> list[list[tuple[float, str]]]:
    """The judged states of each station, (decided at, state), in order."""
    found: list[list[tuple[float, str]]] = [[] for _ in country.truth.places]
    columns = country.found
    for number, state, decided in zip(columns.number, columns.state, columns.decided, strict=True):
        found[number].append((decided / 1000, WORDS[state]))
    return found


def _of_kinds(incidents: Iterable[Incident], kinds: Container[str]) -> dict[str, list[Incident]]:
    found = defaultdict(list)
    for one in incidents:
        if one.kind in kinds and one.station:
            found[one.station].append(one)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    report = run(given.stations, given.seed)
    print(
        f"{report.stations:,} stations, {report.beats:,} heartbeats, {report.seconds:.0f} s of CPU; silences that had "
        f"to be called {report.silences:,}, called {report.called:,}; {dict(report.incidents)}, "
        f"notified {report.notified:,}"
    )
    for name, texts in (("false", report.false), ("missed", report.missed), ("causes", report.causes)):
        print(f"{name}: {len(texts)}", *texts[:8], sep="\n    ")
    return 1 if report.false or report.missed or report.causes else 0


if __name__ == "__main__":
    sys.exit(main())
