"""Invented incidents, to preview a template with. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.delivery.facts import AlertArea, AlertFacts, AlertMessage
from alerting.delivery.texts import Language
from alerting.delivery.wording.digest import DigestCount, DigestLine, draft_digest
from alerting.delivery.wording.names import TemplateName
from alerting.delivery.wording.write import Wording, write_digest_worded, write_worded

_AREAS: Final = [
    AlertArea("630000000000", "青海省", "Qinghai", "province"),
    AlertArea("632122000000", "民和县", "Minhe", "county"),
    AlertArea("632122101000", "官亭镇", "Guanting", "township"),
]
_OF_A_DIGEST: Final = frozenset({TemplateName.DIGEST_TITLE, TemplateName.DIGEST_BODY, TemplateName.DIGEST_SHORT})


def sample_facts(now: datetime) -> list[AlertFacts]:
    """A station that went offline, the same when it is back, and an outage of many stations."""
    began = now - timedelta(minutes=42)
    station = AlertFacts(
        incident=1204,
        kind="station_offline",
        phase="opened",
        began_at=began,
        station="6321220007",
        station_name="官亭镇鲍家村农家书屋",
        station_name_en="Baojia Village Reading Room",
        address="鲍家村 12 号",
        areas=_AREAS,
        detail={"reason": "missed_heartbeats", "seen_at": (began - timedelta(seconds=30)).isoformat()},
    )
    outage = AlertFacts(
        incident=1205,
        kind="area_outage",
        phase="escalated",
        began_at=began,
        areas=_AREAS[:2],
        children=31,
        children_open=31,
        detail={"cause": "uplink", "name": "telecom"},
    )
    over = msgspec.structs.replace(station, phase="closed", ended_at=now - timedelta(minutes=2))
    return [station, over, outage]


def preview(
    name: TemplateName, wording: Wording, language: Language, public_url: str | None, now: datetime
) -> list[AlertMessage]:
    """The messages that show what a template does: of single incidents, or of a digest."""
    facts = sample_facts(now)
    messages = [write_worded(each, wording, language=language, public_url=public_url, now=now) for each in facts]
    if name not in _OF_A_DIGEST:
        return messages
    lines = [DigestLine(title=text.title, incident=each.incident) for text, each in zip(messages, facts, strict=True)]
    counted = [
        DigestCount("area_outage", "escalated", "critical"),
        *[DigestCount("station_offline", "opened", "warning")] * 7,
        *[DigestCount("station_offline", "closed", "warning")] * 2,
    ]
    draft = draft_digest(lines[::-1], counted, language=language, public_url=public_url)
    return [write_digest_worded(draft, wording, language)]
