"""Lists what an MQTT broker retains, through a connection that lasts for one listing."""

import asyncio
from collections.abc import Iterable

from broker.config import BridgeConfig
from broker.mqtt.address import MqttAddress
from broker.mqtt.link import MqttLink
from contract.topics import pulse_topic
from store.tasks import end_tasks

SECONDS = 30.0
"""For the whole listing."""


async def list_retained(config: BridgeConfig, filters: Iterable[str]) -> list[tuple[str, int]]:
    """(topic, bytes) of the retained messages that match these filters.

    Raises TimeoutError when the broker does not answer, and RemedyError when it refuses.
    """
    found: list[tuple[str, int]] = []
    end, seen = pulse_topic(f"{config.bridge}-look"), asyncio.Event()

    def take(topic: str, payload: bytes, retain: bool) -> None:
        # Retained messages come before messages that are published after the subscriptions.
        if topic == end:
            seen.set()
        elif retain and payload:
            found.append((topic, len(payload)))

    def up() -> None:
        link.publish(end, b"", 1)

    def nothing() -> None: ...

    link = MqttLink(
        MqttAddress.parse(config.mqtt_url),
        password=config.mqtt_password,
        name=f"milepost-{config.bridge}-look",
        subscriptions=[(end, 1, False), *((where, 1, True) for where in sorted(filters))],
        on_message=take,
        on_up=up,
        on_down=nothing,
        on_room=nothing,
        on_taken_over=nothing,
        ca_file=config.mqtt_ca_file,
    )
    running = asyncio.create_task(link.run(), name="bridge look")
    waiting = asyncio.create_task(seen.wait(), name="bridge looked")
    try:
        async with asyncio.timeout(SECONDS):
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
    finally:
        await end_tasks(running, waiting)
    return found
