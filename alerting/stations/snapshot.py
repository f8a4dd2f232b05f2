"""How one station stands at a moment, and what moment it is: what the rules of the incident process share. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

IN_SERVICE: Final = "commissioned"

ClockName = tuple[int, str]
"""(partition, shard): a pipeline clock."""
DOUBTFUL: Final[ClockName] = (-1, "")
"""Stands for the clock of a station whose silence proves nothing; it is never trusted."""
UNPROVEN: Final = "unproven"
"""The state of a station of which nobody can know whether it is online: gaps of the pipeline leave it open, or its
shard is suspected."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry says of a station, what the judges said last, and whether it should be open.

    `path` holds the codes of its areas, the root first; `state` and `usable` are the judges' last word (state
    never_seen, online, away, offline, unproven), `since` is when that began. `unusable_since`: since when it is online
    and nobody can use it; None while that is not so. `partition` and `shard` name the clock that the state rests on.
    `open`: within scheduled hours; `excused`: in an approved closure; `silenced`: in any declared closure or
    maintenance window.
    """

    station: str
    area: str | None = None
    path: tuple[str, ...] = ()
    kind: str | None = None
    isp: str | None = None
    feeder: str | None = None
    lifecycle: str = IN_SERVICE
    commissioned_at: datetime | None = None
    state: str = "never_seen"
    since: datetime | None = None
    usable: bool | None = None
    unusable_since: datetime | None = None
    partition: int | None = None
    shard: str | None = None
    open: bool = True
    excused: bool = False
    silenced: bool = False

    @property
    def in_service(self) -> bool:
        return self.lifecycle == IN_SERVICE

    @property
    def working(self) -> bool:
        """A visitor can use it, as far as anybody said."""
        return self.in_service and self.state == "online" and self.usable is not False

    @property
    def unusable(self) -> bool:
        """It is online, and its terminals say that no visitor can use it."""
        return self.state == "online" and self.usable is False

    @property
    def clock(self) -> ClockName | None:
        if self.state == UNPROVEN:
            return DOUBTFUL
        return None if self.partition is None or self.shard is None else (self.partition, self.shard)


Pairs = Sequence[tuple[Standing | None, Standing | None]]
"""How stations stood and stand, in the order in which they changed; None: not registered, or no longer."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """When a pass decides.

    `now` is the database's clock: it dates what people are told. `known` is the watermark: every transition that was
    decided up to it by a clock that can be trusted has been read, so rules that wait for time to pass measure by it.
    `untrusted` are the clocks that say nothing about now, DOUBTFUL among them; the stations that rest on them are
    unknown.
    """

    now: datetime
    known: datetime
    untrusted: frozenset[ClockName] = frozenset({DOUBTFUL})

    def knows(self, standing: Standing) -> bool:
        return standing.clock is None or standing.clock not in self.untrusted
