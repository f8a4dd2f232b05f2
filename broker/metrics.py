"""The counters of the bridge: plain numbers, which Prometheus reads when it scrapes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass(slots=True)
class Counters:
    """Totals since the start, except `waiting_*`, `paused`, `connected` and `misnumbering`, which are current."""

    received: int = 0
    received_bytes: int = 0
    safe: int = 0
    acks: int = 0
    acks_dropped: int = 0
    cleared: int = 0
    batches: int = 0
    batches_failed: int = 0
    ticks: int = 0
    ticks_spoilt: int = 0
    loss_windows: int = 0
    misnumbering: int = 0
    connects: int = 0
    taken_over: int = 0
    namesakes: int = 0
    pauses: int = 0
    connected: int = 0
    paused: int = 0
    waiting_bytes: int = 0
    waiting_messages: int = 0
    letters: dict[str, int] = field(default_factory=dict)

    def count_refused(self, reason: str) -> None:
        """Count a dead letter."""
        self.letters[reason] = self.letters.get(reason, 0) + 1

    def snapshot(self) -> dict[str, int]:
        """Every number by name, for a log line."""
        return {name: sum(self.letters.values()) if name == "letters" else getattr(self, name) for name in _HELP}


_GAUGES = frozenset({"connected", "misnumbering", "paused", "waiting_bytes", "waiting_messages"})
_HELP = {
    "received": "MQTT messages read",
    "received_bytes": "Bytes of their payloads",
    "safe": "Messages, dead letters and ticks that Kafka acknowledged",
    "letters": "Dead letters by reason",
    "acks": "ack messages published",
    "acks_dropped": "ack messages not published because the broker was away or slow; terminals send again",
    "cleared": "Topics whose retained message was cleared: large, refused, or none that is kept",
    "batches": "Kafka batches sent",
    "batches_failed": "Kafka batches given up",
    "ticks": "Ticks written",
    "ticks_spoilt": "Ticks written that were not whole",
    "loss_windows": "Windows in which so many messages were missing that their time does not count",
    "misnumbering": "Stations that number their messages wrongly, so that what they miss is not counted",
    "connects": "Connections to the MQTT broker",
    "taken_over": "Client ids given up because another client used them, or seemed to",
    "namesakes": "Other living bridges with this bridge's name",
    "pauses": "Times that the MQTT socket was not read because Kafka was behind",
    "connected": "1 while connected to the MQTT broker",
    "paused": "1 while the MQTT socket is not read",
    "waiting_bytes": "Bytes received that Kafka has not acknowledged yet",
    "waiting_messages": "Messages received that Kafka has not acknowledged yet",
}


class _BridgeCollector(Collector):
    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        for name, text in _HELP.items():
            if name == "letters":
                letters = CounterMetricFamily("milepost_bridge_letters", text, labels=["reason"])
                for reason, number in self._counters.letters.items():
                    letters.add_metric([reason], number)
                yield letters
            elif name in _GAUGES:
                yield GaugeMetricFamily(f"milepost_bridge_{name}", text, value=getattr(self._counters, name))
            else:
                yield CounterMetricFamily(f"milepost_bridge_{name}", text, value=getattr(self._counters, name))


def serve(counters: Counters, port: int, host: str = "127.0.0.1") -> "MetricsServer":
    """Serve metrics on `port` from a thread until `close`. Raises OSError when the port is taken."""
    registry = CollectorRegistry()
    registry.register(_BridgeCollector(counters))
    return MetricsServer(*start_http_server(port, host, registry))


class MetricsServer:
    """A running metrics endpoint."""

    def __init__(self, server: object, thread: object) -> None:
        self._server = server
        self._thread = thread

    def close(self) -> None:
        """Stop answering and release the port."""
        self._server.shutdown()  # type: ignore[attr-defined]  # a WSGIServer
        self._server.server_close()  # type: ignore[attr-defined]
        self._thread.join(timeout=5)  # type: ignore[attr-defined]
