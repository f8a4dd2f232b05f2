"""The fields of records that a health rule can read, each with the values that a record has for it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple

from contract.messages import Event, Health, Inventory, Record

Values = Sequence[tuple[str, float]]
"""Pairs (subject, value); the subject is empty where a terminal has only one."""
Test = Literal["number", "fraction", "flag", "version"]

OUTBOX_DROPPED: Final = "outbox_dropped"
_HOUR: Final = 3600.0


class Source(NamedTuple):
    """One field. `values`: takes a record of type `kind` and the error of the device clock in seconds, None if unknown.

    `quiet`: seconds after which a terminal that sends health records without the field no longer reports it, which ends
    the spell; None for a field that is sent once and holds until it is sent again. `latched`: see `SpellLimits`.
    """

    kind: type[Record]
    test: Test
    values: Callable[[Any, float | None], Values]
    quiet: float | None = 2 * _HOUR
    latched: bool = True


def _scalar(name: str) -> Callable[[Any, float | None], Values]:
    get = attrgetter(name)

    def values(record: Any, _: float | None) -> Values:
        value = get(record)
        return () if value is None else (("", float(value)),)

    return values


def _services(record: Health, _: float | None) -> Values:
    return [(name, float(works)) for name, works in (record.services or {}).items()]


def _clock(_: Health, offset: float | None) -> Values:
    return () if offset is None else (("", abs(offset)),)


def _dropped(record: Event, _: float | None) -> Values:
    """The number of dropped records that an event reports; an event without a number counts as one."""
    if record.name != OUTBOX_DROPPED:
        return ()
    number = record.detail.get("records") if isinstance(record.detail, dict) else None
    return (("", float(number) if isinstance(number, int) and 0 <= number < 2**53 else 1.0),)


def _agent(record: Inventory, _: float | None) -> Values:
    number = None if record.agent is None else version_number(record.agent)
    return () if number is None else (("", number),)


SOURCES: Final[Mapping[str, Source]] = {
    "cpu": Source(Health, "fraction", _scalar("cpu")),
    "memory": Source(Health, "fraction", _scalar("mem")),
    "disk": Source(Health, "fraction", _scalar("disk")),
    "temperature": Source(Health, "number", _scalar("temp")),
    "rtt_ms": Source(Health, "number", _scalar("rtt_ms")),
    "wifi": Source(Health, "flag", _scalar("wifi")),
    "services": Source(Health, "flag", _services),
    "clock_offset": Source(Health, "number", _clock),
    "outbox_dropped": Source(Event, "number", _dropped, quiet=6 * _HOUR, latched=False),
    "agent": Source(Inventory, "version", _agent, quiet=None),
}


def version_number(text: str) -> float | None:
    """A version as a number: 1002003 for "1.2.3". What follows the digits ("-rc1") does not count; None for no
    version."""
    parts = text.strip().removeprefix("v").split(".")[:3]
    digits = ["".join(_leading_digits(part)) for part in parts]
    if not digits[0] or any(len(each) > 3 for each in digits):
        return None
    numbers = [int(each or 0) for each in digits] + [0, 0]
    return float(numbers[0] * 1_000_000 + numbers[1] * 1_000 + numbers[2])


def _leading_digits(text: str) -> list[str]:
    digits: list[str] = []
    for character in text:
        if character not in "0123456789":
            break
        digits.append(character)
    return digits


def version_text(number: float) -> str:
    """The version of a number of `version_number`: "1.2.3" for 1002003."""
    whole = int(number)
    return f"{whole // 1_000_000}.{whole // 1_000 % 1_000}.{whole % 1_000}"
