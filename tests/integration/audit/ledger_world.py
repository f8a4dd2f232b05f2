"""A database with rows of every table that is sealed, and a sealer at hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from audit.ledger.service import AuditConfig, Sealer
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Connection, Pool

BEGIN = "2026-11-01 00:00:00+00"


async def note(pool: Pool, number: int, count: int = 1) -> None:
    """Append entries of the ledger."""
    entries = [
        LedgerEntry(kind=LedgerKind.INCIDENT_NOTE, subject=f"incident/{n}", actor="admin", body={"n": n})
        for n in range(number, number + count)
    ]
    async with pool.acquire() as connection, connection.transaction():
        await append_entries(connection, entries)


async def fall(pool: Pool, partition: int, first: int, count: int) -> None:
    """Transitions of as many stations, numbered on from `first`."""
    await pool.execute(
        "INSERT INTO transition (partition, seq, station, before, after, usable, at, tick_at, shard, reason) "
        "SELECT $1, n, 'station-' || n, 'online', 'offline', NULL, $4::text::timestamptz + n * interval '1 s', "
        "$4::text::timestamptz, 'main', 'timeout' FROM generate_series($2::bigint, $2 + $3 - 1) AS n",
        partition, first, count, BEGIN,
    )  # fmt: skip


async def gap(pool: Pool, partition: int, seq: int) -> None:
    """One gap of the pipeline."""
    await pool.execute(
        "INSERT INTO pipeline_gap (partition, seq, shard, began_at, ended_at, reason) "
        "VALUES ($1, $2, 'main', $3::text::timestamptz, $3::text::timestamptz + interval '90 s', 'bridge')",
        partition, seq, BEGIN,
    )  # fmt: skip


async def sicken(pool: Pool, partition: int, seq: int) -> None:
    """One decision of a health rule."""
    await pool.execute(
        "INSERT INTO health_change (partition, seq, station, terminal, rule, subject, firing, field, severity, "
        "threshold, value, since, as_of, at, reason) "
        "VALUES ($1, $2, 's', '001', 'full', '/', true, 'disk', 'major', 90, 95.5, "
        "$3::text::timestamptz, $3::text::timestamptz, $3::text::timestamptz, 'r')",
        partition, seq, BEGIN,
    )  # fmt: skip


def config(database: str, folder: Path, limit: int = 10_000) -> AuditConfig:
    """The settings of a sealer whose files lie in a folder."""
    return AuditConfig(
        database_url=database,
        key=folder / "key",
        checkpoint=folder / "checkpoint",
        poll=0.02,
        standby_poll=0.02,
        limit=limit,
    )


@asynccontextmanager
async def sealing(pool: Pool, settings: AuditConfig) -> AsyncIterator[Sealer]:
    """A sealer that compared the database with its file."""
    async with pool.acquire() as connection:
        sealer = Sealer(settings, connection)
        await sealer.begin()
        yield sealer


async def seal_all(pool: Pool, settings: AuditConfig) -> int:
    """Seal whatever committed; the size of the log."""
    async with sealing(pool, settings) as sealer:
        result = await sealer.seal()
        while result.more:
            result = await sealer.seal()
        return result.head.edge.size


async def fill(pool: Pool) -> None:
    """Some rows of every table."""
    await note(pool, 0, 5)
    await fall(pool, 0, 1, 300)
    await fall(pool, 3, 1, 20)
    await gap(pool, 0, 1)
    await sicken(pool, 3, 1)


async def disarm(connection: Connection) -> None:
    """As a superuser who wants to change what is written once."""
    for table in ("ledger_entry", "ledger_tile", "ledger_run", "ledger_checkpoint", "ledger_head"):
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
