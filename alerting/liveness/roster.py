"""The stations and terminals of a partition by name: their rows, and which to look up in the registry. Pure."""

from collections.abc import Container, Iterable, Iterator, Sequence

from alerting.liveness.columns import Stations, Terminals
from alerting.liveness.model import LivenessSettings, Registration, Surplus
from contract.log import HeartbeatEntry, StatusEntry


class Roster:
    """The rows of stations and terminals.

    `strangers`: terminals by station that were heard, and about which the registry is still to be asked.
    """

    def __init__(self, settings: LivenessSettings) -> None:
        self.stations = Stations()
        self.terminals = Terminals()
        self.strangers: dict[str, set[str]] = {}
        self._settings = settings
        #: By station, since the last `take_surplus`.
        self._surplus: dict[str, Surplus] = {}
        #: Rows of stations that the registry does not know.
        self.unknown: set[int] = set()

    # -- finding and making rows -------------------------------------------------------------------------------

    def station(self, station: str) -> int:
        """The row of a station, made when the station is new."""
        row = self.stations.index.get(station)
        return self.stations.add_station(station) if row is None else row

    def terminal(self, station: str, terminal: str) -> int:
        """The row of a terminal, made when the terminal is new."""
        home = self.station(station)
        row = self._find(home, terminal)
        return self._add(home, terminal) if row < 0 else row

    def add_terminals(self, stations: Sequence[str], terminals: Sequence[str]) -> None:
        """Rows for new terminals, in their order. The caller extends the columns of what is known of them."""
        first, homes, following = self.stations.first, self.stations.rows(stations), []
        for row, home in enumerate(homes, len(self.terminals)):
            following.append(first[home])
            first[home] = row
        self.terminals.extend(terminals, homes, following)

    def terminals_of(self, station: str) -> list[str]:
        """The names of a station's terminals. Raises KeyError for a station that was never heard."""
        return [self.terminals.ids[row] for row in self.rows_of(self.stations.index[station])]

    def rows_of(self, home: int) -> Iterator[int]:
        """The rows of the terminals of the station in row `home`."""
        row = self.stations.first[home]
        while row >= 0:
            yield row
            row = self.terminals.next[row]

    def _find(self, home: int, terminal: str) -> int:
        """The row of a station's terminal; -1: the station has none of this name."""
        row = self.stations.first[home]
        ids, following = self.terminals.ids, self.terminals.next
        while row >= 0 and ids[row] != terminal:
            row = following[row]
        return row

    def _add(self, home: int, terminal: str) -> int:
        row = self.terminals.add_terminal(terminal, home, self.stations.first[home])
        self.stations.first[home] = row
        return row

    # -- senders -----------------------------------------------------------------------------------------------

    def row_of_sender(self, station: str, entry: HeartbeatEntry | StatusEntry) -> int:
        """The row of the terminal that sent an entry, made when the terminal is new; -1: there are too many already."""
        home = self.stations.index.get(station)
        if home is None:
            self.strangers.setdefault(station, set()).add(entry.terminal)
            if len(self.unknown) >= self._settings.strangers:
                return -1
            return self._add(self.station(station), entry.terminal)
        row = self.stations.first[home]
        if row >= 0 and self.terminals.ids[row] == entry.terminal:
            return row  # the only terminal of its station, as nearly all are
        row = self._find(home, entry.terminal)
        return self._admit(home, station, entry) if row < 0 else row

    def _admit(self, home: int, station: str, entry: HeartbeatEntry | StatusEntry) -> int:
        """A row for a name that a known station never used, if the station may have one more."""
        if sum(1 for _ in self.rows_of(home)) < self._settings.terminals:
            self.strangers.setdefault(station, set()).add(entry.terminal)
            return self._add(home, entry.terminal)
        surplus = self._surplus.get(station)
        if surplus is None:
            surplus = self._surplus[station] = Surplus(entry.terminal, entry.received, entry.shard)
        surplus.messages += 1
        return -1

    # -- the registry ------------------------------------------------------------------------------------------

    def is_registered(self, station: str) -> bool:
        """Whether the registry knows a station. Raises KeyError for a station that was never heard."""
        return self.stations.quorum[self.stations.index[station]] > 0

    def note_registration(self, home: int, registration: Registration) -> None:
        """Take over the quorum of the station in row `home`, and which of its terminals count."""
        t, row, silent = self.terminals, self.stations.first[home], registration.not_counting
        self.stations.quorum[home] = registration.quorum
        self.unknown.discard(home)
        while row >= 0:
            t.counts[row] = t.ids[row] not in silent
            row = t.next[row]

    def note_answer(self, asked: Iterable[str], known: Container[str]) -> None:
        """The registry was asked about stations and knows those in `known`: these are followed, however many others
        there are."""
        for station in asked:
            if station in known:
                self.station(station)
            elif station in self.stations.index:
                self.unknown.add(self.stations.index[station])

    def note_unknown(self) -> None:
        """All registrations were given: the registry does not know the other stations."""
        self.unknown.update(row for row, quorum in enumerate(self.stations.quorum) if quorum == 0)

    def ask_again(self) -> None:
        """Make strangers of all stations that the registry does not know."""
        for station in self.stations.ids:
            if not self.is_registered(station):
                self.strangers[station] = set(self.terminals_of(station))

    def take_strangers(self) -> dict[str, set[str]]:
        """Terminals by station, heard since the last call, about which the registry is to be asked."""
        taken, self.strangers = self.strangers, {}
        return taken

    def take_surplus(self) -> dict[str, Surplus]:
        """What stations with too many terminals sent since the last call."""
        taken, self._surplus = self._surplus, {}
        return taken
