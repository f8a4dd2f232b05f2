"""Waiting until what was started can be used."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

from contract.said import BilingualError
from milepost import http

READY_SECONDS = 90.0


class NotReadyError(BilingualError, TimeoutError):
    """What was started does not become ready in time."""


async def wait_until_ready(url: str, logs: Path) -> None:
    """Wait until the API at `url` answers that all services are ready. Raises NotReadyError, which names `logs`."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        answer = await http.get(f"{url}/readyz")
        if answer.status == 200:
            return
        if time.monotonic() > deadline:
            said = answer.body.decode(errors="replace")[:300]
            raise NotReadyError(
                f"not ready after {READY_SECONDS:.0f} s ({said}): see {logs}",
                f"{READY_SECONDS:.0f} 秒后仍未就绪（{said}）：请查看 {logs}",
            )
        await asyncio.sleep(0.1)


async def wait_until_listening(port: int, *, seconds: float = 20.0) -> None:
    """Wait until a server accepts connections on loopback. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
                return
