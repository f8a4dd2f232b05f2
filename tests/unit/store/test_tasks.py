"""Retry loops pause longer after each failure, waiting has a bound, and tasks end for certain."""

import asyncio
import logging

import asyncpg
import pytest

from store import tasks as tasks_module
from store.tasks import (
    Backoff,
    background_task,
    end_tasks,
    repeat_while_reachable,
    wait_at_most,
    wait_for_first,
    wait_for_wake,
)

log = logging.getLogger(__name__)
AWAY = ConnectionResetError("away")
REFUSED = asyncpg.UniqueViolationError("written twice")


@pytest.mark.parametrize(
    ("first", "longest", "delays"),
    [
        pytest.param(0.2, 5.0, [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0], id="doubles up to the longest"),
        pytest.param(0.2, 0.3, [0.2, 0.3, 0.3], id="the longest need not be a multiple of the first"),
        pytest.param(0.5, 5.0, [0.5, 1.0, 2.0, 4.0, 5.0], id="the event stream begins with half a second"),
    ],
)
def test_delays(first: float, longest: float, delays: list[float]) -> None:
    backoff = Backoff(first=first, longest=longest)
    assert [backoff.next_delay() for _ in delays] == delays
    backoff.reset()
    assert backoff.next_delay() == first


def test_a_spread_delay_is_a_part_of_the_bound() -> None:
    backoff = Backoff(first=1.0, longest=4.0, spread=True)
    drawn = [(backoff.delay, backoff.next_delay()) for _ in range(200)]
    assert [bound for bound, _ in drawn[:4]] == [1.0, 2.0, 4.0, 4.0]
    assert all(0 <= seconds <= bound for bound, seconds in drawn)
    assert len({seconds for _, seconds in drawn}) > 100


async def test_an_error_that_may_pass_is_logged_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    backoff = Backoff(first=0.001, longest=1.0)
    await backoff.wait_out(AWAY, log, "the database is away", consumer="ingest")
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("WARNING", "the database is away")
    assert {"error": repr(AWAY), "retry_s": 0.001, "consumer": "ingest"}.items() <= vars(record).items()
    assert backoff.delay == 0.002


async def test_an_error_that_would_come_again_is_raised_at_once() -> None:
    backoff = Backoff(first=3600.0)
    with pytest.raises(asyncpg.UniqueViolationError) as raised:
        await backoff.wait_out(REFUSED, log, "the database is away")
    assert raised.value is REFUSED


async def test_an_error_that_is_not_of_the_database_is_waited_out() -> None:
    backoff = Backoff(first=0.001)
    await backoff.wait_out(ValueError("a lost lock"), log, "not leading")
    assert backoff.delay == 0.002


async def test_steps_are_repeated_while_the_database_is_away(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | None] = [AWAY, None, AWAY, AWAY, None]

    async def step() -> None:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    await repeat_while_reachable(step, log, "away", longest=0.001, goes_on=lambda: bool(outcomes))
    assert [record.message for record in caplog.records] == ["away"] * 3


async def test_steps_end_with_an_error_that_would_come_again_and_with_stop() -> None:
    stop = asyncio.Event()

    async def refused() -> None:
        raise REFUSED

    async def stops() -> None:
        stop.set()
        raise AWAY

    with pytest.raises(asyncpg.UniqueViolationError):
        await repeat_while_reachable(refused, log, "away", stop=stop)
    await repeat_while_reachable(stops, log, "away", longest=3600.0, stop=stop)
    await repeat_while_reachable(refused, log, "away", stop=stop)


async def test_stop_ends_a_pause() -> None:
    stop = asyncio.Event()
    pausing = asyncio.create_task(Backoff(first=3600.0).pause(stop))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(pausing, 5)


async def test_waiting_has_a_bound_and_leaves_the_event_as_it_is() -> None:
    event = asyncio.Event()
    await wait_at_most(event, 0.001)
    assert not event.is_set()
    event.set()
    await wait_at_most(event, 3600)
    assert event.is_set()


@pytest.mark.parametrize("is_set", [True, False])
async def test_waiting_for_a_wake_clears_it(is_set: bool) -> None:
    wake = asyncio.Event()
    if is_set:
        wake.set()
    await wait_for_wake(wake, 0.001)
    assert not wake.is_set()


async def test_the_first_that_ends_decides() -> None:
    async def fail() -> None:
        raise OSError("away")

    going = asyncio.create_task(asyncio.sleep(3600))
    await wait_for_first(going, asyncio.create_task(asyncio.sleep(0)))
    with pytest.raises(OSError, match="away"):
        await wait_for_first(going, asyncio.create_task(fail()))
    assert not going.done()
    await end_tasks(going)


async def test_a_background_task_ends_with_its_block() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async with background_task(work(), name="work"):
        await asyncio.wait_for(began.wait(), 5)
    assert ended.is_set()


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_module, "_CANCEL_AGAIN", 0.01)
    heard = 0

    async def deaf() -> None:
        nonlocal heard
        while heard < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                heard += 1

    async def failed() -> None:
        raise OSError("away")

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(failed()), asyncio.create_task(asyncio.sleep(3600))]
    await asyncio.sleep(0)
    await end_tasks(*tasks)
    assert heard == 3
    assert [task.cancelled() for task in tasks] == [False, False, True]
