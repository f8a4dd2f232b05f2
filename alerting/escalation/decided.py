"""What was decided about an incident or a part of it, as a value. Pure."""

from datetime import datetime

import msgspec

from alerting.escalation.model import EscalationPlan, EscalationState, EscalationTurn


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, or the part of it that lies in the area `share`, and what was decided; without `turn`, it could not
    be decided and is looked at again."""

    incident: int
    share: str = ""
    now: datetime
    plan: EscalationPlan | None = None
    before: EscalationState | None = None
    turn: EscalationTurn | None = None

    @property
    def key(self) -> tuple[int, str]:
        """The incident and the share."""
        return self.incident, self.share
