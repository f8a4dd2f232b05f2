"""Settings of common causes: when stations have one, and when it is over. Pure.

The module is in this room and not in `alerting.causes`, because the rules of single stations read these settings too:
their notifications wait for the common cause.
"""

import msgspec

from alerting.stations.promise import in_proportion


class CauseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When stations have a common cause, and when it is over.

    `least`: minimum number of stations that fell together; `share`: their minimum share of the stations of the group
    that are evidence. `returned`: the share of its stations that must be back before a cause can be over; `hold`:
    seconds without a further return after that, so an outage that comes and goes is one cause. `hold` is for stations
    with a heartbeat a minute or more often; it grows with the interval of the slowest station within the share
    `returned`, and slower stations are verified alone. `whole`: while this share of a group is down, each further fall
    in the group belongs to the same cause.
    """

    least: int = 5
    share: float = 0.5
    returned: float = 0.5
    hold: float = 300.0
    whole: float = 0.8

    def patience(self, every: float) -> float:
        """`hold` in seconds for a station with a heartbeat every `every` seconds: longer for slow stations, never
        shorter, because the time that people need does not depend on the interval."""
        return max(self.hold, in_proportion(self.hold, every))
