"""What Milepost reported about stations and about itself, what is expected of it, and findings. Pure.

Times are milliseconds since the epoch.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from agents.simulator.spans import Span
from agents.simulator.usability import Patience

OFFLINE: Final = "offline"
ONLINE: Final = "online"
UNUSABLE: Final = "unusable"
UNKNOWN: Final = "unknown"
NEVER_SEEN: Final = "never_seen"
SUSPECTED: Final = "shard_suspected"


class ExpectedRules(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of Milepost, in seconds: the documented behaviour, independent of the settings of the system.

    `k` heartbeats may be missed; a Last Will shortens that to `will` seconds after one missed heartbeat; after a
    blind time every terminal has `2 × every + floor` left. A terminal that sends is online after `believed` heartbeats,
    whatever its boot and its numbers. A station unusable for `grace` while it is open is an incident. A shard is
    suspected when `least` stations, and `share` of those that were online and open from `margin` before until `margin`
    after, fell at one instant. `slack` is for messages on their way.
    """

    k: float = 3.0
    believed: float = 4.0
    will: float = 10.0
    floor: float = 10.0
    grace: float = 300.0
    least: int = 20
    share: float = 0.8
    margin: float = 600.0
    slack: float = 3.0

    @property
    def patience(self) -> Patience:
        """The rules for `usable`."""
        return Patience(self.k, self.slack, self.grace)


class VerdictSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a station's timeline as the API gives it."""

    begin: int
    end: int
    verdict: str


class StoredRecord(NamedTuple):
    """A record in the database."""

    terminal: str
    box: str
    id: int


class ReportedStation(msgspec.Struct, frozen=True, kw_only=True):
    """What the API reports about one station: its timeline, its health records, the begins of its `station_offline`
    incidents, its `unusable` incidents, its `openings` (None: always) and declared `closures`."""

    timeline: Sequence[VerdictSpan]
    health: Sequence[StoredRecord]
    incidents: Sequence[int] = ()
    unusable: Sequence[Span] = ()
    openings: Sequence[Span] | None = None
    closures: Sequence[Span] = ()
    deadletters: int | None = None


class BlindIncident(msgspec.Struct, frozen=True, kw_only=True):
    """A `pipeline_blind` incident; `ended` None while it goes on. `causes` and `reasons`: the words of its detail."""

    began: int
    ended: int | None = None
    causes: Sequence[str] = ()
    reasons: Sequence[str] = ()


class ReportedPlatform(msgspec.Struct, frozen=True, kw_only=True):
    """What Milepost reports about itself: when it was `blind`, how many shards it has, and how many stations it hears
    that are not in the journal."""

    blind: Sequence[BlindIncident] = ()
    shards: int = 1
    others: int = 0


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A finding: a difference to what is expected. `kind` is one of KINDS; `station` None: about Milepost itself."""

    kind: str
    station: str | None
    text: str

    def __str__(self) -> str:
        subject = "Milepost itself" if self.station is None else f"station {self.station}"
        return f"{self.kind}: {subject}: {self.text}"
