"""Makes the proof of a station's sheet from the snapshot of a report, within the scope of the reader."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

import asyncpg
import msgspec

from audit.days.day_store import load_kept
from audit.days.sealed.tree_store import AreaDay, figures_of_areas
from audit.days.sealed.trees import Path
from audit.ledger.checkpoints import SignedCheckpoint, claimed_cosigners, parse_checkpoint
from audit.ledger.leaves import EntryRow, leaf_bytes
from audit.ledger.notes import NoteError, parse_verifier, signed_by
from audit.ledger.store import LogHead, read_head, read_proof
from audit.ledger.tiles import inclusion
from audit.sheets.proof_making import StationLines, joined, split, station_lines
from audit.sheets.station_proof import MOST_LINES, NotProven, ProvenDay, StationProof, UnprovenDay
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)


class _ProvenEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entry about an area and a day. `leaf`: None before its seal; `stations`, `lines` and `root` as in
    `AreaTree`."""

    row: EntryRow
    leaf: int | None
    stations: int
    lines: int
    root: str


_Provable: TypeAlias = tuple[_ProvenEntry, StationLines]


async def load_station_proof(
    connection: Connection, station: str, period: str, first: date, last: date
) -> StationProof | None:
    """The proof of the days from `first` to `last`, at most a month; None before the first checkpoint."""
    head = await read_head(connection)
    if head is None or head.note is None:
        return None
    newest = parse_checkpoint(head.note)
    kept = await load_kept(connection, [station], first, last)
    areas = {day: found.path for (_, day), found in kept.items() if found.path}
    entries = await _entries(connection, sorted(areas.items()))
    trees = {day: lines async for day, lines in _trees(connection, station, sorted(areas.items()))}
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    why = {day: _why_not(entries.get(day), trees.get(day), newest.checkpoint.size) for day in every}
    proven = {day: (entries[day], trees[day]) for day in every if why[day] is None}
    signed = await _cosigned(connection, head, newest, proven.values())
    made = await _prove(connection, head, signed, proven)
    return StationProof(
        station=station,
        period=period,
        first=first,
        last=last,
        key=await _key(connection, signed),
        days=tuple(made.get(day) or UnprovenDay(day, why[day] or NotProven.NO_FIGURES) for day in every),
        signed=signed,
    )


async def _entries(connection: Connection, areas: Sequence[AreaDay]) -> dict[date, _ProvenEntry]:
    subjects = {f"area_day/{path[-1]}/{day}": (day, path) for day, path in areas}
    found: dict[date, _ProvenEntry] = {}
    for row in await connection.fetch(QUERIES.entries_of_days, list(subjects)):
        day, path = subjects[row["subject"]]
        entry = _entry(row, path)
        if entry is not None:
            found.setdefault(day, entry)
    return found


def _entry(row: asyncpg.Record, path: Path) -> _ProvenEntry | None:
    """The entry of a row; None for an entry about an area with other areas above it, and for a damaged one."""
    try:
        body = msgspec.json.decode(row["body"])
        if tuple(body["path"]) != path:
            return None
        entry = EntryRow(*(row[name] for name in EntryRow.__struct_fields__))
        return _ProvenEntry(
            row=entry, leaf=row["leaf"], stations=body["stations"], lines=body["lines"], root=body["root"]
        )
    except (msgspec.MsgspecError, KeyError, TypeError):
        return None


async def _trees(
    connection: Connection, station: str, areas: Sequence[AreaDay]
) -> AsyncIterator[tuple[date, StationLines]]:
    async for some in figures_of_areas(connection, areas):
        for found in some:
            yield found.day, await asyncio.to_thread(station_lines, found, station)


def _why_not(entry: _ProvenEntry | None, tree: StationLines | None, size: int) -> NotProven | None:
    """Why a day cannot be proven; None: it can."""
    if tree is None:
        return NotProven.NO_FIGURES
    if entry is None:
        return NotProven.NO_ENTRY
    if entry.leaf is None or entry.leaf >= size:
        return NotProven.UNSEALED
    if (tree.root.hex(), tree.count) != (entry.root, entry.lines) or not tree.lines:
        return NotProven.NOT_EQUAL
    return NotProven.MANY_REVISIONS if len(tree.lines) > MOST_LINES else None


async def _cosigned(
    connection: Connection, head: LogHead, newest: SignedCheckpoint, proven: Iterable[_Provable]
) -> SignedCheckpoint:
    """The newest checkpoint that a witness signed, if it has all leaves of the proof; else the newest one."""
    if claimed_cosigners(newest.note):
        return newest
    needed = max(((entry.leaf or 0) + 1 for entry, _ in proven), default=newest.checkpoint.size)
    note = await connection.fetchval(QUERIES.newest_cosigned, head.origin, needed)
    return newest if note is None else parse_checkpoint(note)


async def _prove(
    connection: Connection, head: LogHead, signed: SignedCheckpoint, proven: Mapping[date, _Provable]
) -> dict[date, ProvenDay]:
    paths = [inclusion(entry.leaf or 0, signed.checkpoint.size) for entry, _ in proven.values()]
    hashes = await read_proof(connection, head.edge, joined(paths))
    return {
        day: ProvenDay(
            day=day,
            leaf=entry.leaf or 0,
            entry=leaf_bytes(entry.row).decode(),
            steps=steps,
            lines=tree.lines,
            # If each station of the area has one line, no line is followed by a later revision.
            following=None if tree.count == entry.stations else tree.following,
        )
        for (day, (entry, tree)), steps in zip(proven.items(), split(hashes, paths), strict=True)
    }


async def _key(connection: Connection, signed: SignedCheckpoint) -> str | None:
    """The public key of the log that signed the checkpoint, by the entries of the log; None: none of them."""
    for row in await connection.fetch(QUERIES.keys_of_log):
        try:
            key = parse_verifier(row["key"] or "")
        except NoteError:
            continue
        if key.name == signed.checkpoint.origin and signed_by(signed.note, key):
            return key.text
    return None
