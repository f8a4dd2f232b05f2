"""The views that dashboards read say what the API says, and the role that reads them can do nothing else."""

import itertools
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest

from alerting.stations.expected import Cover
from alerting.stations.verdict import Clocks, Verdict, doubt
from api.console.queries import QUERIES as CONSOLE
from api.read.counting import grounds, survey_at, tally
from api.read.moment import load_clocks, load_cover
from api.read.queries import QUERIES as READ
from api.read.stations import complete_stations
from store.migrate import migrate
from store.pool import Connection, Pool
from tests.conftest import database_url

LIFECYCLES = ("planned", "commissioned", "suspended", "retired")
STATES = (None, "never_seen", "online", "away", "offline", "dreaming")
SHARDS = (None, "a", "b", "gone")
AGES = (0.0, 9.999, 10.0, 10.001, 60.0)
BLIND = (None, 1.0, 5.0, 5.001, 30.0)


async def fill_clocks(connection: Connection, now: datetime, dice: random.Random) -> int:
    """Partitions of no, one and two clocks, each as old and as blind as can be; the number of partitions."""
    kinds = list(itertools.product(AGES, AGES, BLIND))
    for partition in range(1, 61):
        for shard in ("a", "b")[: partition % 3]:
            tick, judged, blind = dice.choice(kinds) if partition % 5 else (0.0, 0.0, None)
            await connection.execute(
                "INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, blind_since, memory) "
                "VALUES ($1, $2, 1, $3, $4, $5, '{}')",
                partition,
                shard,
                now - timedelta(seconds=tick),
                now - timedelta(seconds=judged),
                None if blind is None else now - timedelta(seconds=blind),
            )
    return 61


async def fill_calendars(connection: Connection, now: datetime) -> list[int | None]:
    """Calendars that are open, shut, at the very moment of opening and closing, never open, and not filled."""
    openings: list[list[tuple[float, float]]] = [
        [(-3, 2), (20, 28)],
        [(-20, -3), (4, 9)],
        [(0, 5)],
        [(-5, 0)],
        [],
        [(-200, 900)],
    ]
    made: list[int | None] = [None]
    for number, spans in enumerate([*openings, [(-3, 2)]]):
        stale = number == len(openings)
        calendar: int = await connection.fetchval(
            "INSERT INTO calendar (key, definition, filled_from, filled_to, classes) VALUES ($1, '{}', $2, $3, '') "
            "RETURNING id",
            str(number),
            now - timedelta(hours=200),
            now + timedelta(hours=-1 if stale else 900),
        )
        for begin, end in spans:
            await connection.execute(
                "INSERT INTO calendar_opening VALUES ($1, $2, $3)",
                calendar,
                now + timedelta(hours=begin),
                now + timedelta(hours=end),
            )
        made.append(calendar)
    return made


async def fill_closures(connection: Connection, now: datetime, dice: random.Random) -> None:
    """Closures of stations, areas and programmes: in force and not, approved and not, withdrawn."""
    await connection.execute("INSERT INTO area (code, name, level, path) VALUES ('1', 'x', 'x', '{1}')")
    for code in ("11", "12"):
        await connection.execute("INSERT INTO area VALUES ($1, 'x', NULL, NULL, '1', 'x', ARRAY['1', $1])", code)
    await connection.execute("INSERT INTO area VALUES ('111', 'x', NULL, NULL, '11', 'x', '{1,11,111}')")
    await connection.execute("INSERT INTO programme VALUES ('p', 'p'), ('q', 'q')")
    stations = [row["id"] for row in await connection.fetch("SELECT id FROM station ORDER BY id")]
    scopes = [("station", station) for station in dice.sample(stations, 400)]
    scopes += [("area", "11"), ("area", "12"), ("programme", "p"), ("programme", "q")] * 2
    times = [(-5, 5), (-5, 0), (0, 5), (-9, -1), (1, 9), (-2, 1)]
    for number, (scope, name) in enumerate(scopes):
        begin, end = dice.choice(times)
        approved = now if number % 3 else None
        await connection.execute(
            f"INSERT INTO closure ({scope}, from_at, until_at, reason, declared_by, approved_by, approved_at, "  # noqa: S608
            "withdrawn_at, withdrawn_by) VALUES ($1, $2, $3, 'r', 'd', $4, $5, $6, $7)",
            name,
            now + timedelta(hours=begin),
            now + timedelta(hours=end),
            None if approved is None else "a",
            approved,
            now if number % 7 == 0 else None,
            "w" if number % 7 == 0 else None,
        )
    await connection.execute(
        "UPDATE station SET area = (ARRAY['1', '11', '111', '12', NULL])[1 + right(id, 2)::int % 5]"
    )
    await connection.execute(
        "INSERT INTO station_programme SELECT id, (ARRAY['p', 'q'])[1 + right(id, 1)::int % 2] FROM station "
        "WHERE right(id, 1)::int < 3"
    )


