"""Shards with their pipeline clocks as documents. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from alerting.pipeline.stability import Stability
from alerting.stations.verdict import Clock, Clocks
from api.read.schemas import GapDocument, PartitionClock, ShardDocument, SuspicionDocument

GapsByClock = Mapping[tuple[str, int], list[GapDocument]]
"""Gaps by shard and partition."""


class Steadiness(NamedTuple):
    """Recurring gaps: the shards for which an incident about them goes on, and the figures of each shard."""

    unstable: frozenset[str]
    figures: Mapping[str, Stability]


class Doubts(msgspec.Struct, frozen=True):
    """Per shard the stations that number their messages wrongly, and the suspicion that goes on."""

    misnumbering: Mapping[str, list[str]]
    suspicions: Mapping[str, SuspicionDocument]


def shard_documents(clocks: Clocks, gaps: GapsByClock, doubts: Doubts, steadiness: Steadiness) -> list[ShardDocument]:
    """One document a shard, by name."""
    by_shard: dict[str, list[PartitionClock]] = defaultdict(list)
    for clock in clocks.all:
        by_shard[clock.shard].append(_partition(clock, clocks, gaps.get((clock.shard, clock.partition), [])))
    return [_shard(name, partitions, doubts, steadiness) for name, partitions in sorted(by_shard.items())]


def _shard(name: str, partitions: Sequence[PartitionClock], doubts: Doubts, steadiness: Steadiness) -> ShardDocument:
    stability = steadiness.figures.get(name, Stability())
    return ShardDocument(
        shard=name,
        sound=all(partition.sound for partition in partitions),
        clock=min(partition.clock for partition in partitions),
        lag_s=max(partition.lag_s for partition in partitions),
        blind_since=_earliest(partition.blind_since for partition in partitions),
        suspicion=doubts.suspicions.get(name),
        misnumbering=doubts.misnumbering.get(name, []),
        unstable=name in steadiness.unstable,
        gaps_10m=stability.gaps,
        unknown_10m_s=stability.seconds,
        partitions=list(partitions),
    )


def _earliest(times: Iterable[datetime | None]) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


def _partition(clock: Clock, clocks: Clocks, gaps: list[GapDocument]) -> PartitionClock:
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
