"""The stations and terminals of a simulated fleet: first the stations of the demo, then numbered ones."""

import csv
from pathlib import Path
from typing import Final

from agents.simulator.machine.actions import TerminalProfile

DATA: Final = Path(__file__).parent / "data"
AREAS: Final = DATA / "areas.csv"
STATIONS: Final = DATA / "stations.csv"
OWN_STATION: Final = "6321220007"
"""The station of the demo for the machine that it runs on; it is not simulated."""
_COUNTIES: Final = ("630202", "630203", "630222", "630223", "630224", "630225")
_FIRST_SERIAL: Final = 1001
_SERIALS: Final = 9999 - _FIRST_SERIAL + 1
MOST_STATIONS: Final = _SERIALS * len(_COUNTIES)


def demo_stations() -> list[tuple[str, str]]:
    """(station, area code) of the demo fleet."""
    with STATIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [(row["id"], row["area"]) for row in rows if row["id"] != OWN_STATION]


def stations(count: int) -> list[tuple[str, str]]:
    """The first `count` stations: those of the demo, then numbered ones, spread over its counties."""
    more = ((f"{county}{_FIRST_SERIAL + serial:04d}", county) for serial in range(_SERIALS) for county in _COUNTIES)
    known = demo_stations()
    return [*known[:count], *(one for one, _ in zip(more, range(count - len(known)), strict=False))]


def profiles(count: int, *, terminals: int, every: float, sample: float) -> list[TerminalProfile]:
    """The terminals of `count` stations, `terminals` each: 001, 002, …"""
    return [
        TerminalProfile(station=station, terminal=f"{number:03d}", area=area, every=every, sample=sample)
        for station, area in stations(count)
        for number in range(1, terminals + 1)
    ]
