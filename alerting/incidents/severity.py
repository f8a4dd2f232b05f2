"""The severity of an incident. Pure.

A health rule sets the severity of its own incidents; other kinds have the severity of `contract.kinds`. A fault of one
station is a warning. A fault that stops the service of many stations, or hides their state, is critical. A fault that
needs attention within days is information.
"""

from collections.abc import Mapping
from typing import Any, Final, get_args

from contract.kinds import KINDS, IncidentKind, Severity

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)

SELF_CHECK: Final = "platform"
"""The kind of the alerts of the self-check, which are no incidents."""


_RANK: Final[Mapping[str, int]] = {severity: rank for rank, severity in enumerate(SEVERITIES)}


def is_graver(severity: str, before: str) -> bool:
    """Whether one severity is graver than another."""
    return _RANK[severity] > _RANK[before]


def severity_of(kind: str, detail: Mapping[str, Any], *, children: int = 0) -> Severity:
    """The severity of an incident of `kind`; `children`: the number of its child incidents."""
    for severity in SEVERITIES:
        if detail.get("severity") == severity:
            return severity
    if kind == IncidentKind.BLIND_SPOT and detail.get("kind") == "area_dark":
        return "warning" if detail.get("stage") == "last_one" else "critical"
    if kind == SELF_CHECK or (kind == IncidentKind.UNUSABLE and children):
        return "critical"
    return KINDS[kind].severity if kind in KINDS else "warning"
