"""Facts in the newest records of a terminal, for blind spots: agent, sessions, resources, access point. Pure.

Times are seconds since the epoch, corrected for the error of the device clock; dates of a wrong clock are not used.
"""

import zlib
from typing import Final

import msgspec

from contract.clocks import WallMs
from contract.device_times import by_bounds
from contract.messages import Inventory, Record, Resource, Usage

_TRUSTED: Final = 86_400.0
"""Seconds of error of a device clock up to which the dates that it gave to resources are used."""
_EARLIEST: Final = 1_420_070_400.0
"""The start of 2015: no resource was applied before."""


class TerminalFacts(msgspec.Struct, array_like=True):
    """A row of the table terminal_facts. `inventory_at`: when the newest inventory was made; `resources`: the checksum
    of its list of resources."""

    first_at: float = 0.0
    agent: str | None = None
    serial: str | None = None
    wifi: bool | None = None
    wifi_since: float | None = None
    last_session_at: float | None = None
    resource_at: float | None = None
    inventory_at: float | None = None
    resources: int | None = None


def time_between(record: Record, carrier: float, received: WallMs) -> float | None:
    """When a record of an earlier boot, of which no message came, was made: by its own clock if possible, else None.

    `carrier`: when the boot began that sends the record; `received`: ms.
    """
    before = min(WallMs(round(carrier * 1000)), received)
    time, source = by_bounds(record.at, None, before, received)
    return None if source == "unknown" else time / 1000


def learn_record(facts: TerminalFacts, record: Record, time: float | None, offset: float | None, now: float) -> None:
    """Update the facts with a record received at `now` and made at `time`, by a clock with an error of `offset`
    seconds.

    `time` and `offset` None: not known.
    """
    if time is None:
        return
    if type(record) is Usage and record.sessions:
        lasted = 0 if record.until is None else max(0, min(record.until - record.at, 86_400_000)) / 1000
        facts.last_session_at = max(facts.last_session_at or 0.0, min(time + lasted, now))
    elif type(record) is Inventory:
        _learn_inventory(facts, record, time, offset)


def _learn_inventory(facts: TerminalFacts, record: Inventory, time: float, offset: float | None) -> None:
    is_newest = facts.inventory_at is None or time >= facts.inventory_at
    if record.resources:
        applied = _applied(record, time, offset)
        resources = sorted(map(_resource, record.resources), key=_place)
        mark = zlib.crc32(repr(resources).encode())
        if applied is None and is_newest and mark != facts.resources:
            applied = time  # the list has changed: a resource was applied by now
        if applied is not None:
            facts.resource_at = max(facts.resource_at or 0.0, applied)
        facts.resources = mark if is_newest else facts.resources
    if is_newest:
        facts.agent = facts.agent if record.agent is None else record.agent
        facts.serial = facts.serial if record.serial is None else record.serial
        facts.inventory_at = time


_ResourceRow = tuple[str, str, int | None]


def _resource(each: Resource) -> _ResourceRow:
    return each.id, each.version or "", each.applied


def _place(row: _ResourceRow) -> tuple[str, str, bool, int]:
    """The order of resources; of two with the same id and version one may have no date."""
    name, version, applied = row
    return name, version, applied is not None, applied or 0


def _applied(record: Inventory, time: float, offset: float | None) -> float | None:
    """When the newest resource was applied; None without a date from a clock that is accurate enough."""
    if offset is None or abs(offset) > _TRUSTED:
        return None
    dates = [each.applied / 1000 for each in record.resources or () if each.applied is not None]
    believed = [at - offset for at in dates if _EARLIEST <= at - offset <= time + 60]
    return min(max(believed), time) if believed else None
