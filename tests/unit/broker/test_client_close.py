"""Closing a Kafka client: bounded, and nothing that its tasks do is taken for something else."""

import asyncio
from typing import cast

import pytest

from broker.client_close import close_client
from broker.consumer import LogConsumer, StalledError
from ingest.service import _run_together


async def cancelled_inside() -> None:
    inner = asyncio.create_task(asyncio.sleep(60))
    inner.cancel()
    await inner


async def test_a_cancellation_inside_stays_there(caplog: pytest.LogCaptureFixture) -> None:
    await close_client(cancelled_inside(), seconds=5)
    assert not caplog.messages


async def test_what_closing_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def failing() -> None:
        raise OSError("the socket is gone")

    await close_client(failing(), seconds=5)
    assert caplog.messages == ["a Kafka client did not close in order"]


async def test_a_client_that_does_not_close_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    ended = asyncio.Event()
    await close_client(hang(ended), seconds=0.05)
    assert ended.is_set()
    assert caplog.messages == ["a Kafka client did not close in time"]


async def test_a_cancellation_from_outside_goes_on_outside() -> None:
    ended = asyncio.Event()
    task = asyncio.create_task(close_client(hang(ended), seconds=60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def hang(ended: asyncio.Event) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        ended.set()


class Consumer:
    """Ends in its own way, or when it is told to."""

    def __init__(self, raises: BaseException | None = None) -> None:
        self.raises = raises
        self.ended = False

    async def run(self, stop: asyncio.Event) -> None:
        try:
            if self.raises is not None:
                raise self.raises
            await stop.wait()
        finally:
            self.ended = True


@pytest.mark.parametrize("raises", [StalledError("nothing comes"), asyncio.CancelledError()])
async def test_one_consumer_does_not_outlive_the_other(raises: BaseException) -> None:
    lasting = Consumer()
    consumers = cast("list[LogConsumer]", [Consumer(raises), lasting])
    with pytest.raises(type(raises)):
        await asyncio.wait_for(_run_together(consumers, asyncio.Event()), 5)
    assert lasting.ended


async def test_consumers_end_at_the_wish() -> None:
    consumers, stop = [Consumer(), Consumer()], asyncio.Event()
    stop.set()
    await _run_together(cast("list[LogConsumer]", consumers), stop)
    assert all(consumer.ended for consumer in consumers)
