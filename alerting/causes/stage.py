"""Common causes and flapping in the incident process: asks the database what the pure rules want to know."""

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence

from alerting.causes.common_cause import Outage
from alerting.causes.evidence import Fallen, Group, Peer
from alerting.causes.flapping import Flapping, FlappingSettings, Turn
from alerting.causes.flapping_write import (
    end_flapping,
    falls_by_flapping,
    flapping_key,
    note_changes,
    note_use,
    only_joined,
    opened_of_no_use,
    shelter,
    shelter_use,
    use_key,
    write_turns,
)
from alerting.causes.groups import SAMPLE, Population
from alerting.causes.peer_store import load_peers
from alerting.causes.steps import Step
from alerting.causes.store import QUERIES, learn, load_outages, save_outages
from alerting.causes.tracker import Causes
from alerting.causes.use_causes import UseCauses
from alerting.causes.write import CHILD_KINDS, fallen_of, keys_of, write_plan
from alerting.incidents.book import Action, Book, Decision, Incident
from alerting.liveness.store import QUERIES as JUDGE_QUERIES
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.station_incidents.rules import NOT_OPEN
from alerting.stations.snapshot import Pairs, PassTime
from alerting.stations.table import Field
from contract.kinds import IncidentKind
from store.pool import Connection

_AGENTS_EVERY = 60.0


