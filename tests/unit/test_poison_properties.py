"""Any sequence of messages that keep the contract is translated, judged, stored and evaluated: nothing of it raises.

`tests/integration/poison/test_poison_messages.py` sends each edge the whole way once; here they come in any order and
mixture, as far as no database is asked.
"""

import random
from typing import Any

import msgspec
from aiokafka import ConsumerRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.health.active_rules import ActiveRules
from alerting.health.evaluate import evaluate_message
from alerting.health.memory import HealthMemory
from alerting.health.service import load_rules
from alerting.health.store import HeardTerminal, TerminalDecision, change_row, facts_row
from alerting.liveness.entries import read_live
from alerting.liveness.model import LivenessSettings, Registration
from alerting.liveness.partition import PartitionLiveness
from alerting.liveness.pipeline_clock import ClockState
from alerting.liveness.stored_rows import memory_text, read_stored
from broker.translate import Translator
from contract.codec import encode
from contract.entries import DataUnit, read_entry
from contract.log import LIVE, RECORDS, Tick
from contract.messages import Data, Event, Health, Heartbeat, Inventory, Presence, Status, Usage
from ingest.boots import Boot
from ingest.rows import columns_of, keys_of, runs_of, take_units
from tests.edges import NOW, shapes

RECORD_SHAPES = {kind: list(shapes(kind)) for kind in (Health, Usage, Inventory, Presence, Event)}
HEADS = list(shapes(Data, v=1, records=[]))
LIVES = [("heartbeat", each) for each in shapes(Heartbeat, v=1)] + [("status", each) for each in shapes(Status, v=1)]
RULES = load_rules(None)
ACTIVE = ActiveRules(RULES.rules_for())
KEY = ("S1", "001")


class Way:
    """One terminal's way through everything that is pure."""

    def __init__(self, roll: random.Random) -> None:
        self.roll = roll
        self.translator = Translator(shard="main", start="s", partitions=1)
        self.live = PartitionLiveness(LivenessSettings())
        self.memory = HealthMemory()
        self.boots: dict[Any, Boot] = {}
        self.names = [roll.choice(HEADS)["boot"] for _ in range(3)]
        self.received, self.mono, self.step = NOW, 0, 0

    def go_on(self) -> None:
        self.step += 1
        self.received += self.roll.choice([0, 1000, 60_000, 86_400_000])
        self.mono += self.roll.choice([100, 1000, 3000])
        if self.roll.random() < 0.5:
            self.beat(*self.roll.choice(LIVES))
        else:
            self.records(self.roll.choice(HEADS))

    def send(self, channel: str, message: dict[str, Any], topic: str) -> ConsumerRecord[bytes, bytes]:
        retain = self.roll.random() < 0.1
        out = self.translator.translate(
            f"milepost/v1/S1/001/{channel}", encode(message), retain=retain, received=self.received, mono=self.mono
        )
        assert out.letter is None and out.entry is not None, out.letter
        return ConsumerRecord(topic, 0, self.step, 0, 0, b"S1", out.entry.value, None, 0, 0, ())

    def some(self, message: dict[str, Any], **sane: Any) -> dict[str, Any]:
        """The message with some of its fields as they would be."""
        return message | {name: value for name, value in sane.items() if self.roll.random() < 0.5}

    def beat(self, channel: str, shape: dict[str, Any]) -> None:
        sane = self.some(shape, boot=self.roll.choice(self.names), run=self.roll.choice([1, 2]), n=self.step, every=1)
        message = {name: value for name, value in sane.items() if channel == "heartbeat" or name != "every"}
        live, wall = self.live, self.received
        live.apply(*read_live(self.send(channel, message, LIVE)))
        whole = self.roll.random() < 0.9
        tick = Tick(shard="main", bridge="b", start="s", seq=self.step, at=wall, mono=self.mono, whole=whole)
        live.apply("", tick)
        live.register("S1", Registration(1), wall)
        live.take_decided()
        for text in (memory_text(live, row) for row in range(len(live.terminals))):
            assert text is None or read_stored(text)
        for shard in live.shards.by_number:
            msgspec.convert(msgspec.json.decode(msgspec.json.encode(shard.clock.state)), ClockState)

    def records(self, head: dict[str, Any]) -> None:
        boot = self.roll.choice(self.names)
        message = self.some(head, boot=boot, box=boot, at=self.received, up=self.step * 60.0)
        kinds = self.roll.choices(list(RECORD_SHAPES), k=self.roll.choice([1, 2, 5]))
        message["records"] = [self.record(self.roll.choice(RECORD_SHAPES[kind])) for kind in kinds]
        for unit in read_entry("log", self.send("data", message, RECORDS)):
            assert isinstance(unit, DataUnit)
            self.store(unit)
            self.evaluate(unit)

    def record(self, shape: dict[str, Any]) -> dict[str, Any]:
        at, up = self.received - self.roll.randrange(100_000), max(0.0, self.step * 60 - self.roll.random() * 100)
        return self.some(shape, id=self.roll.randrange(50), at=at, up=up)

    def store(self, unit: DataUnit) -> None:
        for key in keys_of([unit]):
            self.boots.setdefault(key, Boot())
        rows = take_units([unit], self.boots, dict.fromkeys(runs_of([unit], self.boots), self.received - 1000))
        for kind, records in rows.records.items():
            columns_of(kind, records)

    def evaluate(self, unit: DataUnit) -> None:
        outcome = evaluate_message(self.memory, unit.entry.body, self.received, ACTIVE, RULES.fresh)
        for decision in outcome.decisions:
            change_row(TerminalDecision(KEY, 0, self.received, decision), 1)
        facts_row(KEY, HeardTerminal(0, self.memory, self.received))
        self.memory = msgspec.msgpack.decode(msgspec.msgpack.encode(self.memory), type=HealthMemory)


@given(st.integers(0, 2**64))
@settings(max_examples=60)
def test_no_sequence_of_messages_stops_anything(seed: int) -> None:
    way = Way(random.Random(seed))
    for _ in range(20):
        way.go_on()
