"""The incident process on a real database: one incident a cause, whatever is killed meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from alerting.incident_process import service
from alerting.incident_process.service import LOCK, IncidentsConfig
from alerting.incidents.actions import ActionRefusedError, acknowledge, assign, note, resolve
from alerting.incidents.book import ActionRefusal
from alerting.pipeline.store import AnnouncementRefusedError, announce
from alerting.station_incidents.rules import RuleSettings
from store.author import Author
from store.pool import Pool, open_pool
from tests.integration.incidents_kit import (
    add_station,
    ago,
    incidents,
    judging,
    now,
    running,
    until,
    write_clocks,
    write_gap,
    write_transition,
)

ROOT = Path(__file__).parents[3]
TASHI, DOLMA = Author("admin", "扎西"), Author("operator")
OPEN = "SELECT count(*) FROM incident WHERE status <> 'closed'"
PHASES_OF = "SELECT string_agg(phase, ', ' ORDER BY id) FROM notification WHERE incident = $1"
CLOSED = "SELECT count(*) FROM incident WHERE status = 'closed'"
LEADER = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1::bigint AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"  # noqa: E501


@contextmanager
def process(config: IncidentsConfig, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The service as a process of its own, killed at the end."""
    command = [sys.executable, "-m", "tests.integration.incidents_driver", "incidents"]
    with log.open("ab") as out:
        child = subprocess.Popen([*command, msgspec.json.encode(config).decode()], cwd=ROOT, stderr=out)
    try:
        yield child
    except BaseException:
        print(log.read_text(encoding="utf-8"))
        raise
    finally:
        child.send_signal(signal.SIGCONT)
        child.kill()
        child.wait()


@pytest.fixture
async def served(pool: Pool, database: str) -> AsyncIterator[IncidentsConfig]:
    config = IncidentsConfig(database_url=database, poll=0.1, limit=5, standby_poll=0.1)
    async with running(service.run, config):
        yield config


async def test_a_station_falls_and_returns(pool: Pool, served: IncidentsConfig) -> None:
    await add_station(pool, "6321220001")
    fell = ago(3)
    await write_transition(pool, "6321220001", "online", "offline", at=fell)
    await until(pool, OPEN, 1)
    (found,) = await incidents(pool)
    assert (found["key"], found["began_at"], found["station"]) == ("station_offline:6321220001", fell, "6321220001")
    await write_transition(pool, "6321220001", "offline", "online")
    await until(pool, CLOSED, 1)
    entries = await pool.fetch("SELECT action, text FROM incident_entry ORDER BY id")
    assert [tuple(entry) for entry in entries] == [("opened", "missed_heartbeats"), ("closed", "online")]
    phases = await pool.fetch("SELECT phase FROM notification ORDER BY id")
    assert [row["phase"] for row in phases] == ["opened", "closed"]


async def test_terminals_and_unregistered_stations_open_nothing(pool: Pool, served: IncidentsConfig) -> None:
    await add_station(pool, "A")
    await add_station(pool, "P", lifecycle="planned")
    await write_transition(pool, "A", "online", "offline", terminal="001", partition=1)
    for station in ("nobody", "P", "A"):
        await write_transition(pool, station, "online", "offline", partition=2)
    await until(pool, OPEN, 1)
    assert [row["station"] for row in await incidents(pool)] == ["A"]


async def test_a_storm_is_read_in_bounded_batches(pool: Pool, served: IncidentsConfig) -> None:
    """40 stations of two partitions at five a batch, each falling, returning and falling again."""
    for number in range(40):
        await add_station(pool, f"S{number}")
    for before, after in (("online", "offline"), ("offline", "online"), ("online", "offline")):
        for number in range(40):
            await write_transition(pool, f"S{number}", before, after, partition=number % 2)
    await until(pool, "SELECT sum(seq)::int FROM stream_cursor WHERE reader = 'incidents'", 120)
    assert (await pool.fetchval(OPEN), await pool.fetchval(CLOSED)) == (40, 40)


async def test_decisions_whose_ticks_go_back_hold_up_nothing(pool: Pool, served: IncidentsConfig) -> None:
    """More than a batch of them in a partition, as when many stations are heard through two bridges at once."""
    for number in range(20):
        await add_station(pool, f"S{number}")
        await write_transition(pool, f"S{number}", "online", "offline", decided=ago(30 + number))
    async with judging(pool, range(1)):
        await until(pool, OPEN, 20)


