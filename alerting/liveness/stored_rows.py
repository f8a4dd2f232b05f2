"""The columns of a partition as rows of the database, and back. Pure."""

from array import array
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, Final

import msgspec

from alerting.liveness.boot_order import OtherBoots
from alerting.liveness.columns import STATE_OF
from alerting.liveness.partition import PartitionLiveness


def why_unreadable(state: str, memory: str | None) -> Exception | None:
    """Why a row of `load_terminals` with these columns cannot be restored; None: it can be. Ask before it is restored:
    a column that was extended stays so."""
    try:
        STATE_OF[state]
        if memory is not None:
            read_stored(memory)
    except (LookupError, msgspec.DecodeError) as exc:
        return exc
    return None


def terminal_subject(station: str, terminal: str) -> str:
    """The name of a terminal that is set aside."""
    return f"{station}/{terminal}"


def restore_terminals(live: PartitionLiveness, rows: Sequence[Iterable[Any]]) -> None:
    """Add terminals by rows of `load_terminals`, column by column: a judge that starts has 700,000 of them."""
    stations, ids, shards, states, since, seen_at, boots, *numbers, memories = zip(*rows, strict=True)
    t, first = live.terminals, len(live.terminals)
    live.roster.add_terminals(stations, ids)
    t.shard.extend(live.shards.number_of(name) if name else -1 for name in shards)
    t.state.extend(map(STATE_OF.__getitem__, states))
    t.since.extend(since)
    t.seen_at.extend(seen_at)
    t.boot.extend(boots)
    columns: tuple[array[Any], ...] = (t.run, t.conn, t.n, t.every, t.seen, t.deadline, t.usable, t.users)
    for column, values in zip(columns, numbers, strict=True):
        column.extend(values)
    t.will.extend(repeat(0, len(rows)))
    for row, text in enumerate(memories, first):
        if text is not None:
            _restore_memory(live, row, read_stored(text))
    t.other_boots.fold()


def restore_stations(live: PartitionLiveness, rows: Sequence[Any]) -> set[str]:
    """Take over the states of stations by rows of `load_stations`; returns the stations whose state is known.

    A state that does not exist goes into the `troubles`; a time that cannot be used is now.
    """
    s, now, known = live.stations, live.shards.newest_tick_at(), []
    for row in rows:
        if row[1] in STATE_OF:
            known.append(row)
        else:
            live.troubles.put("station", row[0], f"its state {row[1]!r} is none")
    numbers = s.rows([row[0] for row in known])
    for number, (_, state, since, usable, shard) in zip(numbers, known, strict=True):
        s.state[number] = STATE_OF[state]
        s.since[number] = since or now
        s.usable[number] = usable
        if shard:
            s.shard[number] = live.shards.number_of(shard)
        if not since:
            live.changes.dirty_stations.add(number)
    return {row[0] for row in known}


def _restore_memory(live: PartitionLiveness, row: int, memory: "_StoredMemory") -> None:
    t = live.terminals
    t.will[row] = memory.will
    if memory.boots is not None:
        live.rivals.restore(row, memory.boots)
    if memory.unsettled:
        live.shards.by_number[t.shard[row]].unsettled.add(row)


class _StoredMemory(msgspec.Struct, omit_defaults=True):
    """The column `terminal_state.memory`: what few terminals have."""

    #: A Last Will of the newest connection came after the last heartbeat.
    will: bool = False
    #: The last heartbeat came by a bridge that had not ticked yet.
    unsettled: bool = False
    boots: OtherBoots | None = None


read_stored: Final = msgspec.json.Decoder(_StoredMemory).decode
"""Read what `memory_text` wrote. Raises msgspec.DecodeError."""


def memory_text(live: PartitionLiveness, row: int) -> str | None:
    """The column `terminal_state.memory` of the terminal in a row; None: it has nothing to remember."""
    t = live.terminals
    will, boots = bool(t.will[row]), t.other_boots.read(row)
    unsettled = t.shard[row] >= 0 and row in live.shards.by_number[t.shard[row]].unsettled
    if not will and not unsettled and boots is None:
        return None
    return msgspec.json.encode(_StoredMemory(will, unsettled, boots)).decode()
