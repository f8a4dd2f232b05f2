"""What the newest records of a terminal say of it, for blind spots: agent, sessions, resources. Pure.

Times are seconds since the epoch, corrected; what a wrong device clock claims is not believed.
"""

import zlib
from typing import Final

import msgspec

from contract.clocks import WallMs
from contract.device_times import by_bounds
from contract.messages import Inventory, Record, Resource, Usage

_TRUSTED: Final = 86_400.0
"""Seconds by which a terminal's clock may be wrong for the dates it gave to resources to be believed."""
_EARLIEST: Final = 1_420_070_400.0
"""2015: no resource was applied before."""


class TerminalFacts(msgspec.Struct, array_like=True):
    """See the table terminal_facts. `inventory_at`: of the inventory they are from; `resources`: a mark of its list."""

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
    """When a record of a boot that was never heard itself was made: by its device, if that can be; else unknown.

    `carrier`: when the boot that sends it began.
    """
    before = min(WallMs(round(carrier * 1000)), received)
    time, source = by_bounds(record.at, None, before, received)
    return None if source == "unknown" else time / 1000


def learn_record(facts: TerminalFacts, record: Record, time: float | None, offset: float | None, now: float) -> None:
    """Take in a record received at `now`, made at `time` by a clock that was wrong by `offset` seconds.

    None: that is not known.
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
            applied = time  # the list is new: something was applied, at the latest now
        if applied is not None:
            facts.resource_at = max(facts.resource_at or 0.0, applied)
        facts.resources = mark if is_newest else facts.resources
    if is_newest:
        facts.agent = facts.agent if record.agent is None else record.agent
        facts.serial = facts.serial if record.serial is None else record.serial
        facts.inventory_at = time


_Said = tuple[str, str, int | None]


def _resource(each: Resource) -> _Said:
    return each.id, each.version or "", each.applied


def _place(said: _Said) -> tuple[str, str, bool, int]:
    """Resources in an order: of two with one id and version one may not say when it was applied."""
    name, version, applied = said
    return name, version, applied is not None, applied or 0


def _applied(record: Inventory, time: float, offset: float | None) -> float | None:
    """When the newest resource was applied, by a clock that can be believed."""
    if offset is None or abs(offset) > _TRUSTED:
        return None
    told = [each.applied / 1000 for each in record.resources or () if each.applied is not None]
    believed = [at - offset for at in told if _EARLIEST <= at - offset <= time + 60]
    return min(max(believed), time) if believed else None
