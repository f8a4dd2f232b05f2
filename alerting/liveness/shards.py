"""The shards through which a partition's terminals are heard, each with its pipeline clock. Pure."""

from collections.abc import Mapping

from alerting.liveness.model import ShardMove
from alerting.liveness.pipeline_clock import ClockSettings, ClockState, PipelineClock
from contract.clocks import PipelineSeconds, WallMs


class Shard:
    """A shard as seen in this partition."""

    def __init__(self, name: str, settings: ClockSettings, state: ClockState | None = None) -> None:
        self.name = name
        self.clock = PipelineClock(settings, state)
        #: Rows of terminals whose newest stamp is by a bridge that has not ticked yet.
        self.unsettled: set[int] = set()

    def note_stamp(self, row: int, *, settled: bool) -> None:
        """Whether the newest stamp of a terminal is final."""
        if settled:
            self.unsettled.discard(row)
        else:
            self.unsettled.add(row)


class Shards:
    """All shards of a partition, by number and by name; and the terminals that moved from one to another.

    `by_number` and `numbers` are read in the hottest loop.
    """

    def __init__(self, settings: ClockSettings) -> None:
        self.by_number: list[Shard] = []
        self.numbers: dict[str, int] = {}
        self.moves: list[ShardMove] = []
        self._settings = settings

    def number_of(self, name: str, state: ClockState | None = None) -> int:
        """The number of a shard, made when the shard is new; `state`: the stored state of its clock."""
        number = self.numbers.get(name)
        if number is None:
            number = self.numbers[name] = len(self.by_number)
            self.by_number.append(Shard(name, self._settings, state))
        return number

    def name_of(self, number: int) -> str | None:
        """The name of a shard by its number in a column; None for -1."""
        return self.by_number[number].name if number >= 0 else None

    def take_moves(self) -> list[ShardMove]:
        """The moves of terminals since the last call, in their order."""
        taken, self.moves = self.moves, []
        return taken

    def clock_of(self, name: str) -> PipelineSeconds:
        """What the clock of a shard shows."""
        return self.by_number[self.number_of(name)].clock.clock

    def began_of(self, name: str) -> PipelineSeconds:
        """When the present stretch of a shard's clock began (below 0: there was no gap yet)."""
        return self.by_number[self.number_of(name)].clock.state.stretch_from

    def clocks(self) -> Mapping[str, PipelineClock]:
        """The clock of each shard, by its name."""
        return {shard.name: shard.clock for shard in self.by_number}

    def newest_tick_at(self) -> WallMs:
        """The pipeline's present; 0 before the first tick."""
        return max((shard.clock.tick_at for shard in self.by_number), default=WallMs(0))
