"""Common causes and flapping in the incident process: reads the data that the rules need, and stores their memory."""

from collections import ChainMap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import asyncpg

from alerting.causes.common_cause import CommonCause
from alerting.causes.down_causes import DownCauses
from alerting.causes.flapping import FlappingSettings
from alerting.causes.flapping_pass import CausePlans, FlappingRules
from alerting.causes.groups import Population
from alerting.causes.peer_store import load_peers
from alerting.causes.steps import Step
from alerting.causes.store import QUERIES, load_flapping, load_outages, save_flapping, save_outages
from alerting.causes.tracker import Causes
from alerting.causes.use_causes import UseCauses
from alerting.causes.write import CHILD_KINDS, keys_of, write_plan
from alerting.incidents.book import Book, Incident
from alerting.incidents.store import learn_newest
from alerting.liveness.store import QUERIES as JUDGE_QUERIES
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import StationNews
from alerting.stations.snapshot import PassTime
from alerting.stations.table import Field
from contract.kinds import IncidentKind
from store.pool import Connection

_AGENTS_EVERY: Final = 60.0
"""Seconds between two reads of the agents' versions."""


class CauseWatch:
    """The part `causes` of a pass: runs after the station rules and before notifications are written."""

    def __init__(self, field: Field, causes: CauseSettings, flapping: FlappingSettings) -> None:
        self._field = field
        self._down = DownCauses(field, causes)
        self._use = UseCauses(field, causes)
        self._flapping = FlappingRules(field, flapping, self._down, self._use)
        self._agents = AgentVersions([self._down.population, self._use.population])

    @property
    def outages(self) -> Mapping[str, CommonCause]:
        """The running causes by the keys of their incidents: of stations that are down, and of unusable stations."""
        return ChainMap(self._down.causes.members.outages, self._use.causes.members.outages)

    async def load(self, connection: Connection) -> None:
        """Restore the state of the last committed pass."""
        await self._agents.load_versions(connection)
        outages = await load_outages(connection, self._field, IncidentKind.AREA_OUTAGE)
        self._down.restore(outages, await _load_children(connection, CHILD_KINDS))
        outages = await load_outages(connection, self._field, IncidentKind.UNUSABLE)
        self._use.restore(outages, await _load_children(connection, [IncidentKind.UNUSABLE]))
        await load_flapping(connection, self._flapping.flapping)

    async def follow(self, connection: Connection, book: Book, news: StationNews, moment: PassTime) -> None:
        """Decide about common causes of down stations and of unusable stations, then about flapping; write to the
        book."""
        await self._agents.follow_versions(connection, moment)
        samples = self._down.begin(news, moment)
        found = await load_peers(connection, {station for sample in samples.values() for station in sample})
        down = self._down.decide(samples, found, moment)
        await _write(connection, book, self._down.causes, down, moment)
        shared = self._use.children_of(news.changes)
        of_no_use = self._use.decide(news, moment)
        await _write(connection, book, self._use.causes, of_no_use, moment)
        plans = CausePlans(down=down, of_no_use=of_no_use, shared=shared)
        plan = self._flapping.decide(plans, news, moment)
        await learn_newest(connection, book, plan.keys)
        self._flapping.write(book, plan, moment)
        await save_flapping(connection, self._flapping.flapping, plan.touched)


async def _load_children(connection: Connection, kinds: Collection[str]) -> list[Incident]:
    """The incidents of single stations that go on, of the given kinds."""
    return [Incident(**dict(row)) for row in await connection.fetch(QUERIES.load_down, list(kinds))]


async def _write(connection: Connection, book: Book, causes: Causes, plan: Sequence[Step], moment: PassTime) -> None:
    await learn_newest(connection, book, keys_of(plan))
    write_plan(book, plan, moment.now)
    await save_outages(connection, causes.members)


class AgentVersions:
    """Reads the agent's version of each station, at the start and then every `_AGENTS_EVERY` seconds."""

    def __init__(self, populations: Sequence[Population]) -> None:
        self._populations = populations
        self._horizon = ""
        self._looked_at: float = 0.0

    async def load_versions(self, connection: Connection) -> None:
        """Read the versions of all stations."""
        self._horizon = await connection.fetchval(JUDGE_QUERIES.snapshot_horizon)
        self._note(await connection.fetch(QUERIES.load_agents))

    async def follow_versions(self, connection: Connection, moment: PassTime) -> None:
        """Read the versions that changed, if `_AGENTS_EVERY` seconds have passed."""
        if moment.now.timestamp() - self._looked_at < _AGENTS_EVERY:
            return
        self._looked_at = moment.now.timestamp()
        horizon = await connection.fetchval(JUDGE_QUERIES.snapshot_horizon)
        self._note(await connection.fetch(QUERIES.changed_agents, self._horizon))
        self._horizon = horizon

    def _note(self, rows: Iterable[asyncpg.Record]) -> None:
        agents = {row["station"]: row["agent"] for row in rows}
        for population in self._populations:
            population.note_agents(agents)