async def test_leaving_service_closes_and_joining_it_offline_opens(pool: Pool, served: IncidentsConfig) -> None:
    await add_station(pool, "A")
    await add_station(pool, "B", lifecycle="planned")
    for station in ("A", "B"):
        await write_transition(pool, station, "online", "offline")
    await until(pool, OPEN, 1)
    await pool.execute("UPDATE station SET lifecycle = 'suspended' WHERE id = 'A'")
    await pool.execute("SELECT pg_notify('milepost_registry', '')")
    await until(pool, OPEN, 0)
    await pool.execute("UPDATE station SET lifecycle = 'commissioned'")
    await pool.execute("SELECT pg_notify('milepost_registry', '')")
    await until(pool, OPEN, 2)


async def test_one_outage_told_by_24_partitions_is_one_incident(pool: Pool, served: IncidentsConfig) -> None:
    async with judging(pool, range(24)):
        for partition in range(24):
            await write_gap(pool, ago(30), ago(20), partition=partition)
        await until(pool, CLOSED, 1)
        await until(pool, "SELECT sum(seq)::int FROM stream_cursor WHERE reader = 'incidents.gaps'", 24)
    (found,) = await incidents(pool)
    assert found["shard"] == "main"
    assert found["detail"]["partitions"] == list(range(24))


async def test_a_clock_that_is_blind_opens_and_a_counted_tick_closes(pool: Pool, served: IncidentsConfig) -> None:
    await write_clocks(pool, range(3), blind_since=ago(6))
    await until(pool, OPEN, 1)
    async with judging(pool, range(3)):
        await until(pool, CLOSED, 1)
        await write_gap(pool, ago(7), ago(1))
        await until(pool, "SELECT count(*) FROM stream_cursor WHERE reader = 'incidents.gaps'", 1)
    assert len(await incidents(pool)) == 1


async def test_a_judge_that_stands_still_is_found_by_the_watchdog(pool: Pool, served: IncidentsConfig) -> None:
    await write_clocks(pool, range(3))
    await until(pool, OPEN, 1)
    async with judging(pool, range(3)):
        await until(pool, CLOSED, 1)
    (found,) = await incidents(pool)
    assert found["detail"]["causes"] == ["judge_silent"]


async def test_killed_between_batches_nothing_is_lost_or_doubled(pool: Pool, database: str, tmp_path: Path) -> None:
    """kill -9 again and again while stations fall and return; then it may finish."""
    config = IncidentsConfig(database_url=database, poll=0.05, limit=1)
    rounds, stations = 5, 4
    for number in range(stations):
        await add_station(pool, f"S{number}")
    for number in range(rounds):
        with process(config, tmp_path / "log"):
            for station in range(stations):
                await write_transition(pool, f"S{station}", "online", "offline", partition=station)
                await write_transition(pool, f"S{station}", "offline", "online", partition=station)
            await until(pool, "SELECT count(*) > $1 FROM incident", True, number * stations)
    with process(config, tmp_path / "log"):
        await until(pool, CLOSED, rounds * stations)
        await until(pool, "SELECT sum(seq)::int FROM stream_cursor WHERE reader = 'incidents'", 2 * rounds * stations)
    counts = await pool.fetch("SELECT station, count(*) AS n FROM incident GROUP BY station")
    assert {row["n"] for row in counts} == {rounds}
    assert await pool.fetchval("SELECT count(*) FROM incident_entry WHERE action = 'opened'") == rounds * stations


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_a_standby_takes_over(pool: Pool, database: str, tmp_path: Path, how: signal.Signals) -> None:
    config = IncidentsConfig(database_url=database, poll=0.05, standby_poll=0.05, frozen_after=1.5)
    await add_station(pool, "A")
    with process(config, tmp_path / "first") as first:
        await until(pool, LEADER, 1, LOCK & 0xFFFFFFFF)
        with process(config, tmp_path / "second"):
            os.kill(first.pid, how)
            await write_transition(pool, "A", "online", "offline")
            await until(pool, OPEN, 1)
            if how == signal.SIGSTOP:
                os.kill(first.pid, signal.SIGCONT)
            await write_transition(pool, "A", "offline", "online")
            await until(pool, CLOSED, 1)
            assert await pool.fetchval(LEADER, LOCK & 0xFFFFFFFF) == 1
            assert len(await incidents(pool)) == 1


