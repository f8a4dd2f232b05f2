"""How grave an incident is. Pure.

A health rule says it itself. What concerns one station is a warning; what takes service away from many, or hides the
state of many, is critical; what asks for a look within days is information.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)

_BY_KIND: Final[Mapping[str, Severity]] = {
    "area_outage": "critical",
    "pipeline_blind": "critical",
    "channel_dead": "critical",
    "platform": "critical",
    "flapping": "info",
    "never_seen": "info",
}


def severity_of(kind: str, detail: Mapping[str, Any], *, children: int = 0) -> Severity:
    """The severity of an incident of `kind`; `children`: how many incidents it is the common cause of."""
    for severity in SEVERITIES:
        if detail.get("severity") == severity:
            return severity
    if kind == "blind_spot" and detail.get("kind") == "area_dark":
        return "warning" if detail.get("stage") == "last_one" else "critical"
    if kind == "unusable" and children:
        return "critical"
    return _BY_KIND.get(kind, "warning")
