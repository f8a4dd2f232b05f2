"""Clears retained messages that the contract does not keep, from time to time."""

import asyncio
import logging

from broker.config import BridgeConfig
from broker.metrics import Counters
from broker.mqtt.link import MqttLink
from broker.mqtt.retained_list import list_retained
from broker.retained import Retained
from contract.errors import RemedyError

log = logging.getLogger(__name__)


class RetainedClearing:
    """Looks at what the MQTT broker keeps under the topics in doubt, and clears what should not be there."""

    def __init__(self, config: BridgeConfig, counters: Counters, retained: Retained) -> None:
        self._config = config
        self._counters = counters
        self._retained = retained

    async def run(self, link: MqttLink) -> None:
        """Clear every `clear_every` seconds until cancelled."""
        while True:
            await asyncio.sleep(self._config.clear_every)
            filters = self._retained.take_filters()
            if filters and link.connected:
                await self._clear(link, filters)

    async def _clear(self, link: MqttLink, filters: frozenset[str]) -> None:
        try:
            found = await list_retained(self._config, filters)
        except (RemedyError, OSError, TimeoutError) as exc:
            log.warning("what the MQTT broker keeps could not be looked at", extra={"error": repr(exc)})
            return
        for topic, size in found:
            if self._retained.must_clear(topic, size) and link.publish(topic, b"", 0, retain=True):
                self._counters.cleared += 1
