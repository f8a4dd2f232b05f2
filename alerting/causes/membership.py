"""Which stations are down, by which common cause or without one, and in which groups. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from alerting.causes.common_cause import CommonCause
from alerting.causes.evidence import Fallen, Group, deepest_area
from alerting.causes.steps import Grown, Joined, Step
from alerting.station_incidents.cause_settings import CauseSettings


def sort_by_cause(outages: Mapping[int, CommonCause], falls: Iterable[tuple[Fallen, int | None]]) -> list[Fallen]:
    """Put stored falls, each with the id of its parent incident, back into their causes; returns the falls without a
    cause."""
    alone = []
    for fallen, parent in falls:
        outage = outages.get(parent or 0)
        if outage is None:
            alone.append(fallen)
        else:
            outage.put(fallen)
    return alone


class Membership:
    """The causes with their children, and the stations that are down without a common cause."""

    def __init__(self, settings: CauseSettings) -> None:
        self._settings = settings
        #: The running causes, by the keys of their incidents.
        self.outages: dict[str, CommonCause] = {}
        #: The causes that are over and whose slow stations still have time to come back.
        self.late: list[CommonCause] = []
        self._cause_of: dict[str, CommonCause] = {}
        self._alone: dict[str, Fallen] = {}
        self._alone_in: dict[Group, set[str]] = {}
        # Since the last store: keys of the causes that changed, and (key, beginning) of the causes to delete.
        self._touched: set[str] = set()
        self._gone: set[tuple[str, datetime]] = set()

    def restore(self, outages: Iterable[CommonCause], alone: Iterable[Fallen]) -> None:
        """Restore the causes with their children, and the falls without a cause (`alone`)."""
        for outage in outages:
            if outage.ended is None:
                self.outages[outage.key] = outage
            elif outage.children:
                self.late.append(outage)
            for station in outage.children:
                self._cause_of[station] = outage
        for fallen in alone:
            self.add_alone(fallen)

    # -- questions ---------------------------------------------------------------------------------------------

    def __contains__(self, station: str) -> bool:
        return station in self._cause_of or station in self._alone

    def __iter__(self) -> Iterator[str]:
        yield from self._cause_of
        yield from self._alone

    def cause_of(self, station: str) -> CommonCause | None:
        """The common cause of a station's fall; None: there is none."""
        return self._cause_of.get(station)

    def alone(self, station: str) -> Fallen | None:
        """The fall of a station that is down without a common cause; None otherwise."""
        return self._alone.get(station)

    def alone_in(self, group: Group) -> list[Fallen]:
        """The falls without a common cause in a group."""
        return [self._alone[station] for station in self._alone_in.get(group, ())]

    def fall_of(self, station: str) -> Fallen | None:
        """The fall of a station that is down; None: it is not down."""
        outage = self._cause_of.get(station)
        return self._alone.get(station) if outage is None else outage.children[station]

    # -- changes -----------------------------------------------------------------------------------------------

    def join(self, outage: CommonCause, fallen: Fallen, at: datetime) -> list[Step]:
        """Make a station a child of a cause, as of `at`; returns the steps for the book."""
        self._drop_alone(fallen.station)
        self._cause_of[fallen.station] = outage
        before = outage.common
        outage.add(fallen, at, self._settings)
        self._touched.add(outage.key)
        steps: list[Step] = [Joined(fallen, outage.key)]
        if len(outage.ever) >= 2 * outage.told or deepest_area(before) != deepest_area(outage.common):
            outage.told = len(outage.ever)
            steps.append(Grown(outage.key, outage.told, deepest_area(outage.common)))
        return steps

    def leave(self, station: str, at: datetime) -> None:
        """Remove a station that returned, or that fell again."""
        outage = self._cause_of.pop(station, None)
        if outage is None:
            self._drop_alone(station)
        else:
            outage.remove(station, at)
            self._touched.add(outage.key)
            self.drop_if_over(outage)

    def release(self, outage: CommonCause, fallen: Fallen, at: datetime) -> None:
        """Move a station that is still down from a cause that is over to the falls without a cause."""
        outage.remove(fallen.station, at)
        del self._cause_of[fallen.station]
        self.add_alone(fallen)

    def add_alone(self, fallen: Fallen) -> None:
        """Add a fall without a common cause."""
        self._alone[fallen.station] = fallen
        for group in fallen.groups:
            self._alone_in.setdefault(group, set()).add(fallen.station)

    def _drop_alone(self, station: str) -> None:
        fallen = self._alone.pop(station, None)
        for group in fallen.groups if fallen else ():
            members = self._alone_in[group]
            members.discard(station)
            if not members:
                del self._alone_in[group]

    def touch(self, outage: CommonCause) -> None:
        """Mark a cause whose memory changed, so that it is stored."""
        self._touched.add(outage.key)

    def keep_late(self, outage: CommonCause) -> None:
        """Keep an ended cause while its children still have time to come back; delete it if it has none."""
        if outage.children:
            self.late.append(outage)
            self._touched.add(outage.key)
        else:
            self._gone.add((outage.key, outage.began))

    def drop_if_over(self, outage: CommonCause) -> None:
        """Delete a cause that ended and has no children left."""
        if outage.ended is not None and not outage.children:
            self.late = [other for other in self.late if other is not outage]
            self._gone.add((outage.key, outage.began))

    def take_unsaved(self) -> tuple[list[CommonCause], set[tuple[str, datetime]]]:
        """The causes to store, and (key, beginning) of the causes to delete, since the last call.

        A running cause may have the same key and beginning as a cause that is over: then the running one is stored.
        """
        kept = {(outage.key, outage.began): outage for outage in (*self.late, *self.outages.values())}
        changed = [outage for outage in kept.values() if outage.key in self._touched]
        gone = self._gone - kept.keys()
        self._touched, self._gone = set(), set()
        return changed, gone
