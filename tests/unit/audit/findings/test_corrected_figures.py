"""What approved corrections make of the figures of a day."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.days.figures import StationSources, figures_between
from audit.days.spans import length
from audit.findings.effects import CorrectedSpans, CorrectedTime, corrected_spans, differing
from audit.findings.rules import CountsAs
from tests.unit.audit.days.world import HOUR_MS, at, change, decided, gap

Said = tuple[float, float, str]


@dataclass(frozen=True)
class Case:
    """Open 9 to 17, closure 9 to 10, blind 10 to 11, offline 12 to 15."""

    why: str
    corrections: tuple[Said, ...]
    #: In hours: scheduled, excused, unknown, online, service due, usable.
    figures: tuple[float, ...]


CASES = [
    Case("nothing is corrected", (), (8, 1, 1, 3, 6, 3)),
    Case("an outage that was none", ((12, 15, "up"),), (8, 1, 1, 6, 6, 6)),
    Case("an outage that was longer", ((11, 12, "down"),), (8, 1, 1, 2, 6, 2)),
    Case("an outage that nobody answers for", ((12, 15, "excused"),), (8, 4, 1, 3, 3, 3)),
    Case("an outage that nobody can judge", ((12, 14, "unknown"),), (8, 1, 3, 3, 4, 3)),
    Case("online in spite of a closure", ((9, 10, "up"),), (8, 0, 1, 4, 7, 4)),
    Case("known though the platform was blind", ((10, 11, "down"),), (8, 1, 0, 3, 7, 3)),
    Case("only open hours count", ((0, 9, "up"), (17, 24, "down")), (8, 1, 1, 3, 6, 3)),
    Case("the last approval counts", ((12, 15, "up"), (12, 13, "down")), (8, 1, 1, 5, 6, 5)),
    Case("and is taken back", ((12, 15, "up"), (0, 24, "observed")), (8, 1, 1, 3, 6, 3)),
]


def spans(*said: Said) -> CorrectedSpans:
    return corrected_spans(CorrectedTime(at(begin), at(end), CountsAs(word)) for begin, end, word in said)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.why)
def test_corrected_time_counts_as_two_persons_decided(case: Case) -> None:
    sources = StationSources(
        changes=(change(1, -48, "online", True), change(2, 12, "offline"), change(3, 15, "online", True)),
        gaps=(gap(10, 11),),
        decided=decided([(9, 17)], [(9, 10)]),
        corrected=spans(*case.corrections),
    )
    found = figures_between(sources, at(0), at(24))
    assert tuple(getattr(found, name) / HOUR_MS for name in found.__struct_fields__) == case.figures


SAID = st.tuples(st.integers(0, 23), st.integers(1, 6), st.sampled_from(list(CountsAs))).map(
    lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[2].value)
)


@given(st.lists(SAID, max_size=8))
def test_no_moment_counts_twice_and_the_last_word_holds(said: list[Said]) -> None:
    found = spans(*said)
    parts = {name: getattr(found, name) for name in found.__struct_fields__}
    assert sum(map(length, parts.values())) == length(found.any)
    for hour in range(30):
        words = [word for begin, end, word in said if begin <= hour < end]
        inside = (round(at(hour).timestamp() * 1000), round(at(hour + 1).timestamp() * 1000))
        holding = [name for name, own in parts.items() if any(b <= inside[0] and inside[1] <= e for b, e in own)]
        assert holding == [word for word in words[-1:] if word != "observed"]
    assert differing(found, found) == []
    assert differing(spans(), found) == found.any
