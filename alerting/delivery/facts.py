"""What a notification is about, and what people get of it. Pure."""

import re
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from contract.home import HOME_ZONE

Phase = Literal["opened", "resolved", "reopened", "acknowledged", "escalated", "reminder", "closed", "passed"]
"""`resolved`: a person closed it although the fault goes on; `closed`: the fault is over; `passed`: it was over before
its beginning was delivered. Nothing writes `acknowledged`, `escalated` and `reminder` yet; their texts are ready."""

OVER: Final = frozenset({"closed", "passed"})
"""The phases in which the fault is over."""
WANTS_SOMEBODY: Final = frozenset({"opened", "reopened", "escalated", "reminder"})
"""The phases in which people are asked to acknowledge."""


class AlertArea(msgspec.Struct, frozen=True):
    """An area on the way from the root to where something is wrong."""

    code: str
    name: str
    name_en: str | None = None
    level: str | None = None

    def called(self, language: str) -> str:
        """Its name in `language`, else its own."""
        return (language == "en" and self.name_en) or self.name


def known_zone(name: str | None) -> str:
    """The time zone of this name, or China's where there is no such zone."""
    try:
        return HOME_ZONE if not name else ZoneInfo(name).key
    except (KeyError, ValueError, OSError):  # as the table of zones says it, by the kind of nonsense
        return HOME_ZONE


class AlertFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification is about.

    `areas`: from the root of the tree down to the area of the station or incident. `children`: incidents it is the
    common cause of, `children_open` of them are not closed. `open_seconds`: how much of the time from `began_at` to
    `ended_at` the station should have been open, None where it is not known or always. `timezone`: of the station.
    """

    incident: int
    kind: str
    phase: Phase
    began_at: datetime
    ended_at: datetime | None = None
    reopen_at: datetime | None = None
    acknowledged_by: str | None = None
    open_seconds: float | None = None
    timezone: str = HOME_ZONE
    station: str | None = None
    station_name: str | None = None
    station_name_en: str | None = None
    address: str | None = None
    areas: list[AlertArea] = []
    shard: str | None = None
    children: int = 0
    children_open: int = 0
    detail: dict[str, Any] = {}


class AlertMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as people read it; `short` fits one SMS."""

    title: str
    body: str
    short: str = ""
    link: str | None = None


# What others wrote: names, ids, and what terminals and people said.
_SAID: Final = ("station", "station_name", "station_name_en", "address", "areas", "shard", "acknowledged_by", "detail")
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\s]+")
_LIVE: Final = re.compile(r"(?<=[<@＠])(?=\S)|(?<=:)(?=//)|(?<=[0-9A-Za-z]\.)(?=[A-Za-z])")
_APART: Final = "\u200b"


def plain(said: Any) -> Any:
    """Data as text of one line, in which no channel finds a link, a mention or an own way of writing.

    A space of no width stands where those would begin (``@all``, ``<at``, ``http://``, ``a.cn``): people see what was
    written, and a chat client sees no such word. Goes through dicts, lists and areas.
    """
    if isinstance(said, str):
        return _LIVE.sub(_APART, _INVISIBLE.sub(" ", said))
    if isinstance(said, dict):
        return {name: plain(value) for name, value in said.items()}
    if isinstance(said, AlertArea):
        return AlertArea(*(plain(value) for value in msgspec.structs.astuple(said)))
    return [plain(value) for value in said] if isinstance(said, list) else said


def plain_facts(facts: AlertFacts) -> AlertFacts:
    """The facts with everything that others wrote as plain text."""
    return msgspec.structs.replace(facts, **{name: plain(getattr(facts, name)) for name in _SAID})
