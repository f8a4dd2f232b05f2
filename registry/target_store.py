"""Targets and successions of areas in the database; every change is announced as one of the registry."""

from collections.abc import Sequence
from pathlib import Path

from registry.model import AreaSuccession, Target
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
        [target.language for target in targets],
    )
    await connection.execute(REGISTRY.announce)


async def load_successions(connection: Connection) -> dict[str, AreaSuccession]:
    """Every succession by its id."""
    rows = await connection.fetch(QUERIES.load_successions)
    return {
        each.id: each for each in (AreaSuccession(old=row["old"], new=row["new"], on=row["on_day"]) for row in rows)
    }


async def put_successions(connection: Connection, successions: Sequence[AreaSuccession]) -> None:
    """Insert successions, or replace their days. Needs a transaction."""
    if successions:
        await connection.execute(QUERIES.put_successions, *_codes(successions), [each.on for each in successions])
        await connection.execute(REGISTRY.announce)


async def remove_successions(connection: Connection, successions: Sequence[AreaSuccession]) -> None:
    """Delete successions. Needs a transaction."""
    if successions:
        await connection.execute(QUERIES.remove_successions, *_codes(successions))
        await connection.execute(REGISTRY.announce)


def _codes(successions: Sequence[AreaSuccession]) -> tuple[list[str], list[str]]:
    return [each.old for each in successions], [each.new for each in successions]
