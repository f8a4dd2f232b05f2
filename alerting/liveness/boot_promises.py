"""Which terminals have boots beside the current one that may live, and what the pipeline's clock does to them. Pure."""

from collections.abc import Iterable, Iterator

from alerting.liveness.boot_order import ClockOf, OtherBoots, OtherBootsColumn, Promise
from contract.clocks import PipelineSeconds


class BootPromises:
    """The rows of the terminals in whose memory a promise may live, found without a look into every memory."""

    def __init__(self, memories: OtherBootsColumn, clock_of: ClockOf) -> None:
        self._memories = memories
        self._clock_of = clock_of
        self._rows: set[int] = set()
        self._unsettled: set[int] = set()

    def __contains__(self, row: int) -> bool:
        return row in self._rows

    def note(self, row: int, memory: OtherBoots) -> None:
        """The memory of a terminal was read or changed: whether it has promises, and unsettled ones."""
        promises = memory.promises
        if promises:
            self._rows.add(row)
        if any(one.unsettled for one in promises):
            self._unsettled.add(row)
        else:
            self._unsettled.discard(row)

    def hold(self, shard: str, clock: PipelineSeconds) -> set[int]:
        """The clock of a shard stands still at `clock`, because an interval did not count: as for current boots, no
        boot was heard later. Returns the rows that changed."""
        changed = set()
        for row, one in list(self._living_of(self._rows, shard)):
            ahead = max(0.0, one.seen - clock)
            one.seen = PipelineSeconds(one.seen - ahead)
            one.since = min(one.since, clock)
            one.deadline = PipelineSeconds(one.deadline - ahead)
            changed.add(row)
        return changed

    def settle(self, shard: str, seconds: float) -> set[int]:
        """A bridge of a shard ticked for the first time: its messages may be as young as that tick, so move their
        stamps on by `seconds`. Returns the rows that changed."""
        changed = set()
        for row, one in list(self._living_of(self._unsettled, shard)) if self._unsettled else ():
            if one.unsettled:
                one.seen = PipelineSeconds(one.seen + seconds)
                one.deadline, one.unsettled = PipelineSeconds(one.deadline + seconds), False
                changed.add(row)
        for row in changed:
            self.note(row, self._memories.open(row))
        return changed

    def _living_of(self, rows: Iterable[int], shard: str) -> Iterator[tuple[int, Promise]]:
        """The promises of a shard that live, with their rows. Rows without any living promise are forgotten."""
        for row in list(rows):
            memory = self._memories.read(row)
            if memory is None or not any(one.lives(self._clock_of) for one in memory.promises):
                self._rows.discard(row)
                self._unsettled.discard(row)
                continue
            for one in self._memories.open(row).promises:
                if one.shard == shard and one.lives(self._clock_of):
                    yield row, one
