"""Stations that fall together: the checker finds where Milepost is blind without reason, or not blind with reason."""

from collections.abc import Sequence
from typing import Any

import pytest

from agents.simulator.checker import check
from agents.simulator.journal import Entry, FleetEnded, HeartbeatSent, LinkChanged, StatusSent
from agents.simulator.lives import history
from agents.simulator.seen import BlindIncident, ReportedPlatform, ReportedStation, VerdictSpan
from agents.simulator.spans import Span

EPOCH, EVERY, ENDED, FELL = 1_800_000_000_000, 10.0, 2000.0, 1003.0
SUSPECTED = ("shard_suspected",)


def ms(seconds: float) -> int:
    return EPOCH + round(seconds * 1000)


def station(number: int) -> str:
    return f"630222{number:04d}"


def life(number: int, fell: float | None, why: str, began: float, every: float = EVERY) -> list[Entry]:
    """Heartbeats until it fell (None: to the end), and how its connection ended."""
    until = ENDED if fell is None else fell
    offset = began + number % 10 * every / 10
    times = [offset + place * every for place in range(int((until - offset) / every) + 1)]
    who: dict[str, Any] = {"station": station(number), "terminal": "001"}
    beats = [HeartbeatSent(at=ms(at), boot="b", run=1, n=n, every=every, **who) for n, at in enumerate(times)]
    if fell is None:
        return [*beats]
    goodbye = [StatusSent(at=ms(fell), state="away", **who)] if why == "away" else []
    return [*beats, *goodbye, LinkChanged(at=ms(fell), up=False, why=why, **who)]


def blind(causes: Sequence[str] = SUSPECTED, reasons: Sequence[str] = (), *, at: float = FELL + 10) -> BlindIncident:
    return BlindIncident(began=ms(at), ended=None, causes=causes, reasons=reasons)


def found(
    blinds: list[BlindIncident],
    *,
    fallen: int = 25,
    all_: int = 25,
    began: float = 0.0,
    why: str = "killed",
    openings: list[Span] | None = None,
    closures: list[Span] | None = None,
    reads: str = "unknown",
    others_read: str = "online",
    platform: ReportedPlatform | None = None,
    every: float = EVERY,
) -> set[str]:
    """The kinds of findings when `fallen` of `all_` stations fell at FELL and read so from then on."""
    entries = [
        entry for number in range(all_) for entry in life(number, FELL if number < fallen else None, why, began, every)
    ]
    entries.append(FleetEnded(at=ms(ENDED)))

    def seen(number: int) -> ReportedStation:
        after = reads if number < fallen else others_read
        missed = FELL + every - (FELL - began - number % 10 * every / 10) % every
        spans = [(began - 100, began, "never_seen"), (began, missed, "online"), (missed, ENDED, after)]
        return ReportedStation(
            timeline=[VerdictSpan(begin=ms(begin), end=ms(end), verdict=verdict) for begin, end, verdict in spans],
            health=[],
            openings=openings,
            closures=closures or [],
        )

    told = platform or ReportedPlatform(blind=blinds)
    by_station = {station(number): seen(number) for number in range(all_)}
    return {one.kind for one in check(history(sorted(entries, key=lambda e: e.at)), by_station, platform=told)}


CLOSING = [(ms(-5000), ms(1000))]
"""Open until they are switched off at the wall."""


def test_a_shard_that_fell_is_rightly_suspected() -> None:
    assert found([blind()]) == set()
    assert found([blind()], fallen=24, all_=29) == set()


@pytest.mark.parametrize("why", ["killed", "cut"])
@pytest.mark.parametrize("causes", [SUSPECTED, ("blind",), ("blind", "shard_suspected")])
def test_stations_that_are_switched_off_when_they_close_blind_nobody(causes: Sequence[str], why: str) -> None:
    assert found([], openings=CLOSING, reads="closed", why=why) == set()
    assert found([blind(causes)], openings=CLOSING, why=why) == {"blind_wrongly"}


