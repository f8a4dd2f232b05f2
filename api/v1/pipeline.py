"""The pipeline itself: clocks, how far behind they are, where they stood still, and who consumes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, NamedTuple

import asyncpg
import msgspec
from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from alerting.pipeline.restarts import Announced
from alerting.pipeline.stability import SPAN, Stability, stability_of
from alerting.pipeline.store import AnnouncementRefusedError, announce, load_announced
from alerting.stations.verdict import Clock, Clocks
from api.context import QUERIES, Shared, load_clocks
from api.http.middleware import ACTOR, NAMES
from api.http.problems import Problem, not_found
from api.http.times import Window
from api.http.work import WorkRoute
from api.read.schemas import (
    AnnouncedRestart,
    Consumer,
    PartitionClock,
    Pipeline,
    PipelineGap,
    Service,
    SetAside,
    Shard,
    Suspicion,
    Trusted,
)
from store.pool import Connection

router = APIRouter(tags=["pipeline"], route_class=WorkRoute)

_MOST_ASIDE: Final = 1000
MOST_GAPS: Final = 20_000
Gaps = dict[tuple[str, int], list[PipelineGap]]
Row = asyncpg.Record


class Decision(BaseModel):
    """Who decides, if it is not the administrator."""

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


def _by_clock(rows: Iterable[Row]) -> Gaps:
    gaps: Gaps = defaultdict(list)
    for row in rows:
        gaps[row["shard"], row["partition"]].append(
            PipelineGap(begin=row["began_at"], end=row["ended_at"], reason=row["reason"])
        )
    return gaps


@router.post("/pipeline/shards/{shard}/trust")
async def trust_shard(
    context: Shared,
    request: Request,
    shard: Annotated[str, Path(min_length=1, max_length=64, description="the shard's name")],
    decision: Annotated[Decision | None, Body()] = None,
) -> Trusted:
    """Decide that a suspected shard is sound, so that its stations really fell. 409 when it is not suspected."""
    actor = (decision or Decision()).by or NAMES[request.scope[ACTOR]]
    async with context.database.connection() as connection:
        suspected = await connection.fetchval(QUERIES.is_shard_suspected, shard)
        if suspected is None:
            raise not_found("shard", shard)
        if not suspected:
            raise Problem(409, f"shard {shard!r} is not suspected: there is nothing to decide")
        decided_at = await connection.fetchval(QUERIES.trust_shard, shard, actor)
    return Trusted(shard=shard, decided_at=decided_at, by=actor)


class Restart(BaseModel):
    """A restart that begins now. `by` is the person who announces it, if it is not the administrator."""

    minutes: float = Field(gt=0, le=10, description="how long it may take: at most ten minutes")
    reason: str = Field(min_length=1, max_length=400)
    by: str | None = Field(default=None, min_length=1, max_length=64)


@router.post("/pipeline/restarts", status_code=201)
async def announce_restart(context: Shared, request: Request, restart: Restart) -> AnnouncedRestart:
    """Write down that the platform is restarted from now on: what is interrupted meanwhile pages nobody, and is unknown
    time all the same. 409 while another one goes on, and for ten minutes after it."""
    actor = restart.by or NAMES[request.scope[ACTOR]]
    async with context.database.connection() as connection:
        try:
            return _restart(await announce(connection, timedelta(minutes=restart.minutes), actor, restart.reason))
        except AnnouncementRefusedError as exc:
            raise Problem(409, str(exc)) from exc


def _restart(announced: Announced) -> AnnouncedRestart:
    return AnnouncedRestart(
        begin=announced.from_at, until=announced.until_at, by=announced.actor, reason=announced.reason
    )


class Steadiness(NamedTuple):
    """What is known of recurring gaps: the shards of which an incident says so, and the figures of each."""

    unstable: frozenset[str]
    figures: Mapping[str, Stability]


async def load_steadiness(connection: Connection, now: datetime) -> Steadiness:
    """Of the ten minutes before `now`."""
    gaps: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.latest_gaps, now - SPAN):
        gaps[row["shard"]].append((row["began_at"], row["ended_at"]))
    unstable = frozenset(row["shard"] for row in await connection.fetch(QUERIES.unstable_shards))
    return Steadiness(unstable, {shard: stability_of(found, now) for shard, found in gaps.items()})


class Doubts(msgspec.Struct, frozen=True):
    """Per shard the stations that number their messages wrongly, and the suspicion that goes on."""

    misnumbering: Mapping[str, list[str]]
    suspicions: Mapping[str, Suspicion]


async def load_doubts(connection: Connection) -> Doubts:
    """What is doubted of stations and shards now."""
    misnumbering: dict[str, list[str]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.misnumbering):
        misnumbering[row["shard"]].append(row["station"])
    rows = await connection.fetch(QUERIES.running_suspicions)
    return Doubts(misnumbering, {row["shard"]: _suspicion(row) for row in rows})


def _suspicion(row: Row) -> Suspicion:
    return Suspicion(
        began_at=row["began_at"],
        opened_at=row["opened_at"],
        fell=row["fell"],
        counted=row["counted"],
        unknown=row["unknown"],
    )


def shard_documents(clocks: Clocks, gaps: Gaps, doubts: Doubts, steadiness: Steadiness) -> list[Shard]:
    """One document a shard, by name."""
    by_shard: dict[str, list[PartitionClock]] = defaultdict(list)
    for clock in clocks.all:
        by_shard[clock.shard].append(_partition(clock, clocks, gaps.get((clock.shard, clock.partition), [])))
    return [_shard(name, partitions, doubts, steadiness) for name, partitions in sorted(by_shard.items())]


def _shard(name: str, partitions: list[PartitionClock], doubts: Doubts, steadiness: Steadiness) -> Shard:
    stability = steadiness.figures.get(name, Stability())
    return Shard(
        shard=name,
        sound=all(partition.sound for partition in partitions),
        clock=min(partition.clock for partition in partitions),
        lag_s=max(partition.lag_s for partition in partitions),
        blind_since=min((p.blind_since for p in partitions if p.blind_since is not None), default=None),
        suspicion=doubts.suspicions.get(name),
        misnumbering=doubts.misnumbering.get(name, []),
        unstable=name in steadiness.unstable,
        gaps_10m=stability.gaps,
        unknown_10m_s=stability.seconds,
        partitions=partitions,
    )


def _partition(clock: Clock, clocks: Clocks, gaps: list[PipelineGap]) -> PartitionClock:
    lag = clocks.now - min(clock.tick_at, clock.judged_at)
    return PartitionClock(
        partition=clock.partition,
        clock=clock.clock,
        tick_at=clock.tick_at,
        judged_at=clock.judged_at,
        lag_s=round(max(lag.total_seconds(), 0.0), 3),
        blind_since=clock.blind_since,
        sound=clocks.is_sound(clock),
        gaps=gaps,
    )
