"""The steps of a plan: the typed decisions of the rules about common causes. Pure."""

from datetime import datetime

import msgspec

from alerting.causes.evidence import Fallen, Group
from contract.kinds import IncidentKind


def outage_key(group: Group, kind: str = IncidentKind.AREA_OUTAGE) -> str:
    """The key of the parent incident of a group; `kind`: the kind of that incident."""
    return f"{kind}:{group[0]}:{group[1]}"


class Opened(msgspec.Struct, frozen=True):
    """A common cause was found; `kind`: the kind of its incident."""

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
    """A station's incident became a child of the incident with the key `outage`."""

    fallen: Fallen
    outage: str


class Alone(msgspec.Struct, frozen=True):
    """A station fell without a common cause; a later step may still join it to one."""

    fallen: Fallen
    at: datetime


class Returned(msgspec.Struct, frozen=True):
    """A station is back; `outage`: the key of its common cause, or None."""

    fallen: Fallen
    at: datetime
    outage: str | None


class Released(msgspec.Struct, frozen=True):
    """A station is still down after its common cause is over."""

    fallen: Fallen


class Grown(msgspec.Struct, frozen=True):
    """The number of stations of a cause at least doubled, or their deepest common area changed to `area`."""

    key: str
    children: int
    area: str | None


class Ended(msgspec.Struct, frozen=True):
    """A cause is over since `at`; `into`: the key of the larger cause that took it over, or None."""

    key: str
    at: datetime
    reason: str
    children: int
    into: str | None = None


Step = Opened | Joined | Alone | Returned | Released | Grown | Ended
