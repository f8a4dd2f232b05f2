"""Entries of the log that no bridge writes, and stored rows that cannot be read: only these are lost, and are named."""

from typing import Any

import msgspec
import pytest
from aiokafka import ConsumerRecord

from alerting.health.service import HealthHandler, load_rules
from alerting.liveness.service import JudgeConfig, JudgeHandler
from contract.codec import encode
from contract.log import LIVE, RECORDS
from ingest.handler import RecordsHandler
from store.offsets import Claim
from store.pool import Pool
from tests.integration.ingest_kit import data, health

NOW = 1_795_000_000_000
BEAT: dict[str, Any] = {"v": 1, "boot": "b", "run": 1, "n": 1, "at": NOW, "every": 60}
HEAD: dict[str, Any] = {"terminal": "001", "shard": "main", "start": "s", "received": NOW, "mono": 1}
TICK: dict[str, Any] = {
    "channel": "tick", "shard": "main", "bridge": "b", "start": "s", "seq": 1, "at": NOW, "mono": 1, "whole": True
}  # fmt: skip


def beat(body: dict[str, Any] | None = None, **head: Any) -> bytes:
    return encode({"channel": "heartbeat", **HEAD, **head, "body": BEAT | (body or {})})


LONG = b"9" * 5000

FOREIGN: dict[str, tuple[bytes | None, bytes | None]] = {
    "nothing": (b"S1", None),
    "no JSON": (b"S1", b"{"),
    "nested without end": (b"S1", b"[" * 100_000),
    "a number of 5000 digits": (b"S1", beat().replace(b'"n":1', b'"n":' + LONG)),
    "a receive time that no database holds": (b"S1", beat(received=10**17)),
    "a receive time that no client reads": (b"S1", beat(received=10**15)),
    "a receive time of before": (b"S1", beat(received=-1)),
    "a boot with U+0000": (b"S1", beat({"boot": "a\0b"})),
    "a shard with U+0000": (b"S1", beat(shard="\0")),
    "a shard without a name": (b"S1", beat(shard="")),
    "a terminal that is none": (b"S1", beat(terminal="../etc")),
    "a monotonic clock beyond all": (b"S1", beat(mono=2**63)),
    "no key": (None, beat()),
    "a key that is no station": (b"S 1", beat()),
    "a key that is no text": (b"\xff\xfe", beat()),
    "a tick at no time": (None, encode(TICK | {"at": 10**18})),
    "a tick with a number beyond all": (None, encode(TICK | {"seq": 10**30})),
    "a tick that counts below nothing": (None, encode(TICK | {"seq": -5})),
    "a tick with U+0000": (None, encode(TICK | {"shard": "a\0"})),
}


def record(topic: str, offset: int, key: bytes | None, value: bytes | None) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(topic, 0, offset, NOW, 0, key, value, None, 0, len(value or b""), ())


async def feed(pool: Pool, handler: Any, records: list[ConsumerRecord[bytes, bytes]]) -> None:
    held = Claim(consumer="x", topic=records[0].topic, partition=0, log="log-1", owner=1, next_offset=0)
    async with pool.acquire() as connection:
        async with connection.transaction(isolation="repeatable_read"):
            await handler.load(connection, held)
        handler.apply(0, records, 0.0)
        async with connection.transaction():
            await handler.save(connection, [0])
    handler.saved([0])


def judge() -> JudgeHandler:
    return JudgeHandler(JudgeConfig(database_url="", kafka_servers="", instance="t", auto_register=True))


async def test_the_judge_goes_on_past_entries_that_no_bridge_writes(pool: Pool) -> None:
    good = [
        (None, encode(TICK)),
        (b"S1", beat()),
        *FOREIGN.values(),
        (b"S2", beat()),
        (None, encode(TICK | {"seq": 2})),
    ]
    handler = judge()
    await feed(pool, handler, [record(LIVE, place, *each) for place, each in enumerate(good)])
    rows = await pool.fetch("SELECT station, state FROM terminal_state ORDER BY 1")
    assert [tuple(row) for row in rows] == [("S1", "online"), ("S2", "online")]
    assert await pool.fetchval("SELECT count(*) FROM dead_letter WHERE reason = 'not_an_entry'") == len(FOREIGN)


