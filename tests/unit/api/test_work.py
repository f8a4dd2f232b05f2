"""Long answers: written by a few threads, piece by piece, and saying the same as if they were written at once."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import walk_packages

import msgspec
import pytest
from fastapi.routing import APIRoute

from alerting.stations.verdict import Verdict
from api import v1
from api.http.problems import Problem
from api.http.work import FEW, MOST_PAGES, MOST_WAITING, Work, WorkPage, WorkRoute, things_in, write
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


def test_every_document_of_the_api_is_written_by_worker_threads() -> None:
    modules = [import_module(found.name) for found in walk_packages(v1.__path__, "api.v1.")]
    found = [route for module in modules if hasattr(module, "router") for route in module.router.routes]
    documents = [route for route in found if isinstance(route, APIRoute) and route.response_model is not None]
    assert len(documents) > 60
    # The answers of these are some words.
    others = {route.path for route in documents if not isinstance(route, WorkRoute)}
    assert others == {"/healthz", "/readyz", "/signin-links"}


def test_an_endpoint_that_has_no_threads_is_no_work() -> None:
    async def nothing() -> Timeline:
        return Timeline(intervals=[])

    with pytest.raises(TypeError, match="nothing needs a parameter context"):
        WorkRoute("/nothing", nothing)


async def test_pages_that_wait_are_bounded(work: Work) -> None:
    go_on = threading.Event()
    waiting = [asyncio.create_task(work.make_page(lambda: str(go_on.wait()))) for _ in range(MOST_PAGES)]
    await asyncio.sleep(0)
    page = WorkPage(lambda: "<p>", 200, {})
    with pytest.raises(Problem) as refused:
        await page.finish(work)
    assert refused.value.status == 503
    go_on.set()
    assert set(await asyncio.gather(*waiting)) == {"True"}
    await page.finish(work)
    assert (page.body, page.headers["Content-Length"]) == (b"<p>", "3")


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
