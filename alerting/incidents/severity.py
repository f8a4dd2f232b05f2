"""How severe an incident is. Pure.

A health rule gives the severity of its incidents itself; other kinds have the one of `contract.kinds`. What concerns
one station is a warning; what takes service away from many stations, or hides the state of many, is critical; what
asks for a look within days is information.
"""

from collections.abc import Mapping
from typing import Any, Final, get_args

from contract.kinds import KINDS, IncidentKind, Severity

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)

SELF_CHECK: Final = "platform"
"""The kind of the alerts of Milepost's own watch, which are no incidents."""


def severity_of(kind: str, detail: Mapping[str, Any], *, children: int = 0) -> Severity:
    """The severity of an incident of `kind`; `children`: how many incidents it is the common cause of."""
    for severity in SEVERITIES:
        if detail.get("severity") == severity:
            return severity
    if kind == IncidentKind.BLIND_SPOT and detail.get("kind") == "area_dark":
        return "warning" if detail.get("stage") == "last_one" else "critical"
    if kind == SELF_CHECK or (kind == IncidentKind.UNUSABLE and children):
        return "critical"
    return KINDS[kind].severity if kind in KINDS else "warning"
