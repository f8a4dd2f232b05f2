"""Blind spots against an oracle that looks at everything again every hour, over random timetables with restarts."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerting.blindspots.settings import BlindSpotSettings, SilenceSettings
from registry.hours.calendar import FROM_ALWAYS, Version, calendar_of
from tests.unit.alerting.blindspots.blindspot_kit import DAY, HOUR, START, Scene

HOURS = calendar_of([Version(FROM_ALWAYS, "Mo-Fr 09:00-17:00")])
PATHS = {"A": ("63", "1"), "B": ("63", "1"), "C": ("63", "2"), "D": ("63", "2")}
LENGTH = 24 * 8
SETTINGS = BlindSpotSettings(area_dark=3 * HOUR, silence=SilenceSettings(dark=2 * DAY))
EVENTS: dict[str, dict[str, Any]] = {
    "falls": {"state": "offline"},
    "goes": {"state": "away"},
    "comes": {"state": "online", "usable": None},
    "is of no use": {"state": "online", "usable": False},
    "is excused": {"excused": True, "silenced": True},
    "is expected again": {"excused": False, "silenced": False},
    "is suspended": {"lifecycle": "suspended"},
    "is commissioned": {"lifecycle": "commissioned"},
}

timetables = st.lists(
    st.tuples(st.integers(0, LENGTH - 1), st.sampled_from("ABCD"), st.sampled_from(sorted(EVENTS))),
    max_size=40,
    unique_by=lambda entry: entry[:2],  # what lasted for no time at all an hourly look cannot see
)


class Oracle:
    """How every station stood in every hour; says what should be open at the last of them."""

    def __init__(self) -> None:
        self.past: dict[str, list[Any]] = {name: [] for name in PATHS}
        self.dark: dict[str, datetime] = {}
        self.run: dict[str, datetime] = {}
        self.shut: dict[str, datetime] = {}
        self.silent: dict[str, datetime] = {}

    def note(self, scene: Scene) -> None:
        for name in PATHS:
            self.past[name].append(scene.stations[name])
            self._shut(name, self.past[name], scene.now)
            self._dark(name, self.past[name], scene.now)
        for area in ("63", "1", "2"):
            self._area(area, scene)

    def _area(self, area: str, scene: Scene) -> None:
        """One that is open ends when something works or nobody is awaited; one begins after three hours of misses."""
        within = [s for s in scene.stations.values() if area in s.path and s.lifecycle == "commissioned"]
        works = any(s.state == "online" and s.usable is not False for s in within)
        awaited = [s for s in within if s.state == "online" or not s.open or not s.excused]
        missed = any(s.open and not s.excused for s in within)
        if works or not awaited:
            self.dark.pop(area, None)
        if works or not missed:
            self.run.pop(area, None)
        else:
            self.run.setdefault(area, scene.now)
            if scene.now - self.run[area] >= 3 * HOUR:
                self.dark.setdefault(area, self.run[area])

    def open(self) -> dict[str, datetime]:
        found = {f"area_dark:{area}": since for area, since in self.dark.items()}
        found |= {f"shut:{name}": since for name, since in self.shut.items()}
        return found | {f"dark:{name}": since for name, since in self.silent.items()}

    def _dark(self, name: str, past: list[Any], now: datetime) -> None:
        """One that is open ends when the station is on, or nobody expects it to be."""
        here = past[-1]
        since = max(here.since, self._expected(past))
        if here.lifecycle != "commissioned" or here.state == "online" or here.excused:
            self.silent.pop(name, None)
        elif now - since >= 2 * DAY:
            self.silent.setdefault(name, since)

    def _shut(self, name: str, past: list[Any], now: datetime) -> None:
        """One that is open ends within the hours that the station is on; three missed days in a row begin one."""
        here, expected = past[-1], self._expected(past)
        if here.lifecycle != "commissioned" or (here.state == "online" and HOURS.is_open(now)):
            self.shut.pop(name, None)
        if here.lifecycle != "commissioned" or here.state == "online":
            return
        if here.excused:
            self.shut.pop(name, None)
            return
        missed: list[datetime] = []
        for day in HOURS.opening_days(START, now):
            if day.closes > now or day.opens < max(expected, START):
                continue
            hours = range((day.opens - START) // HOUR, (day.closes - START) // HOUR)
            missed = [] if any(past[n].state == "online" for n in hours) else [*missed, day.opens]
        if len(missed) >= 3:
            self.shut.setdefault(name, missed[0])

    @staticmethod
    def _expected(past: list[Any]) -> datetime:
        """The end of the last hour in which nobody expected the station to be on."""
        idle = [n for n, s in enumerate(past) if s.lifecycle != "commissioned" or (s.excused and s.state != "online")]
        return START + (idle[-1] + 1) * HOUR if idle else START - 100 * DAY


def open_spots(scene: Scene) -> dict[str, datetime]:
    """What is open, without warnings."""
    return {
        incident.key.removeprefix("blind_spot:"): incident.began_at
        for incident in scene.incidents.values()
        if incident.is_open and incident.detail.get("stage") != "last_one"
    }


def turn_hours(scene: Scene, is_open: bool) -> None:
    """As the field does it: of those that work nobody is told."""
    for name, standing in scene.stations.items():
        if standing.open is not is_open:
            if standing.working:
                scene.stations[name] = msgspec.structs.replace(standing, open=is_open)
            else:
                scene.change(name, open=is_open)


def on_out_of_hours(scene: Scene) -> bool:
    """A process that begins now would not know when such a station was last on within its hours."""
    return any(s.state == "online" and not s.open for s in scene.stations.values())


EXCUSED_AND_BACK = [(0, "A", "falls"), (36, "A", "is excused"), (37, "A", "is expected again")]


@example([(2, "A", "falls"), (26, "A", "goes")], set())
@example([*EXCUSED_AND_BACK, (38, "A", "comes"), (39, "A", "falls")], set())
@settings(max_examples=80)
@given(timetables, st.sets(st.integers(1, LENGTH - 1), max_size=5))
def test_it_is_as_if_everything_were_looked_at_every_hour(
    timetable: list[tuple[int, str, str]], restarts: set[int]
) -> None:
    scene, oracle = Scene(SETTINGS, dict.fromkeys(PATHS, HOURS), START), Oracle()
    for name, path in PATHS.items():
        scene.add(name, path=path, open=False, since=START - DAY)
    for hour in range(LENGTH):
        turn_hours(scene, HOURS.is_open(scene.now))
        for _, name, event in sorted(entry for entry in timetable if entry[0] == hour):
            scene.change(name, **EVENTS[event])
        scene.go()
        oracle.note(scene)
        assert open_spots(scene) == oracle.open(), scene.now
        if hour in restarts and not on_out_of_hours(scene):
            scene.restart()
            assert open_spots(scene) == oracle.open(), scene.now
        scene.now += timedelta(hours=1)


@given(timetables, st.sets(st.integers(1, LENGTH - 1), min_size=1, max_size=8))
@settings(max_examples=30)
def test_a_restart_changes_nothing_of_what_people_are_told(
    timetable: list[tuple[int, str, str]], restarts: set[int]
) -> None:
    def play(stops: set[int]) -> list[tuple[str, str]]:
        scene = Scene(SETTINGS, dict.fromkeys(PATHS, HOURS), START)
        for name, path in PATHS.items():
            scene.add(name, path=path, open=False, since=START - DAY)
        for hour in range(LENGTH):
            turn_hours(scene, HOURS.is_open(scene.now))
            for _, name, event in sorted(entry for entry in timetable if entry[0] == hour):
                scene.change(name, **EVENTS[event])
            scene.go()
            if hour in stops:
                scene.restart()
            scene.now += timedelta(hours=1)
        return scene.told

    assert play(restarts) == play(set())
