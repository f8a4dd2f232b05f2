"""Runs a service until a signal asks it to stop; a second signal ends the process at once."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# `timeout`, make and terminals may deliver one Ctrl-C twice, which is no second request.
_ECHO_SECONDS = 0.5


def run_until_stopped(main: Callable[[asyncio.Event], Awaitable[int | None]], *, uvloop: bool = False) -> int | None:
    """Run ``main(stop)`` in a new event loop and return its result; `uvloop`: in that of uvloop if it is installed."""
    with asyncio.Runner(loop_factory=_uvloop_factory() if uvloop else None) as runner:
        return runner.run(_guard(main))


async def _guard(main: Callable[[asyncio.Event], Awaitable[int | None]]) -> int | None:
    request = _StopRequest()
    for number in _SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup ignores it
        asyncio.get_running_loop().add_signal_handler(number, request.note_signal, number)
    return await main(request.stop)


class _StopRequest:
    """The request to stop: `stop`, and the time of the first signal."""

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
