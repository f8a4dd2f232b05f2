"""Every field of every message at its edges, the whole way: bridge, log, ingest, health, judge, incidents, pages.

The messages are made from the types of the contract (`tests/edges.py`), so a new field comes along by itself. All of
them keep the contract: each must be stored and judged, and nothing that shows them may fail.
"""

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from aiokafka import ConsumerRecord

from alerting.health.service import HealthHandler, load_rules
from alerting.incident_process.decide_pass import Decider, PassConfig
from alerting.liveness.service import JudgeConfig, JudgeHandler
from audit.days.keep_store import keep_days
from audit.days.rebuild_store import differences
from broker.translate import Translator
from contract.codec import encode
from contract.entries import OTHER_CONTENT
from contract.log import LIVE, RECORDS, Tick
from contract.messages import (
    MAX_DATA_BYTES,
    Data,
    Event,
    Health,
    Heartbeat,
    Inventory,
    Name,
    Presence,
    Reply,
    Status,
    Usage,
)
from grafana.files import DASHBOARDS
from grafana.variables import sql_of
from ingest.handler import RecordsHandler
from store.offsets import Claim
from store.pool import Pool
from tests.edges import edges, shapes
from tests.integration.api_world import config, serving
from tests.integration.audit.rollups.kit import COLUMNS, kept, recomputed, roll_up
from tests.integration.grafana.grafana_macros import ALL, expand
from tests.integration.poison.doors import doors

_KINDS: Final = (Health, Usage, Inventory, Presence, Event)
_IN_A_MESSAGE: Final = 100
_STEP: Final = 200
AREA: Final = "630000000000"
_SHOWN: Final = "SELECT count(*) FROM {} WHERE station = $1 AND ts >= now() - interval '24 h' AND ts < now()"
_WELL: Final = (200, 303, 307)
# Without a sealer nothing of the ledger is signed.
_OTHER: Final = {
    "/signin",
    "/password",
    "/api/v1/stream",
    "/readyz",
    "/api/v1/ledger/checkpoint",
    "/api/v1/ledger/export",
}


class Way:
    """The bridge and the log between it and the services; from ten minutes ago time goes on with each message."""

    def __init__(self) -> None:
        self.translator = Translator(shard="main", start="s1", partitions=1)
        self.log: dict[str, list[ConsumerRecord[bytes, bytes]]] = {LIVE: [], RECORDS: []}
        self.letters: list[str] = []
        self.mono = self._seq = 0
        self.now = round(time.time() * 1000) - 600_000

    def send(self, station: str, terminal: str, channel: str, message: Any) -> None:
        self._go_on(_STEP)
        topic = f"milepost/v1/{station}/{terminal}/{channel}"
        out = self.translator.translate(topic, encode(message), retain=False, received=self.now, mono=self.mono)
        if out.letter is not None:
            self.letters.append(f"{topic}: {out.letter.detail}")
        if out.entry is not None:
            self._append(out.entry.topic, out.entry.key, out.entry.value)
        self._tick()

    def tick_until(self, now: int) -> None:
        while self.now < now:
            self._go_on(1000)
            self._tick()

    def _go_on(self, ms: int) -> None:
        self.mono += ms
        self.now += ms

    def _tick(self) -> None:
        self._seq += 1
        tick = Tick(shard="main", bridge="b", start="s1", seq=self._seq, at=self.now, mono=self.mono, whole=True)
        self._append(LIVE, None, encode(tick))

    def _append(self, topic: str, key: bytes | None, value: bytes) -> None:
        place = len(self.log[topic])
        self.log[topic].append(ConsumerRecord(topic, 0, place, self.now, 0, key, value, None, 0, len(value), ()))


def send_everything(way: Way) -> dict[str, int]:
    """All messages; the number of records by kind."""
    for number, beat in enumerate(shapes(Heartbeat, v=1)):
        way.send("beats", "001", "heartbeat", beat)
        way.send(f"beats{number % 40}", f"{number // 40:03}", "heartbeat", beat)
    for number, status in enumerate(shapes(Status, v=1)):
        way.send("beats", "001", "status", status)
        way.send(f"beats{number % 40}", f"{number // 40:03}", "status", status)
    for reply in shapes(Reply, v=1):
        way.send("replies", "001", "reply", reply)
    for number, head in enumerate(shapes(Data, v=1, records=[msgspec.Raw(b'{"id":1,"kind":"health","at":1}')])):
        way.send("heads", f"{number % 4:03}", "data", head)
    for station, count in (("alarms", 100), ("falls", 1)):
        for number in range(count):
            beat = {"v": 1, "boot": "a", "run": 1, "n": number, "at": way.now, "every": 5, "usable": True}
            way.send(station, "001", "heartbeat", beat)
    _send_alarms(way)
    return {kind.__name__.lower(): _send_records(way, kind) for kind in _KINDS}


