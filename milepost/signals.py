"""Running a service until SIGINT, SIGTERM or SIGHUP: the first asks it to stop, the second ends the process at once."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_stopped(main: Callable[[asyncio.Event], Awaitable[int | None]], *, uvloop: bool = False) -> int | None:
    """Run ``main(stop)`` in a new event loop, uvloop's where it is wanted and installed, and return what it returns."""
    with asyncio.Runner(loop_factory=_uvloop_factory() if uvloop else None) as runner:
        return runner.run(_guard(main))


async def _guard(main: Callable[[asyncio.Event], Awaitable[int | None]]) -> int | None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
            continue  # nohup wants it so
        loop.add_signal_handler(number, _on_signal, stop, number)
    return await main(stop)


def _on_signal(stop: asyncio.Event, number: signal.Signals) -> None:
    if stop.is_set():
        os._exit(128 + number)
    stop.set()


def _uvloop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
