"""The delivery process and PostgreSQL are killed at each step: each page arrives at least once, under one key, and
nobody gets more than a limit allows."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from alerting.delivery.pages.service import CONNECTIONS, PageLoop
from alerting.delivery.sending import PageEnvelope, SendOutcome
from registry.contacts.model import Address
from registry.routes.model import RouteStep
from store.migrate import migrate
from store.pool import Pool, open_pool
from tests.integration.alerting.paging.kit import (
    CALM,
    DriverConfig,
    LoopbackSender,
    Provider,
    add_contact,
    add_incident,
    end_leases,
    owe,
    provider,
    run_pages,
    start,
)
from tests.integration.alerting.test_incidents_outages import Database, _connect
from tests.integration.escalation.escalation_kit import LoopConfig, run_loop
from tests.integration.incidents_kit import running, until

__all__ = ["provider"]

PAID = "SELECT count(*) FROM page WHERE status = 'paid'"


async def owe_all(pool: Pool, provider: Provider, contacts: int, pages: int) -> list[int]:
    """So many contacts with so many pages each; gives the incidents."""
    incidents = [await add_incident(pool, number) for number in range(pages)]
    for number in range(contacts):
        await add_contact(pool, f"c{number}", ("feishu", provider.address(f"c{number}")))
        for incident in incidents:
            await owe(pool, f"c{number}", incident)
    return incidents


def check(provider: Provider, incidents: list[int], contacts: int) -> None:
    """What must hold whatever died."""
    for number in range(contacts):
        path = f"c{number}"
        keys_of: dict[int, set[str]] = {}
        for arrival in provider.arrivals:
            if arrival.path == path:
                for event in arrival.events:
                    keys_of.setdefault(event["incident"], set()).add(arrival.key)
        assert sorted(keys_of) == sorted(incidents), "nothing is missing"
        assert {len(keys) for keys in keys_of.values()} == {1}, "a repetition has the key of the first"
        assert provider.most_within(path, 1.0) <= 5


@pytest.mark.parametrize("die", ["token", "before", "after"])
async def test_deliver_is_killed(pool: Pool, database: str, provider: Provider, die: str) -> None:
    """Before its token is committed, after that but before it sends, and after it sent but before that is committed."""
    incidents = await owe_all(pool, provider, contacts=3, pages=4)
    process = start(DriverConfig(database_url=database, die=die))
    assert await asyncio.to_thread(process.wait, 60) == -9
    assert await pool.fetchval(PAID) == 0
    assert await pool.fetchval("SELECT count(*) > 0 FROM attempt WHERE outcome IS NULL") == (die != "token")
    await end_leases(pool)
    async with running(run_pages, DriverConfig(database_url=database)):
        await until(pool, PAID, 12)
    check(provider, incidents, 3)
    repeated = len(provider.arrivals) > len({arrival.key for arrival in provider.arrivals})
    assert repeated == (die == "after")


async def test_processes_are_killed_again_and_again(pool: Pool, database: str, provider: Provider) -> None:
    incidents = await owe_all(pool, provider, contacts=4, pages=6)
    for die in ("after", "before", "token", "after", "before"):
        process = start(DriverConfig(database_url=database, die=die))
        assert await asyncio.to_thread(process.wait, 60) == -9
        await end_leases(pool)
    async with (
        running(run_pages, DriverConfig(database_url=database)),
        running(run_pages, DriverConfig(database_url=database)),
    ):
        await until(pool, PAID, 24, seconds=60)
    check(provider, incidents, 4)


class KillingSender:
    """Kills PostgreSQL once, before or after a message is sent, and starts it again."""

    def __init__(self, when: str, kill: Callable[[], None]) -> None:
        self._sender = LoopbackSender()
        self._when = when
        self._kill = kill
        self._killed = False
        self.runs_again = asyncio.Event()

    async def send(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        await self._maybe_kill("before")
        outcome = await self._sender.send(address, envelope)
        await self._maybe_kill("after")
        return outcome

    async def _maybe_kill(self, when: str) -> None:
        if when == self._when and not self._killed:
            self._killed = True
            await asyncio.to_thread(self._kill)
            self.runs_again.set()


@pytest.fixture
async def own(server_dir: Path) -> AsyncIterator[Database]:
    database = Database(Path(tempfile.mkdtemp(prefix="pages-", dir=server_dir)))
    database.start()
    connection = await _connect(database.url)
    await migrate(connection)
    await connection.close()
    yield database
    database.kill()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_postgresql_is_killed(own: Database, provider: Provider, when: str) -> None:
    """The token was committed before, so it still counts; the outcome is stored when the database is back."""

    def kill() -> None:
        own.kill()
        own.start()

    async with open_pool(own.url, name="test") as pool:
        incidents = await owe_all(pool, provider, contacts=3, pages=4)
    sender, stop = KillingSender(when, kill), asyncio.Event()
    async with open_pool(own.url, name="pages", size=CONNECTIONS) as pool:
        loop = asyncio.create_task(PageLoop(CALM, pool, sender).run(stop))
        await asyncio.wait_for(sender.runs_again.wait(), 60)
        await (await _connect(own.url)).close()
        async with open_pool(own.url, name="test") as looking:
            await until(looking, PAID, 12, seconds=60)
        stop.set()
        await asyncio.wait_for(loop, 15)
    check(provider, incidents, 3)


async def test_postgresql_is_killed_while_the_shares_of_an_outage_escalate(own: Database, provider: Provider) -> None:
    """A lock holds the pass before its commit; then the server dies. Each page is made once and arrives once."""
    people = {"pu": "63", "an": "6301", "bo": "6302"}
    async with open_pool(own.url, name="test") as pool:
        await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('63', '63', 'province', '{63}')")
        for person, area in people.items():
            await add_contact(pool, person, ("feishu", provider.address(person)))
            if area != "63":
                await pool.execute(
                    "INSERT INTO area (code, name, level, parent, path) "
                    "VALUES ($1, $1, 'county', '63', ARRAY['63', $1])",
                    area,
                )
            await pool.execute("UPDATE contact SET area = $2 WHERE id = $1", person, area)
        await pool.execute(
            "INSERT INTO route (id, name, steps, edited_by) VALUES ('all', 'all', $1, 'x')",
            msgspec.to_builtins([RouteStep(role="lead")]),
        )
        incident = await pool.fetchval(
            "INSERT INTO incident (kind, key, area, began_at, opened_at, detail) "
            "VALUES ('area_outage', 'cut', '63', now(), now(), '{}') RETURNING id"
        )
        await pool.execute("INSERT INTO incident_share VALUES ($1, '6301', 3, 3), ($1, '6302', 2, 2)", incident)
        await pool.execute("INSERT INTO notification (incident, phase) VALUES ($1, 'opened')", incident)
    holder = await _connect(own.url)
    await holder.execute("BEGIN; LOCK TABLE share_escalation IN EXCLUSIVE MODE")
    async with (
        running(run_loop, LoopConfig(database_url=own.url)),
        running(run_pages, DriverConfig(database_url=own.url)),
    ):
        async with open_pool(own.url, name="test") as looking:
            await until(looking, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted", True)
            assert await looking.fetchval("SELECT count(*) FROM page") == 0
        own.kill()
        own.start()
        holder.terminate()
        await (await _connect(own.url)).close()
        async with open_pool(own.url, name="test") as looking:
            await until(looking, PAID, 3, seconds=60)
            assert await looking.fetchval("SELECT count(*) FROM share_escalation") == 2
    assert sorted(arrival.path for arrival in provider.arrivals) == sorted(people)


async def test_postgresql_is_killed_while_a_token_is_taken(own: Database, provider: Provider) -> None:
    """A lock holds the look before its commit; then the server dies, and nothing of it is left."""
    async with open_pool(own.url, name="test") as pool:
        incidents = await owe_all(pool, provider, contacts=2, pages=3)
    stop = asyncio.Event()
    holder = await _connect(own.url)
    await holder.execute("BEGIN; LOCK TABLE attempt IN ACCESS EXCLUSIVE MODE")
    async with open_pool(own.url, name="pages", size=CONNECTIONS) as pool:
        loop = asyncio.create_task(PageLoop(CALM, pool, LoopbackSender()).run(stop))
        async with open_pool(own.url, name="test") as looking:
            await until(looking, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted", True)
        own.kill()
        own.start()
        holder.terminate()
        await (await _connect(own.url)).close()
        async with open_pool(own.url, name="test") as looking:
            await until(looking, PAID, 6, seconds=60)
        stop.set()
        await asyncio.wait_for(loop, 15)
    check(provider, incidents, 2)
    assert len(provider.arrivals) == 6
