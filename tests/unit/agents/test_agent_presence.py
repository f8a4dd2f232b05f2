"""A whole outage is one presence record, a new one at each change of `usable`."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agents.presence import SHORTEST, Moment, PresenceTracker, Span

HOUR = 3_600_000


def moment(up: float, *, wall: int = HOUR) -> Moment:
    return Moment(wall + round(up * 1000), up)


def online(until: float) -> PresenceTracker:
    presence = PresenceTracker(moment(0), True)
    presence.back(moment(0.5))
    presence.heard(moment(until))
    return presence


def test_an_outage_begins_when_the_link_was_last_heard() -> None:
    presence = online(until=100)
    presence.lost(moment(160), True)
    assert presence.is_down
    assert presence.back(moment(400)) == Span(moment(100), moment(400), True)
    assert not presence.is_down


def test_the_time_before_the_first_connection_is_an_outage_too() -> None:
    presence = PresenceTracker(moment(0), None)
    assert presence.is_down
    assert presence.back(moment(30)) == Span(moment(0), moment(30), None)


def test_a_blip_is_none() -> None:
    presence = online(until=100)
    presence.lost(moment(100.2), True)
    assert presence.back(moment(100.9)) is None


def test_failing_attempts_do_not_cut_the_outage() -> None:
    presence = online(until=100)
    presence.lost(moment(160), True)
    presence.lost(moment(200), True)
    assert presence.back(moment(300)) == Span(moment(100), moment(300), True)


def test_a_change_of_usable_ends_one_record_and_begins_another() -> None:
    presence = online(until=100)
    presence.lost(moment(110), True)
    assert presence.running(moment(200), True) == (None, Span(moment(100), moment(200), True))
    ended, current = presence.running(moment(250), False)
    assert ended == Span(moment(100), moment(250), True)
    assert current == Span(moment(250), moment(250), False)
    assert presence.back(moment(300)) == Span(moment(250), moment(300), False)


def test_nothing_runs_while_the_link_is_up() -> None:
    presence = online(until=100)
    assert presence.running(moment(101), False) == (None, None)
    assert presence.back(moment(102)) is None


def test_a_clock_that_jumps_moves_neither_the_order_nor_the_length() -> None:
    presence = online(until=100)
    presence.lost(moment(160, wall=0), True)
    span = presence.back(moment(400, wall=50 * HOUR))
    assert span is not None
    assert span.seconds == 300
    assert span.begin == Moment(100_000, 100)  # by the clock of the moment at which the loss was noticed


def test_the_record_tells_both_clocks() -> None:
    record = Span(moment(100), moment(400), False).record(7)
    assert (record.id, record.at, record.up) == (7, HOUR + 100_000, 100)
    assert (record.until, record.until_up, record.usable) == (HOUR + 400_000, 400, False)


STEPS = st.lists(
    st.tuples(st.floats(0.01, 500), st.sampled_from(["lost", "back", "heard", "running"]), st.booleans()), max_size=60
)


@given(STEPS)
def test_the_records_cover_every_outage_once(steps: list[tuple[float, str, bool]]) -> None:
    """Whatever happens, spans do not overlap, are long enough, and cover each outage but its blips."""
    presence, up, usable, spans = PresenceTracker(moment(0), False), 0.0, False, []
    heard, outages = 0.0, []
    for wait, step, value in [*steps, (1.0, "back", False)]:
        up += wait
        now = moment(up)
        if step == "lost":
            presence.lost(now, usable)
        elif step == "heard" and not presence.is_down:
            presence.heard(now)
            heard = up
        elif step == "running":
            usable = value
            ended, _ = presence.running(now, usable)
            spans += [ended] if ended else []
        elif step == "back":
            outages += [(heard, up)] if presence.is_down else []
            span = presence.back(now)
            spans += [span] if span else []
            heard = up
    assert not presence.is_down
    assert all(span.seconds >= SHORTEST for span in spans)
    assert all(one.end.up <= other.begin.up for one, other in pairwise(spans))
    assert all(one.end.at <= other.begin.at + 1 for one, other in pairwise(spans))
    changes = sum(step == "running" for _, step, _ in steps)
    covered = sum(span.seconds for span in spans)
    down = sum(end - begin for begin, end in outages)
    assert down - (changes + len(outages)) * SHORTEST <= covered + 1e-6
    assert covered <= down + 1e-6
