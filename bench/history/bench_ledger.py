"""Entries of the ledger: how many a second one transaction appends, and what their canonical form costs of it.

`python -m bench.history.bench_ledger [--entries N] [--rounds N]`, with the database of MILEPOST_TEST_DATABASE_URL or
the wheel's own. The table shows the median of the rounds, each in a new database.
"""

import argparse
import asyncio
import statistics
import time

import asyncpg

from bench.bench_ingest import database_server, fresh_database, set_up
from contract.clocks import WallMs
from store.ledger import LedgerEntry, append_entries, canonical
from store.ledger_kinds import LedgerKind, hashed


def make_entries(many: int) -> list[LedgerEntry]:
    """Entries as a person's notes make them."""
    texts = hashed(text="换了电源，恢复正常")
    return [
        LedgerEntry(
            kind=LedgerKind.INCIDENT_NOTE,
            subject=f"incident/{number}",
            actor="admin",
            at_ms=WallMs(1_780_000_000_000 + number),
            body={**texts, "by": "某人", "station": "6321220007"},
        )
        for number in range(many)
    ]


async def timed(server: str, entries: list[LedgerEntry]) -> float:
    async with fresh_database(server) as url:
        await set_up(url)
        connection = await asyncpg.connect(url)
        began = time.perf_counter()
        async with connection.transaction():
            await append_entries(connection, entries)
        seconds = time.perf_counter() - began
        await connection.close()
        return seconds


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    entries = make_entries(asked.entries)
    with database_server() as server:
        appended = [await timed(server, entries) for _ in range(asked.rounds)]
    began = time.perf_counter()
    for entry in entries:
        canonical(entry.body)
    form = time.perf_counter() - began
    median = statistics.median(appended)
    print(f"{asked.entries} entries in one transaction: {median:.2f} s, {asked.entries / median:,.0f} a second")
    print(f"of it canonical form: {form:.2f} s")


if __name__ == "__main__":
    asyncio.run(main())
