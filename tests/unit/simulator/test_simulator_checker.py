"""The checker must find what is planted, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.simulator import journal
from agents.simulator.checker import check
from agents.simulator.journal import (
    BrokenJournalError,
    Entry,
    GarbageSent,
    HeartbeatSent,
    LinkChanged,
    RecordMade,
    RecordsAcked,
    StatusSent,
)
from agents.simulator.lives import history
from agents.simulator.seen import Disagreement, ExpectedRules, ReportedStation, StoredRecord, VerdictSpan

STATION, EPOCH = "6302220001", 1_800_000_000_000


def ms(seconds: float) -> int:
    return EPOCH + round(seconds * 1000)


def beats(*spans: tuple[float, float], every: float = 2.0, terminal: str = "001", clone: bool = False) -> list[Entry]:
    """Heartbeats from begin to end (seconds) of each span."""
    times = [begin + number * every for begin, end in spans for number in range(int((end - begin) / every) + 1)]
    return [
        HeartbeatSent(
            at=ms(at), station=STATION, terminal=terminal, clone=clone, boot="b", run=1, n=n, every=every
        )
        for n, at in enumerate(times)
    ]  # fmt: skip


def timeline(*spans: tuple[float, float, str]) -> list[VerdictSpan]:
    return [VerdictSpan(begin=ms(begin), end=ms(end), verdict=verdict) for begin, end, verdict in spans]


def found(
    entries: list[Entry],
    intervals: list[VerdictSpan],
    *,
    health: list[StoredRecord] | None = None,
    incidents: list[int] | None = None,
    deadletters: int | None = None,
) -> list[str]:
    seen = ReportedStation(timeline=intervals, health=health or [], incidents=incidents or [], deadletters=deadletters)
    return [one.kind for one in check(history(sorted(entries, key=lambda e: e.at)), {STATION: seen}, ExpectedRules())]


ONLINE = timeline((0, 100, "online"))
FELL = timeline((0, 32, "online"), (32, 60, "offline"), (60, 100, "online"))
SILENT = beats((0, 30), (60, 100))


def test_a_silence_that_was_called_offline_is_right() -> None:
    assert found(SILENT, FELL, incidents=[ms(32)]) == []


def test_a_planted_false_offline_is_found() -> None:
    assert found(beats((0, 100)), FELL, incidents=[ms(32)]) == ["false_incident", "false_offline", "shut_out"]


def test_a_short_false_offline_beside_a_true_one_is_found() -> None:
    twice = timeline((0, 32, "online"), (32, 60, "offline"), (60, 80, "online"), (80, 81, "offline"))
    assert found(SILENT, twice) == ["false_offline"]


def test_a_silence_that_nobody_noticed_is_found() -> None:
    assert found(SILENT, ONLINE) == ["missed_offline"]


@pytest.mark.parametrize(
    ("every", "fell"), [(10.0, 25.0), (60.0, 75.0)], ids=["ten seconds late is not enough", "nor at a minute"]
)
def test_a_silence_shorter_than_any_deadline_must_not_be_called_offline(every: float, fell: float) -> None:
    entries = beats((0, 600), every=every)
    intervals = timeline((0, fell, "online"), (fell, fell + 1, "offline"), (fell + 1, 600, "online"))
    assert found(entries, intervals) == ["false_offline"]


def test_a_silence_while_milepost_was_blind_need_not_be_known() -> None:
    blind = timeline((0, 32, "online"), (32, 55, "unknown"), (55, 100, "online"))
    assert found(SILENT, blind) == []


def test_blind_long_before_the_end_is_no_excuse() -> None:
    blind = timeline((0, 32, "online"), (32, 38, "unknown"), (38, 100, "online"))
    assert found(SILENT, blind) == ["missed_offline"]


@pytest.mark.parametrize(
    ("openings", "expected"),
    [
        pytest.param([(0, 33)], [], id="it closed before its deadline"),
        pytest.param([(0, 33), (55, 100)], [], id="and opened again shortly before it was back"),
        pytest.param([(0, 45)], ["missed_offline"], id="it fell long before it closed"),
        pytest.param([(0, 20), (40, 100)], ["missed_offline"], id="it was silent when it opened"),
    ],
)
def test_a_silence_outside_of_the_opening_hours_need_not_be_offline(
    openings: list[tuple[float, float]], expected: list[str]
) -> None:
    closed = ReportedStation(
        timeline=timeline((0, 32, "online"), (32, 60, "closed"), (60, 100, "online")),
        health=[],
        openings=[(ms(begin), ms(end)) for begin, end in openings],
    )
    assert [one.kind for one in check(history(SILENT), {STATION: closed})] == expected


def test_a_station_is_silent_only_when_all_its_terminals_are() -> None:
    both = [*SILENT, *beats((0, 100), terminal="002")]
    assert found(both, ONLINE) == []
    assert found(both, FELL) == ["false_offline", "shut_out"]


def test_away_is_no_silence_until_it_is_overdue() -> None:
    told = StatusSent(at=ms(30.5), station=STATION, terminal="001", state="away", back_at=ms(58))
    assert found([*SILENT, told], timeline((0, 30, "online"), (30, 60, "away"), (60, 100, "online"))) == []
    assert found([*SILENT, told], FELL) == ["false_offline"]


def test_whoever_is_not_back_in_time_may_be_called_offline_at_once() -> None:
    told = StatusSent(at=ms(30.5), station=STATION, terminal="001", state="away", back_at=ms(59))
    overdue = timeline((0, 30, "online"), (30, 59, "away"), (59, 60, "offline"), (60, 100, "online"))
    assert found([*SILENT, told], overdue) == []


def test_a_clone_is_heard_as_its_original_is() -> None:
    heard = [*SILENT, *beats((30, 60), clone=True)]
    assert found(heard, ONLINE) == []
    assert found(heard, FELL) == ["false_offline", "shut_out"]


def test_a_clone_that_was_heard_twice_need_not_have_been_believed() -> None:
    heard = [*SILENT, *beats((34, 37), clone=True)]
    assert found(heard, FELL) == []


@pytest.mark.parametrize("verdict", ["offline", "away", "closed", "never_seen"])
def test_whoever_goes_on_sending_and_is_shut_out_is_found(verdict: str) -> None:
    """It was called offline for good reason, or said goodbye; but then it was back."""
    told = StatusSent(at=ms(30.5), station=STATION, terminal="001", state="away", back_at=ms(3600))
    back = [*beats((0, 30), (60, 200)), *([] if verdict == "offline" else [told])]
    assert found(back, timeline((0, 32, "online"), (32, 62, verdict), (62, 200, "online"))) == []
    assert found(back, timeline((0, 32, "online"), (32, 200, verdict))) == ["shut_out"]


def test_nobody_is_shut_out_while_milepost_is_blind() -> None:
    assert found(beats((0, 100)), timeline((0, 30, "online"), (30, 100, "unknown"))) == []


def test_a_heartbeat_that_may_have_died_with_its_link_decides_nothing() -> None:
    lost = LinkChanged(at=ms(30.2), station=STATION, terminal="001", up=False)
    earlier = timeline((0, 30, "online"), (30, 60, "offline"), (60, 100, "online"))
    assert found([*SILENT, lost], earlier) == []


RECORDS = [RecordMade(at=ms(5), station=STATION, terminal="001", box="b", id=n, kind="health") for n in (1, 2, 3)]
ACK = RecordsAcked(at=ms(6), station=STATION, terminal="001", box="b", ids=[(1, 2)])


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ([1, 2], []),
        ([1, 2, 3], []),
        ([1, 3], ["lost_record"]),
        ([1, 2, 2], ["stored_twice"]),
        ([1, 2, 4], ["never_sent"]),
    ],
    ids=["what was acknowledged", "and what was not yet", "a planted loss", "twice", "invented"],
)
def test_every_acknowledged_record_is_stored_once(stored: list[int], expected: list[str]) -> None:
    health = [StoredRecord("001", "b", number) for number in stored]
    assert found([*beats((0, 100)), *RECORDS, ACK], ONLINE, health=health) == expected


def test_an_id_that_a_machine_gave_twice_names_no_record() -> None:
    """It was set back: whichever record of the two came first is stored."""
    usage = [RecordMade(at=ms(5), station=STATION, terminal="001", box="b", id=n, kind="usage") for n in (1, 2, 3)]
    assert found([*beats((0, 100)), *usage, *RECORDS, ACK], ONLINE, health=[StoredRecord("001", "b", 3)]) == []


def test_records_of_others_are_nobody_s_fault() -> None:
    assert found(beats((0, 100)), ONLINE, health=[StoredRecord("001", "older", 1)]) == []


def test_garbage_must_be_named() -> None:
    spoilt = GarbageSent(at=ms(9), station=STATION, terminal="001", topic="t", size=3)
    assert found([*beats((0, 100)), spoilt], ONLINE, deadletters=0) == ["garbage_unnamed"]
    assert found([*beats((0, 100)), spoilt], ONLINE, deadletters=1) == []


def test_a_journal_is_read_as_it_was_written_but_for_a_last_line_cut_short() -> None:
    entries = [*SILENT, *RECORDS, ACK]
    lines = [journal.line(entry) for entry in entries]
    assert list(journal.read(lines)) == entries
    assert list(journal.read([*lines[:-1], lines[-1][:-3]])) == entries[:-1]
    with pytest.raises(BrokenJournalError, match="line 2 of the journal"):
        list(journal.read([lines[0], b"{}\n"]))


@given(
    st.lists(st.tuples(st.floats(4, 60), st.floats(20, 60)), min_size=1, max_size=6),
    st.sampled_from([1.0, 2.0, 10.0, 60.0]),
)
def test_a_faithful_judge_is_never_blamed_and_a_random_lie_is(lives: list[tuple[float, float]], every: float) -> None:
    """A judge by the promise alone (k heartbeats) agrees with the checker, whatever the terminal does."""
    at, entries, spans = 0.0, list[Entry](), list[tuple[float, float, str]]()
    for beating, silent in lives:
        entries += beats((at, at + beating * every), every=every)
        last = (entries[-1].at - EPOCH) / 1000
        at = last + silent * every / 10
        if at - last > 3 * every:
            spans.append((last + every, at, "offline"))
    entries += beats((at, at + 20 * every), every=every)
    assert found(entries, timeline(*spans)) == []
    ended = (entries[-1].at - EPOCH) / 1000
    lie = (ended - 8 * every, ended - 7 * every, "offline")
    assert "false_offline" in found(entries, timeline(*spans, lie)) or every < 2


def test_findings_name_the_station() -> None:
    seen = ReportedStation(timeline=FELL, health=[])
    finding, _ = check(history(beats((0, 100))), {STATION: seen})
    assert isinstance(finding, Disagreement)
    assert finding.station == STATION
    assert "sent heartbeats" in finding.text
