"""What /docs and /openapi.json say about each route beyond its types: a summary, and an example of request and answer.

A test validates every example against the schema of its route. Pure.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from api.v1.assessments import examples as assessment_examples
from api.v1.component_names import with_published_names
from api.v1.ledger import examples as ledger_examples
from api.v1.people import examples
from api.v1.routing import examples as routing_examples
from contract.asyncapi import RECORDS
from contract.messages import Health

Json = Mapping[str, Any]

TAGS: Final = (
    {"name": "stations", "description": "Service points: how each stands now, and when it should be open."},
    {"name": "history", "description": "What a station was, measured and was used for."},
    {"name": "areas", "description": "Areas with the counts of all their stations."},
    {"name": "uptime", "description": "Online rate, service rate and coverage of kept days."},
    {"name": "reports", "description": "Figures of kept days as PDF, XLSX or CSV."},
    {"name": "assessments", "description": "Points of areas and stations by rules, kept for ever."},
    {"name": "incidents", "description": "What is wrong, what happened about it, and what people do about it."},
    {"name": "blind spots", "description": "Where there is no service for a long time."},
    {"name": "closures", "description": "Declared closures and maintenance, and their approval."},
    {"name": "photos", "description": "Photos as evidence of incidents, closures and findings."},
    {
        "name": "findings",
        "description": "Findings of auditors, disputes of stations, and corrections of history by two persons.",
    },
    {"name": "silences", "description": "Intervals in which nobody is told of incidents."},
    {"name": "routes", "description": "Which incidents are told to whom; who would be told, and why."},
    {"name": "duty", "description": "Who is on duty for a role in an area, and who stands in."},
    {"name": "contacts", "description": "The people and rooms that get messages."},
    {"name": "pipeline", "description": "Whether Milepost itself works: clocks, lag, gaps, processes."},
    {"name": "refused", "description": "What was refused, and stations that are not registered."},
    {"name": "ledger", "description": "What people did and what was judged, with proofs that nobody changed it since."},
    {"name": "stream", "description": "Changes as they happen."},
    {"name": "signin", "description": "One-use links for browsers."},
    {"name": "account", "description": "Who you are: your account, password and sessions."},
    {"name": "accounts", "description": "Accounts of people and programs, with their roles and scopes."},
    {"name": "tokens", "description": "API tokens, which expire, are rotated and revoked."},
    {"name": "probes", "description": "For load balancers and Prometheus; without a token."},
)
"""The tags in the order of the page."""

_JSON: Final = "application/json"
_STATION_ID: Final = "6321220007"
_WANG: Final = "a-3f9c21d07be4"
_LI: Final = "a-81d5e02c96fa"
_STATION: Final = {
    "id": _STATION_ID,
    "name": "吉隆村阅读室",
    "area": "632122001000",
    "verdict": "offline",
    "since": "2026-11-27T07:41:00Z",
    "last_seen": "2026-11-27T07:40:00.120000Z",
    "usable": None,
    "deadline": None,
    "lifecycle": "commissioned",
    "terminals": [
        {
            "id": "001",
            "type": "kiosk",
            "counts": True,
            "state": "offline",
            "since": "2026-11-27T07:41:00Z",
            "last_seen": "2026-11-27T07:40:00.120000Z",
            "usable": None,
            "users": None,
            "every": 60.0,
            "deadline": None,
            "installed_at": "2025-06-01T00:00:00Z",
            "refresh_due": "2030-06-01",
        }
    ],
    "open": True,
    "opens_at": None,
    "closes_at": "2026-11-27T09:30:00Z",
    "closure": None,
    "flapping": False,
    "unknown_because": None,
}
_SCHEDULE: Final = {
    "always": False,
    "versions": [{"valid_from": None, "rules": "Mo-Fr 09:00-17:30; HD off", "timezone": "Asia/Shanghai"}],
    "openings": [{"from": "2026-11-27T01:00:00Z", "to": "2026-11-27T09:30:00Z"}],
    "closures": [
        {
            "id": 12,
            "kind": "maintenance",
            "from": "2026-11-30T01:00:00Z",
            "to": "2026-11-30T04:00:00Z",
            "reason": "new router",
            "approved": True,
        }
    ],
    "provisional": [],
}
_TIMELINE: Final = {
    "intervals": [
        {
            "from": "2026-11-26T08:00:00Z",
            "to": "2026-11-27T07:41:00Z",
            "verdict": "online",
            "usable": True,
            "evidence": "live",
            "revision": 1,
        },
        {
            "from": "2026-11-27T07:41:00Z",
            "to": "2026-11-27T08:00:00Z",
            "verdict": "offline",
            "usable": None,
            "evidence": "none",
            "revision": 1,
        },
    ]
}
_HEALTH: Final = {
    "ts": "2026-11-27T07:35:00Z",
    "terminal": "001",
    "box": "a04be771",
    "received_at": "2026-11-27T07:35:00.250000Z",
    "time_source": "anchor",
    # The record as the terminal sent it, without what only the message has.
    **{name: value for name, value in RECORDS[Health].items() if name not in {"kind", "at"}},
}
_USAGE: Final = {
    "from": "2026-11-27T06:00:00Z",
    "until": "2026-11-27T07:00:00Z",
    "sessions": 3,
    "minutes": 41.5,
    "terminal": "001",
}
_HEALTH_DAY: Final = {
    "from": "2026-11-26T00:00:00Z",
    "terminal": "001",
    "samples": 288,
    "cpu": {"mean": 0.21, "max": 0.93},
    "mem": {"mean": 0.44, "max": 0.61},
    "disk": {"mean": 0.37, "max": 0.37},
    "temp": {"mean": 41.2, "max": 55.0},
    "rtt_ms": {"mean": 48.5, "max": 310.0},
}
_USAGE_DAY: Final = {
    "from": "2026-11-26T00:00:00Z",
    "terminal": "001",
    "samples": 9,
    "sessions": 21,
    "minutes": 388.5,
}
_COUNTS: Final = {
    "total": 40,
    "online": 36,
    "unusable": 1,
    "offline": 2,
    "away": 0,
    "closed": 1,
    "excused": 0,
    "unknown": 0,
    "never_seen": 0,
    "suspended": 0,
}
_BLIND_SPOT: Final = {
    "id": 57,
    "kind": "dark",
    "area": None,
    "station": "6321220011",
    "since": "2026-11-18T02:00:00Z",
    "clears": "heartbeat",
    "status": "open",
    "detail": {"kind": "dark", "since": "2026-11-18T02:00:00+00:00", "clears": "heartbeat"},
}
_AREA: Final = {
    "code": "632122000000",
    "name": "民和回族土族自治县",
    "name_en": "Minhe",
    "name_bo": None,
    "level": "county",
    "parent": "632100000000",
    "counts": _COUNTS,
    "blind_spots": [_BLIND_SPOT],
    "children": [
        {
            "code": "632122001000",
            "name": "川口镇",
            "name_en": "Chuankou",
            "name_bo": None,
            "level": "township",
            "counts": {**_COUNTS, "total": 12, "online": 10, "closed": 0, "unusable": 0},
        }
    ],
}
_INCIDENT: Final = {
    "id": 318,
    "kind": "station_offline",
    "station": _STATION_ID,
    "area": None,
    "shard": None,
    "status": "open",
    "began_at": "2026-11-27T07:41:00Z",
    "opened_at": "2026-11-27T07:43:00.500000Z",
    "acknowledged_at": None,
    "acknowledged_by": None,
    "acknowledged_remark": None,
    "eta_at": None,
    "assignee": None,
    "closed_at": None,
    "ended_at": None,
    "reopen_at": None,
    "parent": None,
    "children": [],
    "detail": {"reason": "missed_heartbeats", "seen_at": "2026-11-27T07:40:00.120000Z"},
    "share": None,
    "cause": None,
}
_OPENED: Final = {
    "id": 901,
    "at": "2026-11-27T07:43:00.500000Z",
    "actor": "milepost",
    "remark": None,
    "action": "opened",
    "text": "missed_heartbeats",
    "share": None,
}
_ESCALATION: Final = {
    "route": "minhe",
    "earlier_routes": [],
    "steps": [
        {
            "role": "technician",
            "level": None,
            "area": None,
            "after_s": 0.0,
            "clock": "wall",
            "most": 20,
            "due_at": None,
        },
        {
            "role": "lead",
            "level": "county",
            "area": "632122000000",
            "after_s": 1800.0,
            "clock": "open",
            "most": 20,
            "due_at": "2026-11-27T08:13:00.500000Z",
        },
    ],
    "round": 0,
    "next_step": 1,
    "wake_at": "2026-11-27T08:13:00.500000Z",
    "log": [
        {
            "at": "2026-11-27T07:43:00.500000Z",
            "what": "step_due",
            "round": 0,
            "step": 0,
            "contacts": ["wang"],
            "why": None,
            "until": None,
            "passed_over": [["li", "not_on_duty"]],
        }
    ],
    "names": {"wang": "王芳", "li": "李四"},
    "pages": [
        {
            "id": 5120,
            "recipient": "wang",
            "name": "王芳",
            "role": "technician",
            "share": None,
            "instead_of": None,
            "phase": "opened",
            "step": 0,
            "round": 0,
            "severity": "warning",
            "created_at": "2026-11-27T07:43:00.500000Z",
            "not_before": None,
            "status": "paid",
            "reason": None,
            "settled_at": "2026-11-27T07:43:01.800000Z",
            "channel": "wecom",
        }
    ],
}
_REPAIR: Final = {
    "id": 31,
    "incident": 118,
    "at": "2026-11-27T08:40:00Z",
    "made_by": _WANG,
    "remark": None,
    "cause": "power",
    "parts": "UPS battery",
    "text": "the battery was empty",
    "fixed": True,
    "verify_at": "2026-11-27T08:50:00Z",
    "outcome": None,
    "why": None,
    "outcome_at": None,
    "back_as": None,
}
_ACKNOWLEDGED: Final = {
    **_INCIDENT,
    "status": "acknowledged",
    "acknowledged_at": "2026-11-27T07:50:00Z",
    "acknowledged_by": _WANG,
    "eta_at": "2026-11-27T10:00:00Z",
}


def _detail(incident: Json, action: str, text: str | None = None) -> Json:
    """An incident after a person did something to it."""
    entry = {"id": 902, "at": "2026-11-27T07:50:00Z", "actor": _WANG, "remark": None, "action": action, "text": text}
    entries = [{**entry, "share": None}, _OPENED]
    return {**incident, "entries": entries, "shares": [], "escalation": _ESCALATION, "share_escalations": []}


_WORK: Final = {
    "id": 318,
    "kind": "station_offline",
    "severity": "warning",
    "status": "acknowledged",
    "station": _STATION_ID,
    "name": "吉隆村阅读室",
    "name_en": None,
    "address": "吉隆村 12 号",
    "lat": 36.33,
    "lon": 102.81,
    "area": "632122001201",
    "township": "632122001000",
    "began_at": "2026-11-27T07:41:00Z",
    "age_s": 19140.0,
    "open_age_s": 6540.0,
    "acknowledged_by": _LI,
    "eta_at": "2026-11-28T02:00:00Z",
    "overdue": False,
    "assignee": None,
    "stations_down": 0,
    "detail": {"reason": "missed_heartbeats"},
    "why": ["acknowledged", "duty"],
    "openings": [{"from": "2026-11-28T01:00:00Z", "to": "2026-11-28T09:30:00Z"}],
}
_MIDDLE: Final = {"mean": 1260.0, "median": 900.0}
_ANSWERED: Final = {
    "incidents": 12,
    "acknowledged": 11,
    "repaired": 9,
    "to_acknowledge": {"wall": _MIDDLE, "open": {"mean": 840.0, "median": 900.0}},
    "to_repair": {"wall": {"mean": 41000.0, "median": 20700.0}, "open": {"mean": 16200.0, "median": 9000.0}},
}
_UPTIME: Final = {
    "scheduled_ms": 28800000,
    "excused_ms": 0,
    "unknown_ms": 600000,
    "due_ms": 28200000,
    "online_ms": 27000000,
    "service_due_ms": 28200000,
    "usable_ms": 27600000,
    "online_percent": 95.74,
    "service_percent": 97.87,
    "coverage_percent": 97.91,
    "headline": True,
}
_RESPONSE: Final = {
    "at": "2026-11-27T13:00:00Z",
    "from": "2026-11-20T13:00:00Z",
    "to": "2026-11-27T13:00:00Z",
    "unowned": {"count": 0, "items": []},
    "overdue": {"count": 0, "items": []},
    "escalated": {"count": 1, "items": [{**_WORK, "why": []}]},
    "complete": True,
    "figures": _ANSWERED,
    "by_kind": [{"name": "station_offline", "figures": _ANSWERED}],
    "by_cause": [],
    "by_area": [{"name": "632122001000", "figures": _ANSWERED}],
}
_CLOSURE: Final = {
    "id": 12,
    "kind": "maintenance",
    "station": _STATION_ID,
    "area": None,
    "programme": None,
    "from": "2026-11-30T01:00:00Z",
    "until": "2026-11-30T04:00:00Z",
    "reason": "new router",
    "status": "declared",
    "declared_by": _WANG,
    "declared_remark": "Zhao",
    "declared_at": "2026-11-27T08:00:00Z",
    "approved_by": None,
    "approved_remark": None,
    "approved_at": None,
    "evidence": None,
    "withdrawn_by": None,
    "withdrawn_remark": None,
    "withdrawn_at": None,
}
_PHOTO: Final = {
    "id": "5d0c3b9e-8f1a-4c57-9a53-0b7d1e2f6a44",
    "incident": 17,
    "closure": None,
    "finding": None,
    "repair": None,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size": 284_113,
    "width": 2048,
    "height": 1536,
    "made_by": _LI,
    "made_remark": None,
    "made_at": "2026-11-27T08:20:00Z",
}
_FINDING: Final = {
    "id": 5,
    "kind": "finding",
    "status": "open",
    "station": _STATION_ID,
    "incident": None,
    "from": "2026-11-26T01:00:00Z",
    "until": "2026-11-26T09:00:00Z",
    "text": "the log book says open, the record says offline",
    "made_by": _LI,
    "made_remark": None,
    "made_at": "2026-11-27T08:00:00Z",
    "answer": None,
    "answered_by": None,
    "answered_remark": None,
    "answered_at": None,
    "closed_why": None,
    "closed_by": None,
    "closed_remark": None,
    "closed_at": None,
}
_ANSWERED_FINDING: Final = {
    **_FINDING,
    "status": "answered",
    "answer": "the line of the provider was cut; the terminal ran",
    "answered_by": _WANG,
    "answered_at": "2026-11-27T09:00:00Z",
}
_CLOSED_FINDING: Final = {
    **_ANSWERED_FINDING,
    "status": "closed",
    "closed_why": "the provider confirms it",
    "closed_by": _LI,
    "closed_at": "2026-11-27T10:00:00Z",
}
_CORRECTION: Final = {
    "id": 3,
    "status": "proposed",
    "station": _STATION_ID,
    "finding": 5,
    "from": "2026-11-26T01:00:00Z",
    "until": "2026-11-26T09:00:00Z",
    "counts_as": "excused",
    "reason": "the line of the provider was cut",
    "proposed_by": _WANG,
    "proposed_remark": None,
    "proposed_at": "2026-11-27T09:00:00Z",
    "decided_by": None,
    "decided_remark": None,
    "decided_at": None,
    "decided_why": None,
}
_APPROVED_CORRECTION: Final = {
    **_CORRECTION,
    "status": "approved",
    "decided_by": _LI,
    "decided_at": "2026-11-27T10:00:00Z",
    "decided_why": "letter of the provider seen",
}
_REFUSED_CORRECTION: Final = {**_APPROVED_CORRECTION, "status": "refused", "decided_why": "no proof"}
_APPROVED: Final = {
    **_CLOSURE,
    "status": "approved",
    "approved_by": _LI,
    "approved_at": "2026-11-27T08:30:00Z",
    "evidence": "notice 2026-114",
}
_WITHDRAWN: Final = {
    **_CLOSURE,
    "status": "withdrawn",
    "withdrawn_by": _WANG,
    "withdrawn_at": "2026-11-27T08:40:00Z",
}
_SILENCE: Final = {
    "id": 5,
    "station": None,
    "area": "632122001000",
    "kinds": ["station_offline"],
    "from": "2026-11-27T08:00:00Z",
    "until": "2026-11-27T12:00:00Z",
    "reason": "the power company replaces a transformer",
    "status": "current",
    "made_by": _WANG,
    "made_at": "2026-11-27T08:00:00Z",
    "ended_at": None,
    "ended_by": None,
}
_CONTACT: Final = {
    "id": "li-ming",
    "name": "李明",
    "role": "technician",
    "area": "632122000000",
    "language": "zh-CN",
    "room": False,
    "quiet": "22:00-07:00",
    "account": _LI,
    "channels": [
        {"kind": "sms", "fingerprint": "3b9c0e6d2f4a8157"},
        {"kind": "dingtalk", "fingerprint": "9f86d081884c7d65-0a1b2c3d"},
    ],
    "retired_at": None,
    "muted": False,
}
_GAP: Final = {"from": "2026-11-27T03:00:00Z", "to": "2026-11-27T03:00:12Z", "reason": "bridge_restarted"}
_PIPELINE: Final = {
    "sound": True,
    "now": "2026-11-27T08:00:00Z",
    "shards": [
        {
            "shard": "main",
            "sound": True,
            "clock": 86388.2,
            "lag_s": 0.4,
            "blind_since": None,
            "suspicion": None,
            "misnumbering": [],
            "unstable": False,
            "gaps_10m": 0,
            "unknown_10m_s": 0.0,
            "partitions": [
                {
                    "partition": 0,
                    "clock": 86388.2,
                    "tick_at": "2026-11-27T07:59:59.600000Z",
                    "judged_at": "2026-11-27T07:59:59.700000Z",
                    "lag_s": 0.4,
                    "blind_since": None,
                    "sound": True,
                    "gaps": [_GAP],
                }
            ],
        }
    ],
    "consumers": [
        {
            "consumer": "ingest",
            "topic": "milepost.records",
            "partition": 0,
            "next_offset": 4711,
            "instance": "server-1",
            "updated_at": "2026-11-27T07:59:58Z",
            "end_offset": 4711,
            "end_at": "2026-11-27T07:59:59Z",
            "lag": 0,
        }
    ],
    "services": [
        {
            "service": "incidents",
            "instance": "server-1",
            "role": "leading",
            "at": "2026-11-27T07:59:55Z",
            "age_s": 5.0,
            "alive": True,
            "detail": {},
        }
    ],
    "set_aside": [],
    "restarts": [],
}
_DEADLETTER: Final = {
    "id": 7,
    "at": "2026-11-27T07:12:00Z",
    "topic": f"milepost/v1/{_STATION_ID}/001/heartbeat",
    "station": _STATION_ID,
    "reason": "out_of_range",
    "detail": "every: Expected `float` <= 3600.0",
    "excerpt": '{"v":1,"boot":"b7f3c1e2","run":12,"n":4211,"at":1795410000000,"every":7200}',
    "size": 76,
    "refused": 0,
    "shard": "main",
}
_UNREGISTERED: Final = {
    "station": "6321229999",
    "terminals": ["001"],
    "first_seen_at": "2026-11-27T06:00:00Z",
    "last_seen_at": "2026-11-27T07:59:00Z",
    "messages": 120,
}
_STREAM: Final = (
    "id: 08d0b054-4\nevent: transition\n"
    f'data: {{"seq":4,"station":"{_STATION_ID}","terminal":null,"before":"online","after":"offline",…}}\n\n'
    "id: 08d0b054-5\nevent: incident\n"
    f'data: {{"id":318,"kind":"station_offline","station":"{_STATION_ID}","status":"open","action":"opened",…}}\n\n'
)
_FIGURES: Final = '# TYPE milepost_stations gauge\nmilepost_stations{verdict="online"} 36.0\n'


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A route in words: what it is for in a few, what is answered, and what is sent."""

    summary: str
    answer: Any
    body: Json | None = None
    status: int = 200
    media: str = _JSON


