"""Loading and saving the state of a partition: rows to columns and back."""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import msgspec

from alerting.liveness.columns import LiveState, unflag
from alerting.liveness.model import LivenessSettings, Registration, ShardGap, ShardMove, Surplus, Transition
from alerting.liveness.partition import PartitionLiveness
from alerting.liveness.pipeline_clock import ClockState
from alerting.liveness.stored_rows import (
    memory_text,
    restore_stations,
    restore_terminals,
    terminal_subject,
    why_unreadable,
)
from contract.entries import Refusal
from contract.refusal import Reason, too_many_terminals
from contract.topics import Topic
from ingest.store import save_refusals
from store.aside import write_apart
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
_CHUNK = 5_000


class Sequences(msgspec.Struct):
    """The newest numbers given to a partition's transitions, gaps and moves of terminals."""

    transitions: int
    gaps: int
    moves: int


async def load_partition(
    connection: Connection, partition: int, settings: LivenessSettings
) -> tuple[PartitionLiveness, Sequences]:
    """Read all of a partition; call it inside the transaction that claims the partition.

    A row that cannot be read goes into the partition's `troubles` and is left out: its terminal or shard begins anew
    when it is heard.
    """
    live = PartitionLiveness(settings)
    for row in await connection.fetch(QUERIES.load_clocks, partition):
        _restore_clock(live, row)
    terminals = await connection.cursor(QUERIES.load_terminals, partition)
    while rows := await terminals.fetch(_CHUNK):
        readable = [row for row in rows if _is_readable(live, row)]
        if readable:
            restore_terminals(live, readable)
    judged = restore_stations(live, await connection.fetch(QUERIES.load_stations, partition))
    now = live.shards.newest_tick_at()
    for station, registration in registrations(await connection.fetch(QUERIES.load_registrations, partition)):
        live.register(station, registration, now)
        if station not in judged:  # registered while no judge ran: its terminals are to be added as well
            live.roster.strangers[station] = set(live.roster.terminals_of(station))
    live.roster.note_unknown()
    counts = await connection.fetchrow(QUERIES.load_sequences, partition)
    assert counts is not None  # noqa: S101 -- a SELECT without FROM gives one row
    return live, Sequences(counts["transitions"], counts["gaps"], counts["moves"])


def _restore_clock(live: PartitionLiveness, row: asyncpg.Record) -> None:
    try:
        live.shards.number_of(row["shard"], msgspec.convert(row["memory"], ClockState))
    except msgspec.ValidationError as exc:
        live.troubles.put("clock", row["shard"], exc)


def _is_readable(live: PartitionLiveness, row: asyncpg.Record) -> bool:
    why = why_unreadable(row["state"], row["memory"])
    if why is not None:
        live.troubles.put("terminal", terminal_subject(row["station"], row["terminal"]), why)
    return why is None


def registrations(rows: Iterable[asyncpg.Record]) -> Iterable[tuple[str, Registration]]:
    """Rows of `load_registrations` and its like, by station."""
    for station, quorum, silent in rows:
        yield station, Registration(quorum, frozenset(silent))


async def save_terminals(connection: Connection, partition: int, live: PartitionLiveness) -> None:
    """Write the terminals that changed since the last save; those that the database refuses go into the `troubles`."""
    t, s, rows = live.terminals, live.stations, live.changes.take_dirty()

    async def write(chunk: Sequence[int]) -> None:
        await connection.execute(
            QUERIES.save_terminals,
            partition,
            [s.ids[t.station[r]] for r in chunk],
            [t.ids[r] for r in chunk],
            [live.shards.name_of(t.shard[r]) or "" for r in chunk],
            [live.state_word(r) for r in chunk],
            [t.since[r] or None for r in chunk],
            [t.seen_at[r] or None for r in chunk],
            [t.boot[r] for r in chunk],
            [t.run[r] for r in chunk],
            [t.conn[r] for r in chunk],
            [t.n[r] for r in chunk],
            [t.every[r] for r in chunk],
            [t.seen[r] for r in chunk],
            [t.deadline[r] for r in chunk],
            [unflag(t.usable[r]) for r in chunk],
            [None if t.users[r] < 0 else t.users[r] for r in chunk],
            [memory_text(live, r) for r in chunk],
        )

    def subject(row: int) -> str:
        return terminal_subject(s.ids[t.station[row]], t.ids[row])

    for row in rows if live.troubles else ():
        if t.state[row] != LiveState.UNPROVEN:
            live.troubles.drop("terminal", subject(row))
    for chunk in _chunks(rows):
        await write_apart(connection, chunk, write, lambda row, why: live.troubles.put("terminal", subject(row), why))
    t.other_boots.fold()