class CauseWatch:
    """Follows the stations' incidents through the book, after the station rules and before all that tells people."""

    def __init__(self, field: Field, causes: CauseSettings, flapping: FlappingSettings) -> None:
        self._field = field
        self._population = Population(field)
        self._causes = Causes(causes, self._population.online)
        self._flapping = Flapping(flapping)
        self._use = UseCauses(field, causes)
        self._agents = _Agents([self._population, self._use.population])

    @property
    def outages(self) -> Mapping[str, Outage]:
        """The causes that go on, by the keys of their incidents: of what is down, and of what is of no use."""
        return ChainMap(self._causes.outages, self._use.causes.outages)

    # -- taking the lead ---------------------------------------------------------------------------------------

    async def load(self, connection: Connection) -> None:
        await self._agents.load(connection)
        outages = await load_outages(connection, self._field, IncidentKind.AREA_OUTAGE)
        rows = await connection.fetch(QUERIES.load_down, list(CHILD_KINDS))
        alone = []
        for incident in (Incident(**dict(row)) for row in rows):
            fallen = self._fallen(incident)
            outage = outages.get(incident.parent or 0)
            if outage is None:
                alone.append(fallen)
            else:
                outage.put(fallen)
        self._causes.restore(outages.values(), alone)
        rows = await connection.fetch(QUERIES.load_down, [IncidentKind.UNUSABLE])
        of_no_use = [Incident(**dict(row)) for row in rows]
        self._use.restore(await load_outages(connection, self._field, IncidentKind.UNUSABLE), of_no_use)
        for row in await connection.fetch(QUERIES.load_flapping):
            self._flapping.restore(row["station"], row["changes"], flaps=row["flaps"], slot=row["slot"])

    def _fallen(self, incident: Incident) -> Fallen:
        station = incident.station or ""
        return fallen_of(incident, self._population.groups_of(station), self._field.every_of(station))

    # -- a pass ------------------------------------------------------------------------------------------------

    async def follow(self, connection: Connection, book: Book, changes: Pairs, moment: PassTime) -> None:
        self._population.look(moment.untrusted)
        await self._agents.follow(connection, moment)
        for decision in book.decisions:
            self._tell(book, decision, moment)
        peers = await self._ask(connection, self._causes.wanted())
        plan = self._causes.decide(moment.known, peers, lambda station: self._knows(station, moment))
        await learn(connection, book, keys_of(plan))
        write_plan(book, plan, moment.now)
        await save_outages(connection, self._causes)
        shared = self._use.children_of(changes)
        use_plan = self._use.decide(book, moment)
        await learn(connection, book, keys_of(use_plan))
        write_plan(book, use_plan, moment.now)
        await save_outages(connection, self._use.causes)
        touched = self._note_use(use_plan, changes, shared, moment)
        await self._follow_flapping(connection, book, plan, changes, touched, moment)

    def _tell(self, book: Book, decision: Decision, moment: PassTime) -> None:
        kind, _, station = decision.key.partition(":")
        if kind not in CHILD_KINDS:
            return
        at = decision.as_of or moment.known
        incident = None if decision.incident is None else book.get(decision.incident)
        if decision.action is Action.OPENED and incident is not None:
            self._causes.fell(at, self._fallen(incident))
        elif decision.action is Action.CLOSED or decision.reason == NOT_OPEN:
            self._causes.rose(at, station)

    def _knows(self, station: str, moment: PassTime) -> bool:
        standing = self._field.standing(station)
        return standing is None or moment.knows(standing)

    async def _ask(self, connection: Connection, groups: Iterable[Group]) -> dict[Group, list[Peer]]:
        """How the other stations of these groups stand, a sample of each."""
        samples = {group: self._population.sample(group, SAMPLE) for group in groups}
        found = await load_peers(connection, {station for sample in samples.values() for station in sample})
        known = {
            station: self._population.peer(station, peer.began, peer.until, peer.overdue, peer.every)
            for station, peer in found.items()
        }
        return {group: [known[one] for one in sample if one in known] for group, sample in samples.items()}

    # -- flapping ----------------------------------------------------------------------------------------------

    async def _follow_flapping(
        self,
        connection: Connection,
        book: Book,
        plan: Sequence[Step],
        changes: Pairs,
        touched: set[str],
        moment: PassTime,
    ) -> None:
        flapping = self._flapping
        touched = touched | note_changes(flapping, plan)
        turns = flapping.advance(moment.known, lambda station: self._knows(station, moment))
        left = {before.station for before, after in changes if before and not (after and after.in_service)}
        stations = {turn.station for turn in turns}
        falls = [fallen for station in stations if (fallen := self._causes.alone(station)) is not None]
        falls += falls_by_flapping(flapping, plan)
        of_no_use = {one for one in stations | opened_of_no_use(book) if not self._use.has_cause(one)}
        concerned = of_no_use | left | {fallen.station for fallen in falls}
        keys = {flapping_key(one) for one in concerned} | {use_key(one) for one in of_no_use}
        await learn(connection, book, keys | {fallen.key for fallen in falls})
        write_turns(book, turns, self._areas(turns), moment.now)
        for station in left:
            flapping.forget(station)
            end_flapping(book, station, ended_at=moment.now, now=moment.now, reason="not_in_service")
        shelter(book, flapping, falls, moment.now)
        shelter_use(book, flapping, of_no_use, moment.now)
        await self._save_flapping(connection, touched | stations)

    def _note_use(self, plan: Sequence[Step], changes: Pairs, shared: set[str], moment: PassTime) -> set[str]:
        """Changes of `usable` that no common cause explains; `shared` are the stations that had one before them."""
        own = [pair for pair in changes if pair[1] is None or pair[1].station not in shared]
        return note_use(self._flapping, own, moment.known) | note_changes(self._flapping, only_joined(plan))

    def _areas(self, turns: Iterable[Turn]) -> dict[str, str | None]:
        known = {turn.station: self._field.standing(turn.station) for turn in turns}
        return {station: standing.area if standing else None for station, standing in known.items()}

    async def _save_flapping(self, connection: Connection, touched: Iterable[str]) -> None:
        flapping = self._flapping
        gone, flapping.gone = flapping.gone, set()
        kept = sorted(set(touched) - gone)
        if kept:
            await connection.execute(
                QUERIES.save_flapping,
                kept,
                [" ".join(str(change.timestamp()) for change in flapping.changes_of(station)) for station in kept],
                [station in flapping for station in kept],
                [flapping.slot_of(station) for station in kept],
            )
        if gone:
            await connection.execute(QUERIES.forget_flapping, sorted(gone))


class _Agents:
    """Which version of the agent runs where; looked at again now and then."""

    def __init__(self, populations: Sequence[Population]) -> None:
        self._populations = populations
        self._horizon = ""
        self._looked_at: float = 0.0

    async def load(self, connection: Connection) -> None:
        self._horizon = await connection.fetchval(JUDGE_QUERIES.snapshot_horizon)
        self._note(await connection.fetch(QUERIES.load_agents))

    async def follow(self, connection: Connection, moment: PassTime) -> None:
        if moment.now.timestamp() - self._looked_at < _AGENTS_EVERY:
            return
        self._looked_at = moment.now.timestamp()
        horizon = await connection.fetchval(JUDGE_QUERIES.snapshot_horizon)
        self._note(await connection.fetch(QUERIES.changed_agents, self._horizon))
        self._horizon = horizon

    def _note(self, rows: Iterable[object]) -> None:
        agents = {row["station"]: row["agent"] for row in rows}  # type: ignore[index]
        for population in self._populations:
            population.note_agents(agents)