def _list(item: Json, following: str | None = None) -> Json:
    return {"items": [item], "next": following}


OPERATIONS: Final[Mapping[str, Operation]] = {
    "list_stations": Operation(summary="List stations", answer=_list(_STATION, "eyJpZCI6IjYzMjEyMjAwMDcifQ")),
    "get_station": Operation(summary="One station", answer=_STATION),
    "remove": Operation(
        summary="Remove or retire a station",
        body={"reason": "mistyped"},
        answer={"id": _STATION_ID, "outcome": "retired"},
    ),
    "restore": Operation(
        summary="Take the retirement of a station back",
        body={"reason": "it is needed again"},
        answer={"id": _STATION_ID, "lifecycle": "commissioned"},
    ),
    "get_schedule": Operation(summary="When a station should be open", answer=_SCHEDULE),
    "get_timeline": Operation(summary="The history of a station", answer=_TIMELINE),
    "list_health": Operation(summary="Health of a station's terminals", answer=_list(_HEALTH)),
    "list_usage": Operation(
        summary="Use of a station", answer={**_list(_USAGE), "total": {"sessions": 3, "minutes": 41.5}}
    ),
    "get_health_figures": Operation(
        summary="Health of a station's terminals by hour or day", answer={"unit": "day", "items": [_HEALTH_DAY]}
    ),
    "get_usage_figures": Operation(
        summary="Use of a station by hour or day", answer={"unit": "day", "items": [_USAGE_DAY]}
    ),
    "get_area": Operation(summary="An area with its counts", answer=_AREA),
    "list_incidents": Operation(summary="List incidents", answer=_list(_INCIDENT)),
    "get_incident": Operation(
        summary="One incident",
        answer={**_INCIDENT, "entries": [_OPENED], "shares": [], "escalation": _ESCALATION, "share_escalations": []},
    ),
    "acknowledge": Operation(
        summary="Acknowledge an incident",
        body={"text": "on my way", "eta": "2026-11-27T10:00:00Z"},
        answer=_detail(_ACKNOWLEDGED, "acknowledged", "on my way"),
    ),
    "assign": Operation(
        summary="Hand an incident to a person",
        body={"assignee": "zhao"},
        answer=_detail({**_ACKNOWLEDGED, "assignee": "zhao"}, "assigned", "zhao"),
    ),
    "note": Operation(
        summary="Add a note to an incident",
        body={"text": "the power is off in the village"},
        answer=_detail(_ACKNOWLEDGED, "note", "the power is off in the village"),
    ),
    "resolve": Operation(
        summary="Close an incident by hand",
        body={"text": "router replaced"},
        answer=_detail(
            {
                **_ACKNOWLEDGED,
                "status": "closed",
                "closed_at": "2026-11-27T07:50:00Z",
                "reopen_at": "2026-11-27T11:50:00Z",
                "detail": {"reason": "missed_heartbeats", "shelved_by": "person", "resolved_by": _WANG},
            },
            "resolved",
            "router replaced",
        ),
    ),
    "list_repairs": Operation(summary="List the repairs of an incident", answer=_list(_REPAIR)),
    "repair": Operation(
        summary="Note the cause of an incident, or say that it is repaired",
        body={"cause": "power", "parts": "UPS battery", "text": "the battery was empty", "fixed": True},
        answer=_REPAIR,
        status=201,
    ),
    "list_blind_spots": Operation(summary="List blind spots", answer=_list(_BLIND_SPOT)),
    "get_work": Operation(
        summary="Open incidents that concern you",
        answer={
            "at": "2026-11-27T13:00:00Z",
            "contacts": ["li-ming"],
            "groups": [{"area": "632122001000", "items": [_WORK]}],
            "more": False,
        },
    ),
    "get_uptime": Operation(
        summary="Uptime of a station or an area",
        answer={
            "station": _STATION_ID,
            "area": None,
            "period": "2026-11",
            "first_day": "2026-11-02",
            "last_day": "2026-11-02",
            "frozen_at": None,
            "figures": _UPTIME,
            "with_addenda": None,
            "parts": [
                {
                    "at": "2026-11-02",
                    "figures": _UPTIME,
                    "revisions": [
                        {
                            "revision": 2,
                            "causes": ["presence"],
                            "addendum": False,
                            "recorded_at": "2026-11-04T02:00:00Z",
                            "difference": {"usable_ms": 600000},
                        }
                    ],
                }
            ],
            "areas": [],
        },
    ),
    "list_uptime_of_stations": Operation(
        summary="Uptime of the stations of an area",
        answer=_list(
            {
                "station": _STATION_ID,
                "name": "吉隆村阅读室",
                "name_en": None,
                "area": "632122001201",
                "figures": _UPTIME,
            }
        ),
    ),
    "get_uptime_report": Operation(
        summary="A report of an area's uptime", answer="(the bytes of a PDF)", media="application/pdf"
    ),
    "get_effect_report": Operation(
        summary="A report of an area's use", answer="(the bytes of a PDF)", media="application/pdf"
    ),
    "get_programme_report": Operation(
        summary="A report of the targets of programmes", answer="(the bytes of a PDF)", media="application/pdf"
    ),
    "get_station_report": Operation(
        summary="A report of a station", answer="(the bytes of a PDF)", media="application/pdf"
    ),
    "get_assessment_report": Operation(
        summary="A report of an assessment", answer="(the bytes of a PDF)", media="application/pdf"
    ),
    "get_assessments": Operation(summary="List assessments", answer=_list(assessment_examples.ASSESSMENT)),
    "get_assessment": Operation(summary="One assessment", answer=assessment_examples.WHOLE),
    "get_assessed_places": Operation(summary="The places of an assessment", answer=_list(assessment_examples.PLACE)),
    "assess": Operation(
        summary="Assess an area", body=assessment_examples.GIVEN, answer=assessment_examples.ASSESSMENT, status=201
    ),
    "get_response": Operation(summary="Who owns what, and how fast people answer", answer=_RESPONSE),
    "list_closures": Operation(summary="List closures", answer=_list(_APPROVED)),
    "get_closure": Operation(summary="One closure", answer=_APPROVED),
    "declare": Operation(
        summary="Declare a closure",
        body={
            "station": _STATION_ID,
            "from": "2026-11-30T09:00:00+08:00",
            "until": "2026-11-30T12:00:00+08:00",
            "reason": "new router",
            "kind": "maintenance",
            "by": "Zhao",
        },
        answer=_CLOSURE,
        status=201,
    ),
    "approve": Operation(summary="Approve a closure", body={"evidence": "notice 2026-114"}, answer=_APPROVED),
    "withdraw": Operation(summary="Withdraw a closure", body={}, answer=_WITHDRAWN),
    "list_incident_photos": Operation(summary="Photos of an incident", answer=_list(_PHOTO)),
    "send_incident_photo": Operation(summary="Add a photo to an incident", answer=_PHOTO, status=201),
    "list_closure_photos": Operation(
        summary="Photos of a closure", answer=_list({**_PHOTO, "incident": None, "closure": 12})
    ),
    "send_closure_photo": Operation(
        summary="Add a photo to a closure", answer={**_PHOTO, "incident": None, "closure": 12}, status=201
    ),
    "list_finding_photos": Operation(
        summary="Photos of a finding or dispute", answer=_list({**_PHOTO, "incident": None, "finding": 5})
    ),
    "send_finding_photo": Operation(
        summary="Add a photo to a finding or dispute",
        answer={**_PHOTO, "incident": None, "finding": 5},
        status=201,
    ),
    "get_photo": Operation(summary="One photo", answer=_PHOTO),
    "get_picture": Operation(summary="The picture of a photo", answer="(the bytes of a JPEG)", media="image/jpeg"),
    "list_findings": Operation(summary="List findings and disputes", answer=_list(_CLOSED_FINDING)),
    "get_finding": Operation(summary="One finding or dispute", answer=_CLOSED_FINDING),
    "find": Operation(
        summary="Make a finding",
        body={
            "station": _STATION_ID,
            "from": "2026-11-26T09:00:00+08:00",
            "until": "2026-11-26T17:00:00+08:00",
            "text": "the log book says open, the record says offline",
        },
        answer=_FINDING,
        status=201,
    ),
    "dispute": Operation(
        summary="Dispute a time of a station",
        body={
            "station": _STATION_ID,
            "from": "2026-11-26T09:00:00+08:00",
            "until": "2026-11-26T17:00:00+08:00",
            "text": "we served people all day",
        },
        answer={**_FINDING, "kind": "dispute", "text": "we served people all day"},
        status=201,
    ),
    "answer": Operation(
        summary="Answer a finding or dispute",
        body={"text": "the line of the provider was cut; the terminal ran"},
        answer=_ANSWERED_FINDING,
    ),
    "close": Operation(
        summary="Close a finding or dispute", body={"text": "the provider confirms it"}, answer=_CLOSED_FINDING
    ),
    "list_corrections": Operation(summary="List corrections of history", answer=_list(_APPROVED_CORRECTION)),
    "get_correction": Operation(summary="One correction", answer=_APPROVED_CORRECTION),
    "propose": Operation(
        summary="Propose a correction of history",
        body={
            "station": _STATION_ID,
            "from": "2026-11-26T09:00:00+08:00",
            "until": "2026-11-26T17:00:00+08:00",
            "counts_as": "excused",
            "reason": "the line of the provider was cut",
            "finding": 5,
        },
        answer=_CORRECTION,
        status=201,
    ),
    "approve_proposal": Operation(
        summary="Approve a correction", body={"why": "letter of the provider seen"}, answer=_APPROVED_CORRECTION
    ),
    "refuse_proposal": Operation(
        summary="Refuse or withdraw a correction", body={"why": "no proof"}, answer=_REFUSED_CORRECTION
    ),
    "list_silences": Operation(summary="List silences", answer=_list(_SILENCE)),
    "get_silence": Operation(summary="One silence", answer=_SILENCE),
    "silence": Operation(
        summary="Silence incidents",
        body={
            "area": "632122001000",
            "kinds": ["station_offline"],
            "until": "2026-11-27T20:00:00+08:00",
            "reason": "the power company replaces a transformer",
        },
        answer=_SILENCE,
        status=201,
    ),
    "end": Operation(
        summary="End a silence early",
        answer={**_SILENCE, "status": "over", "ended_at": "2026-11-27T09:10:00Z", "ended_by": _LI},
    ),
    "list_routes": Operation(summary="List routes", answer=_list(routing_examples.ROUTE)),
    "list_gaps": Operation(summary="Where and when nobody would be told", answer=routing_examples.GAPS),
    "get_route": Operation(summary="One route", answer=routing_examples.ROUTE),
    "put_route": Operation(
        summary="Make or change a route", body=routing_examples.GIVEN_ROUTE, answer=routing_examples.ROUTE
    ),
    "remove_route": Operation(summary="Remove a route", answer=routing_examples.ROUTE),
    "explain_station": Operation(
        summary="Who would be told of an incident of a station", answer=routing_examples.EXPLAINED
    ),
    "explain_area": Operation(
        summary="Who would be told of an incident of an area",
        answer={**routing_examples.EXPLAINED, "kind": "area_outage", "severity": "critical"},
    ),
    "list_duties": Operation(summary="List duties", answer=_list(routing_examples.DUTY)),
    "list_on_duty": Operation(summary="Who is on duty", answer=_list(routing_examples.ON_DUTY)),
    "give_duty": Operation(
        summary="Give a contact a duty", body=routing_examples.GIVEN, answer=routing_examples.DUTY, status=201
    ),
    "remove_duty": Operation(summary="Remove a duty", answer=routing_examples.DUTY),
    "list_substitutes": Operation(summary="List substitutes", answer=_list(routing_examples.SUBSTITUTE)),
    "give_substitute": Operation(
        summary="Give a contact a substitute",
        body=routing_examples.GIVEN_SUBSTITUTE,
        answer=routing_examples.SUBSTITUTE,
        status=201,
    ),
    "remove_substitute": Operation(summary="Remove a substitute", answer=routing_examples.SUBSTITUTE),
    "list_contacts": Operation(summary="List contacts", answer=_list(_CONTACT)),
    "get_contact": Operation(summary="One contact", answer=_CONTACT),
    "make_contact": Operation(
        summary="Make a contact",
        body={
            "id": "li-ming",
            "name": "李明",
            "role": "technician",
            "area": "632122000000",
            "quiet": "22:00-07:00",
            "channels": ["sms:+8613800138000", "dingtalk://8f3a0c?secret=SEC4d1"],
        },
        answer=_CONTACT,
        status=201,
    ),
    "change_contact": Operation(
        summary="Change a contact",
        body={"channels": ["sms:+8613800138000"]},
        answer={**_CONTACT, "channels": [{"kind": "sms", "fingerprint": "3b9c0e6d2f4a8157"}]},
    ),
    "end_links": Operation(summary="End the links of a contact, whose phone was lost", answer={"id": "li", "ended": 2}),
    "retire_contact": Operation(
        summary="Retire a contact", answer={**_CONTACT, "channels": [], "retired_at": "2026-11-27T09:10:00Z"}
    ),
    "get_pipeline": Operation(summary="Whether Milepost itself works", answer=_PIPELINE),
    "trust_shard": Operation(
        summary="Decide that a suspected shard is sound",
        body={},
        answer={"shard": "main", "decided_at": "2026-11-27T08:00:00Z", "by": _LI, "remark": None},
    ),
    "announce_restart": Operation(
        summary="Announce a restart of the platform",
        body={"minutes": 5, "reason": "upgrade"},
        answer={
            "from": "2026-11-27T08:00:00Z",
            "until": "2026-11-27T08:05:00Z",
            "by": _LI,
            "remark": None,
            "reason": "upgrade",
        },
        status=201,
    ),
    "list_deadletters": Operation(summary="List refused messages", answer=_list(_DEADLETTER)),
    "list_unregistered": Operation(summary="List stations that are not registered", answer=_list(_UNREGISTERED)),
    "get_checkpoint": Operation(summary="The newest checkpoint of the ledger", answer=ledger_examples.CHECKPOINT),
    "list_entries": Operation(summary="List entries of the ledger", answer=_list(ledger_examples.ENTRY)),
    "get_entry_proof": Operation(summary="The proof of an entry", answer=ledger_examples.PROOF),
    "export_ledger": Operation(summary="Export the ledger", answer=ledger_examples.EXPORT, media="application/x-tar"),
    "stream": Operation(summary="Follow changes", answer=_STREAM, media="text/event-stream"),
    "new_signin_link": Operation(
        summary="Make a sign-in link",
        body={"account": None},
        answer={
            "link": "http://127.0.0.1:8000/signin?code=Yb3…",
            "until": "2026-11-27T08:15:00Z",
        },
        status=201,
    ),
    "get_own_account": Operation(summary="Who you are", answer=examples.OWN),
    "put_own_password": Operation(
        summary="Change your password",
        body={"current": "the present password", "new": "a longer and better one"},
        answer={"ended": 2},
    ),
    "get_own_sessions": Operation(summary="List your sessions", answer={"items": [examples.SESSION]}),
    "end_session": Operation(summary="End one of your sessions", answer={"ended": 1}),
    "end_sessions": Operation(summary="End your other sessions", answer={"ended": 2}),
    "list_accounts": Operation(summary="List accounts", answer=_list(examples.ACCOUNT)),
    "get_account": Operation(summary="One account", answer=examples.ACCOUNT),
    "make_account": Operation(
        summary="Make an account",
        body={"login": "li", "name": "李四", "role": "supervisor", "areas": ["632122000000"]},
        answer=examples.NEW_ACCOUNT,
        status=201,
    ),
    "patch_account": Operation(summary="Change an account", body={"role": "supervisor"}, answer=examples.ACCOUNT),
    "disable": Operation(summary="Disable an account", answer=examples.DISABLED),
    "enable": Operation(summary="Enable an account", answer=examples.ACCOUNT),
    "make_account_link": Operation(
        summary="Make a sign-in link for a person",
        body={"forget_password": False},
        answer=examples.LINK,
        status=201,
    ),
    "list_tokens": Operation(summary="List API tokens", answer=_list(examples.TOKEN)),
    "make_token": Operation(
        summary="Make an API token",
        body={"name": "county dashboard", "role": "auditor", "areas": ["632122000000"], "days": 90},
        answer=examples.NEW_TOKEN,
        status=201,
    ),
    "revoke_token": Operation(summary="Revoke an API token", answer=examples.REVOKED),
    "rotate_token": Operation(
        summary="Rotate an API token", body={"overlap_hours": 24}, answer=examples.NEW_TOKEN, status=201
    ),
    "healthz": Operation(summary="Is the process alive?", answer={"alive": True}),
    "readyz": Operation(summary="Does all of it work?", answer={"ready": True, "missing": [], "warnings": []}),
    "metrics": Operation(summary="Figures for Prometheus", answer=_FIGURES, media="text/plain"),
}
"""By the name of the route's function, which is the operation's id."""

