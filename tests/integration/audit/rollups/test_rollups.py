"""Figures by hour and day equal what is recomputed from the records, on both kinds of database."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import pytest

from contract.messages import Health, Record, Usage
from ingest.handler import RecordsHandler
from store.pool import Connection
from tests.integration.audit.rollups.kit import (
    ALL,
    COLUMNS,
    compress,
    is_timescale,
    kept,
    moment,
    require_equal,
    roll_up,
)
from tests.integration.ingest_kit import CLAIM, NOW, data, kafka_record

pytestmark = pytest.mark.timeout(240)  # the first run installs the server

HOUR, DAY = 3_600_000, 86_400_000
MIDNIGHT = NOW // DAY * DAY


@dataclass
class Sender:
    """A terminal that records for three days, and sends what it has now and then."""

    station: str
    boot: str
    rng: random.Random
    began: int = MIDNIGHT
    number: int = 0
    unsent: list[Record] = field(default_factory=list)

    def record(self, at: int) -> None:
        rng, up = self.rng, (at - self.began) / 1000
        self.number += 1
        if rng.random() < 0.3:
            until = at + rng.randrange(HOUR)
            self.unsent.append(Usage(
                id=self.number, at=at, up=up, until=until, sessions=rng.choice([None, rng.randrange(9)]),
                minutes=rng.choice([None, round(rng.random() * 60, 2)]), bytes=rng.randrange(10**12),
            ))  # fmt: skip
        else:
            self.unsent.append(Health(
                id=self.number, at=at, up=up, cpu=rng.choice([None, round(rng.random(), 3)]),
                mem=round(rng.random(), 3), temp=round(rng.random() * 90, 1), rtt_ms=round(rng.random() * 900, 1),
            ))  # fmt: skip

    def send(self, now: int) -> list[tuple[str, bytes]]:
        self.rng.shuffle(self.unsent)
        parts = [self.unsent[at : at + 20] for at in range(0, len(self.unsent), 20)]
        self.unsent = []
        up = (now - self.began) / 1000
        return [(self.station, data(part, boot=self.boot, up=up, received=now)) for part in parts]


def three_days(seed: int, stations: int = 5) -> Iterable[list[tuple[str, bytes]]]:
    """What arrives by and by: some stations send at once, others are cut off for hours or days."""
    rng = random.Random(seed)
    senders = [Sender(f"roll-{seed}-{n}", f"boot-{seed}-{n}", rng) for n in range(stations)]
    sent: list[tuple[str, bytes]] = []
    for at in range(MIDNIGHT + 60_000, MIDNIGHT + 3 * DAY, HOUR // 2):
        arrives: list[tuple[str, bytes]] = []
        for place, sender in enumerate(senders):
            sender.record(at + rng.randrange(HOUR // 2))
            if rng.random() < (0.9, 0.5, 0.1, 0.02, 0.0)[place % 5]:
                arrives += sender.send(at + HOUR // 2)
        again = rng.sample(sent, min(len(sent), 2)) if rng.random() < 0.2 else []
        sent += arrives
        yield arrives + again
    yield [each for sender in senders for each in sender.send(MIDNIGHT + 3 * DAY)]


async def take(connection: Connection, handler: RecordsHandler, messages: list[tuple[str, bytes]]) -> None:
    entries = [kafka_record(value, key=station.encode(), offset=n) for n, (station, value) in enumerate(messages)]
    handler.apply(0, entries, 0.0)
    async with connection.transaction():
        await handler.save(connection, (0,))
    handler.saved((0,))


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_order_of_arrival_gives_the_figures_of_a_recomputation(records: Connection, seed: int) -> None:
    rng, handler, hypertables = random.Random(100 + seed), RecordsHandler(), await is_timescale(records)
    await handler.load(records, CLAIM)
    for messages in three_days(seed):
        await take(records, handler, messages)
        if rng.random() < 0.1:
            await roll_up(records)
        if hypertables and rng.random() < 0.02:
            await compress(records)
    if hypertables:
        await compress(records)
        await take(records, handler, [("roll-late", late_message(late)) for late in range(3)])
    await roll_up(records)
    assert await require_equal(records) > 400
    assert await records.fetchval("SELECT count(*) FROM rollup_touch") == 0


def late_message(number: int) -> bytes:
    """A record that arrives three days later."""
    at, up = MIDNIGHT + DAY + number * HOUR, 10.0
    record = Health(id=number, at=at, up=up, cpu=0.25)
    return data([record], boot=f"late{number}", up=up + 3 * DAY / 1000, received=at + 3 * DAY)


@pytest.mark.parametrize("name", COLUMNS)
async def test_names_and_types_are_the_same(records: Connection, name: str) -> None:
    found = await records.fetch(
        "SELECT attname::text AS name, format_type(atttypid, NULL) AS type FROM pg_attribute "
        "WHERE attrelid = $1::text::regclass AND attnum > 0 ORDER BY attnum",
        name,
    )
    assert [row["name"] for row in found] == COLUMNS[name]
    kinds = {"samples": "bigint", "began_at": "timestamp with time zone", "station": "text", "terminal": "text"}
    ends = {"count": "bigint", "max": "real"}
    for row in found:
        assert row["type"] == kinds.get(row["name"], ends.get(row["name"].rpartition("_")[2], "numeric")), row["name"]


async def test_an_hour_waits_until_it_is_over_for_five_minutes(records: Connection) -> None:
    handler = RecordsHandler()
    await handler.load(records, CLAIM)
    now: datetime = await records.fetchval("SELECT now()")
    running, over = now, now - timedelta(hours=2)
    for number, at in enumerate((over, running)):
        ms = int(at.timestamp() * 1000)
        record = Health(id=1, at=ms, up=5.0, cpu=0.5)
        await take(records, handler, [("roll-now", data([record], boot=f"n{number}", up=5.0, received=ms))])
    await roll_up(records, None)
    hours = {key[0] for key in await kept(records, "health_hour")}
    assert hours == {over.replace(minute=0, second=0, microsecond=0)}
    assert await records.fetchval("SELECT count(*) FROM rollup_touch WHERE NOT taken") == 1
    await roll_up(records)
    assert len(await kept(records, "health_hour")) == 2


async def test_what_was_cut_off_is_done_by_the_next_pass(records: Connection) -> None:
    handler = RecordsHandler()
    await handler.load(records, CLAIM)
    await take(records, handler, [("roll-cut", late_message(0))])
    await records.execute("UPDATE rollup_touch SET taken = true")
    await roll_up(records)
    assert await require_equal(records) == 2


async def test_a_late_record_names_its_station_and_others_only_their_hour(records: Connection) -> None:
    handler = RecordsHandler()
    await handler.load(records, CLAIM)
    live = [
        (
            f"roll-{n}",
            data([Health(id=1, at=MIDNIGHT, up=5.0, cpu=0.5)], boot=f"l{n}", up=6.0, received=MIDNIGHT + 1000),
        )
        for n in range(50)
    ]
    await take(records, handler, [*live, ("roll-late", late_message(0))])
    touches = await records.fetch("SELECT kind, began_at, station FROM rollup_touch ORDER BY began_at")
    assert [tuple(row) for row in touches] == [
        ("health", moment(MIDNIGHT), None),
        ("health", moment(MIDNIGHT + DAY), "roll-late"),
    ]


async def test_new_rows_are_summarized_without_a_vacuum(plain_records: Connection) -> None:
    """Otherwise each hour that is made reads all rows since the last vacuum."""
    rows = await plain_records.fetch(
        "SELECT c.relname::text AS name, c.reloptions FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
        "WHERE a.amname = 'brin' AND c.relnamespace = current_schema()::regnamespace"
    )
    assert len(rows) == 10
    assert [row["name"] for row in rows if "autosummarize=on" not in (row["reloptions"] or [])] == []


async def test_a_pass_makes_the_oldest_day_and_the_next_one_goes_on(plain_records: Connection) -> None:
    """All history at the first start is no single transaction, and what a killed process made stays."""
    handler = RecordsHandler()
    await handler.load(plain_records, CLAIM)
    for day in range(3):
        at = MIDNIGHT + day * DAY
        records = [Health(id=n, at=at + n * HOUR, up=5.0 + n * 3600, cpu=0.5) for n in range(2)]
        await take(
            plain_records, handler, [("roll-first", data(records, boot=f"b{day}", up=9000.0, received=at + 9000000))]
        )
    for day in range(3):
        await plain_records.execute(f"CALL roll_up_records(0, {ALL!r})")
        made = {key[0] for key in await kept(plain_records, "health_day")}
        assert made == {moment(MIDNIGHT + n * DAY) for n in range(day + 1)}
    assert await require_equal(plain_records) == 9


@pytest.mark.parametrize("name", COLUMNS)
async def test_each_late_hour_is_found_by_an_index(plain_records: Connection, name: str) -> None:
    """Ten thousand stations with three days of records have 720,000 of them. A session keeps the plans of its first
    call, when tables may be empty as here."""
    body, settings = await plain_records.fetchrow(
        "SELECT prosrc, proconfig FROM pg_proc WHERE proname = $1", f"roll_up_{name}"
    )
    async with plain_records.transaction():
        for setting in settings:
            setting_name, _, value = setting.partition("=")
            await plain_records.execute("SELECT set_config($1, $2, true)", setting_name, value)
        for statement in filter(str.strip, body.split(";")):
            plan = "\n".join(row[0] for row in await plain_records.fetch("EXPLAIN " + statement))
            assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= {"rollup_touch"}, plan
            assert not re.findall(r"Anti Join|Hash Join|Merge Join", plan), plan


@pytest.mark.parametrize("at", ["infinity", "-infinity"])
async def test_no_record_has_an_endless_time(plain_records: Connection, at: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await plain_records.execute(
            "INSERT INTO health (ts, station, terminal, box, id, device_at, received_at, time_source) "
            "VALUES ($1::text::timestamptz, 's', '001', 'b', 1, 0, now(), 'anchor')",
            at,
        )
