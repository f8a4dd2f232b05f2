"""Repairs on a real database with the incident process: verified, held, failed, told."""

from datetime import timedelta

import pytest

from alerting.incident_process import service
from alerting.incident_process.service import IncidentsConfig
from alerting.incidents.actions import ActionRefusedError, resolve
from alerting.repairs.rules import RepairSaid
from alerting.repairs.store import load_waiting, say_repair
from store.author import Author
from store.pool import Pool
from tests.integration.alerting.paging.kit import add_contact
from tests.integration.incidents_kit import (
    add_station,
    ago,
    end_verification,
    judging,
    now,
    running,
    until,
    write_transition,
)

DOLMA = Author("a-dolma", "卓玛")
FIXED = RepairSaid(cause="power", parts="UPS", text=" 换了电池 ", fixed=True)
STATUS = "SELECT status FROM incident WHERE id = $1"
OUTCOME = "SELECT outcome || ' ' || why FROM repair WHERE id = $1"
ENDED = "SELECT detail ? 'fault_ended' FROM incident WHERE id = $1"
TOLD = "SELECT string_agg(incident || ' ' || recipient || ' ' || phase, ', ' ORDER BY id) FROM page"
HISTORY = (
    "SELECT string_agg(action || ' ' || coalesce(text, ''), ', ' ORDER BY id) FROM incident_entry WHERE incident = $1"
)


@pytest.fixture
async def people(pool: Pool) -> None:
    await add_contact(pool, "dolma", ("webhook", "http://127.0.0.1:9/"))
    await pool.execute(
        "INSERT INTO account (id, login, name, role, whole, created_by) "
        "VALUES ('a-dolma', 'dolma', '卓玛', 'technician', true, 'operator') ON CONFLICT DO NOTHING"
    )
    await pool.execute("UPDATE contact SET account = 'a-dolma' WHERE id = 'dolma'")


async def fallen(pool: Pool, station: str) -> int:
    await add_station(pool, station)
    await write_transition(pool, station, "online", "offline", at=ago(60))
    await until(pool, "SELECT count(*) FROM incident WHERE station = $1 AND status <> 'closed'", 1, station)
    number: int = await pool.fetchval("SELECT max(id) FROM incident WHERE station = $1", station)
    return number


async def say(pool: Pool, incident: int, stable: float, said: RepairSaid = FIXED) -> int:
    async with pool.acquire() as connection:
        return await say_repair(connection, incident, DOLMA, said, now(), timedelta(seconds=stable))


async def test_the_life_of_repairs(pool: Pool, database: str, people: None) -> None:
    """Held, came back, never repaired, said after the end, said again: each as it should be, through a restart."""
    config = IncidentsConfig(database_url=database, poll=0.1, standby_poll=0.1)
    async with judging(pool, range(1)):
        async with running(service.run, config):
            held, back, never, shelved = [await fallen(pool, name) for name in "HBNS"]
            first = await say(pool, held, 3600)
            again = await say(pool, held, 3600)
            returned, wrong = await say(pool, back, 3600), await say(pool, never, 3600)
            async with pool.acquire() as connection:
                await resolve(connection, shelved, DOLMA, "试试", now())
            by_hand = await say(pool, shelved, 3600)
            for station, incident in (("H", held), ("B", back)):
                await write_transition(pool, station, "offline", "online")
                await until(pool, ENDED, True, incident)
            await end_verification(pool, again, wrong, by_hand)
            await until(pool, OUTCOME, "held stayed_over", again)
            await until(pool, OUTCOME, "failed not_repaired", wrong)
            await until(pool, OUTCOME, "failed not_repaired", by_hand)
            assert await pool.fetchval(OUTCOME, first) == "overtaken said_again"
            assert [await pool.fetchval(STATUS, one) for one in (held, back, never, shelved)] == [
                "closed", "acknowledged", "acknowledged", "open",
            ]  # fmt: skip
            assert await pool.fetchval("SELECT ended_at < closed_at FROM incident WHERE id = $1", held)
        # Another process leads, and the fault comes back: the same incident, with its owner.
        async with running(service.run, config), running(service.run, config):
            await write_transition(pool, "B", "online", "offline")
            await until(pool, OUTCOME, "failed came_back", returned)
            row = await pool.fetchrow("SELECT status, acknowledged_by, detail FROM incident WHERE id = $1", back)
            assert row is not None
            assert (row["status"], row["acknowledged_by"]) == ("acknowledged", "a-dolma")
            assert not {"fixed_at", "fault_ended", "back_at"} & set(row["detail"])
            assert await pool.fetchval("SELECT count(*) FROM incident WHERE station = 'B'") == 1
            await write_transition(pool, "B", "offline", "online")
            await until(pool, STATUS, "closed", back)
            # Said after the end; the fault comes back as another incident, which has the same owner.
            late = await say(pool, back, 3600)
            await write_transition(pool, "B", "online", "offline")
            await until(pool, OUTCOME, "failed came_back", late)
    newer = await pool.fetchval("SELECT back_as FROM repair WHERE id = $1", late)
    assert await pool.fetchval("SELECT assignee FROM incident WHERE id = $1", newer) == "a-dolma"
    told = set((await pool.fetchval(TOLD)).split(", "))
    assert {
        f"{held} dolma held",
        f"{back} dolma not_held",
        f"{never} dolma not_held",
        f"{newer} dolma not_held",
    } <= told
    history = await pool.fetchval(HISTORY, held)
    assert "fixed power · UPS · 换了电池" in history
    assert history.index("updated verifying") < history.index("closed repaired")
    with pytest.raises(ActionRefusedError, match="newer incident"):
        await say(pool, back, 3600)
    kinds = await pool.fetch("SELECT DISTINCT kind FROM ledger_entry WHERE kind LIKE 'repair%' ORDER BY kind")
    assert [row["kind"] for row in kinds] == ["repair.said", "repair.verified"]


async def test_a_repair_of_a_slow_station_waits_for_three_heartbeats(pool: Pool, people: None) -> None:
    """A minute would pass without any of them, and the acknowledgement would end before the verification."""
    await pool.execute(
        "INSERT INTO terminal_state (station, terminal, partition, shard, state, since, seen_at, boot, run, conn, n, "
        "every, seen, deadline) VALUES ('A', '001', 0, 'main', 'online', now(), now(), 'b', 1, 1, 1, 3600, 0, 0)"
    )
    incident = await pool.fetchval(
        "INSERT INTO incident (kind, key, station, began_at, opened_at) "
        "VALUES ('station_offline', 'station_offline:A', 'A', now(), now()) RETURNING id"
    )
    repair = await say(pool, incident, 60)
    assert await pool.fetchval("SELECT stable FROM repair WHERE id = $1", repair) == timedelta(hours=3)
    assert await pool.fetchval("SELECT eta_at - acknowledged_at FROM incident") == timedelta(hours=6)


async def test_repairs_that_are_not_due_keep_no_other_from_being_verified(pool: Pool, people: None) -> None:
    numbers = await pool.fetch(
        "INSERT INTO incident (kind, key, station, began_at, opened_at) "
        "SELECT 'station_offline', 'station_offline:' || n, 'S' || n, now(), now() FROM generate_series(1, 5) AS n "
        "RETURNING id"
    )
    *early, last = [row["id"] for row in numbers]
    for incident in early:
        await say(pool, incident, 3600)
    due = await say(pool, last, 60)
    async with pool.acquire() as connection:
        (found, _) = await load_waiting(connection, 2)
        assert found.repair.id == due
