"""The incident process's memory on a real database: taken up again as it was, and following the registry."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerting.incident_process.decide_pass import Decider, PassConfig, Passed
from alerting.pipeline.transitions import INCIDENTS
from alerting.stations.registry_follower import add_unknown_stations
from alerting.stations.store import load_field
from alerting.stations.table import Field
from registry.closures.rules import NewClosure
from registry.closures.store import declare
from registry.hours.calendar_store import refresh_calendars
from registry.hours.schedule_store import put_schedules
from store.pool import Connection, Pool
from tests.integration.incidents_kit import add_station, ago, incidents, now, write_clocks, write_gap, write_transition


@pytest.fixture
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as acquired:
        yield acquired


@pytest.fixture
async def decider(connection: Connection) -> Decider:
    return Decider(PassConfig(), connection)


async def passes(decider: Decider) -> list[str]:
    """Pass after pass until there is no more to be read; what was decided of stations, as "action key"."""
    passed = Passed(decisions=(), more=True)
    told = []
    while passed.more:
        passed = await decider.decide(None)
        told += [
            f"{d.action} {d.key}" for d in passed.decisions if d.incident is not None and not d.key.startswith(OTHERS)
        ]
    return told


def stands(field: Field, station: str) -> tuple[str, datetime | None, str | None]:
    """State, since when, and why."""
    standing = field.standing(station)
    assert standing is not None
    return standing.state, standing.since, field.about(station).reason


SHANGHAI = ZoneInfo("Asia/Shanghai")
OTHERS = ("blind_spot:", "pipeline_blind:")
STORY = [
    ("never_seen", "online", 600),
    ("online", "offline", 300),
    ("offline", "online", 120),
    ("online", "offline", 60),
]


@pytest.mark.parametrize("applied", range(len(STORY) + 1))
async def test_the_field_is_as_it_was_when_its_transitions_were_taken_in(pool: Pool, applied: int) -> None:
    """The judges' tables are ahead of what the incident process has decided."""
    await add_station(pool, "A")
    moments = [ago(seconds) for _, _, seconds in STORY]
    for (before, after, _), at in zip(STORY, moments, strict=True):
        await write_transition(pool, "A", before, after, at=at)
    async with pool.acquire() as connection, connection.transaction():
        field = await load_field(connection, now(), {0: applied} if applied else {})
    if applied == 0:
        assert stands(field, "A") == ("never_seen", None, None)
    else:
        since = moments[applied - 1]
        reason = None if applied == len(STORY) and STORY[-1][1] == "online" else "missed_heartbeats"
        assert stands(field, "A") == (STORY[applied - 1][1], since, reason)


