"""The pipeline itself: clocks, how far behind they are, where they stood still, and who consumes."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Final

import asyncpg
from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from alerting.pipeline.restarts import Announced
from alerting.pipeline.store import AnnouncementRefusedError, announce, load_announced
from api.actions.actor import author_of
from api.context import Shared
from api.http.problems import Problem, not_found
from api.http.times import Window
from api.http.work import WorkRoute
from api.read.moment import load_clocks
from api.read.pipeline import load_doubts, load_steadiness
from api.read.schemas import AnnouncedRestart, Consumer, GapDocument, Pipeline, Service, SetAside, Trusted
from api.read.shard_documents import GapsByClock, shard_documents
from api.v1.queries import QUERIES
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind

router = APIRouter(tags=["pipeline"], route_class=WorkRoute)

_MOST_ASIDE: Final = 1000
MOST_GAPS: Final = 20_000


class TrustRequest(BaseModel):
    """`by`: on whose behalf the account decides."""

    by: str | None = Field(default=None, min_length=1, max_length=64)


@router.get("/pipeline")
async def get_pipeline(
    context: Shared,
    asked: Window,
    limit: Annotated[int, Query(ge=1, le=1000, description="gaps of each clock; of all together 20,000")] = 100,
) -> Pipeline:
    """Clock, lag and the gaps from `from` to `to` (newest first) of every shard and partition, the consumers with
    how far they are behind, the processes with their signs of life, and what these cannot judge."""
    async with context.database.snapshot() as connection:
        clocks = await load_clocks(connection)
        begin, end = asked.window(clocks.now)
        share = min(limit, max(MOST_GAPS // max(len(clocks.all), 1), 1))
        gaps = await connection.fetch(QUERIES.recent_gaps, begin, end, share)
        doubts = await load_doubts(connection)
        consumers = await connection.fetch(QUERIES.list_consumers)
        services = await connection.fetch(QUERIES.list_signs)
        aside = await connection.fetch(QUERIES.list_set_aside, _MOST_ASIDE)
        steadiness = await load_steadiness(connection, clocks.now)
        restarts = await load_announced(connection, clocks.now)
    shards = await context.work.do(
        len(gaps) + len(clocks.all), lambda: shard_documents(clocks, _by_clock(gaps), doubts, steadiness)
    )
    return Pipeline(
        sound=bool(shards) and all(shard.sound for shard in shards),
        now=clocks.now,
        shards=shards,
        consumers=[Consumer(**row) for row in consumers],
        services=[Service(**row) for row in services],
        set_aside=[SetAside(**row) for row in aside],
        restarts=[_restart(one) for one in restarts],
    )


def _by_clock(rows: Iterable[asyncpg.Record]) -> GapsByClock:
    gaps: dict[tuple[str, int], list[GapDocument]] = defaultdict(list)
    for row in rows:
        gaps[row["shard"], row["partition"]].append(
            GapDocument(begin=row["began_at"], end=row["ended_at"], reason=row["reason"])
        )
    return gaps


@router.post("/pipeline/shards/{shard}/trust")
async def trust_shard(
    context: Shared,
    request: Request,
    shard: Annotated[str, Path(min_length=1, max_length=64, description="the shard's name")],
    decision: Annotated[TrustRequest | None, Body()] = None,
) -> Trusted:
    """Decide that a suspected shard is sound, so that its stations really fell. 409 when it is not suspected."""
    author = author_of(request, (decision or TrustRequest()).by)
    async with context.database.transaction() as connection:
        suspected = await connection.fetchval(QUERIES.is_shard_suspected, shard)
        if suspected is None:
            raise not_found("shard", shard)
        if not suspected:
            raise Problem(409, f"shard {shard!r} is not suspected: there is nothing to decide")
        decided_at = await connection.fetchval(QUERIES.trust_shard, shard, author.account, author.remark)
        entry = LedgerEntry(
            kind=LedgerKind.SHARD_TRUSTED, subject=f"shard/{shard}", actor=author.account, body=author.remarked
        )
        await append_entries(connection, [entry])
    return Trusted(shard=shard, decided_at=decided_at, by=author.account, remark=author.remark)


class RestartRequest(BaseModel):
    """A restart that begins now. `by`: on whose behalf the account announces it."""

    minutes: float = Field(gt=0, le=10, description="how long it may take: at most ten minutes")
    reason: str = Field(min_length=1, max_length=400)
    by: str | None = Field(default=None, min_length=1, max_length=64)


@router.post("/pipeline/restarts", status_code=201)
async def announce_restart(context: Shared, request: Request, restart: RestartRequest) -> AnnouncedRestart:
    """Announce a restart of the platform that begins now. Interruptions during it cause no notification; their time is
    unknown all the same. 409 while another restart goes on, and for ten minutes after it."""
    author = author_of(request, restart.by)
    async with context.database.transaction() as connection:
        try:
            return _restart(await announce(connection, timedelta(minutes=restart.minutes), author, restart.reason))
        except AnnouncementRefusedError as exc:
            raise Problem(409, str(exc)) from exc


def _restart(announced: Announced) -> AnnouncedRestart:
    return AnnouncedRestart(
        begin=announced.from_at,
        until=announced.until_at,
        by=announced.actor,
        remark=announced.remark,
        reason=announced.reason,
    )
