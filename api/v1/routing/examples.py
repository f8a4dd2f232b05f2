"""Examples of duty and substitutes for /docs and /openapi.json. Pure."""

from typing import Any, Final

GIVEN: Final[dict[str, Any]] = {
    "area": "632122000000",
    "role": "technician",
    "contact": "li-ming",
    "times": "WD 08:00-18:00",
    "weeks": 2,
    "week": 1,
    "valid_from": "2026-11-30",
    "valid_to": None,
}
DUTY: Final[dict[str, Any]] = {"id": 7, **GIVEN}
GIVEN_SUBSTITUTE: Final = {
    "contact": "li-ming",
    "substitute": "wang-fang",
    "from": "2026-12-06T16:00:00Z",
    "until": "2026-12-11T16:00:00Z",
    "reason": "training",
}
SUBSTITUTE: Final = {"id": 3, **GIVEN_SUBSTITUTE}
ON_DUTY: Final[dict[str, Any]] = {
    "area": "632122000000",
    "role": "technician",
    "on_duty": [{"contact": "wang-fang", "name": "王芳", "duty": 7, "instead_of": "li-ming"}],
    "passed_over": [{"contact": "li-ming", "why": "absent"}, {"contact": "ma-jun", "why": "outside_rotation"}],
}
EXPLAINED: Final[dict[str, Any]] = {
    "kind": "station_offline",
    "severity": "warning",
    "at": "2026-12-01T09:45:00Z",
    "route": "default",
    "verdicts": [{"route": "default", "why": "chosen"}, {"route": "minhe-blind", "why": "other_kind"}],
    "steps": [
        {
            "rule": "technician",
            "at": "2026-12-01T09:45:00Z",
            "recipients": [
                {
                    "contact": "li-ming",
                    "name": "李明",
                    "room": False,
                    "area": "632122000000",
                    "duty": 7,
                    "instead_of": None,
                    "channels": ["sms", "mail"],
                    "quiet_until": None,
                }
            ],
            "why": None,
            "passed_over": [{"contact": "ma-jun", "why": "not_on_duty"}],
        },
        {
            "rule": "lead@county after 30m open",
            "at": "2026-12-01T10:15:00Z",
            "recipients": [],
            "why": "nobody_on_duty",
            "passed_over": [],
        },
    ],
}
GIVEN_ROUTE: Final[dict[str, Any]] = {
    "name": "民和离线",
    "area": "630222000000",
    "kinds": ["station_offline"],
    "steps": "technician; lead@county after 30m open",
}
ROUTE: Final[dict[str, Any]] = {
    "id": "minhe-offline",
    **GIVEN_ROUTE,
    "severities": [],
    "programme": None,
    "station_kind": None,
    "steps": [
        {"role": "technician", "level": None, "after": 0, "clock": "wall", "most": 20},
        {"role": "lead", "level": "county", "after": 1800, "clock": "open", "most": 20},
    ],
    "rule": "technician; lead@county after 30m open",
    "tell_past": True,
}
GAPS: Final[dict[str, Any]] = {
    "from": "2026-12-01T00:00:00Z",
    "until": "2026-12-08T00:00:00Z",
    "area_count": 7,
    "gaps": [
        {
            "areas": ["630222000000", "630222100000"],
            "area_count": 2,
            "spans": [{"from": "2026-12-05T00:00:00Z", "until": "2026-12-05T10:00:00Z"}],
            "hours": 10.0,
            "incidents": [{"kind": "blind_spot", "severity": "warning"}],
            "route": "minhe-blind",
            "why": "only_rooms",
            "programme": None,
            "station_kind": None,
        }
    ],
    "more": 0,
}