def _send_alarms(way: Way) -> None:
    """Half an hour in which everything of a terminal is bad, under names of services at their edges."""
    down = dict.fromkeys(edges(Name), False)
    for minute in range(30):
        up = 60.0 * minute
        bad = {"id": minute, "kind": "health", "at": way.now, "up": up, "disk": 1, "temp": 1e15, "wifi": False}
        body = {"v": 1, "run": 1, "boot": "a", "box": "a", "at": way.now, "up": up}
        way.send("alarms", "001", "data", {**body, "records": [{**bad, "services": down}]})


def _send_records(way: Way, kind: type[msgspec.Struct]) -> int:
    """Once each under ids that go up, one of each id at the edges, and two with one id in a message."""
    station, records = kind.__name__.lower(), list(shapes(kind))
    ids = {record["id"]: record for record in records}
    twice = [{**records[0], "id": 7, "at": at} for at in (1, 2)]
    numbered = [{**record, "id": number} for number, record in enumerate(records)]
    fresh = [{**record, "at": way.now - number, "up": number / 10} for number, record in enumerate(numbered)]
    head: dict[str, Any] = {"v": 1, "run": 1, "at": way.now}
    for boot, up, sent in (
        ("plain", None, [*ids.values()]),
        ("twice", None, twice),
        ("numbered", None, numbered),
        ("fresh", 1000.0, fresh),
    ):
        for chunk in _chunks(sent):
            body = head | {"boot": boot, "box": boot, "records": chunk} | ({} if up is None else {"up": up})
            way.send(station, boot[:3], "data", body)
    return len(ids) + 1 + 2 * len(records)