def test_so_it_is_when_the_last_heartbeat_may_have_been_lost() -> None:
    assert found([blind(("blind",), at=FELL + 2)], openings=CLOSING, every=1.0) == {"blind_wrongly"}


@pytest.mark.parametrize(
    ("fallen", "all_", "openings", "began"),
    [
        pytest.param(19, 19, None, 0.0, id="fewer than twenty"),
        pytest.param(22, 30, None, 0.0, id="less than four fifths of them"),
        pytest.param(25, 25, [(ms(-5000), ms(1500))], 0.0, id="they close within ten minutes after their deadline"),
        pytest.param(25, 25, [(ms(500), ms(9000))], 0.0, id="they opened less than ten minutes before"),
        pytest.param(25, 25, None, 600.0, id="they were online for less than ten minutes"),
    ],
)
def test_what_is_no_mass_fall_gives_no_reason_to_suspect_a_shard(
    fallen: int, all_: int, openings: list[Span] | None, began: float
) -> None:
    assert found([], fallen=fallen, all_=all_, openings=openings, began=began, reads="offline") == set()
    assert found([blind()], fallen=fallen, all_=all_, openings=openings, began=began) == {"blind_wrongly"}


def test_who_says_goodbye_gives_no_reason_to_suspect_a_shard() -> None:
    assert found([blind()], why="away", reads="away") == {"blind_wrongly"}


@pytest.mark.parametrize(
    "of_ours",
    [
        pytest.param(blind(("blind", "gap"), ("tick_lost",)), id="ticks were lost"),
        pytest.param(blind(("behind",)), id="the judge is behind"),
        pytest.param(blind(("unstable",), ("messages_lost",)), id="gaps recur"),
        pytest.param(blind(("blind",), at=300.0), id="long before"),
        pytest.param(blind(at=-300.0), id="before the journal began"),
    ],
)
def test_an_outage_of_ours_may_be_at_the_same_time(of_ours: BlindIncident) -> None:
    assert found([of_ours], openings=CLOSING) == set()


def test_a_broker_that_falls_takes_its_stations_with_it() -> None:
    why = "the broker closed the connection"
    assert found([blind(("blind",))], began=600.0, why=why) == set()


def test_a_shard_that_fell_and_is_not_suspected_is_found() -> None:
    assert found([], reads="offline") == {"blind_missed"}
    assert found([blind()], reads="offline") == set()


def test_a_declared_closure_leaves_open_whether_a_fall_counts() -> None:
    closures = [(ms(900), ms(2000))]
    assert found([], reads="offline", closures=closures) == set()
    assert found([blind()], closures=closures) == set()


@pytest.mark.parametrize("platform", [{"others": 30}, {"shards": 2}], ids=["others", "another shard"])
def test_what_the_journal_cannot_know_is_no_finding(platform: dict[str, Any]) -> None:
    assert found([], reads="offline", platform=ReportedPlatform(**platform)) == set()
    assert found([], openings=CLOSING, platform=ReportedPlatform(blind=[blind()], **platform)) == set()


def test_who_is_heard_is_not_unknown_with_the_shard() -> None:
    assert found([blind()], all_=30, others_read="unknown") == {"unknown_wrongly"}
    assert found([], fallen=0, others_read="unknown") == {"unknown_wrongly"}
    assert found([blind(("blind", "gap"), ("tick_lost",))], fallen=0, others_read="unknown") == set()


def test_a_finding_about_milepost_itself_names_no_station() -> None:
    entries = [entry for number in range(5) for entry in life(number, None, "", 0.0)]
    journal = history(sorted(entries, key=lambda e: e.at))
    seen = {one: ReportedStation(timeline=[], health=[]) for one in journal.stations}
    (finding,) = check(journal, seen, platform=ReportedPlatform(blind=[blind(at=500.0)]))
    assert str(finding).startswith("blind_wrongly: Milepost itself: ")
