"""The comparison at the end of the demo: it ends although the terminals go on."""

from typing import Any, cast

import pytest

from agents.simulator.journal import HeartbeatSent, RecordMade, RecordsAcked
from agents.simulator.lives import History, history
from agents.simulator.seen import ReportedPlatform, ReportedStation, StoredRecord, VerdictSpan
from milepost.commands import check_api
from milepost.demo.fleet import DemoFleet
from milepost.demo.journal_check import JournalCheck
from milepost.stack.stack import Stack

STATION = "6302010001"
SECOND = 1000


class BusyFleet:
    """Each look at its journal finds one more record that was acknowledged."""

    looks = 0
    closed = False

    def read_journal(self) -> History:
        self.looks += 1
        named: dict[str, Any] = {"station": STATION, "terminal": "001"}
        beats = [
            HeartbeatSent(at=n * SECOND, boot="b", every=2.0, run=1, n=n, usable=True, **named) for n in range(1, 20)
        ]
        numbers = range(1, self.looks + 1)
        made = [RecordMade(at=SECOND, box="b", id=number, kind="health", **named) for number in numbers]
        acked = RecordsAcked(at=SECOND, box="b", ids=[(1, self.looks)], **named)
        return history([*beats, *made, acked])

    def close_journal(self) -> None:
        self.closed = True


class NoStack:
    api_url, admin_token = "http://127.0.0.1:1", "t"


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The numbers of the stored records, which the system shows."""
    numbers: set[int] = set()

    async def stations(_url: str, _token: str, found: History) -> dict[str, ReportedStation]:
        health = [StoredRecord("001", "b", number) for number in sorted(numbers)]
        span = VerdictSpan(begin=SECOND, end=20 * SECOND, verdict="online")
        return {station: ReportedStation(timeline=[span], health=health) for station in found.stations}

    async def platform(_url: str, _token: str, _found: History) -> ReportedPlatform:
        return ReportedPlatform(blind=[], shards=1, others=0)

    monkeypatch.setattr(check_api, "stations", stations)
    monkeypatch.setattr(check_api, "platform", platform)
    return numbers


async def test_records_of_a_moment_ago_do_not_keep_it_from_its_end(stored: set[int]) -> None:
    fleet = BusyFleet()
    check = JournalCheck(cast("DemoFleet", fleet), cast("Stack", NoStack()))
    assert await check.agree() is None, "the record was acknowledged, and is not stored yet"
    stored.add(1)
    assert await check.agree() == {"stations": 1, "records": 1}, "the newest record is not stored yet"
    assert fleet.closed


async def test_a_record_that_was_lost_keeps_it_from_its_end(stored: set[int]) -> None:
    check = JournalCheck(cast("DemoFleet", BusyFleet()), cast("Stack", NoStack()))
    for number in (2, 3, 4):
        stored.add(number)
        assert await check.agree() is None
