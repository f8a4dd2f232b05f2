"""When stations have a common cause, and when it is over. Pure.

Here, and not in the room of causes, because a station waits for its cause: `alerting.station_incidents.rules`.
"""

import msgspec

from alerting.stations.promise import in_proportion


class CauseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When stations have a common cause, and when it is over.

    `least` stations, and the `share` of the group's that could be heard, fell together. The cause may be over when
    the share `returned` of its stations is back, and is when after that no more came back for `hold` seconds: a cut
    that comes and goes is one cause. These seconds are meant for stations that beat once a minute or quicker: they
    follow the interval of the slowest within that share, and those that are slower still are verified alone. While
    `whole` of a group is down, whatever falls there fell by the same cause.
    """

    least: int = 5
    share: float = 0.5
    returned: float = 0.5
    hold: float = 300.0
    whole: float = 0.8

    def patience(self, every: float) -> float:
        """`hold` for a station that beats every `every` seconds: longer for slower ones, never shorter, for people are
        paged in their own time."""
        return max(self.hold, in_proportion(self.hold, every))
