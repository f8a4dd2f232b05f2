"""The settings of a bridge."""

import msgspec

from broker.retained import EVERY
from broker.ticks.losses import LossSettings
from contract.messages import MOST_TERMINALS


class BridgeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses, bounds and times of a bridge.

    `max_bytes` and `max_messages` bound what Kafka has not acknowledged yet. `delivery_timeout` is the seconds that a
    request to Kafka may take; with a producer that is not idempotent, also a batch with all its repetitions. `losses`:
    when missing messages are attributed to the platform. A station has at most `terminals`.
    `clear_every`: seconds from one clearing of retained messages to the next.
    `linger`: seconds between two batches of a partition.
    """

    mqtt_url: str
    mqtt_password: str | None = None
    mqtt_ca_file: str | None = None
    kafka_servers: str
    shard: str = "main"
    bridge: str = "bridge-1"
    idempotent: bool = True
    compression: str | None = "snappy"  # a seventh of the disk for 1 µs a message
    max_bytes: int = 256 * 1024 * 1024
    max_messages: int = 1_000_000
    delivery_timeout: float = 40.0
    linger: float = 0.02
    losses: LossSettings = LossSettings()
    terminals: int = MOST_TERMINALS
    clear_every: float = EVERY
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
