"""A notification as fields for machines: the document of a webhook, and a line of the alert log. Pure.

docs/alerts.md describes each field. Fields may be added; existing ones keep their names, types and meanings.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from alerting.delivery.facts import AlertArea, AlertFacts, AlertMessage
from alerting.incidents.severity import SELF_CHECK, severity_of


def fields_of(key: str, at: datetime, facts: AlertFacts, message: AlertMessage) -> dict[str, Any]:
    """The fields of a notification. `key`: the idempotency key; `at`: when this attempt is made.

    Names of stations and areas are those of the registry; `title`, `text` and `short` are for people.
    """
    area = facts.areas[-1] if facts.areas else None
    return {
        "type": type_of(facts),
        "key": key,
        "at": at,
        "id": facts.incident,
        "incident": facts.incident,
        "kind": facts.kind,
        "phase": facts.phase,
        "severity": severity_of(facts.kind, facts.detail, children=facts.children),
        "station": facts.station,
        "station_name": facts.station_name,
        "station_name_en": facts.station_name_en,
        "station_address": facts.address,
        "area": area and area.code,
        "area_name": area and area.name,
        "area_name_en": area and area.name_en,
        "area_path": [_area(each) for each in facts.areas],
        "shard": facts.shard,
        "children": facts.children,
        "children_open": facts.children_open,
        "began_at": facts.began_at,
        "began_local": _local(facts.began_at, facts),
        "ended_at": facts.ended_at,
        "ended_local": _local(facts.ended_at, facts),
        "reopen_at": facts.reopen_at,
        "timezone": facts.timezone,
        "lasted_seconds": None if facts.ended_at is None else (facts.ended_at - facts.began_at).total_seconds(),
        "open_seconds": facts.open_seconds,
        "title": message.title,
        "text": message.body,
        "short": message.short,
        "link": message.link,
    }


def type_of(facts: AlertFacts) -> str:
    """The type of event, such as ``milepost.incident.opened``; `milepost watch` sends ``milepost.platform.…``."""
    return f"milepost.{'platform' if facts.kind == SELF_CHECK else 'incident'}.{facts.phase}"


def _area(area: AlertArea) -> dict[str, Any]:
    return {"code": area.code, "name": area.name, "name_en": area.name_en, "level": area.level}


def _local(moment: datetime | None, facts: AlertFacts) -> str | None:
    """A moment in the station's zone with its offset, in the format of RFC 3339."""
    return None if moment is None else moment.astimezone(ZoneInfo(facts.timezone)).isoformat(timespec="milliseconds")
