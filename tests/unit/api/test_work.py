"""Long answers: written by a few threads, piece by piece, and saying the same as if they were written at once."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from alerting.stations.verdict import Verdict
from api.http.problems import Problem
from api.http.work import FEW, MOST_WAITING, Work, things_in, write
from api.read.schemas import Interval, Listing, Opening, Schedule, StationClosure, Timeline

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
INTERVAL = Interval(begin=NOW, end=NOW, verdict=Verdict.ONLINE, usable=None, evidence="live", revision=1)
OPENING = Opening(begin=NOW, end=NOW)
CLOSURE = StationClosure(id=1, kind="closure", begin=NOW, end=NOW, reason='"停电"', approved=True)


@pytest.fixture
def work() -> Iterator[Work]:
    opened = Work()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(Timeline(intervals=[]), id="nothing"),
        pytest.param(Timeline(intervals=[INTERVAL]), id="one"),
        pytest.param(Timeline(intervals=[INTERVAL] * 30), id="a list and nothing else"),
        pytest.param(Listing[Interval](items=[INTERVAL] * 30, next="x"), id="a list and a text"),
        pytest.param(
            Listing[Timeline](items=[Timeline(intervals=[INTERVAL] * 20)] * 20, next=None), id="lists in a list"
        ),
        pytest.param(
            Schedule(
                always=False,
                versions=[],
                openings=[OPENING] * 20,
                closures=[CLOSURE] * 20,
                provisional=[NOW.date()] * 2,
            ),
            id="two lists of documents and one of days",
        ),
    ],
)
def test_an_answer_in_pieces_says_the_same(document: Timeline | Listing[Interval] | Schedule) -> None:
    whole = document.model_dump_json(by_alias=True)
    assert msgspec.json.decode(write(document)) == msgspec.json.decode(whole)


def test_things_are_counted_no_further_than_needed() -> None:
    assert things_in(Listing[Timeline](items=[Timeline(intervals=[INTERVAL])] * 3, next=None)) == 6
    assert things_in(Timeline(intervals=[INTERVAL] * 100_000)) == FEW + 1


async def test_much_is_done_by_another_thread_and_little_where_it_is(work: Work) -> None:
    here = threading.current_thread()
    assert await work.do(FEW, threading.current_thread) is here
    assert (await work.do(FEW + 1, threading.current_thread)).name.startswith("api work")


async def test_the_loop_goes_round_while_something_large_is_made(work: Work) -> None:
    go_on = threading.Event()
    made = asyncio.create_task(work.do(FEW + 1, go_on.wait))
    await asyncio.sleep(0)
    assert not made.done()
    go_on.set()
    assert await made


async def test_what_waits_for_a_thread_is_bounded_and_little_goes_on(work: Work) -> None:
    go_on = threading.Event()
    waiting = [asyncio.create_task(work.do(FEW + 1, go_on.wait)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as refused:
        await work.do(FEW + 1, go_on.wait)
    assert refused.value.status == 503
    assert await work.do(1, lambda: "answered") == "answered"
    go_on.set()
    assert all(await asyncio.gather(*waiting))
    assert await work.do(FEW + 1, lambda: "room again") == "room again"
