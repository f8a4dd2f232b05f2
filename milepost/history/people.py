"""What people did about the incidents of a made-up history: who acknowledged, what was repaired, and when. Pure."""

from heapq import heappop, heappush
from random import Random
from typing import Literal

import msgspec

from milepost.history.plan import Fault, HistoryPlan


class PersonDeed(msgspec.Struct, frozen=True, order=True):
    """Something that a technician does at a minute about an incident."""

    minute: int
    incident: int
    deed: Literal["acknowledge", "repair"]
    cause: str = "not_found"
    eta: int = 0


class MadeUpPeople:
    """Decides for each new incident what people do."""

    def __init__(self, plan: HistoryPlan) -> None:
        self._dice = Random(plan.seed + 2)  # noqa: S311 -- a simulation
        self._faults: dict[str, list[Fault]] = {}
        for fault in plan.faults:
            self._faults.setdefault(fault.station, []).append(fault)
        self._deeds: list[PersonDeed] = []

    def note_opened(self, incident: int, stations: list[str], now: int) -> None:
        """An incident opened in minute `now`; `stations`: the station, or the children of a common cause."""
        if self._dice.random() < 0.15:
            return
        fault = self._fault_of(stations, now)
        acknowledged = now + self._dice.randint(4, 70)
        end = acknowledged + 120 if fault is None else fault.end
        heappush(self._deeds, PersonDeed(acknowledged, incident, "acknowledge", eta=end + 60))
        if fault is not None and fault.end > acknowledged + 10:
            heappush(self._deeds, PersonDeed(fault.end - 5, incident, "repair", cause=fault.cause))

    def due(self, now: int) -> list[PersonDeed]:
        """What is done until minute `now`, in order."""
        found = []
        while self._deeds and self._deeds[0].minute <= now:
            found.append(heappop(self._deeds))
        return found

    def _fault_of(self, stations: list[str], now: int) -> Fault | None:
        known = (fault for station in stations for fault in self._faults.get(station, ()))
        return next((fault for fault in known if fault.begin <= now < fault.end), None)
