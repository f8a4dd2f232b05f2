"""In which order a terminal's messages were sent, whatever order they arrive in. Pure.

`boot` is random at each agent start and `run` counts starts, so an unknown boot with a higher run is a restart.
An unknown boot whose run is not higher is a reinstalled or a cloned terminal: it is believed after its second
heartbeat. If the boot that it replaced goes on advancing, two machines use one identity.
"""

from typing import Final, Literal

import msgspec

_REMEMBERED: Final = 8
_RIVAL_ADVANCES: Final = 2


class Rival(msgspec.Struct):
    """An older boot that still sends: how often it advanced, and when last (clock seconds)."""

    advances: int = 0
    last: float = 0.0


class Memory(msgspec.Struct, omit_defaults=True):
    """What few terminals have. `older` maps boots to their newest (run, n), oldest first."""

    older: dict[str, tuple[int, int]] = {}
    candidate: tuple[str, int, int] | None = None
    rival: Rival | None = None


class Memories:
    """The memories of all terminals that have one, by row. What is not in use is kept as bytes: after years every
    terminal has older boots, and as objects those of 700,000 would take more room than everything else."""

    def __init__(self) -> None:
        self._folded: list[bytes | None] = []
        self._open: dict[int, Memory] = {}

    def look(self, row: int) -> Memory | None:
        """What a terminal has, to be read only."""
        if row in self._open:
            return self._open[row]
        folded = self._folded[row] if row < len(self._folded) else None
        return None if folded is None else _DECODER.decode(folded)

    def open(self, row: int) -> Memory:
        """What a terminal has, made if it has none; it may be changed until the next `fold`."""
        found = self._open.get(row)
        if found is None:
            found = self._open[row] = self.look(row) or Memory()
        return found

    def put(self, row: int, memory: Memory) -> None:
        self._open[row] = memory

    def fold(self) -> None:
        """Nobody changes any of them until it is opened again."""
        missing = max(self._open, default=-1) + 1 - len(self._folded)
        self._folded += [None] * max(missing, 0)
        for row, memory in self._open.items():
            self._folded[row] = _ENCODER.encode(memory)
        self._open.clear()


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Memory)

Verdict = Literal["believed", "waiting", "old", "rival"]


def judge_other_boot(memory: Memory, current: tuple[str, int, int], found: tuple[str, int, int]) -> Verdict:
    """Judge a heartbeat whose boot is not the current one; both are (boot, run, n). Updates `memory`.

    believed: the boot is the current one from now on. waiting: it must send once more. old: it is late.
    rival: it is an older boot that nevertheless goes on sending.
    """
    boot, run, n = found
    if boot in memory.older:
        if (run, n) <= memory.older[boot]:
            return "old"
        memory.older[boot] = (run, n)
        return "rival"
    if run > current[1]:
        _replace(memory, current)
        return "believed"
    if memory.candidate is not None and memory.candidate[0] == boot:
        if (run, n) <= memory.candidate[1:]:
            return "old"
        _replace(memory, current)
        return "believed"
    memory.candidate = found
    return "waiting"


def note_rival(memory: Memory, clock: float) -> bool:
    """An older boot advanced at `clock`; True when it does so again and again while the current one is heard."""
    rival = memory.rival or Rival()
    memory.rival = Rival(rival.advances + 1, clock)
    return memory.rival.advances >= _RIVAL_ADVANCES


def rival_is_gone(memory: Memory, clock: float, patience: float) -> bool:
    """Whether the older boot has been silent for `patience` seconds, and so the conflict is over."""
    if memory.rival is None:
        return True
    if clock - memory.rival.last <= patience:
        return False
    memory.rival = None
    return True


def _replace(memory: Memory, current: tuple[str, int, int]) -> None:
    boot, run, n = current
    memory.older.pop(boot, None)
    memory.older[boot] = (run, n)
    while len(memory.older) > _REMEMBERED:
        del memory.older[next(iter(memory.older))]
    memory.candidate = None
