"""Targets in the database; every change is announced as one of the registry."""

from collections.abc import Sequence
from pathlib import Path

from registry.model import Target
from registry.store import QUERIES as REGISTRY
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("target_queries.sql"))


async def load_targets(connection: Connection) -> dict[str, Target]:
    """Every target by its id."""
    rows = await connection.fetch(QUERIES.load_targets)
    return {row["id"]: Target(**{**dict(row), "areas": tuple(row["areas"])}) for row in rows}


async def upsert_targets(connection: Connection, targets: Sequence[Target]) -> None:
    """Insert or replace targets, and add the programmes that they name. Needs a transaction."""
    if not targets:
        return
    named = sorted({target.programme for target in targets if target.programme is not None})
    await connection.execute(REGISTRY.add_programmes, named)
    await connection.execute(
        QUERIES.upsert_targets,
        [target.id for target in targets],
        [target.programme for target in targets],
        [target.name for target in targets],
        [target.metric for target in targets],
        ["/".join(target.areas) for target in targets],
        [target.level for target in targets],
        [target.threshold for target in targets],
        [target.deadline for target in targets],
    )
    await connection.execute(REGISTRY.announce)