async def test_a_lost_session_ends_the_leadership_and_it_queues_again(pool: Pool, served: IncidentsConfig) -> None:
    await add_station(pool, "A")
    await until(pool, LEADER, 1, LOCK & 0xFFFFFFFF)
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'milepost incidents%' AND datname = current_database()"
    )
    await write_transition(pool, "A", "online", "offline")
    await until(pool, OPEN, 1)


WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
    "AND application_name LIKE 'milepost incidents%' AND datname = current_database()"
)


async def test_a_person_edits_while_the_process_decides(pool: Pool, served: IncidentsConfig) -> None:
    """It waits for the edit, finds that what it read is outdated, and decides again."""
    await add_station(pool, "A")
    await write_transition(pool, "A", "online", "offline")
    await until(pool, OPEN, 1)
    (found,) = await incidents(pool)
    async with pool.acquire() as connection, connection.transaction():
        await acknowledge(connection, found["id"], TASHI, "on my way", now())
        await write_transition(pool, "A", "offline", "online")
        await until(pool, WAITING, 1)
    await until(pool, CLOSED, 1)
    (closed,) = await incidents(pool)
    assert (closed["acknowledged_by"], closed["acknowledged_remark"], closed["status"]) == ("admin", "扎西", "closed")


async def test_actions_are_recorded_and_refused_by_name(pool: Pool, database: str) -> None:
    async with open_pool(database, name="incidents test") as own, own.acquire() as connection:
        incident = await connection.fetchval(
            "INSERT INTO incident (kind, key, began_at, opened_at) VALUES ('health', 'health:A', now(), now()) "
            "RETURNING id"
        )
        await acknowledge(connection, incident, TASHI, None, now())
        with pytest.raises(ActionRefusedError, match="acknowledged already") as refused:
            await acknowledge(connection, incident, DOLMA, None, now())
        assert refused.value.refusal is ActionRefusal.ALREADY_ACKNOWLEDGED
        await assign(connection, incident, TASHI, "卓玛", now())
        await resolve(connection, incident, DOLMA, "the fuse", now())
        with pytest.raises(ActionRefusedError, match="closed"):
            await assign(connection, incident, TASHI, "卓玛", now())
        await note(connection, incident, DOLMA, "again next week", now())
        with pytest.raises(ActionRefusedError, match="no incident 999"):
            await note(connection, 999, DOLMA, "?", now())
    entries = await pool.fetch("SELECT actor, remark, action FROM incident_entry ORDER BY id")
    assert [tuple(entry) for entry in entries] == [
        ("admin", "扎西", "acknowledged"),
        ("admin", "扎西", "assigned"),
        ("operator", None, "resolved"),
        ("operator", None, "note"),
    ]
    (found,) = await incidents(pool)
    said = {"shelved_by": "person", "resolved_by": "operator", "resolved_reason": "the fuse"}
    assert (found["assignee"], found["status"], found["detail"]) == ("卓玛", "closed", said)
    assert (found["ended_at"], found["reopen_at"] > now()) == (None, True), "nobody knows that it is over"
    assert await pool.fetchval("SELECT phase FROM notification") == "resolved"


async def test_what_a_person_closed_opens_again_and_its_end_is_told(pool: Pool, served: IncidentsConfig) -> None:
    """One closed by hand opens again while its station is down; of another the real return is told."""
    for station in ("A", "B"):
        await add_station(pool, station)
        await write_transition(pool, station, "online", "offline", at=ago(60))
    await until(pool, OPEN, 2)
    first, second = await incidents(pool)
    async with pool.acquire() as connection:
        for incident in (first, second):
            await resolve(connection, incident["id"], TASHI, "the key is lost", now())
    await write_transition(pool, second["station"], "offline", "online")
    await until(pool, PHASES_OF, "opened, resolved, closed", second["id"])
    await pool.execute("UPDATE incident SET reopen_at = now() WHERE id = $1", first["id"])
    await pool.execute("SELECT pg_notify('milepost_registry', '')")
    await until(pool, PHASES_OF, "opened, resolved, reopened", first["id"])
    async with pool.acquire() as connection:
        await resolve(connection, first["id"], TASHI, "the key is lost", now())
    await write_transition(pool, first["station"], "offline", "online")
    await until(pool, PHASES_OF, "opened, resolved, reopened, resolved, closed", first["id"])
    rows = await pool.fetch("SELECT reopen_at, ended_at, status FROM incident")
    assert all(row["reopen_at"] is None and row["ended_at"] and row["status"] == "closed" for row in rows)


