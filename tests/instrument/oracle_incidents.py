"""The oracle of incidents: which silences must open an incident, computed from the opening hours. Times are seconds
since the beginning of the month.

A station that falls within its hours has an incident at once. A station that is down at its opening has an incident
after a grace, which begins at the opening or at the end of a gap. Outside its hours, a station has no new incident.
"""

from collections.abc import Iterator, Sequence
from math import inf

import msgspec

from alerting.incidents.book import Incident
from tests.instrument.ground_truth import ALWAYS, BEGIN, END, Place, Truth, openings
from tests.instrument.oracle import FLOOR, TICK, Oracle, Silence, Span, Verdicts

GRACE = 2700
"""Scaled like the heartbeats: long enough for a common cause to end after its stations came back."""


class Expected(msgspec.Struct, frozen=True):
    """A silence, and when its incident must open (inf: never); `sure`: the truth allows only this result."""

    silence: Silence
    at: float
    sure: bool


def expected(truth: Truth, oracle: Oracle, number: int, silence: Silence) -> Expected:
    place = truth.places[number]
    return Expected(silence, *_when(openings_of(place), silence, oracle.blind(number), place.every))


def openings_of(place: Place) -> Sequence[Span]:
    """The openings of the month, in minutes."""
    if place.kind == ALWAYS:
        return [(0, END)]
    return openings(place)


def _when(openings: Sequence[Span], silence: Silence, blind: Sequence[Span], every: int) -> tuple[float, bool]:
    """When the incident must open (inf: never), and whether the truth allows only this result."""
    margin = 2 * TICK + silence.slack
    for begin, end in ((first * 60, last * 60) for first, last in openings):
        if end <= silence.last or begin >= silence.next:
            continue
        found = [at for at in _in_opening(begin, silence, margin) if at < end + margin]
        if found:
            at = min(found)
            edges = (end - at, at - silence.next, begin - silence.since, begin - silence.gone_since)
            sure = all(abs(edge) > margin for edge in edges) and not _is_blind(blind, at, margin, every)
            return (at if at < silence.next else inf), sure
    return inf, True


def _in_opening(begin: float, silence: Silence, margin: float) -> Iterator[float]:
    if begin <= silence.since + margin and silence.due >= begin - margin:
        yield silence.due
    if silence.gone_since < begin + margin:
        yield max(begin + GRACE, silence.gone)


def _is_blind(blind: Sequence[Span], at: float, margin: float, every: int) -> bool:
    """Whether a gap may put off what is due. After a gap a station has at least two heartbeats, each `every` minutes,
    to be heard."""
    wait = max(GRACE, 2 * every * 60 + FLOOR)
    return any(since <= at + margin and until + wait >= at - margin for since, until in blind)


def compare_incidents(wanted: Sequence[Expected], found: Sequence[Incident]) -> Verdicts:
    """Compare the incidents with the expected ones: one for each silence that needs one, and no other."""
    wrong = Verdicts([], [])
    for one in wanted:
        mine = [i for i in found if _is_of(i, one.silence)]
        if len(mine) > 1:
            wrong.false.append(f"{len(mine)} incidents of one silence: {one}")
        elif mine and (one.at == inf or second(mine[0]) < one.at - 2 * TICK - one.silence.slack) and one.sure:
            wrong.false.append(f"{mine[0].key} at {second(mine[0])}: {one}")
        elif not mine and one.sure and one.at + 2 * TICK + one.silence.slack < min(one.silence.next, END * 60):
            wrong.missed.append(f"no incident: {one}")
    return wrong


def _is_of(incident: Incident, silence: Silence) -> bool:
    """Whether an incident belongs to a silence; an incident of an earlier silence may open late, after a stop of the
    incident process."""
    ended = incident.ended_at
    is_past = ended is not None and (ended - BEGIN).total_seconds() <= silence.last
    return not is_past and silence.last < second(incident) <= silence.next + 2 * TICK


def second(incident: Incident) -> float:
    """When an incident was opened, in seconds of the month."""
    return (incident.opened_at - BEGIN).total_seconds()
