"""How one station stands, and the time at which a pass decides: what all rules of the incident process share. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

IN_SERVICE: Final = "commissioned"
"""The lifecycle of a station that is expected to work."""

ClockName = tuple[int, str]
"""(partition, shard): the name of a pipeline clock."""
DOUBTFUL: Final[ClockName] = (-1, "")
"""In place of the clock of a station whose silence proves nothing; it is never trusted."""
UNPROVEN: Final = "unproven"
"""The state of a station that may be online or not: gaps of the pipeline leave it open, or its shard is suspected."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry says of a station, what the judges decided last, and whether it should be open."""

    station: str
    #: The code of its area, and of all areas around it, the root first.
    area: str | None = None
    path: tuple[str, ...] = ()
    kind: str | None = None
    isp: str | None = None
    feeder: str | None = None
    lifecycle: str = IN_SERVICE
    commissioned_at: datetime | None = None
    #: never_seen, online, away, offline or unproven, and since when.
    state: str = "never_seen"
    since: datetime | None = None
    #: Whether a visitor can use it; None: its terminals do not report that.
    usable: bool | None = None
    #: Since when it is online and no visitor can use it; None: it is not online, or visitors can use it.
    unusable_since: datetime | None = None
    #: The clock that the state rests on.
    partition: int | None = None
    shard: str | None = None
    #: Within its opening hours.
    open: bool = True
    #: In an approved closure.
    excused: bool = False
    #: In a declared closure or maintenance window, approved or not.
    silenced: bool = False

    @property
    def in_service(self) -> bool:
        """It is expected to work: neither planned nor suspended nor retired."""
        return self.lifecycle == IN_SERVICE

    @property
    def working(self) -> bool:
        """It is in service and online, and does not report that no visitor can use it."""
        return self.in_service and self.state == "online" and self.usable is not False

    @property
    def unusable(self) -> bool:
        """It is online, and its terminals report that no visitor can use it."""
        return self.state == "online" and self.usable is False

    @property
    def clock(self) -> ClockName | None:
        """The clock that the state rests on; None: it was never heard."""
        if self.state == UNPROVEN:
            return DOUBTFUL
        return None if self.partition is None or self.shard is None else (self.partition, self.shard)


Pairs = Sequence[tuple[Standing | None, Standing | None]]
"""How stations stood and stand, in the order in which they changed; None: not, or no longer, registered."""


class PassTime(msgspec.Struct, frozen=True, kw_only=True):
    """The time at which a pass decides.

    `now`: the clock of the database, which dates notifications. `known`: the watermark. Every transition has been read
    that a trusted clock decided up to it, so rules that wait for time to pass measure by `known`. `untrusted`: the
    clocks that show nothing about the present, DOUBTFUL among them; stations that rest on them are unknown.
    """

    now: datetime
    known: datetime
    untrusted: frozenset[ClockName] = frozenset({DOUBTFUL})

    def knows(self, standing: Standing) -> bool:
        """Whether the state of a station rests on a clock that can be trusted."""
        return standing.clock is None or standing.clock not in self.untrusted
