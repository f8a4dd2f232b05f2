"""The health rules against a real database and a real Kafka: restarted, replayed, fed with rubbish."""

import asyncio
import uuid
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from alerting.health.rules import RuleSet
from alerting.health.service import HealthConfig, HealthHandler, run
from contract.codec import encode
from contract.errors import RemedyError
from contract.log import RECORDS
from contract.messages import Health, Record, Resource
from store.pool import Pool
from tests.integration.incidents_kit import running, until
from tests.integration.ingest_kit import CLAIM, KafkaRecord, data, kafka_record
from tests.servers import Tansu
from tests.unit.alerting.health.health_kit import DAY, HOUR, MINUTE, NOW, RULES, Boot, rules


def message(boot: Boot, records: Sequence[Record], up: float) -> bytes:
    return data(records, boot=boot.name, run=boot.run, up=up, received=round((boot.start + up) * 1000))


async def feed(pool: Pool, handler: HealthHandler, values: Sequence[bytes], *, key: bytes = b"S1") -> None:
    """One batch through the handler, committed, as the consumer would; loaded anew when it has no partition."""
    records: list[KafkaRecord] = [kafka_record(value, key=key, offset=n) for n, value in enumerate(values)]
    async with pool.acquire() as connection:
        if not handler._sequences:
            await handler.load(connection, CLAIM)
        handler.apply(0, records, 0.0)
        async with connection.transaction():
            await handler.save(connection, (0,))
    handler.saved((0,))


async def firing(pool: Pool) -> list[tuple[str, str, str, str]]:
    rows = await pool.fetch("SELECT station, terminal, rule, subject FROM health_state ORDER BY 1, 2, 3, 4")
    return [tuple(row) for row in rows]  # type: ignore[misc]


async def changes(pool: Pool) -> list[asyncpg.Record]:
    return await pool.fetch("SELECT * FROM health_change ORDER BY partition, seq")


def full_disk(boot: Boot, minutes: Sequence[int] = (0, 5, 10), disk: float = 0.97) -> list[bytes]:
    return [message(boot, [boot.health(n, m * MINUTE, disk=disk)], m * MINUTE) for n, m in enumerate(minutes, 1)]


async def test_what_fires_is_written_once_and_ends(pool: Pool) -> None:
    handler, boot = HealthHandler(rules()), Boot()
    await feed(pool, handler, full_disk(boot))
    assert await firing(pool) == [("S1", "001", "disk_full", "")]
    await feed(pool, handler, [message(boot, [boot.health(4, 15 * MINUTE, disk=0.2)], 15 * MINUTE)])
    assert await firing(pool) == []
    told = await changes(pool)
    assert [(row["seq"], row["firing"], row["reason"], row["severity"]) for row in told] == [
        (1, True, "began", "critical"),
        (2, False, "cleared", "critical"),
    ]
    assert told[0]["since"].timestamp() == NOW
    assert (told[0]["value"], told[0]["threshold"]) == (0.97, 0.95)


@pytest.mark.parametrize("cut", [1, 2, 3])
async def test_a_restart_anywhere_changes_nothing(pool: Pool, cut: int) -> None:
    values = full_disk(Boot())
    await feed(pool, HealthHandler(rules()), values[:cut])
    await feed(pool, HealthHandler(rules()), values[cut:] or values)
    assert await firing(pool) == [("S1", "001", "disk_full", "")]
    assert [row["seq"] for row in await changes(pool)] == [1]


async def test_a_replay_changes_nothing(pool: Pool) -> None:
    boot = Boot()
    values = [*full_disk(boot), message(boot, [boot.health(4, 15 * MINUTE, disk=0.2)], 15 * MINUTE)]
    handler = HealthHandler(rules())
    for _ in range(3):
        await feed(pool, handler, values)
    assert await firing(pool) == []
    assert len(await changes(pool)) == 2


async def test_what_is_no_record_stops_nothing(pool: Pool) -> None:
    boot = Boot()
    rubbish = [
        b"",
        b"\xff\xfe",
        b'{"channel":"data"}',
        data([b'{"id":1,"at":1,"kind":"health","up":1e12,"disk":0.97}'], boot="odd", up=1e9),
        data(
            [
                b'{"id":-1,"at":1,"kind":"health"}',
                b'{"id":9223372036854775806,"at":-9223372036854775808,"kind":"health"}',
            ],
            boot="extreme",
        ),
        data([], received=1, boot="from 1970"),
    ]
    handler = HealthHandler(rules())
    await feed(pool, handler, [*rubbish, *full_disk(boot), *rubbish])
    assert await firing(pool) == [("S1", "001", "disk_full", "")]


