"""Compares what terminals reported about being usable with the verdicts of Milepost on their station. Pure.

A station is unusable when every terminal that reports `usable` reports false. A terminal that is silent for longer than
its `every` allows counts neither way. Times are milliseconds since the epoch.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from agents.simulator.spans import Span, common, united, without


class UsableReport(NamedTuple):
    """A heartbeat: when, the seconds until the next, what it said (None: nothing), and whether it surely arrived."""

    at: int
    every: float
    usable: bool | None
    sure: bool = True


class Patience(NamedTuple):
    """Seconds: `k` heartbeats may be missed, `slack` for messages on their way, `grace` before an incident."""

    k: float
    slack: float
    grace: float


def unusable(voices: Sequence[Sequence[UsableReport]], began: int, ended: int, patience: Patience) -> list[Span]:
    """When the station of these terminals must be called unusable, after the seconds that Milepost has to notice."""
    no = [_no(voice, patience) for voice in voices]
    silent = [_silent(voice, began, ended, patience) for voice in voices]
    never_yes = [[*_since_no(voice, ended), *other] for voice, other in zip(voices, silent, strict=True)]
    nobody = common([united(spans) for spans in never_yes])
    found = common([nobody, united(span for spans in no for span in spans)])
    late = _ms(slowest(voices) + patience.slack)
    return [
        (begin + late, end - _ms(patience.slack)) for begin, end in found if begin + late < end - _ms(patience.slack)
    ]


def usable(voices: Iterable[Sequence[UsableReport]], patience: Patience) -> list[Span]:
    """When a terminal surely said that it can be used."""
    return united(
        (one.at, two.at)
        for voice in voices
        for one, two in pairwise(voice)
        if one.sure and two.sure and one.usable and two.usable and _kept(one, two, patience)
    )


def suspects(voices: Iterable[Sequence[UsableReport]], ended: int) -> list[Span]:
    """When the last heartbeat of a terminal had `usable: false`, whether it arrived or not."""
    return united(
        (one.at, two.at)
        for voice in voices
        for one, two in pairwise([*voice, UsableReport(ended, 0.0, None)])
        if one.usable is False
    )


def slowest(voices: Iterable[Sequence[UsableReport]]) -> float:
    """The longest `every` of all heartbeats, in seconds; 0 without any."""
    return max((said.every for voice in voices for said in voice), default=0.0)


def longest(spans: Iterable[Span]) -> Span | None:
    """The longest span; None without any."""
    return max(spans, key=lambda span: span[1] - span[0], default=None)


def expected(spans: Iterable[Span], openings: Sequence[Span] | None, closures: Iterable[Span]) -> list[Span]:
    """The parts of spans in which the station was open (`openings` None: always) and no closure was declared."""
    within = list(spans) if openings is None else common([list(spans), openings])
    return without(within, closures)


def _no(voice: Sequence[UsableReport], patience: Patience) -> list[Span]:
    """From a heartbeat with `usable: false` that surely arrived until the next heartbeat, or until it is overdue."""
    found = []
    for one, two in pairwise([*voice, None]):
        if one is None or not one.sure or one.usable is not False:
            continue
        promised = one.at + _ms(one.every)
        found.append((one.at, two.at if two is not None and _kept(one, two, patience) else promised))
    return united(found)


def _since_no(voice: Sequence[UsableReport], ended: int) -> list[Span]:
    """From a heartbeat with `usable: false` that surely arrived until the next, even if the terminal was offline."""
    following = pairwise([*voice, UsableReport(ended, 0.0, None)])
    return [(one.at, two.at) for one, two in following if one.sure and one.usable is False]


def _silent(voice: Sequence[UsableReport], began: int, ended: int, patience: Patience) -> list[Span]:
    """When a terminal is surely called offline, or does not report `usable`."""
    first = voice[0] if voice else None
    every = first.every if first else 0.0
    found = [(began + _over(every, patience), first.at if first else ended)]
    for one, two in pairwise([*voice, UsableReport(ended, 0.0, None)]):
        found.append((one.at + _over(one.every, patience), two.at))
        if one.usable is None:
            found.append((one.at, two.at))
    return united(found)


def _kept(one: UsableReport, two: UsableReport, patience: Patience) -> bool:
    return two.at - one.at <= _ms(patience.k * one.every)


def _over(every: float, patience: Patience) -> int:
    return _ms(patience.k * every + patience.slack)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
