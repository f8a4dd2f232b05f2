"""The shares of counties in an incident: the counts are those of its children, whatever happens to them and however the
passes are cut."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from alerting.incident_process import service
from alerting.incident_process.service import IncidentsConfig
from alerting.incident_process.stages import PartSettings
from alerting.incidents.book import Book, Incident
from alerting.incidents.store import recount_shares, store_book
from alerting.station_incidents.cause_settings import CauseSettings
from store.migrate import read_migrations
from store.pool import Connection, Pool
from tests.integration.alerting.test_causes import change, heard
from tests.integration.incidents_kit import ago, judging, now, running, until

PROVINCE, EAST, WEST, TOWN = "630000000000", "632122000000", "632123000000", "632122101000"
WILDS = "659000000000"
"""An area below the province that has no county above it."""
COUNTY_OF = {EAST: EAST, TOWN: EAST, WEST: WEST, WILDS: WILDS, PROVINCE: PROVINCE}
STATIONS = [f"S{number}" for number in range(6)]
PARENTS: dict[str, dict[str, Any]] = {
    "area_outage:area:630000000000": {"kind": "area_outage", "area": PROVINCE},
    "area_outage:uplink:a": {"kind": "area_outage"},
    "unusable:area:630000000000": {"kind": "unusable", "area": PROVINCE},
    "health:disk_full:common": {"kind": "health"},
    "blind_spot:area_dark:630000000000": {"kind": "blind_spot", "area": PROVINCE},
    "flapping:S0": {"kind": "flapping", "area": EAST, "station": "S0"},
}
ROWS = (
    "SELECT id, kind, key, status, station, area, shard, began_at, opened_at, closed_at, ended_at, reopen_at, parent, "
    "detail FROM incident ORDER BY id"
)
SHARES = "SELECT incident, area, children, down FROM incident_share WHERE children > 0 OR down > 0"
Counts = dict[tuple[int, str], tuple[int, int]]


@pytest.fixture
async def tree(pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO area (code, name, parent, level, path) VALUES "
        "('630000000000', '青海', NULL, 'province', '{630000000000}'), "
        "('632122000000', '民和', '630000000000', 'county', '{630000000000,632122000000}'), "
        "('632122101000', '官亭', '632122000000', 'township', '{630000000000,632122000000,632122101000}'), "
        "('632123000000', '乐都', '630000000000', 'county', '{630000000000,632123000000}'), "
        "('659000000000', '直辖', '630000000000', 'prefecture', '{630000000000,659000000000}')"
    )


def counted(incidents: dict[int, Incident]) -> Counts:
    """What the shares must be: each station, terminal or area once, by county."""
    things: dict[tuple[int, str], dict[str, bool]] = defaultdict(dict)
    for child in incidents.values():
        parent = incidents.get(child.parent or 0)
        if parent is None or parent.station is not None or child.area is None:
            continue
        thing = child.station if child.kind != "health" and child.station else child.key
        if child.station is None and parent.kind != "blind_spot":
            continue
        share = things[parent.id, COUNTY_OF[child.area]]
        share[thing] = share.get(thing, False) or child.goes_on
    return {share: (len(found), sum(found.values())) for share, found in things.items()}


class History:
    """Random incidents over some passes: children are opened, closed, shelved, reopened, moved, and change parents."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        self._roll = random.Random(seed)
        self.now = now()
        self._book = Book()

    async def stored(self) -> dict[int, Incident]:
        return {row["id"]: Incident(**dict(row)) for row in await self._connection.fetch(ROWS)}

    async def end_pass(self) -> dict[int, Incident]:
        """Store the pass, and begin the next one with all that is known."""
        async with self._connection.transaction():
            assert await store_book(self._connection, self._book, self.now) == {}
        self.now += timedelta(seconds=1)
        known = await self.stored()
        self._book = Book(known.values())
        return known

    def step(self) -> None:
        going_on = self._book.going_on()
        children = [incident for incident in going_on if incident.key not in PARENTS]
        if not children or self._roll.random() < 0.4:
            self._open()
        else:
            self._change(self._roll.choice(children))
        if self._roll.random() < 0.05 and going_on:
            self._close(self._roll.choice(going_on))

    def _open(self) -> None:
        kind = self._roll.choice(["station_offline", "overdue_return", "unusable", "health", "blind_spot"])
        station = None if kind == "blind_spot" else self._roll.choice(STATIONS)
        subject = self._roll.choice("ab") if kind == "health" else ""
        key = f"{kind}:{station or self._roll.choice(list(COUNTY_OF))}:{subject}"
        if self._book.open_of(key) is None:
            area = self._roll.choice([*COUNTY_OF, None])
            self._book.open(self._incident(key, kind=kind, station=station, area=area, parent=self._parent()), "r")

    def _parent(self) -> int | None:
        key = self._roll.choice([*PARENTS, None])
        if key is None:
            return None
        known = self._book.open_of(key) or self._book.open(self._incident(key, **PARENTS[key]), "r")
        return known.id

    def _change(self, child: Incident) -> None:
        match self._roll.choice(["close", "close", "shelve", "move", "parent", "parent", "detail"]):
            case "close":
                self._close(child)
            case "shelve" if child.is_open:
                self._book.shelve(child, until=self.now, now=self.now, reason="person")
            case "shelve":
                self._book.reopen(child, "still_wrong")
            case "move":
                self._book.update(msgspec.structs.replace(child, area=self._roll.choice([*COUNTY_OF, None])), "moved")
            case "parent":
                self._book.update(msgspec.structs.replace(child, parent=self._parent()), "common_cause")
            case _:
                self._book.update(msgspec.structs.replace(child, detail={"n": self._roll.random()}), "updated")

    def _close(self, incident: Incident) -> None:
        self._book.close(incident, ended_at=self.now, now=self.now, reason="online")

    def _incident(self, key: str, **given: Any) -> Incident:
        return Incident(id=0, key=key, status="open", began_at=self.now, opened_at=self.now, **given)