async def fill_stations(connection: Connection, now: datetime, dice: random.Random, partitions: int) -> None:
    """Every partition with every state and shard, commissioned or not; two terminals, of which the later one counts."""
    calendars = await fill_calendars(connection, now)
    cases = itertools.product(range(partitions), STATES, SHARDS)
    for number, (partition, state, shard) in enumerate(cases):
        station = f"s{number:05d}"
        lifecycle = dice.choice(LIFECYCLES) if number % 4 == 0 else "commissioned"
        since = now - timedelta(hours=dice.random() * 12)
        await connection.execute(
            "INSERT INTO station (id, name, lifecycle, calendar) VALUES ($1, $1, $2, $3)",
            station,
            lifecycle,
            dice.choice(calendars),
        )
        if state is not None:
            await connection.execute(
                "INSERT INTO station_state (station, partition, state, since, usable, shard) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                station,
                partition,
                state,
                since,
                dice.choice((True, False, None)),
                dice.choice(SHARDS),
            )
        if shard is not None:
            heard = [("001", shard, now), ("002", "b", now - timedelta(seconds=dice.choice((0, 9))))]
            for terminal, through, at in heard:
                await connection.execute("INSERT INTO terminal (station, id) VALUES ($1, $2)", station, terminal)
                await connection.execute(
                    "INSERT INTO terminal_state (station, terminal, partition, shard, state, seen_at, boot, run, conn, "
                    "n, every, seen, deadline) VALUES ($1, $2, $3, $4, 'online', $5, 'b', 1, 0, 1, 60, 1, 2)",
                    station,
                    terminal,
                    partition,
                    through,
                    at if dice.random() < 0.9 else None,
                )


async def fill_asides(connection: Connection, dice: random.Random) -> None:
    """Stations, and terminals, that a service has set aside."""
    rows = await connection.fetch("SELECT station, partition FROM station_state ORDER BY 1")
    for row in dice.sample(rows, 60):
        station, of_judge = row["station"], f"{row['partition']}/{row['station']}"
        things = [("incidents", "station", station), ("judge", "station", of_judge), ("incidents", "closure", station)]
        things += [("judge", "terminal", f"{of_judge}/{terminal}") for terminal in ("001", "002")]
        for thing in dice.sample(things, 2):
            await connection.execute("INSERT INTO set_aside VALUES ($1, $2, $3, 'x')", *thing)