async def test_a_rule_that_is_gone_ends_with_the_next_records_of_its_partition(pool: Pool) -> None:
    await feed(pool, HealthHandler(rules()), full_disk(Boot()))
    others = Boot("x")
    without = rules(RULES.replace("disk_full", "disk_fuller"))
    await feed(pool, HealthHandler(without), [message(others, [others.health(1, 1, cpu=0.1)], 1)], key=b"S2")
    assert await firing(pool) == []
    assert [(row["station"], row["reason"]) for row in await changes(pool)] == [("S1", "began"), ("S1", "rule_changed")]


async def test_overrides_go_by_the_registry(pool: Pool) -> None:
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ('650000000000', 'X', 'province', $1)",
                       ["650000000000"])  # fmt: skip
    await pool.execute("INSERT INTO station (id, name, area, kind) VALUES ('S1', 'one', '650000000000', 'kiosk')")
    text = RULES.replace(
        "severity: critical}", "severity: critical, overrides: [{kind: kiosk, area: '65', above: 99%}]}"
    )
    found: RuleSet = rules(text)
    await feed(pool, HealthHandler(found), full_disk(Boot()))
    await feed(pool, HealthHandler(found), full_disk(Boot()), key=b"S2")
    assert await firing(pool) == [("S2", "001", "disk_full", "")]


async def test_facts_are_written_when_they_change(pool: Pool) -> None:
    handler, boot = HealthHandler(rules()), Boot()
    resources = [Resource(id="books", applied=boot.device(-DAY))]
    await feed(
        pool, handler, [message(boot, [boot.inventory(1, 1, agent="0.2.0", serial="SN", resources=resources)], 1)]
    )
    first = await pool.fetchrow("SELECT * FROM terminal_facts")
    await feed(pool, handler, [message(boot, [boot.health(2, HOUR, cpu=0.2)], HOUR)])
    same = await pool.fetchrow("SELECT * FROM terminal_facts")
    assert first is not None
    assert first == same
    assert (first["agent"], first["serial"], first["resource_at"].timestamp()) == ("0.2.0", "SN", NOW - DAY)
    await feed(pool, handler, [message(boot, [boot.usage(3, HOUR, sessions=4)], 2 * HOUR)])
    after = await pool.fetchrow("SELECT * FROM terminal_facts")
    assert after is not None
    assert after["last_session_at"].timestamp() == NOW + HOUR
    assert after["changed_xid"] > first["changed_xid"]


async def test_the_service_reads_the_log_and_goes_on_after_a_restart(database: str, pool: Pool, tansu: Tansu) -> None:
    boot, station = Boot(), f"S{uuid.uuid4().hex[:8]}"
    values = full_disk(boot)
    config = HealthConfig(database_url=database, kafka_servers=tansu.servers, instance="test")
    client = AIOKafkaProducer(bootstrap_servers=tansu.servers, acks="all")
    await client.start()
    try:
        for sent in (values[:2], values[2:]):
            for value in sent:
                await client.send_and_wait(RECORDS, value, key=station.encode())
            done = 2 if sent == values[:2] else 3
            async with running(run, config):
                await until(pool, "SELECT sum(next_offset)::int FROM consumer_offset", done)
    finally:
        await client.stop()
    assert await firing(pool) == [(station, "001", "disk_full", "")]


async def test_a_file_of_rules_with_a_mistake_ends_the_service(database: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("rules:\n  hot:\n    above: very\n")
    config = HealthConfig(database_url=database, kafka_servers="127.0.0.1:1", instance="test", rules=file)
    with pytest.raises(RemedyError, match=r"mine\.yaml line 3: above is 'very'"):
        await run(config, asyncio.Event())


def test_health_is_a_record_of_the_contract() -> None:
    """The kit's records are what agents send."""
    assert encode(Boot().health(1, 1.5, disk=0.5)).startswith(b'{"kind":"health"')
    assert isinstance(Boot().health(1, 1.5), Health)