async def shares(connection: Connection) -> Counts:
    return {(row["incident"], row["area"]): (row["children"], row["down"]) for row in await connection.fetch(SHARES)}


@pytest.mark.parametrize("seed", range(6))
async def test_shares_are_the_count_of_the_children_at_any_time(pool: Pool, tree: None, seed: int) -> None:
    """Passes of one change and of twenty; a recount, as after a restart, finds nothing to correct."""
    roll = random.Random(seed)
    async with pool.acquire() as connection:
        history = History(connection, seed)
        for _ in range(25):
            for _ in range(roll.choice([1, 2, 5, 20])):
                history.step()
            known = await history.end_pass()
            found = await shares(connection)
            assert found == counted(known)
            if roll.random() < 0.2:
                await recount_shares(connection)
                assert await shares(connection) == found
        assert found, "nothing was counted"


async def test_open_incidents_of_an_older_release_get_their_shares(pool: Pool, tree: None) -> None:
    async with pool.acquire() as connection:
        history = History(connection, 1)
        for _ in range(60):
            history.step()
        known = await history.end_pass()
        before = {s: n for s, n in (await shares(connection)).items() if known[s[0]].goes_on}
        (sql,) = [migration.sql for migration in read_migrations() if migration.name == "shares"]
        await connection.execute("TRUNCATE incident_share, incident_share_ack")
        await connection.execute(sql[sql.index("INSERT INTO incident_share") :])
        assert before
        assert before.items() <= (await shares(connection)).items() <= counted(known).items()


async def test_a_county_that_joins_another_takes_its_children_along(pool: Pool, tree: None) -> None:
    """After a change of the tree the next recount is right, and a pass before it stops at nothing."""
    async with pool.acquire() as connection:
        history = History(connection, 3)
        history._book.open(history._incident("area_outage:uplink:a", kind="area_outage"), "r")
        (parent,) = await history.end_pass()
        for station, area in (("S1", TOWN), ("S2", WEST)):
            key = f"station_offline:{station}"
            fresh = history._incident(key, kind="station_offline", station=station, area=area, parent=parent)
            history._book.open(fresh, "r")
        known = await history.end_pass()
        assert await shares(connection) == {(parent, EAST): (1, 1), (parent, WEST): (1, 1)}
        await connection.execute(
            "UPDATE area SET path = '{630000000000,632123000000,632122101000}' WHERE code = $1", TOWN
        )
        gone = next(incident for incident in known.values() if incident.station == "S1")
        history._close(gone)
        await history.end_pass()
        await recount_shares(connection)
        assert await shares(connection) == {(parent, WEST): (2, 1)}