async def test_a_station_heard_before_it_was_known_is_met_as_it_stood(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        field = await load_field(connection, now(), {})
    await add_station(pool, "A")
    await write_transition(pool, "A", "never_seen", "online")
    async with pool.acquire() as connection:
        await add_unknown_stations(connection, field, ["A", "nobody"], {})
    assert stands(field, "A") == ("never_seen", None, None)
    assert "nobody" not in field


async def test_what_was_read_and_not_ripe_is_read_again_by_the_next(pool: Pool, connection: Connection) -> None:
    """Partition 1 has not come so far: until then the cursor stays where it is."""
    for station in ("A", "B"):
        await add_station(pool, station)
    await write_clocks(pool, range(2))
    first = Decider(PassConfig(), connection)
    await passes(first)
    await write_transition(pool, "A", "online", "offline", at=ago(60))
    await pool.execute("UPDATE transition SET tick_at = (SELECT max(tick_at) FROM partition_clock) + interval '1 ms'")
    assert await passes(first) == []
    assert await pool.fetchval("SELECT count(*) FROM stream_cursor WHERE reader = $1", INCIDENTS) == 0
    second = Decider(PassConfig(), connection)
    await passes(second)
    await write_clocks(pool, range(2))
    assert await passes(second) == ["opened station_offline:A"]
    assert await passes(first) == []


@pytest.mark.parametrize("is_running", [True, False])
async def test_an_open_incident_is_moved_by_the_process_and_its_history_says_so(
    pool: Pool, connection: Connection, is_running: bool
) -> None:
    """Whether the station moves while a process runs or while none does; one that is over moves with the station."""
    await pool.execute(
        "INSERT INTO area (code, name, level, path) VALUES ('1', 'x', 'county', '{1}'), ('2', 'y', 'county', '{2}')"
    )
    await add_station(pool, "A")
    await pool.execute("UPDATE station SET area = '1'")
    await write_clocks(pool, range(1))
    decider = Decider(PassConfig(), connection)
    await passes(decider)
    await write_transition(pool, "A", "online", "offline", at=ago(60))
    await write_clocks(pool, range(1))
    assert await passes(decider) == ["opened station_offline:A"]
    await pool.execute(
        "INSERT INTO incident (kind, key, station, area, status, began_at, opened_at, closed_at) "
        "VALUES ('flapping', 'over', 'A', '1', 'closed', now(), now(), now())"
    )
    areas = "SELECT area FROM incident WHERE station = 'A' ORDER BY status = 'closed'"
    await pool.execute("UPDATE station SET area = '2'")
    assert [row["area"] for row in await pool.fetch(areas)] == ["1", "2"]
    if is_running:
        decider.ask_registry()
    else:
        decider = Decider(PassConfig(), connection)
    await passes(decider)
    assert [row["area"] for row in await pool.fetch(areas)] == ["2", "2"]
    assert await pool.fetchval("SELECT count(*) FROM incident_entry WHERE text = 'moved'") == 1


async def test_a_deleted_station_and_one_that_moved(pool: Pool, decider: Decider) -> None:
    for station in ("A", "B"):
        await add_station(pool, station)
        await write_transition(pool, station, "online", "offline")
    assert sorted(await passes(decider)) == ["opened station_offline:A", "opened station_offline:B"]
    await pool.execute("DELETE FROM station WHERE id = 'A'")
    await pool.execute("UPDATE station SET lifecycle = 'retired' WHERE id = 'B'")
    decider.ask_registry()
    assert sorted(await passes(decider)) == ["closed station_offline:A", "closed station_offline:B"]


async def test_a_station_imported_in_bulk_that_is_never_heard_does_not_escape(pool: Pool, decider: Decider) -> None:
    """Nobody said when it was commissioned."""
    await add_station(pool, "A")
    await pool.execute("UPDATE station SET in_service_at = now() - interval '25 hours'")
    await write_clocks(pool, range(2))
    assert await passes(decider) == ["opened never_seen:A"]
    await write_transition(pool, "A", "never_seen", "online")
    await write_clocks(pool, range(2))
    assert await passes(decider) == ["closed never_seen:A"]


async def test_after_a_gap_it_has_time_to_be_heard(pool: Pool, decider: Decider) -> None:
    await add_station(pool, "A")
    await pool.execute("UPDATE station SET in_service_at = now() - interval '25 hours'")
    await write_gap(pool, ago(600), ago(60))
    await write_clocks(pool, range(2))
    assert await passes(decider) == []


async def test_a_declared_closure_silences_and_its_end_is_an_opening(pool: Pool, decider: Decider) -> None:
    await add_station(pool, "A")
    await passes(decider)
    async with pool.acquire() as connection:
        new = NewClosure(
            station="A", from_at=ago(600), until_at=now() + timedelta(hours=1), reason="装修", declared_by="admin"
        )
        await declare(connection, new)
    decider.ask_registry()
    await passes(decider)
    await write_transition(pool, "A", "online", "offline")
    assert await passes(decider) == []


async def test_what_is_wrong_at_a_closed_station_is_told_after_it_opened(
    pool: Pool, connection: Connection, decider: Decider
) -> None:
    await add_station(pool, "A")
    opens = now().astimezone(SHANGHAI) + timedelta(hours=3)
    await put_schedules(connection, {"A": f"Mo-Su {opens:%H}:00-{opens:%H}:30"}, now=now(), by="卓玛")
    await refresh_calendars(connection, now=now())
    await passes(decider)
    await write_transition(pool, "A", "online", "conflicting", terminal="002")
    assert await passes(decider) == ["opened identity_conflict:A:002"]
    told = await pool.fetchval(
        "SELECT n.not_before FROM notification n JOIN incident i ON i.id = n.incident WHERE i.key LIKE 'identity%'"
    )
    assert told == opens.replace(minute=15, second=0, microsecond=0), "if it is not over a quarter of an hour later"


async def test_terminals_that_speak_under_one_boot(pool: Pool, decider: Decider) -> None:
    for station in ("A", "B"):
        await add_station(pool, station)
    await pool.execute(
        "INSERT INTO terminal_state (station, terminal, partition, shard, state, boot, run, conn, n, every, seen, "
        "deadline) SELECT id, '001', 0, 'main', 'online', 'b7f3c1e2', 4, 1, 900, 60, 0, 0 FROM station"
    )
    assert len(await passes(decider)) == 2
    assert [found["detail"]["with"] for found in await incidents(pool)] == [["B/001"], ["A/001"]]


async def test_a_station_heard_through_another_shard_rests_on_its_clock(pool: Pool, decider: Decider) -> None:
    """One shard is dead for good; what time alone decides goes on for those that came back through another."""
    await add_station(pool, "A")
    await write_transition(pool, "A", "never_seen", "online")
    await write_clocks(pool, range(1))
    await passes(decider)
    await pool.execute(
        "INSERT INTO partition_clock (partition, shard, clock, tick_at, judged_at, memory) "
        "SELECT 0, 'west', 0, clock_timestamp(), clock_timestamp(), '{}'"
    )
    await pool.execute("UPDATE partition_clock SET tick_at = now() - interval '1 hour' WHERE shard = 'main'")
    await pool.execute("UPDATE station_state SET shard = 'west'")
    decider.ask_registry()
    await passes(decider)
    memory = decider._memory
    assert memory is not None
    standing = memory.field.standing("A")
    assert standing is not None
    assert standing.clock == (0, "west")


USES = [(True, 900), (False, 700), (None, 650), (False, 600), (True, 120), (False, 60)]


@pytest.mark.parametrize("applied", range(1, len(USES) + 1))
async def test_since_when_a_station_is_of_no_use_is_found_again(pool: Pool, applied: int) -> None:
    await add_station(pool, "A")
    moments = [ago(seconds) for _, seconds in USES]
    for number, ((usable, _), at) in enumerate(zip(USES, moments, strict=True)):
        await write_transition(pool, "A", "online" if number else "never_seen", "online", at=at, usable=usable)
    async with pool.acquire() as connection, connection.transaction():
        field = await load_field(connection, now(), {0: applied})
    standing = field.standing("A")
    assert standing is not None
    assert standing.unusable_since == (moments[applied - 1] if USES[applied - 1][0] is False else None)
    assert standing.unusable is (USES[applied - 1][0] is False)


async def test_of_no_use_is_an_incident_that_a_new_process_goes_on_with(pool: Pool, connection: Connection) -> None:
    await add_station(pool, "A")
    began = ago(301)
    await write_transition(pool, "A", "never_seen", "online", at=ago(900), usable=True)
    await write_transition(pool, "A", "online", "online", at=began, usable=False)
    await write_clocks(pool, range(1))
    first = Decider(PassConfig(), connection)
    assert await passes(first) == ["opened unusable:A"]
    assert await passes(Decider(PassConfig(), connection)) == []
    (incident,) = await incidents(pool)
    assert (incident["kind"], incident["began_at"], incident["parent"]) == ("unusable", began, None)
    await write_transition(pool, "A", "online", "offline", at=ago(60))
    await write_clocks(pool, range(1))
    assert await passes(Decider(PassConfig(), connection)) == ["opened station_offline:A"]
    await write_transition(pool, "A", "offline", "online", at=ago(30), usable=True)
    await write_clocks(pool, range(1))
    last = Decider(PassConfig(), connection)
    assert sorted(await passes(last)) == ["closed station_offline:A", "closed unusable:A"]
    told = await pool.fetch(
        "SELECT i.kind, n.phase FROM notification n JOIN incident i ON i.id = n.incident ORDER BY n.id"
    )
    assert sorted((row["kind"], row["phase"]) for row in told) == [
        ("station_offline", "closed"), ("station_offline", "opened"), ("unusable", "closed"), ("unusable", "opened"),
    ]  # fmt: skip
