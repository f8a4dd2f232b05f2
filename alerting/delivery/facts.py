"""The content of a notification: facts about its incident, and the message that people read. Pure."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from contract.home import HOME_ZONE

Phase = Literal[
    "opened", "resolved", "reopened", "acknowledged", "escalated", "reminder", "closed", "passed", "held", "not_held"
]
"""`resolved`: a person closed the incident although the fault continues; `closed`: the fault is over; `passed`: the
fault was over before its opening was delivered; `held`, `not_held`: whether a repair held. Nothing writes
`acknowledged` yet; its text exists."""

OVER: Final = frozenset({"closed", "passed", "held"})
"""The phases in which the fault is over."""
WANTS_ACKNOWLEDGEMENT: Final = frozenset({"opened", "reopened", "escalated", "reminder"})
"""The phases in which people are asked to acknowledge."""


class AlertArea(msgspec.Struct, frozen=True):
    """An area on the path from the root of the tree to the station or incident."""

    code: str
    name: str
    name_en: str | None = None
    level: str | None = None

    def called(self, language: str) -> str:
        """The name of the area in `language`, else its local name."""
        return (language == "en" and self.name_en) or self.name


def known_zone(name: str | None) -> str:
    """`name` if it is a time zone, else China's zone."""
    try:
        return HOME_ZONE if not name else ZoneInfo(name).key
    except (KeyError, ValueError, OSError):  # zoneinfo raises one of these, depending on the text
        return HOME_ZONE


class AlertFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The incident of a notification.

    `areas`: from the root of the tree down to the area of the station or incident. `children`: incidents of which this
    one is the common cause; `children_open` of them are open. `open_seconds`: opening time of the station between
    `began_at` and `ended_at`, None where it is not known or the station is always open. `timezone`: of the station.
    """

    incident: int
    kind: str
    phase: Phase
    began_at: datetime
    ended_at: datetime | None = None
    reopen_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_remark: str | None = None
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
    people: dict[str, str] = {}


def facts_from(row: Any) -> AlertFacts:
    """The facts of a row that has a column for each of them."""
    given = {name: row[name] for name in AlertFacts.__struct_fields__}
    areas = msgspec.convert(row["areas"], list[AlertArea])
    return AlertFacts(**{**given, "areas": areas, "timezone": known_zone(row["timezone"])})


class AlertMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as people read it; `short` fits one SMS."""

    title: str
    body: str
    short: str = ""
    link: str | None = None


# Fields that people or terminals wrote: names, ids, free text.
_WRITTEN_BY_OTHERS: Final = (
    "station",
    "station_name",
    "station_name_en",
    "address",
    "areas",
    "shard",
    "acknowledged_by",
    "acknowledged_remark",
    "detail",
    "people",
)
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\s]+")
_LIVE: Final = re.compile(r"(?<=[<@＠])(?=[^\s\u200b])|(?<=:)(?=//)|(?<=[0-9A-Za-z]\.)(?=[A-Za-z])")
_APART: Final = "\u200b"


def plain(data: Any) -> Any:
    """Data as text of one line in which no channel finds a link, a mention or its own markup.

    A zero-width space is put where these would begin (``@all``, ``<at``, ``http://``, ``a.cn``): people see the same
    text, and a chat client does not recognise it. Works on strings, dicts, lists and areas.
    """
    if isinstance(data, str):
        return _LIVE.sub(_APART, _INVISIBLE.sub(" ", data))
    if isinstance(data, dict):
        return {name: plain(value) for name, value in data.items()}
    if isinstance(data, AlertArea):
        return AlertArea(*(plain(value) for value in msgspec.structs.astuple(data)))
    return [plain(value) for value in data] if isinstance(data, list) else data


def seams(text: str, ours: Sequence[bool]) -> str:
    """A text of which some characters are ours and the others are data, with a zero-width space wherever a link or a
    mention would begin that is not wholly ours. `ours`: of each character."""
    places = (found.start() for found in _LIVE.finditer(text))
    begins = {place for place in places if not all(ours[max(0, place - 2) : place + 2])}
    return "".join(_APART + one if place in begins else one for place, one in enumerate(text)) if begins else text


def plain_facts(facts: AlertFacts) -> AlertFacts:
    """The facts, with `plain` applied to every field that people or terminals wrote."""
    return msgspec.structs.replace(facts, **{name: plain(getattr(facts, name)) for name in _WRITTEN_BY_OTHERS})
