"""Which stations had to be named because they number wrongly, counted out from the truth by hand.

Nobody may be named who numbers rightly, whatever else befalls him and us. Who leaves out four numbers of seven must be
named after some twenty heartbeats of one connection within one life of a bridge.
"""

from collections.abc import Collection, Iterator, Mapping

from tests.instrument.ground_truth import Truth
from tests.instrument.oracle import Oracle, Span, Verdicts

ENOUGH = 20
"""Heartbeats of one connection after which it must be plain."""


def compare_names(truth: Truth, oracle: Oracle, named: Mapping[str, Collection[str]]) -> Verdicts:
    """`named`: the stations that the bridge of each shard named."""
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
    """Of each connection whether so much of it was heard, between two stops of the bridge, that it must be plain."""
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
