"""What goes into the judging of a partition, and what comes out of it, as values."""

import msgspec

from alerting.liveness.columns import LiveState
from alerting.liveness.pipeline_clock import ClockSettings, Gap
from contract.clocks import WallMs
from contract.messages import MOST_TERMINALS


class LivenessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`k` heartbeats may be missed; `floor` and `will_grace` are seconds.

    `floor` is how long all terminals of a shard may take to connect again after a gap of the pipeline. A station has at
    most `terminals`. A partition follows at most `strangers` stations that are not registered.
    """

    k: float = 3.0
    floor: float = 10.0
    will_grace: float = 10.0
    clock: ClockSettings = ClockSettings()
    terminals: int = MOST_TERMINALS
    strangers: int = 5_000


class Registration(msgspec.Struct, frozen=True):
    """What the registry says of a station: its quorum, and which of its terminals do not count."""

    quorum: int
    not_counting: frozenset[str] = frozenset()


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A decided change of a terminal, or (`terminal` None) of a station.

    `at`: since when it holds. `tick_at`: the tick that decided it. `deadline_at`: the deadline that passed.
    `seen_at`: the last heartbeat before it.
    """

    station: str
    terminal: str | None
    before: LiveState
    after: LiveState
    usable: bool | None
    at: WallMs
    tick_at: WallMs
    deadline_at: WallMs | None
    seen_at: WallMs | None
    shard: str
    reason: str


class ShardMove(msgspec.Struct, frozen=True, kw_only=True):
    """A terminal is heard through the shard `after` since `at`, and was heard through `before` until then."""

    station: str
    terminal: str
    before: str
    after: str
    at: WallMs


class ShardGap(msgspec.Struct, frozen=True):
    """A gap of the pipeline clock of a shard."""

    shard: str
    gap: Gap


class Surplus(msgspec.Struct):
    """What a station with too many terminals sent under further names: the first of these names, when the first
    message was received and through which shard, and how many messages there were."""

    terminal: str
    received: WallMs
    shard: str
    messages: int = 0