async def test_of_very_many_entries_that_no_bridge_writes_some_are_kept_and_all_counted(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    many = [record(LIVE, place, b"S1", b"{}") for place in range(250)]
    await feed(pool, judge(), many)
    assert await pool.fetchval("SELECT count(*) FROM dead_letter WHERE reason = 'not_an_entry'") == 100
    said = [vars(line)["entries"] for line in caplog.records if line.message == "entries passed over"]
    assert said == [250]


async def test_readers_of_records_go_on_past_them(pool: Pool) -> None:
    handlers = RecordsHandler(), HealthHandler(load_rules(None))
    values = [(b"S1", data([health(1)])), *FOREIGN.values(), (b"S1", data([health(2)]))]
    for handler in handlers:
        await feed(pool, handler, [record(RECORDS, place, *each) for place, each in enumerate(values)])
    assert await pool.fetchval("SELECT count(*) FROM health") == 2
    assert await pool.fetchval("SELECT count(*) FROM terminal_facts") == 1


STORED = {
    "terminal": "UPDATE terminal_state SET state = 'dancing' WHERE station = 'S1'",
    "terminal's memory": """UPDATE terminal_state SET memory = '{"boots": 7}' WHERE station = 'S1'""",
    "station": "UPDATE station_state SET state = 'dancing' WHERE station = 'S1'",
    "terminal of no time": "UPDATE terminal_state SET since = 'infinity', seen_at = '9999-01-01' WHERE station = 'S1'",
    "station of no time": "UPDATE station_state SET since = '-infinity' WHERE station = 'S1'",
    "clock": """UPDATE partition_clock SET memory = '{"starts": 7}'""",
}


@pytest.mark.parametrize("name", STORED)
async def test_the_judge_begins_with_rows_that_cannot_be_read(pool: Pool, name: str) -> None:
    await feed(pool, judge(), [record(LIVE, 0, None, encode(TICK)), record(LIVE, 1, b"S1", beat())])
    await pool.execute(STORED[name])
    more = [
        record(LIVE, 2, b"S2", beat({"n": 1}, received=NOW + 1000)),
        record(LIVE, 3, None, encode(TICK | {"seq": 2, "at": NOW + 1000, "mono": 1001})),
    ]
    await feed(pool, judge(), more)
    assert await pool.fetchval("SELECT state FROM terminal_state WHERE station = 'S2'") == "online"
    named = [row["kind"] for row in await pool.fetch("SELECT kind FROM set_aside WHERE service = 'judge'")]
    # A station follows from its terminals, so that is put right at once.
    assert named == ([] if name.startswith("station") or "no time" in name else [name.split("'")[0]])
    again = [record(LIVE, 4, b"S1", beat({"n": 9}, received=NOW + 2000))]
    await feed(pool, judge(), again)
    for table in ("terminal_state", "station_state"):
        row = await pool.fetchrow(f"SELECT state, since FROM {table} WHERE station = 'S1'")  # noqa: S608
        assert row["state"] == "online"
        assert row["since"] is None or row["since"].year == 2026


async def test_a_memory_of_health_that_cannot_be_read_begins_anew(pool: Pool) -> None:
    await feed(pool, HealthHandler(load_rules(None)), [record(RECORDS, 0, b"S1", data([health(1)]))])
    await pool.execute("UPDATE health_memory SET memory = '\\xff00'")
    handler = HealthHandler(load_rules(None))
    await feed(
        pool, handler, [record(RECORDS, 1, b"S1", data([health(2)])), record(RECORDS, 2, b"S2", data([health(1)]))]
    )
    stored = [row["memory"] for row in await pool.fetch("SELECT memory FROM health_memory")]
    assert len(stored) == 2
    assert all(msgspec.msgpack.decode(memory) for memory in stored)