def _chunks(records: list[Any]) -> Iterator[list[Any]]:
    """As an agent sends them: so many, and no more bytes than a message may have."""
    chunk: list[Any] = []
    size = 0
    for record in records:
        length = len(encode(record))
        if chunk and (len(chunk) == _IN_A_MESSAGE or size + length > MAX_DATA_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += length
    yield chunk


async def feed(pool: Pool, handler: Any, topic: str, records: list[ConsumerRecord[bytes, bytes]]) -> None:
    """A service's consumer: what it was given, in batches, each in a transaction of its own."""
    held = Claim(consumer="x", topic=topic, partition=0, log="log-1", owner=1, next_offset=0)
    async with pool.acquire() as connection:
        async with connection.transaction(isolation="repeatable_read"):
            await handler.load(connection, held)
        for start in range(0, len(records), 300):
            handler.apply(0, records[start : start + 300], 0.0)
            async with connection.transaction():
                await handler.save(connection, [0])
            handler.saved([0])


async def decide(pool: Pool) -> None:
    """Passes of the incident process until nothing is left to do; then another begins from what is stored."""
    async with pool.acquire() as connection:
        for decider in (Decider(PassConfig(), connection), Decider(PassConfig(), connection)):
            while (await decider.decide(None)).more:
                pass


async def paths_of(pool: Pool, stations: list[str]) -> list[str]:
    """The address of every page and document: of these stations, of incidents of every kind, and of the area."""
    incidents = await pool.fetch("SELECT min(id) AS id FROM incident GROUP BY kind, status, station IS NULL")
    of_kind = {"stations": stations, "incidents": [str(row["id"]) for row in incidents], "areas": [AREA]}
    found = []
    for before, _, rest in (path.partition("{") for method, path in doors() if method == "GET" and path not in _OTHER):
        names = of_kind.get(before.split("/")[-2], []) if rest else [""]
        # CSV needs no fonts.
        form = "?format=csv" if "/reports/" in before else ""
        found += [before + name + rest.partition("}")[2] + form for name in names]
    return found


async def walk(client: httpx.AsyncClient, path: str) -> int:
    """How many items all pages of a list have, and every cursor leads on."""
    count, query = 0, {"limit": "100"}
    while True:
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, (path, answer.text[:500])
        page = answer.json()
        count += len(page["items"])
        if page["next"] is None:
            return count
        query["cursor"] = page["next"]


async def judge_everything(pool: Pool) -> dict[str, int]:
    """Send all of it through all services, with what it came to looked at."""
    await pool.execute("INSERT INTO area (code, name, level, path) VALUES ($1, $1, 'province', ARRAY[$1])", AREA)
    way = Way()
    expected = send_everything(way)
    way.tick_until(round(time.time() * 1000))
    assert way.letters == []
    ingest = RecordsHandler()
    health = HealthHandler(load_rules(None))
    judge = JudgeHandler(JudgeConfig(database_url="", kafka_servers="", instance="t", auto_register=True))
    await feed(pool, judge, LIVE, way.log[LIVE])
    await pool.execute(
        "INSERT INTO station (id, name, area) SELECT DISTINCT station, station, $1 FROM ("
        "SELECT unnest($2::text[]) AS station) AS s ON CONFLICT (id) DO UPDATE SET area = excluded.area",
        AREA, [*expected, "replies", "heads"],
    )  # fmt: skip
    letters = []
    for _ in range(2):  # and once more, as after a lost offset
        await feed(pool, ingest, RECORDS, way.log[RECORDS])
        await feed(pool, health, RECORDS, way.log[RECORDS])
        letters.append([tuple(row) for row in await pool.fetch("SELECT source, reason FROM dead_letter ORDER BY id")])
    # One record of each kind came under an id that was taken; sent again, each is what it was.
    assert [reason for _, reason in letters[0]] == [OTHER_CONTENT] * len(_KINDS)
    assert letters[1] == letters[0]
    assert ingest.tally.refused == 0
    await decide(pool)
    assert await pool.fetch("SELECT * FROM set_aside") == []
    return expected


async def audit_everything(pool: Pool) -> None:
    """Keep the days until tomorrow and make the figures of all records, as the auditors do; each must add up."""
    async with pool.acquire() as connection:
        await connection.execute("UPDATE partition_clock SET tick_at = tick_at + interval '2 days'")
        closed = []
        while (day := (await keep_days(connection)).closed) is not None:
            closed.append(day)
        await connection.execute("UPDATE partition_clock SET tick_at = tick_at - interval '2 days'")
        assert closed
        async with connection.transaction(isolation="repeatable_read"):
            assert [each async for each in differences(connection, closed[0], closed[-1])] == []
        await roll_up(connection)
        for name in COLUMNS:
            made, by_hand = await kept(connection, name), await recomputed(connection, name)
            assert made.keys() == by_hand.keys() != set(), name
            assert all(_are_close(made[key], by_hand[key]) for key in made), name
        # Sums for dashboards hold at most 10¹² sessions a day.
        assert await connection.fetchval("SELECT max(sessions[31]) FROM usage_month") >= 10**12
        assert await connection.fetchval("SELECT count(*) FROM usage_due") == 0
    assert await pool.fetch("SELECT * FROM set_aside") == []


def _are_close(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether figures are the same; the database writes a real with 15 digits, Python the least of its neighbours."""
    return all(value == other[name] or math.isclose(value, other[name], rel_tol=1e-6) for name, value in one.items())


async def look_at_everything(pool: Pool, client: httpx.AsyncClient, paths: list[str], stations: list[str]) -> None:
    """Every address, every page of the lists that records make, every panel."""
    for path in paths:
        answer = await client.get(path)
        assert answer.status_code in _WELL, (path, answer.status_code, answer.text[:500])
    for station in stations:
        for what in ("health", "usage"):
            shown = await walk(client, f"/api/v1/stations/{station}/{what}")
            assert shown == await pool.fetchval(_SHOWN.format(what), station), (station, what)
    window = {"begin": datetime.now(UTC) - timedelta(days=700), "end": datetime.now(UTC)}
    queries = [sql_of(text, "en") for dashboard in DASHBOARDS for _, text in dashboard.queries.items()]
    for sql in queries:
        for station in stations if "${station" in sql else ("",):
            found = await pool.fetch(expand(sql, seconds=3600, **{**ALL, "station": station}, **window))
            assert len(found) <= 5000, sql


async def test_every_edge_of_every_field_goes_the_whole_way(pool: Pool, database: str, tmp_path: Path) -> None:
    expected = await judge_everything(pool)
    for table, count in expected.items():
        assert await pool.fetchval(f"SELECT count(*) FROM {table} WHERE station = $1", table) == count, table  # noqa: S608
    kinds = {row["kind"] for row in await pool.fetch("SELECT DISTINCT kind FROM incident")}
    assert {"health", "station_offline", "overdue_return"} <= kinds
    await audit_everything(pool)
    stations = [*expected, "heads", "beats", "replies", "alarms", "falls"]
    async with serving(config(database, tmp_path)) as (client, _):
        paths = await paths_of(pool, stations)
        assert {"/", "/stations/health", "/api/v1/stations/usage/usage", "/uptime", "/api/v1/pipeline"} <= set(paths)
        await look_at_everything(pool, client, paths, stations)
