"""Running a service until it is asked to stop: the first signal asks, a second one ends the process at once."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# `timeout`, make and terminals may pass one Ctrl-C on by two ways; that is not yet impatience.
_ECHO_SECONDS = 0.5


def run_until_stopped(main: Callable[[asyncio.Event], Awaitable[int | None]], *, uvloop: bool = False) -> int | None:
    """Run ``main(stop)`` in a new event loop, uvloop's where it is wanted and installed, and return what it returns."""
    with asyncio.Runner(loop_factory=_uvloop_factory() if uvloop else None) as runner:
        return runner.run(_guard(main))


async def _guard(main: Callable[[asyncio.Event], Awaitable[int | None]]) -> int | None:
    asked = _StopRequest()
    for number in _SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup wants it so
        asyncio.get_running_loop().add_signal_handler(number, asked.note_signal, number)
    return await main(asked.stop)


class _StopRequest:
    """Whether and when we were asked to stop."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self._impatient_from = 0.0

    def note_signal(self, number: signal.Signals) -> None:
        now = asyncio.get_running_loop().time()
        if not self.stop.is_set():
            self.stop.set()
            self._impatient_from = now + _ECHO_SECONDS
        elif now >= self._impatient_from:
            os._exit(128 + number)


def _uvloop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