PUBLISHED: Final = {
    "ActionRequest": "Deed",
    "AccountDocument": "Account",
    "AreaDocument": "Area",
    "CheckpointDocument": "Checkpoint",
    "EntryDocument": "LedgerEntry",
    "EntryProofDocument": "EntryProof",
    "GapDocument": "PipelineGap",
    "UntoldGapDocument": "UntoldGap",
    "IncidentDocument": "Incident",
    "NewSigninLink": "SigninLink",
    "NewTokenDocument": "NewToken",
    "NewTokenRequest": "TokenRequest",
    "RemovalRequest": "Why",
    "RestartRequest": "Restart",
    "ScopeDocument": "Scope",
    "SessionDocument": "Session",
    "ShardDocument": "Shard",
    "StationDocument": "Station",
    "SuspicionDocument": "Suspicion",
    "TerminalDocument": "Terminal",
    "TokenDocument": "Token",
    "TrustRequest": "Decision",
    "VerdictCounts": "Counts",
}
"""The names in /openapi.json of types whose class has another name."""

PROBLEM: Final = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "there is no station '6321229999'",
    "instance": "/api/v1/stations/6321229999",
}
"""What an error looks like."""


def described(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with summaries, examples and published names."""
    document = with_published_names(document, PUBLISHED)
    for methods in document["paths"].values():
        for route in methods.values():
            if (operation := OPERATIONS.get(route["operationId"])) is not None:
                _describe(route, operation)
    return document


def _describe(route: dict[str, Any], operation: Operation) -> None:
    route["summary"] = operation.summary
    content = route["responses"].setdefault(str(operation.status), {}).setdefault("content", {})
    content.setdefault(operation.media, {})["example"] = operation.answer
    if operation.body is not None:
        route["requestBody"]["content"][_JSON]["example"] = operation.body
    for parameter in route.get("parameters", []):
        if parameter["in"] == "path":
            parameter["example"] = _named(operation.answer, parameter["name"])


def _named(answer: Any, name: str) -> Any:
    """The example of a parameter of the path: what the answer calls so."""
    return answer.get(name, _STATION_ID) if isinstance(answer, dict) else _PHOTO.get(name, _STATION_ID)
