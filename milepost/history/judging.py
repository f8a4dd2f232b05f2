"""The judges, the incident process and the days of a made-up history: the real code, on simulated time."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from alerting.incident_process.decide_pass import Decider, PassConfig
from alerting.incidents.actions import ActionRefusedError, Expected, acknowledge
from alerting.liveness.model import LivenessSettings, Registration, Transition
from alerting.liveness.partition import PartitionLiveness
from alerting.liveness.pipeline_clock import ClockSettings
from alerting.liveness.store import (
    Sequences,
    save_clocks,
    save_gaps,
    save_moves,
    save_stations,
    save_terminals,
    save_transitions,
)
from alerting.repairs.rules import RepairSaid
from alerting.repairs.store import say_repair
from broker.partition import partition_of
from contract.clocks import WallMs
from contract.glossary import word
from contract.log import LiveEntry, Tick
from milepost.history.people import MadeUpPeople, PersonDeed
from milepost.history.terminals import TICKS
from store.author import Author
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
LIVENESS: Final = LivenessSettings(floor=600.0, will_grace=600.0, clock=ClockSettings(longest=2 * TICKS * 60.0))
"""The settings that depend on the time between ticks and heartbeats are scaled to those of the history."""
_FOLLOW_UPS: Final = (16, 76)
"""Minutes after a decision at which another pass may have something to decide: graces, holds and repairs end."""
_ROUND: Final = 5
"""Minutes: so that one pass serves several decisions."""
_IDLE: Final = 360
"""The longest time between two passes, in minutes."""


class HistoryJudges:
    """The judges of all partitions. `partitions`: their number."""

    def __init__(self, partitions: int, stations: Iterable[str]) -> None:
        self._partitions = partitions
        self._registered = frozenset(stations)
        used = sorted({partition_of(station, partitions) for station in self._registered})
        self._lives = {partition: PartitionLiveness(LIVENESS) for partition in used}
        self._sequences = {partition: Sequences(0, 0, 0) for partition in used}

    @property
    def has_news(self) -> bool:
        """Whether anything was decided since the last `save`."""
        return any(live.has_news for live in self._lives.values())

    def apply(self, station: str, entry: LiveEntry) -> None:
        """Take an entry of the log in."""
        if isinstance(entry, Tick):
            for live in self._lives.values():
                live.apply(station, entry)
            return
        live = self._lives[partition_of(station, self._partitions)]
        live.apply(station, entry)
        if live.roster.strangers:
            for name in live.roster.take_strangers():
                live.register(name, Registration(1), live.shards.newest_tick_at())

    async def save(self, connection: Connection) -> bool:
        """Write what was decided since the last call, as the judges do, in one transaction. Returns whether anything
        but a goodbye or a return from one was decided."""
        is_grave = False
        async with connection.transaction():
            for partition, live in self._lives.items():
                transitions, gaps = live.take_decided()
                is_grave = is_grave or bool(gaps) or any(map(_is_grave, transitions))
                sequences = self._sequences[partition]
                await save_terminals(connection, partition, live)
                await save_stations(connection, partition, live)
                await save_transitions(connection, partition, transitions, sequences)
                await save_gaps(connection, partition, gaps, sequences)
                await save_moves(connection, partition, live.shards.take_moves(), sequences)
            await save_clocks(connection, self._lives)
        return is_grave


def _is_grave(one: Transition) -> bool:
    return not {one.before.word, one.after.word} <= {"online", "away"} or one.usable is False


class HistoryDesk:
    """The incident process and the people who work on its incidents. Minutes count from `begin`."""

    def __init__(self, connection: Connection, people: MadeUpPeople, begin: datetime, technician: str) -> None:
        self._connection, self._people, self._begin = connection, people, begin
        self._technician = Author(technician)
        self._now = begin
        self._decider = Decider(PassConfig(), connection, self._read_time)
        self._due: set[int] = {0}
        self._newest = 0

    def ask_registry(self) -> None:
        """The registry changed."""
        self._decider.ask_registry()

    def is_due(self, minute: int) -> bool:
        """Whether a pass is due although no judge decided anything."""
        return min(self._due) <= minute

    async def act(self, minute: int) -> bool:
        """Let people do what is due; whether they did anything."""
        deeds = self._people.due(minute)
        for deed in deeds:
            await self._do(deed)
        return bool(deeds)

    async def decide(self, minute: int, *, is_grave: bool) -> None:
        """Run passes as of a minute until nothing more waits. `is_grave`: what was judged has consequences."""
        self._now, decided = self._time(minute), is_grave
        more = True
        while more:
            passed = await self._decider.decide(None)
            decided, more = decided or bool(passed.decisions), passed.more
        self._due = {due for due in self._due if due > minute}
        if decided:
            self._due |= {-(-(minute + later) // _ROUND) * _ROUND for later in _FOLLOW_UPS}
            await self._note_opened(minute)
        self._due = self._due or {minute + _IDLE}

    async def _note_opened(self, minute: int) -> None:
        for row in await self._connection.fetch(QUERIES.opened_after, self._newest):
            self._newest = row["id"]
            self._people.note_opened(row["id"], [name for name in row["stations"] if name], minute)

    async def _do(self, deed: PersonDeed) -> None:
        now = self._time(deed.minute)
        said = RepairSaid(cause=deed.cause, text=word("repair_cause", deed.cause, "zh-CN"), fixed=True)
        try:
            if deed.deed == "acknowledge":
                until = Expected(eta=self._time(deed.eta))
                await acknowledge(self._connection, deed.incident, self._technician, None, now, until)
            else:
                await say_repair(self._connection, deed.incident, self._technician, said, now)
        except ActionRefusedError:
            # The incident has closed meanwhile: nobody goes there any more.
            return

    def _time(self, minute: int) -> datetime:
        return self._begin + timedelta(minutes=minute)

    async def _read_time(self, _: Connection) -> datetime:
        return self._now


def wall_ms(moment: datetime) -> WallMs:
    """A moment as ms since the epoch."""
    return WallMs(round(moment.timestamp() * 1000))
