"""Replacing the log in memory before it fills the machine or grows slow: Tansu deletes nothing from it by itself."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from milepost.processes.renewal import wait_until_stored
from milepost.processes.supervisor import GaveUpError, Program, Supervisor
from milepost.processes.wear import Wear
from milepost.settings import Settings

log = logging.getLogger(__name__)

LOG_CHECK_SECONDS = 5.0
LOG_RETRY_SECONDS = 600.0


class LogRenewal:
    """Watches the embedded Kafka and starts it anew, with the bridge stopped meanwhile."""

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor,
        *,
        start_kafka: Callable[[], Awaitable[None]],
        bridge: Callable[[], Program],
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._start_kafka = start_kafka
        self._bridge = bridge

    async def watch(self) -> None:
        """Renew the log whenever it is too large or too slow, until cancelled. Raises GaveUpError."""
        limit = self._settings.kafka_memory * 1024 * 1024
        wear = Wear(time.monotonic())
        while True:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            worn = wear.worn(time.monotonic(), self._supervisor.processor("kafka"))
            if not worn and self._supervisor.memory("kafka") <= limit:
                continue
            try:
                await self._renew()
            except GaveUpError:
                raise
            except Exception as exc:  # a server is away, or ingest far behind: what runs goes on
                log.warning("the log could not be renewed, it is tried later", extra={"error": repr(exc)})
                await asyncio.sleep(LOG_RETRY_SECONDS)

    async def _renew(self) -> None:
        """Start an empty log, once every acknowledged message of the present one is stored."""
        log.warning("the log in memory is full or worn out: an empty one takes its place")
        url = self._settings.database_url
        await self._supervisor.end("bridge")
        try:
            async with asyncio.timeout(60):
                await wait_until_stored(url.value if url else "", str(self._settings.kafka_servers))
            await self._supervisor.end("kafka")
            await self._start_kafka()
        finally:
            await self._supervisor.start(self._bridge())
            self._supervisor.note_working()
