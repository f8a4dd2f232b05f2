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
