"""Which stations had to have an incident of being unusable, counted out from the truth by hand. Times are seconds of
the month.

A station said so from some heartbeat after its service broke to some heartbeat after it was mended, of those that
reached us. It is an incident when that lasted for a grace within one opening; one for all of it, whatever the station's
hours are.
"""

from collections.abc import Iterator, Sequence
from math import inf

from alerting.incidents.book import Incident
from tests.instrument.ground_truth import Truth
from tests.instrument.oracle import TICK, K, Life, Oracle, Span, Verdicts
from tests.instrument.oracle_incidents import openings_of

GRACE = 9000
"""Five heartbeats of half an hour, as it is five of a minute."""
MARGIN = 10 * TICK
"""The incident process makes a pass every five minutes when nothing happens."""


def compare_use(
    truth: Truth, oracle: Oracle, number: int, lives: Sequence[Life], incidents: Sequence[Incident]
) -> Verdicts:
    """The incidents of one station against what it was."""
    found = Verdicts([], [])
    broken = truth.unusable.get(number)
    if broken is None:
        found.false += [f"{one.key}, which always worked" for one in incidents]
        return found
    every, span = truth.places[number].every * 60, (broken.begin * 60, broken.end * 60)
    openings, blind = openings_of(truth.places[number]), oracle.blind(number)
    sure = list(_within(openings, _surely(lives, span, every)))
    may = list(_within(openings, _maybe(lives, span, every)))
    if len(incidents) > 1:
        found.false.append(f"{len(incidents)} incidents of one fault: {broken}")
    if incidents and not any(_lasts(one, GRACE - MARGIN) or _is_near(blind, one) for one in may):
        found.false.append(f"{incidents[0].key} of {incidents[0].began_at}, too short: {broken}")
    if not incidents and any(_lasts(one, GRACE + MARGIN) and not _is_near(blind, one) for one in sure):
        found.missed.append(f"no incident: {broken}")
    if any(one.is_open for one in incidents) and _worked(lives, span[1], every, blind):
        found.false.append(f"{incidents[0].key} is open, but it was mended: {broken}")
    return found


def _surely(lives: Sequence[Life], span: Span, every: float) -> Iterator[tuple[float, float]]:
    """When it was heard and had said so."""
    yield from ((max(life.first, span[0] + every), min(life.last, span[1])) for life in lives)


def _maybe(lives: Sequence[Life], span: Span, every: float) -> Iterator[tuple[float, float]]:
    """When it may count as online and of no use: until it is called offline nobody knows better, and a silence that is
    over before that is none."""
    begin = end = -inf
    for life in lives:
        if life.first > end:
            yield max(begin, span[0]), min(end, span[1] + every + MARGIN)
            begin = life.first
        end = life.last + (K + 1) * every
    yield max(begin, span[0]), min(end, span[1] + every + MARGIN)


def _within(openings: Sequence[Span], spans: Iterator[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    for begin, end in spans:
        both = ((max(begin, first * 60), min(end, last * 60)) for first, last in openings)
        yield from (one for one in both if one[0] < one[1])


def _lasts(span: tuple[float, float], least: float) -> bool:
    return span[1] - span[0] >= least


def _is_near(blind: Sequence[Span], span: tuple[float, float]) -> bool:
    return any(begin <= span[1] + GRACE and end >= span[0] - GRACE for begin, end in blind)


def _worked(lives: Sequence[Life], mended: float, every: float, blind: Sequence[Span]) -> bool:
    """Whether it surely said afterwards that it works."""
    after = ((max(life.first, mended), life.last) for life in lives)
    return any(_lasts(one, every + MARGIN) and not _is_near(blind, one) for one in after)
