"""The oracle of `unusable` incidents: which stations must have one, computed from the truth. Times are seconds since
the beginning of the month.

A station reports `unusable` from a heartbeat after its service broke until a heartbeat after the repair, of those that
reached the log. An incident opens when that lasts for the grace within one opening. There is one incident for the whole
fault, whatever the opening hours.
"""

from collections.abc import Iterator, Sequence
from math import inf

from alerting.incidents.book import Incident
from tests.instrument.ground_truth import Truth
from tests.instrument.oracle import TICK, K, Life, Oracle, Span, Verdicts
from tests.instrument.oracle_incidents import openings_of

GRACE = 9000
"""Five heartbeats of half an hour; the default is five heartbeats of a minute."""
MARGIN = 10 * TICK
"""Tolerance: the incident process makes a pass only every five minutes while no transitions arrive."""


def compare_use(
    truth: Truth, oracle: Oracle, number: int, lives: Sequence[Life], incidents: Sequence[Incident]
) -> Verdicts:
    """Compare the incidents of one station with its true fault."""
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
    """The intervals in which the station was surely heard and had reported `unusable`."""
    yield from ((max(life.first, span[0] + every), min(life.last, span[1])) for life in lives)


def _maybe(lives: Sequence[Life], span: Span, every: float) -> Iterator[tuple[float, float]]:
    """The intervals in which the station may count as online and unusable.

    A silent station counts as online until the judge decides `offline`; a silence that ends before that does not count.
    """
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
    """Whether the station surely reported after the repair that it works."""
    after = ((max(life.first, mended), life.last) for life in lives)
    return any(_lasts(one, every + MARGIN) and not _is_near(blind, one) for one in after)
