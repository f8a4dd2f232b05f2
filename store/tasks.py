"""Tasks of the services: waiting with a bound, pausing longer after each failure, and ending for certain."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from store.pool import UNREACHABLE, Pool, may_pass

FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0
_CANCEL_AGAIN = 3.0


class Backoff:
    """The pauses of one retry loop, in seconds: `first`, then twice as long each time, up to `longest`.

    `spread`: each pause is a random part of that, so that many processes do not try again at the same moment.
    """

    def __init__(self, *, first: float = FIRST_DELAY, longest: float = LONGEST_DELAY, spread: bool = False) -> None:
        self._first = first
        self._longest = longest
        self._spread = spread
        self._delay = first

    @property
    def delay(self) -> float:
        """Seconds of the next pause; with `spread`, its upper bound."""
        return self._delay

    def reset(self) -> None:
        """The attempt succeeded: the next pause is the first again."""
        self._delay = self._first

    def next_delay(self) -> float:
        """Seconds to pause now; the next pause will be twice as long."""
        seconds = random.uniform(0, self._delay) if self._spread else self._delay  # noqa: S311 -- jitter, not for security
        self._delay = min(self._delay * 2, self._longest)
        return seconds

    async def pause(self, stop: asyncio.Event | None = None) -> None:
        """Pause before the next attempt; `stop`, when given, ends the pause."""
        seconds = self.next_delay()
        if stop is None:
            await asyncio.sleep(seconds)
        else:
            await wait_at_most(stop, seconds)

    async def wait_out(
        self,
        error: Exception,
        log: logging.Logger,
        message: str,
        *,
        stop: asyncio.Event | None = None,
        **extra: object,
    ) -> None:
        """Log a warning and pause before the next attempt; call it from the handler of `error`.

        Raises `error` itself when it is one of the database that would come again with the same call (`may_pass`).
        """
        if isinstance(error, UNREACHABLE) and not may_pass(error):
            raise error
        log.warning(message, extra={**extra, "error": repr(error), "retry_s": self._delay})
        await self.pause(stop)


async def repeat_while_reachable(
    step: Callable[[], Awaitable[object]],
    log: logging.Logger,
    message: str,
    *,
    longest: float = LONGEST_DELAY,
    goes_on: Callable[[], bool] = lambda: True,
    stop: asyncio.Event | None = None,
) -> None:
    """Repeat a step. While the database cannot be reached, retry after pauses of at most `longest` seconds, with
    `message` in the log. Ends between two steps when `goes_on` returns False or `stop` is set; `stop` also ends a
    pause.

    Raises the errors of a step, except errors of the database that a retry may cure (`may_pass`).
    """
    backoff = Backoff(longest=longest)
    while goes_on() and not (stop is not None and stop.is_set()):
        try:
            await step()
            backoff.reset()
        except UNREACHABLE as exc:
            await backoff.wait_out(exc, log, message, stop=stop)


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Wait until `event` is set, but not longer than `seconds`."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


async def wait_for_wake(wake: asyncio.Event, seconds: float) -> None:
    """Wait until `wake` is set, but not longer than `seconds`, and clear it."""
    try:
        await wait_at_most(wake, seconds)
    finally:
        wake.clear()


async def wait_for_first(*tasks: "asyncio.Future[Any]") -> None:
    """Wait until one of the tasks has ended, and raise what it raised. The others go on."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


@asynccontextmanager
async def background_task(work: Coroutine[Any, Any, None], *, name: str) -> AsyncIterator[None]:
    """Run `work` in a task of its own for as long as the block lasts. An exception of `work` is ignored: `work` has to
    log its own errors."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        await end_tasks(task)


async def end_tasks(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks until they have ended, without raising what they raise.

    One cancellation is not always enough: if the connection breaks at the same moment, asyncpg may lose the
    cancellation, and the task continues.
    """
    while going := [task for task in tasks if not task.done()]:
        for task in going:
            task.cancel()
        await asyncio.wait(going, timeout=_CANCEL_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)


async def finish_after_stop(work: "asyncio.Task[None]", stop: asyncio.Event, pool: Pool, seconds: float) -> None:
    """Wait for `work`. If it still runs `seconds` after `stop` was set, cut the connections of `pool`, which ends it.

    So a database that does not answer keeps no process from ending. Raises what `work` raises, but after `stop` no
    error of the database.
    """
    stopped = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            await asyncio.wait({work}, timeout=seconds)
        if not work.done():
            pool.terminate()
        await work
    except UNREACHABLE:
        if not stop.is_set():
            raise
    finally:
        if not work.done():
            pool.terminate()
        await end_tasks(stopped, work)
