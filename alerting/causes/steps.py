"""What the rules about common causes decide, step by step. Pure."""

from datetime import datetime

import msgspec

from alerting.causes.evidence import Fallen, Group
from contract.kinds import IncidentKind


def outage_key(group: Group, kind: str = IncidentKind.AREA_OUTAGE) -> str:
    """The key of the incident of a kind that says what a group has in common."""
    return f"{kind}:{group[0]}:{group[1]}"


class Opened(msgspec.Struct, frozen=True):
    """A common cause was found; `kind` is that of its incident."""

    kind: IncidentKind
    key: str
    group: Group
    area: str | None
    began: datetime
    instant: datetime
    children: int
    expected: int
    share: float


class Joined(msgspec.Struct, frozen=True):
    """A station's incident became a child."""

    fallen: Fallen
    outage: str


class Alone(msgspec.Struct, frozen=True):
    """A station fell and no cause takes it; a later step may."""

    fallen: Fallen
    at: datetime


class Returned(msgspec.Struct, frozen=True):
    """A station is back; `outage` is the cause that it was down by."""

    fallen: Fallen
    at: datetime
    outage: str | None


class Released(msgspec.Struct, frozen=True):
    """A station stays down when its common cause is over."""

    fallen: Fallen


class Grown(msgspec.Struct, frozen=True):
    """A cause took in many more; it has no more in common than this area."""

    key: str
    children: int
    area: str | None


class Ended(msgspec.Struct, frozen=True):
    """A cause is over since `at`, or is part of the larger one `into`."""

    key: str
    at: datetime
    reason: str
    children: int
    into: str | None = None


Step = Opened | Joined | Alone | Returned | Released | Grown | Ended
