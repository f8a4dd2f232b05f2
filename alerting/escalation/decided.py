"""The decision about an incident or about a part of an incident, as a value. Pure."""

from datetime import datetime

import msgspec

from alerting.escalation.model import EscalationPlan, EscalationState, EscalationTurn


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The decision about an incident, or about its part in the area `share`. Without `turn`, the decision failed, and
    a later pass tries again; `why`: the reason; `soon`: the decision only waits for another process."""

    incident: int
    share: str = ""
    now: datetime
    plan: EscalationPlan | None = None
    before: EscalationState | None = None
    turn: EscalationTurn | None = None
    soon: bool = False
    why: str | None = None

    @property
    def key(self) -> tuple[int, str]:
        """The incident and the share."""
        return self.incident, self.share