async def save_stations(connection: Connection, partition: int, live: PartitionLiveness) -> None:
    """Write the stations whose state changed since the last save; those that the database refuses go into the
    `troubles`."""
    s, rows = live.stations, live.changes.take_dirty_stations()

    async def write(chunk: Sequence[int]) -> None:
        await connection.execute(
            QUERIES.save_stations,
            partition,
            [s.ids[r] for r in chunk],
            [live.station_word(r) for r in chunk],
            [s.since[r] for r in chunk],
            [unflag(s.usable[r]) for r in chunk],
            [live.shards.name_of(s.shard[r]) for r in chunk],
        )

    for row in rows if live.troubles else ():
        live.troubles.drop("station", s.ids[row])
    for chunk in _chunks(rows):
        await write_apart(connection, chunk, write, lambda row, why: live.troubles.put("station", s.ids[row], why))


async def save_transitions(
    connection: Connection, partition: int, transitions: Sequence[Transition], sequences: Sequences
) -> None:
    """Write transitions under the next numbers of the partition; `sequences` is moved on."""
    for chunk in _chunks(transitions):
        first = sequences.transitions + 1
        sequences.transitions += len(chunk)
        await connection.execute(
            QUERIES.save_transitions,
            partition,
            list(range(first, first + len(chunk))),
            [x.station for x in chunk],
            [x.terminal for x in chunk],
            [x.before.word for x in chunk],
            [x.after.word for x in chunk],
            [x.usable for x in chunk],
            [x.at for x in chunk],
            [x.tick_at for x in chunk],
            [x.deadline_at for x in chunk],
            [x.seen_at for x in chunk],
            [x.shard for x in chunk],
            [x.reason for x in chunk],
        )


async def save_gaps(connection: Connection, partition: int, gaps: Sequence[ShardGap], sequences: Sequences) -> None:
    """Write gaps under the next numbers of the partition; `sequences` is moved on."""
    if not gaps:
        return
    first = sequences.gaps + 1
    sequences.gaps += len(gaps)
    await connection.execute(
        QUERIES.save_gaps,
        partition,
        list(range(first, first + len(gaps))),
        [x.shard for x in gaps],
        [x.gap.began_at for x in gaps],
        [x.gap.ended_at for x in gaps],
        [x.gap.reason for x in gaps],
    )


async def save_moves(connection: Connection, partition: int, moves: Sequence[ShardMove], sequences: Sequences) -> None:
    """Write which terminals are heard through another shard, under the next numbers of the partition; `sequences` is
    moved on."""
    for chunk in _chunks(moves):
        first = sequences.moves + 1
        sequences.moves += len(chunk)
        await connection.execute(
            QUERIES.save_moves,
            partition,
            list(range(first, first + len(chunk))),
            [x.station for x in chunk],
            [x.terminal for x in chunk],
            [x.before for x in chunk],
            [x.after for x in chunk],
            [x.at for x in chunk],
        )


async def save_clocks(connection: Connection, partitions: dict[int, PartitionLiveness]) -> None:
    """Write the pipeline clocks of partitions, as far as they ever ticked."""
    rows = [
        (partition, shard, clock)
        for partition, live in sorted(partitions.items())
        for shard, clock in live.shards.clocks().items()
        if clock.tick_at
    ]
    if not rows:
        return
    await connection.execute(
        QUERIES.save_clocks,
        [partition for partition, _, _ in rows],
        [shard for _, shard, _ in rows],
        [clock.clock for _, _, clock in rows],
        [clock.tick_at for _, _, clock in rows],
        [clock.state.blind_since for _, _, clock in rows],
        [msgspec.json.encode(clock.state).decode() for _, _, clock in rows],
    )


async def save_surplus(connection: Connection, partitions: dict[int, PartitionLiveness]) -> None:
    """Write a dead letter for each station that uses more names of terminals than it may have."""
    letters = [
        _too_many(partition, station, surplus, live.settings.terminals)
        for partition, live in sorted(partitions.items())
        for station, surplus in live.roster.take_surplus().items()
    ]
    if letters:
        await save_refusals(connection, letters)


def _too_many(partition: int, station: str, surplus: Surplus, limit: int) -> Refusal:
    return Refusal(
        source=f"judge/{partition}/{station}/{surplus.received}",
        at=surplus.received,
        topic=str(Topic(station, surplus.terminal, "heartbeat")),
        station=station,
        reason=Reason.TOO_MANY_TERMINALS,
        detail=too_many_terminals(station, limit, surplus.messages),
        excerpt="",
        size=0,
        shard=surplus.shard,
    )


def _chunks(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]
