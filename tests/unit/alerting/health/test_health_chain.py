"""Chains of samples: joined in any order they say what the samples say one after another."""

from hypothesis import given
from hypothesis import strategies as st

from alerting.health.runs import MAX_RUNS, RecordRun, has_record, insert_record, spell_after
from alerting.health.spells import (
    CLEARED,
    MaybeChain,
    SampleLevel,
    Spell,
    SpellLimits,
    chain_of,
    join_chains,
    spell_after_chain,
)

HOLD, GAP = 20.0, 50.0
KEY = "rule|"
LIMITS = [
    SpellLimits(HOLD, GAP),
    SpellLimits(0.0, GAP),
    SpellLimits(0.0, GAP, latched=False),
    SpellLimits(HOLD, GAP, latched=False),
]

Samples = list[tuple[int, float, SampleLevel]]
"""(id, time, sample), ids ascending; a missing id is a record that has not come."""


@st.composite
def samples(draw: st.DrawFn) -> Samples:
    at, number, found = 0.0, 0, []
    for _ in range(draw(st.integers(1, 14))):
        at += draw(st.sampled_from([1.0, 5.0, 10.0, 60.0]))
        number += draw(st.sampled_from([1, 1, 1, 2]))
        found.append((number, at, draw(st.sampled_from(SampleLevel))))
    return found


def one_after_another(found: Samples, limits: SpellLimits, before: Spell | None = None) -> Spell | None:
    """The rule as it is told to people, sample by sample."""
    spell, last_id = before, None
    for number, at, sample in found:
        linked = last_id == number - 1 and spell is not None and at - spell.last <= limits.gap
        if sample is SampleLevel.CLEAR:
            spell = None
        elif spell is not None and (linked or (spell.fired and limits.latched)):
            spell = Spell(spell.fired or at - spell.began >= limits.hold, spell.began, at)
        elif sample is SampleLevel.BAD:
            spell = Spell(limits.hold <= 0, at, at)
        else:
            spell = None
        last_id = number
    return spell


def test_what_a_spell_is() -> None:
    c, m, b = SampleLevel.CLEAR, SampleLevel.BETWEEN, SampleLevel.BAD
    table: list[tuple[str, list[tuple[float, SampleLevel]], Spell | None]] = [
        ("one bad sample fires nothing", [(0, b)], Spell(False, 0, 0)),
        ("bad for the hold time fires", [(0, b), (10, b), (20, b)], Spell(True, 0, 20)),
        ("not quite", [(0, b), (19, b)], Spell(False, 0, 19)),
        ("between the thresholds it goes on", [(0, b), (10, m), (20, m)], Spell(True, 0, 20)),
        ("but does not begin there", [(0, m), (10, b), (20, b)], Spell(False, 10, 20)),
        ("clear ends it", [(0, b), (20, b), (21, c)], None),
        ("and it begins anew", [(0, b), (20, b), (21, c), (30, b)], Spell(False, 30, 30)),
        ("a gap proves nothing", [(0, b), (60, b)], Spell(False, 60, 60)),
        ("but does not end what fired", [(0, b), (20, b), (90, m)], Spell(True, 0, 90)),
    ]
    for why, rows, expected in table:
        chain: MaybeChain = chain_of(rows[0][1], rows[0][0], LIMITS[0])
        for at, sample in rows[1:]:
            chain = join_chains(chain, chain_of(sample, at, LIMITS[0]), LIMITS[0])
        assert spell_after_chain(None, chain, LIMITS[0], joined=False) == expected, why


@given(samples(), st.permutations(range(14)), st.sampled_from(LIMITS), st.sampled_from([None, True, False]))
def test_any_order_of_arrival_says_the_same(
    found: Samples, order: list[int], limits: SpellLimits, fired: bool | None
) -> None:
    before = None if fired is None else Spell(fired, -5.0, -1.0)
    runs: list[RecordRun] = []
    for place in [*order, *order]:
        if place < len(found):
            number, at, sample = found[place]
            if not has_record(runs, number):
                insert_record(runs, number, {KEY: chain_of(sample, at, limits)}, lambda _: limits)
    assert spell_after(before, runs, KEY, limits) == one_after_another(found, limits, before)
    assert [(run.low, run.high) for run in runs] == blocks([number for number, _, _ in found])


def blocks(numbers: list[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


@given(samples(), st.integers(0, 14), st.sampled_from(LIMITS))
def test_a_chain_of_chains_is_the_chain_of_all(found: Samples, cut: int, limits: SpellLimits) -> None:
    """Joining is associative: ((a b) c) == (a (b c))."""

    def chain(part: Samples) -> MaybeChain:
        result = chain_of(part[0][2], part[0][1], limits)
        for _, at, sample in part[1:]:
            result = join_chains(result, chain_of(sample, at, limits), limits)
        return result

    cut = cut % len(found)
    if cut:
        halves = join_chains(chain(found[:cut]), chain(found[cut:]), limits)
        assert spell_after_chain(None, halves, limits, joined=False) == spell_after_chain(
            None, chain(found), limits, joined=False
        )
        whole = chain(found)
        assert (halves is CLEARED) == (whole is CLEARED)


def test_holes_are_bounded_and_what_comes_too_late_is_known_already() -> None:
    runs: list[RecordRun] = []
    for number in range(0, 10 * MAX_RUNS, 2):
        insert_record(runs, number, {KEY: CLEARED}, lambda _: LIMITS[0])
    assert len(runs) == MAX_RUNS
    assert has_record(runs, 1)
    assert not has_record(runs, 10 * MAX_RUNS - 3)