async def counted_every_way(connection: Connection, clocks: Clocks, cover: Cover, verdicts: dict[str, Verdict]) -> None:
    """All who go through stations find of each of `verdicts` what it is by itself, and of none else anything."""
    await connection.execute("UPDATE station SET lat = right(id, 2)::int * 0.5, lon = nullif(right(id, 1)::int % 7, 0)")
    await connection.execute(
        "INSERT INTO incident (kind, key, station, began_at, opened_at) "
        "SELECT 'station_offline', id, id, now(), now() FROM station WHERE right(id, 1) = '4'"
    )
    rows = await connection.fetch("SELECT id, name, area, lon FROM station WHERE id = ANY ($1::text[])", list(verdicts))
    stations = {row["id"]: row for row in rows}
    below = {"1": None, "11": "11", "111": "11", "12": "12"}
    given = grounds(clocks, cover)

    found = await survey_at(connection, clocks, cover)
    assert found.totals == Counter(verdicts.values())
    drawn: Counter[Verdict] = Counter()
    for verdict, row in found.spots:
        drawn[verdict] += row["stations"]
        assert row["name"] == (stations[row["id"]]["name"] if row["stations"] == 1 else None)
    assert drawn == Counter(verdict for name, verdict in verdicts.items() if stations[name]["lon"] is not None)

    nowhere = tally(await connection.fetch(READ.count_nowhere, *given))
    assert nowhere == Counter(verdict for name, verdict in verdicts.items() if stations[name]["area"] is None)
    rows = await connection.fetch(READ.count_area, *given, "1", 1, None)
    for child in (None, "11", "12"):
        here = [name for name, its in stations.items() if its["area"] is not None and below[its["area"]] == child]
        assert tally(row for row in rows if row["child"] == child) == Counter(map(verdicts.__getitem__, here))
    rows = await connection.fetch(READ.count_roots, *given, ["1"])
    somewhere = [name for name, its in stations.items() if its["area"] is not None]
    assert {row["root"] for row in rows} == {"1"}
    assert tally(rows) == Counter(map(verdicts.__getitem__, somewhere))

    fallen = await connection.fetch(CONSOLE.list_fallen, *given, 100_000, None)
    missed = {name for name, verdict in verdicts.items() if verdict is Verdict.OFFLINE and name[-1] != "4"}
    assert {row["id"] for row in fallen} == missed
    assert {row["all_of_them"] for row in fallen} == {len(missed)}


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_view_gives_the_verdicts_of_the_api(pool: Pool, seed: int) -> None:
    dice = random.Random(seed)
    async with pool.acquire() as connection, connection.transaction():
        now: datetime = await connection.fetchval("SELECT now()")
        await fill_stations(connection, now, dice, await fill_clocks(connection, now, dice))
        await fill_closures(connection, now, dice)
        await fill_asides(connection, dice)
        clocks, cover = await load_clocks(connection), await load_cover(connection)
        assert clocks.now == now

        trust = await connection.fetch("SELECT partition, shard, doubt, doubtful_since FROM clock_trust")
        seen = {(row["partition"], row["shard"]): (row["doubt"], row["doubtful_since"]) for row in trust}
        assert seen == {(c.partition, c.shard): doubt(c, now) or (None, None) for c in clocks.all}

        listed = await connection.fetch(
            READ.list_stations, "", [], [], [], None, None, None, 100_000, None, *cover.arguments, None, None
        )
        documents = await complete_stations(connection, listed, clocks, cover)
        said = {d.id: (d.verdict, d.since, d.usable, d.open) for d in documents}
        reasons = await connection.fetch("SELECT station, why FROM station_verdict WHERE verdict = 'unknown'")
        assert {row["station"]: row["why"] for row in reasons} == {
            d.id: d.unknown_because for d in documents if d.unknown_because
        }
        assert "set_aside" in {row["why"] for row in reasons}
        await connection.execute("SELECT set_config('milepost.scope', '*', false)")
        viewed = await connection.fetch("SELECT station, verdict, since, usable, open FROM station_verdict")
        assert {row["station"]: (row["verdict"], row["since"], row["usable"], row["open"]) for row in viewed} == said
        assert {verdict for verdict, *_ in said.values()} == set(Verdict)
        found = await connection.fetch(READ.maybe_unknown, "", clocks.sound, 100_000)
        maybe_unknown = [row["station"] for row in found]
        for verdict in Verdict:
            filtered = await connection.fetch(
                READ.list_stations,
                "",
                clocks.sound,
                [clock.partition for clock in clocks.partly_sound],
                [clock.shard for clock in clocks.partly_sound],
                None,
                None,
                verdict,
                100_000,
                None,
                *cover.arguments,
                None,
                maybe_unknown if verdict is Verdict.UNKNOWN else None,
            )
            assert {row["id"] for row in filtered} == {name for name, its in said.items() if its[0] == verdict}, verdict
        counted = {d.id: d.verdict for d in documents if d.lifecycle != "retired"}
        await counted_every_way(connection, clocks, cover, counted)


REFUSED = {
    "writes nothing": "INSERT INTO area (code, name, level, path) VALUES ('1', 'x', 'x', '{1}')",
    "changes nothing": "UPDATE station SET name = 'x'",
    "deletes nothing": "DELETE FROM incident",
    "sees no targets": "SELECT * FROM delivery",
    "sees no addresses": "SELECT address FROM contact_channel",
    "sees no texts of messages": "SELECT content FROM message",
    "sees no excerpts of messages": "SELECT excerpt FROM dead_letter",
    "sees no notes of repairs": "SELECT text FROM repair",
    "sees no notifications": "SELECT * FROM notification",
    "makes nothing": "CREATE TABLE mine (id int)",
}


async def test_the_reader_reads_and_nothing_else(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL ROLE milepost_reader")
        assert await connection.fetch("SELECT * FROM station_verdict") == []
        for sql in REFUSED.values():
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(sql)


@pytest.fixture
async def modest(postgres_server: str, template: str) -> AsyncIterator[str]:
    """The URL of an empty database whose owner may not create roles."""
    name = f"milepost_modest_{os.getpid()}"
    admin = await asyncpg.connect(postgres_server)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    try:
        host = database_url(postgres_server, name).partition("@")[2]
        yield f"postgresql://{name}:{name}@{host}"
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.execute(f"DROP ROLE {name}")
        await admin.close()


async def test_an_owner_who_may_not_create_roles_can_migrate(modest: str) -> None:
    """The role is there, for other databases of the server have made it; its rights are granted all the same."""
    connection = await asyncpg.connect(modest)
    try:
        await migrate(connection)
        granted = "SELECT has_table_privilege('milepost_reader', 'station_verdict', 'SELECT')"
        assert await connection.fetchval(granted) is True
    finally:
        await connection.close()