async def test_a_county_that_is_down_again_is_not_acknowledged_any_more(pool: Pool, tree: None) -> None:
    """The people of the share already have a message about its end, so the old acknowledgement ends. One more station
    in a county that is still down changes nothing."""
    async with pool.acquire() as connection:
        history = History(connection, 4)
        history._book.open(history._incident("area_outage:uplink:a", kind="area_outage"), "r")
        (parent,) = await history.end_pass()

        def fall(station: str, area: str) -> None:
            key = f"station_offline:{station}"
            fresh = history._incident(key, kind="station_offline", station=station, area=area, parent=parent)
            history._book.open(fresh, "r")

        fall("S1", TOWN)
        fall("S2", WEST)
        known = await history.end_pass()
        await connection.execute(
            "INSERT INTO incident_share_ack (incident, area, acknowledged_at, acknowledged_by) "
            "SELECT incident, area, now(), 'x' FROM incident_share"
        )
        history._close(next(incident for incident in known.values() if incident.station == "S1"))
        await history.end_pass()
        assert await acknowledged(connection) == [EAST, WEST]
        fall("S1", TOWN)
        fall("S3", WEST)
        await history.end_pass()
        assert await shares(connection) == {(parent, EAST): (1, 1), (parent, WEST): (2, 2)}
        assert await acknowledged(connection) == [WEST]


async def acknowledged(connection: Connection) -> list[str]:
    return [row["area"] for row in await connection.fetch("SELECT area FROM incident_share_ack ORDER BY area")]


@pytest.fixture
async def clocks(pool: Pool) -> AsyncIterator[None]:
    async with judging(pool, range(1)):
        yield


@pytest.fixture
def config(database: str) -> IncidentsConfig:
    return IncidentsConfig(
        database_url=database, poll=0.05, standby_poll=0.05, parts=PartSettings(causes=CauseSettings(hold=1.5))
    )


TOGETHER = "SELECT string_agg(s.area || ' ' || s.children || ' ' || s.down, ', ' ORDER BY s.area) FROM incident_share s JOIN incident i ON i.id = s.incident WHERE i.key = 'area_outage:uplink:a'"  # noqa: E501


async def test_an_outage_of_two_counties_has_two_shares_over_a_restart(
    pool: Pool, tree: None, config: IncidentsConfig, clocks: None
) -> None:
    east, west = [f"63212200{n:02d}" for n in range(8)], [f"63212300{n:02d}" for n in range(6)]
    await pool.execute(
        "INSERT INTO area (code, name, level, path) VALUES ('640000000000', 'x', 'province', '{640000000000}')"
    )
    for group, area, isp in ((east, EAST, "a"), (west, WEST, "a"), (["6401000001"], "640000000000", "a")):
        await pool.execute(
            "INSERT INTO station (id, name, area, isp) SELECT id, id, $2, $3 FROM unnest($1::text[]) AS id",
            group, area, isp,
        )  # fmt: skip
        await heard(pool, group, ago(1))
    everybody = [*east, *west, "6401000001"]
    async with running(service.run, config):
        await change(pool, everybody, "online", "offline", ago(20), ago(30))
        await until(pool, TOGETHER, f"{EAST} 8 8, {WEST} 6 6, 640000000000 1 1")
        await change(pool, east[:2], "offline", "online", now(), now())
        await until(pool, TOGETHER, f"{EAST} 8 6, {WEST} 6 6, 640000000000 1 1")
    async with running(service.run, config):
        await change(pool, east[:1], "online", "offline", now(), now())
        await until(pool, TOGETHER, f"{EAST} 8 7, {WEST} 6 6, 640000000000 1 1")
        await pool.execute("UPDATE station SET area = $2 WHERE id = $1", east[7], TOWN)
        await pool.execute("UPDATE station SET area = $2 WHERE id = $1", west[5], EAST)
        await pool.execute("SELECT pg_notify('milepost_registry', '')")
        await until(pool, TOGETHER, f"{EAST} 9 8, {WEST} 5 5, 640000000000 1 1")
        await change(pool, everybody, "offline", "online", now(), now())
        await until(pool, TOGETHER, f"{EAST} 9 0, {WEST} 5 0, 640000000000 1 0")
        await until(pool, "SELECT count(*) FROM incident WHERE status <> 'closed'", 0)
        await pool.execute("UPDATE station SET area = $2 WHERE id = $1", west[0], EAST)
        await pool.execute("SELECT pg_notify('milepost_registry', '')")
        await until(pool, TOGETHER, f"{EAST} 10 0, {WEST} 4 0, 640000000000 1 0")
