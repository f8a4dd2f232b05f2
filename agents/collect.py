"""What the agent measures: a table of collectors, each a name and the function that gives its value."""

import logging
import platform
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from agents import VERSION
from agents.reports import read_resources

_log = logging.getLogger(__name__)

Values = dict[str, Any]


class Subject(NamedTuple):
    """The parts of the machine to measure, from the settings."""

    disk: str = "/"
    services: Mapping[str, str] = {}
    wifi: str | None = None
    reports: Path | None = None


class Collector(NamedTuple):
    """One field of a record. When `value_fn` fails, the record is without the field."""

    name: str
    value_fn: Callable[[Subject], object]


def _cpu(_: Subject) -> float:
    return round(min(1.0, psutil.cpu_percent() / 100), 3)


def _memory(_: Subject) -> float:
    return round(psutil.virtual_memory().percent / 100, 3)


def _disk(subject: Subject) -> float:
    return round(psutil.disk_usage(subject.disk).percent / 100, 3)


def _temperature(_: Subject) -> float | None:
    """The temperature of the hottest sensor, in °C; None without sensors."""
    read = getattr(psutil, "sensors_temperatures", dict)
    found = [sensor.current for sensors in read().values() for sensor in sensors if -60 < sensor.current < 200]
    return round(max(found), 1) if found else None


def _traffic(direction: str) -> Callable[[Subject], int]:
    """Bytes since the boot of the machine over all interfaces but loopback."""

    def value(_: Subject) -> int:
        counters = psutil.net_io_counters(pernic=True)
        return sum(int(getattr(count, direction)) for name, count in counters.items() if not name.startswith("lo"))

    return value


def _wifi(subject: Subject) -> bool | None:
    if subject.wifi is None:
        return None
    found = psutil.net_if_stats().get(subject.wifi)
    return found is not None and found.isup


def _services(subject: Subject) -> dict[str, bool] | None:
    return {name: _service_works(check) for name, check in subject.services.items()} or None


HEALTH: Final = (
    Collector("cpu", _cpu),
    Collector("mem", _memory),
    Collector("disk", _disk),
    Collector("temp", _temperature),
    Collector("rx", _traffic("bytes_recv")),
    Collector("tx", _traffic("bytes_sent")),
    Collector("wifi", _wifi),
    Collector("services", _services),
)
"""`rtt_ms` is not among them: the agent's link measures it."""


def _service_works(check: str) -> bool:
    """tcp://host:port: a connection is accepted; process:name: a process with that name runs."""
    kind, _, what = check.partition(":")
    try:
        return _listens(what.removeprefix("//")) if kind == "tcp" else _runs(what)
    except (OSError, ValueError):
        return False


def _listens(address: str) -> bool:
    host, _, text = address.rpartition(":")
    port = int(text)
    if not 0 < port < 65536:  # getaddrinfo keeps only the low 16 bits of a larger number
        return False
    socket.create_connection((host, port), timeout=3).close()
    return True


def _runs(name: str) -> bool:
    return any(process.info["name"] == name for process in psutil.process_iter(["name"]))


_DMI: Final = Path("/sys/class/dmi/id")
_TREE: Final = Path("/proc/device-tree")


def _first(*paths: Path) -> str | None:
    for path in paths:
        try:
            text = path.read_text(errors="replace").strip("\0 \n\t")
        except OSError:
            continue
        if text:
            return _tidy(text)
    return None


def _tidy(text: str) -> str:
    """The text as the contract allows it: printable, not longer than 200 characters."""
    return "".join(c for c in text if c.isprintable())[:200]


def _os(_: Subject) -> str:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        name = platform.system()
    return _tidy(f"{name} ({platform.release()}, {platform.machine()})")


def _processor(_: Subject) -> str | None:
    with Path("/proc/cpuinfo").open(errors="replace") as lines:
        for line in lines:
            if line.startswith(("model name", "Model", "Hardware")):
                return _tidy(line.partition(":")[2].strip())
    return _tidy(platform.processor()) or None


def _resources(subject: Subject) -> list[dict[str, Any]] | None:
    return None if subject.reports is None else read_resources(subject.reports)


INVENTORY: Final = (
    Collector("model", lambda _: _first(_DMI / "product_name", _TREE / "model")),
    Collector("serial", lambda _: _first(_DMI / "product_serial", _TREE / "serial-number")),
    Collector("os", _os),
    Collector("agent", lambda _: VERSION),
    Collector("cpu", _processor),
    Collector("mem_bytes", lambda _: psutil.virtual_memory().total),
    Collector("disk_bytes", lambda subject: psutil.disk_usage(subject.disk).total),
    Collector("resources", _resources),
)


def collect(collectors: Iterable[Collector], subject: Subject) -> Values:
    """The values of all collectors that succeed and have one, by name."""
    values = {collector.name: _value(collector, subject) for collector in collectors}
    return {name: value for name, value in values.items() if value is not None}


def _value(collector: Collector, subject: Subject) -> object:
    try:
        return collector.value_fn(subject)
    except Exception as exc:
        _log.debug("%s cannot be measured: %r", collector.name, exc)
        return None