async def test_an_incident_goes_with_its_station_and_counts_no_more_when_that_is_excused(
    pool: Pool, database: str
) -> None:
    rules = RuleSettings(opening_grace=1.0)
    config = IncidentsConfig(database_url=database, poll=0.1, rules=rules)
    async with judging(pool, range(1)), running(service.run, config):
        await _move_and_excuse(pool)


async def _move_and_excuse(pool: Pool) -> None:
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('NEW', 'N', 'county', '{NEW}')")
    await add_station(pool, "A")
    await write_transition(pool, "A", "online", "offline", at=ago(60))
    await until(pool, OPEN, 1)
    await pool.execute("UPDATE station SET area = 'NEW' WHERE id = 'A'")
    await pool.execute("SELECT pg_notify('milepost_registry', '')")
    await until(pool, "SELECT area FROM incident", "NEW")
    await pool.execute(
        "INSERT INTO closure (station, from_at, until_at, reason, declared_by, approved_by, approved_at) "
        "VALUES ('A', now() - interval '1 h', now() + interval '1 h', 'flood', 'a', 'b', now())"
    )
    await pool.execute("SELECT pg_notify('milepost_registry', '')")
    await until(pool, OPEN, 0)
    (found,) = await incidents(pool)
    assert found["detail"]["shelved_by"] == "excused"
    assert await pool.fetchval(PHASES_OF, found["id"]) == "opened", "nobody is told that it is back"
    await pool.execute("UPDATE closure SET withdrawn_at = now(), withdrawn_by = 'b'")
    await pool.execute("SELECT pg_notify('milepost_registry', '')")
    await until(pool, OPEN, 1)


async def test_resolved_by_a_person_stays_closed_while_it_goes_on(pool: Pool, served: IncidentsConfig) -> None:
    for station in ("A", "B"):
        await add_station(pool, station)
    await write_transition(pool, "A", "online", "offline", at=ago(60))
    await until(pool, OPEN, 1)
    (found,) = await incidents(pool)
    async with pool.acquire() as connection:
        await resolve(connection, found["id"], TASHI, "the key is lost", now())
    await pool.execute("SELECT pg_notify('milepost_registry', '')")
    await write_transition(pool, "B", "online", "offline")
    await until(pool, OPEN, 1)
    assert [row["station"] for row in await incidents(pool) if row["status"] == "open"] == ["B"]


async def test_an_announced_restart_pages_nobody_and_a_recurring_gap_is_one_incident(
    pool: Pool, served: IncidentsConfig
) -> None:
    async with pool.acquire() as connection:
        announced = await announce(connection, timedelta(minutes=5), TASHI, "new kernel")
        with pytest.raises(AnnouncementRefusedError, match="next may be"):
            await announce(connection, timedelta(minutes=5), TASHI, "again")
    assert announced.until_at - announced.from_at == timedelta(minutes=5)
    await pool.execute("UPDATE announced_restart SET from_at = now() - interval '4 min', until_at = now()")
    await write_gap(pool, began=ago(200), ended=ago(100), shard="restarted")
    for number in range(4):
        await write_gap(pool, began=ago(500 - 60 * number), ended=ago(498 - 60 * number), shard="shaky")
    await until(pool, "SELECT count(*) FROM incident", 2)
    found = {row["shard"]: row["detail"] for row in await incidents(pool)}
    assert (found["restarted"]["announced_by"], found["restarted"]["announced_remark"]) == ("admin", "扎西")
    assert found["restarted"]["quiet"] is True
    assert (found["shaky"]["reason"], found["shaky"]["gaps"]) == ("unstable", 4)
    told = await pool.fetch("SELECT i.shard, n.phase FROM notification n JOIN incident i ON i.id = n.incident")
    assert [tuple(row) for row in told] == [("shaky", "opened")]
    assert await pool.fetchval("SELECT count(*) FROM pipeline_gap WHERE shard = 'restarted'") == 1, "it stays unknown"
