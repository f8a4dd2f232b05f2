"""Suspected shards in the incident process: reads the data that the rules need, and stores suspicions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from alerting.causes.evidence import Peer
from alerting.causes.peer_store import load_peers
from alerting.causes.suspicion_rules import MassSettings, Member, Suspicion
from alerting.causes.suspicion_tracker import Suspicions
from alerting.pipeline.blind_incidents import Trouble
from alerting.stations.common_interval import CommonInterval
from alerting.stations.model import Changed, StationChange
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field
from store.pool import Connection
from store.sql import load_queries

QUERIES = load_queries(Path(__file__).with_name("suspicion_queries.sql"))


class SuspicionWatch:
    """Runs twice in a pass: `begin` decides which shards are suspected, before the station rules run; `follow` notes
    afterwards which stations fell and came back."""

    def __init__(self, core: Suspicions) -> None:
        self._core = core
        self._peers: dict[str, list[Peer]] = {}

    @classmethod
    async def load(cls, connection: Connection, field: Field, settings: MassSettings) -> "SuspicionWatch":
        """Restore the suspicions of the last committed pass; call this before the changes of the field are taken."""
        core = Suspicions(settings, field)
        found = {
            (row["shard"], row["opened_at"]): Suspicion(
                shard=row["shard"],
                opened_at=row["opened_at"],
                window=CommonInterval(row["instant_from"], row["instant_to"]),
                began_at=row["began_at"],
                known_at=row["known_at"],
                fell=row["fell"],
                counted=row["counted"],
                registry=row["registry"],
                ended_at=row["ended_at"],
                ended_by=row["ended_by"],
                members={},
            )
            for row in await connection.fetch(QUERIES.load_suspicions, field.time)
        }
        for row in await connection.fetch(QUERIES.load_members):
            member = Member(station=row["station"], heard_at=row["heard_at"], missed_at=row["missed_at"])
            found[row["shard"], row["opened_at"]].members[member.station] = member
        core.restore(found.values())
        return cls(core)

    @property
    def troubles(self) -> list[Trouble]:
        """The suspected shards as troubles of the pipeline."""
        return self._core.troubles()

    async def begin(
        self, connection: Connection, changes: Sequence[StationChange], moment: PassTime, registry: str
    ) -> None:
        """Decide which shards are suspected; call this before the station rules run."""
        wanted = self._core.wanted(changes, moment)
        stations = {station for asked in wanted.values() for station in asked.stations}
        known = await load_peers(connection, stations, floor=self._core.settings.floor)
        self._peers = {shard: [known[one] for one in asked.stations if one in known] for shard, asked in wanted.items()}
        self._core.begin(self._peers, moment, registry)

    async def follow(self, connection: Connection, changes: Iterable[Changed], moment: PassTime) -> None:
        """Note falls and returns, end suspicions, and store all changes; call this after the station rules ran."""
        decisions = await _decisions(connection, self._core.running)
        self._core.follow(changes, self._peers, decisions, moment)
        await self._save(connection)

    async def _save(self, connection: Connection) -> None:
        touched, self._core.touched = list(self._core.touched.values()), {}
        moved, self._core.moved = self._core.moved, []
        if touched:
            await connection.execute(QUERIES.save_suspicions, *_columns([_row(one) for one in touched]))
        if moved:
            # A member that came and ended within one pass is written once, with its end.
            rows = {(one.shard, one.opened_at, m.station, m.missed_at): (one, m) for one, m in moved}
            await connection.execute(QUERIES.save_members, *_columns([_member_row(*pair) for pair in rows.values()]))


async def _decisions(connection: Connection, shards: Collection[str]) -> Mapping[str, datetime]:
    if not shards:
        return {}
    return {row["shard"]: row["decided_at"] for row in await connection.fetch(QUERIES.decisions, list(shards))}


def _row(one: Suspicion) -> tuple[object, ...]:
    return (
        one.shard, one.opened_at, one.window.lo, one.window.hi, one.began_at, one.known_at, one.fell, one.counted,
        one.registry, one.ended_at, one.ended_by,
    )  # fmt: skip


def _member_row(one: Suspicion, member: Member) -> tuple[object, ...]:
    return (
        one.shard, one.opened_at, member.station, member.heard_at, member.missed_at, member.ended_at, member.returned,
    )  # fmt: skip


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
