"""The oracle of misnumbering stations: which stations a bridge must name, computed from the truth.

A station that numbers its heartbeats correctly must never be named, whatever other faults it or the platform has. A
station that skips four of seven numbers must be named after about twenty heartbeats of one connection within one run of
a bridge.
"""

from collections.abc import Collection, Iterator, Mapping

from tests.instrument.ground_truth import Truth
from tests.instrument.oracle import Oracle, Span, Verdicts

ENOUGH = 20
"""Heartbeats of one connection after which the station must be named."""


def compare_names(truth: Truth, oracle: Oracle, named: Mapping[str, Collection[str]]) -> Verdicts:
    """Compare the named stations with the truth; `named`: the stations that the bridge of each shard named."""
    skips = {truth.places[number].name: number for number, odd in truth.odd.items() if odd.kind == "skip"}
    every = {station for stations in named.values() for station in stations}
    return Verdicts(
        false=[f"{station}: named, and numbers rightly" for station in sorted(every - skips.keys())],
        missed=[
            f"{station}: numbers wrongly, and was not named"
            for station, number in skips.items()
            if station not in every and any(_counted(truth, oracle, number))
        ],
    )


def _counted(truth: Truth, oracle: Oracle, number: int) -> Iterator[bool]:
    """For each connection between two stops of the bridge: whether enough of it was heard to name the station."""
    place, begin = truth.places[number], truth.odd[number].begin * 60
    for life in oracle.lives(number):
        stops = [(s.begin * 60, s.end * 60) for s in truth.stops if s.part == "bridge" and s.where == life.shard]
        for since, until in _between((max(life.first, begin), life.last), stops):
            yield until - since > ENOUGH * place.every * 60


def _between(span: tuple[float, float], stops: list[Span]) -> Iterator[tuple[float, float]]:
    since, until = span
    for begin, end in sorted(stops):
        if begin < until and end > since:
            yield since, begin
            since = end
    yield since, until
