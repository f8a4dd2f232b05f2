"""Computes the states (online, away, offline) of the terminals and stations of one partition. Pure.

Input: the entries of the log in their order and, for stations, the registry. No content of an entry raises an
exception. Transitions, gaps and changed rows are kept until the caller takes them.
"""

from alerting.liveness.columns import WORDS
from alerting.liveness.messages import Heartbeats, Statuses
from alerting.liveness.model import LivenessSettings, Registration, ShardGap, Transition
from alerting.liveness.rivals import Rivals
from alerting.liveness.roster import Roster
from alerting.liveness.shards import Shards
from alerting.liveness.station_state import StateChanges
from alerting.liveness.succession import Succession
from alerting.liveness.ticks import Ticks
from contract.clocks import WallMs
from contract.log import HeartbeatEntry, LiveEntry, StatusEntry, Tick
from store.troubles import Troubles


class PartitionLiveness:
    """The state of one partition, and the parts that change it.

    `roster`, `stations`, `terminals`, `shards`: the rows. `rivals`: the terminals' other boots. `changes`: what was
    decided and is to be saved. `troubles`: the terminals and stations that cannot be judged.
    """

    def __init__(self, settings: LivenessSettings) -> None:
        self.settings = settings
        self.troubles = Troubles()
        self.roster = roster = Roster(settings)
        self.stations = roster.stations
        self.terminals = roster.terminals
        self.shards = shards = Shards(settings.clock)
        self.changes = changes = StateChanges(roster, shards)
        self.rivals = rivals = Rivals(self.terminals.other_boots, shards.clock_of, shards.began_of, settings.floor)
        succession = Succession(settings, roster, shards, changes, rivals)
        self._heartbeats = Heartbeats(settings, roster, shards, changes, rivals, succession)
        self._statuses = Statuses(settings, roster, shards, changes, rivals, succession)
        self._ticks = Ticks(settings, roster, shards, changes, rivals, succession, self.troubles)

    def apply(self, station: str, entry: LiveEntry) -> None:
        """Take one entry of the log in; `station` is its key (ignored for ticks)."""
        if type(entry) is HeartbeatEntry:
            if not entry.retain and (row := self.roster.row_of_sender(station, entry)) >= 0:
                self._heartbeats.take_heartbeat(row, entry)
        elif type(entry) is StatusEntry:
            # A retained message comes again when the bridge subscribes: a retained heartbeat is old. Of the retained
            # statuses only `away` still holds, for it lasts until the terminal is heard again.
            is_news = not entry.retain or entry.body.state == "away"
            if is_news and (row := self.roster.row_of_sender(station, entry)) >= 0:
                self._statuses.take_status(row, entry)
        elif type(entry) is Tick:
            self._ticks.take_tick(entry)

    def register(self, station: str, registration: Registration, now: WallMs) -> None:
        """Apply the registry's data of a station; a change of state that results gets the time `now`. A station without
        a row is ignored."""
        row = self.stations.index.get(station)
        if row is not None:
            self.changes.register(row, registration, now)

    @property
    def has_news(self) -> bool:
        """Whether transitions or gaps wait to be taken, or strangers to be looked up in the registry."""
        return bool(self.changes.transitions or self._ticks.gaps or self.roster.strangers)

    def take_decided(self) -> tuple[list[Transition], list[ShardGap]]:
        """What was decided since the last call."""
        return self.changes.take_transitions(), self._ticks.take_gaps()

    def state_word(self, row: int) -> str:
        """The state of the terminal in a row, as it is stored."""
        return WORDS[self.terminals.state[row]]

    def station_word(self, row: int) -> str:
        """The state of the station in a row, as it is stored."""
        return WORDS[self.stations.state[row]]
