"""Examples of assessments for /docs and /openapi.json. Pure."""

from typing import Any, Final

ASSESSMENT: Final[dict[str, Any]] = {
    "id": 3,
    "area": "632122000000",
    "period": "2026-11",
    "revision": 1,
    "why": None,
    "points": 74.0,
    "result": "warn",
    "places": 42,
    "rules_name": "default",
    "rules_version": 1,
    "made_at": "2026-12-12T02:00:00Z",
    "made_by": "a-3f9c21d07be4",
}
PLACE: Final[dict[str, Any]] = {
    "level": "station",
    "id": "6321220007",
    "name": "吉隆村阅读室",
    "rank": 12,
    "points": 74.0,
    "result": "warn",
    "points_before": 81.5,
    "rank_before": 9,
    "lost_by_cap": 0.0,
    "criteria": [
        {"criterion": "online_rate", "percent": 90.0, "possible": 60.0, "points": 54.0},
        {"criterion": "satisfaction", "percent": 65.0, "possible": 40.0, "points": 20.0},
    ],
    "reasons": [
        "满意度 65.00%（满分线 90.00%）：失 20.00 分，评价方：统计局",
        "在线率 90.00%（满分线 100.00%）：失 6.00 分，应在线 100:00，不在线 10:00",
    ],
}
WHOLE: Final = {
    **ASSESSMENT,
    "first_day": "2026-11-01",
    "last_day": "2026-11-30",
    "frozen": True,
    "made_up": False,
    "whole": {**PLACE, "level": "county", "id": "632122000000", "name": "民和县", "rank": None, "rank_before": None},
    "sha256": {
        "rules_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "inputs_sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        "result_sha256": "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13",
    },
    "rules": "name: default\nversion: 1\nmonth:\n  pass: 85\n",
}
GIVEN: Final = {
    "area": "632122000000",
    "period": "2026-11",
    "scores": [{"place": "6321220007", "score": 65, "source": "统计局"}],
}
