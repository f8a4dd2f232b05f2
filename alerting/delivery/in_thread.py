"""Runs a call that blocks in a daemon thread, so that a hanging target does not hold up the end of the process."""

import asyncio
import threading
from collections.abc import Callable


def run_in_thread(work: Callable[[], None], name: str) -> "asyncio.Future[None]":
    """The result of `work`, run in a daemon thread called `name`; the future raises what `work` raised.

    The process does not wait for a daemon thread at its end, as it does for a thread of an executor.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
            future.exception()  # marks it as retrieved: the waiting task may be gone

    def body() -> None:
        error: BaseException | None = None
        try:
            work()
        except Exception as exc:
            error = exc
        try:
            loop.call_soon_threadsafe(settle, error)
        except RuntimeError:  # the loop is closed, no task waits for the result
            return

    threading.Thread(target=body, name=name, daemon=True).start()
    return future
