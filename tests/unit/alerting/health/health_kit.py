"""What the tests of health rules share: messages of a terminal, and rules short enough to be read."""

from collections.abc import Sequence
from typing import Any

from alerting.health.active_rules import ActiveRules
from alerting.health.evaluate import HealthOutcome, evaluate_message
from alerting.health.memory import HealthMemory
from alerting.health.rules import RuleSet
from alerting.health.rules_file import read_rules
from contract.entries import TypedData
from contract.messages import Event, Health, Inventory, Record, Usage

NOW = 1_780_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400

RULES = """
fresh: 10m
rules:
  disk_full: {field: disk, above: 95%, clear: 90%, for: 10m, severity: critical}
  service_down: {field: services, is: false, for: 5m}
  clock_wrong: {field: clock_offset, above: 300, clear: 60}
  outbox_dropping: {field: outbox_dropped, above: 0, quiet: 6h}
  agent_too_old: {field: agent, below: 0.2.0, severity: info}
"""


def rules(text: str = RULES) -> RuleSet:
    return read_rules([("rules.yaml", text)])


ACTIVE = ActiveRules(rules().rules_for())


class Boot:
    """One boot of a terminal: `start` in seconds since the epoch; `offset` by how much its own clock is wrong."""

    def __init__(self, name: str = "b1", *, start: float = NOW, run: int = 1, offset: float = 0.0) -> None:
        self.name, self.start, self.run, self.offset = name, start, run, offset

    def health(self, number: int, up: float, **values: Any) -> Health:
        return Health(id=number, at=self.device(up), up=up, **values)

    def event(self, number: int, up: float, name: str, detail: object = None) -> Event:
        return Event(id=number, at=self.device(up), up=up, name=name, detail=detail)

    def usage(self, number: int, up: float, *, sessions: int, lasted: float = 0) -> Usage:
        until = self.device(up + lasted)
        return Usage(id=number, at=self.device(up), up=up, until=until, sessions=sessions)

    def inventory(self, number: int, up: float, **values: Any) -> Inventory:
        return Inventory(id=number, at=self.device(up), up=up, **values)

    def device(self, up: float) -> int:
        return round((self.start + up + self.offset) * 1000)

    def message(self, records: Sequence[Record], up: float, *, box: str | None = None) -> tuple[TypedData, int]:
        """Records sent at `up`, and when they were received (ms): at once."""
        body = TypedData(
            boot=self.name, run=self.run, at=self.device(up), up=up, box=box or self.name, records=list(records)
        )
        return body, round((self.start + up) * 1000)


def tell(
    memory: HealthMemory, message: tuple[TypedData, int], active: ActiveRules = ACTIVE, fresh: float = 600
) -> HealthOutcome:
    return evaluate_message(memory, *message, active, fresh)


def firing(memory: HealthMemory) -> dict[str, float]:
    """Since when, by "rule|subject"."""
    return {key.partition("~")[0] + "|" + key.partition("|")[2]: since for key, since in memory.reported.items()}
