"""What an action of a person leaves in the database, for worlds that have none."""

from datetime import datetime, timedelta

import msgspec

from alerting.incidents.actions import REOPEN_AFTER
from alerting.incidents.book import Incident


def closed_by_hand(incident: Incident, now: datetime, *, by: str = "lead", after: timedelta = REOPEN_AFTER) -> Incident:
    """An incident as it is when a person closed it."""
    detail = incident.detail | {"shelved_by": "person", "resolved_by": by}
    return msgspec.structs.replace(incident, status="closed", closed_at=now, reopen_at=now + after, detail=detail)
