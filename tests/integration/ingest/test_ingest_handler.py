"""The handlers against a real database, without Kafka."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from contract.codec import encode
from contract.log import DEADLETTER, DeadLetter, ReplyEntry
from contract.messages import Event, Health, Inventory, Presence, Record, Reply, Resource, Usage
from ingest import store as ingest_store
from ingest.boot_cache import BootCache
from ingest.handler import DeadLettersHandler, RecordsHandler
from ingest.rows import names_of
from ingest.seen_ids import MAX_RANGES
from ingest.waiting import HasValue, WaitingRecords
from store.pool import Pool
from tests.integration.ingest_kit import NOW, data, feed, health, identities, kafka_record, store

HOUR = 3_600_000


def when(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


FULL = [
    Health(
        id=1, at=NOW, up=900.0, cpu=0.25, mem=0.5, disk=0.75, temp=51.5, rtt_ms=600.0, rx=2**63 - 1, tx=0,
        wifi=True, services={"reader": True, "投影": False},
    ),
    Usage(
        id=2, at=NOW, up=900.0, until=NOW + 60_000, sessions=3, minutes=12.5, by={"language": {"bo": 2}}, bytes=9,
    ),
    Inventory(
        id=3, at=NOW, up=900.0, model="M", serial="S", os="O", agent="A", cpu="C", mem_bytes=1, disk_bytes=2,
        installed=1_700_000_000_000, resources=[Resource(id="r", version="1", applied=5, lang="ug", bytes=7)],
    ),
    Presence(id=4, at=NOW, up=900.0, until=NOW + 5, until_up=950.0, usable=False),
    Event(id=5, at=NOW, up=900.0, name="door", detail={"open": [1, None, "x"]}),
]  # fmt: skip


@pytest.fixture(params=["copy", "insert"])
def handler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RecordsHandler:
    """Both ways of writing, on the one server."""
    if request.param == "insert":

        async def cannot(_: Any) -> bool:
            return False

        monkeypatch.setattr("ingest.handler.can_copy", cannot)
    return RecordsHandler()


async def test_every_field_of_every_kind_arrives(pool: Pool, handler: RecordsHandler) -> None:
    await store(pool, data(FULL), handler=handler)
    head = {
        "ts": when(NOW - 100_000), "station": "S1", "terminal": "001", "box": "b1", "device_at": NOW, "up": 900.0,
        "received_at": when(NOW), "time_source": "anchor",
    }  # fmt: skip
    expected = {
        "health": {
            "id": 1, "cpu": 0.25, "mem": 0.5, "disk": 0.75, "temp": 51.5, "rtt_ms": 600.0, "rx": 2**63 - 1, "tx": 0,
            "wifi": True, "services": {"reader": True, "投影": False},
        },
        "usage": {
            "id": 2, "until": when(NOW - 40_000), "device_until": NOW + 60_000, "sessions": 3, "minutes": 12.5,
            "by": {"language": {"bo": 2}}, "bytes": 9,
        },
        "inventory": {
            "id": 3, "model": "M", "serial": "S", "os": "O", "agent": "A", "cpu": "C", "mem_bytes": 1,
            "disk_bytes": 2, "installed": "1700000000000",
            "resources": [{"id": "r", "version": "1", "applied": 5, "lang": "ug", "bytes": 7}],
        },
        "presence": {
            "id": 4, "until": when(NOW - 50_000), "device_until": NOW + 5, "until_up": 950.0, "usable": False,
        },
        "event": {"id": 5, "name": "door", "detail": {"open": [1, None, "x"]}},
    }  # fmt: skip
    for table, fields in expected.items():
        rows = await pool.fetch(f"SELECT * FROM {table}")  # noqa: S608 -- names from above
        assert [dict(row) for row in rows] == [{**head, **fields}], table


async def test_what_is_absent_is_null(pool: Pool, handler: RecordsHandler) -> None:
    bare = [kind(id=n, at=NOW) for n, kind in enumerate((Health, Usage, Inventory, Presence, Event))]
    await store(pool, data(bare, up=None), handler=handler)
    for kind in (Health, Usage, Inventory, Presence, Event):
        row = await pool.fetchrow(f"SELECT * FROM {kind.__name__.lower()}")  # noqa: S608 -- our own names
        assert row is not None
        present = {name for name, value in row.items() if value is not None}
        assert present == {"ts", "station", "terminal", "box", "id", "device_at", "received_at", "time_source"}
        assert set(row.keys()) == set(names_of(kind)), "every column of the table is written"


async def test_a_record_is_stored_once_however_often_it_comes(pool: Pool, handler: RecordsHandler) -> None:
    first, second = data([health(1), health(2)]), data([health(2), health(3), health(3)], received=NOW + 5)
    await store(pool, first, second, first, handler=handler)
    await store(pool, second, handler=handler)
    handler.forget((0,))
    await store(pool, first, data([health(4)]), handler=handler)
    await store(pool, second, first)
    assert await identities(pool) == [("S1", "001", "b1", number) for number in (1, 2, 3, 4)]
    assert await pool.fetchval("SELECT seen::text FROM record_box") == "{[1,5)}"


async def test_boxes_of_other_terminals_and_boots_are_their_own(pool: Pool) -> None:
    await store(
        pool,
        data([health(1)]),
        data([health(1)], box="b0"),
        data([health(1)], terminal="002"),
        data([health(1)], boot="b2"),
    )
    assert len(set(await identities(pool))) == 4


async def test_a_transaction_that_fails_leaves_nothing_behind(pool: Pool) -> None:
    handler = await store(pool, data([health(1)]))
    record = kafka_record(data([health(2)]))
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        handler.apply(0, [record], 0.0)
        await handler.save(connection, (0,))
        await transaction.rollback()
    handler.forget((0,))
    assert handler.tally.stored == 1
    await feed(pool, handler, [record])
    assert [each[3] for each in await identities(pool)] == [1, 2]


async def test_a_small_memory_gives_the_same_rows(pool: Pool) -> None:
    handler = RecordsHandler(BootCache(size=2))
    values = [data([health(n)], boot=f"b{boot}") for n in range(4) for boot in range(5)]
    for value in values + values:
        await store(pool, value, handler=handler)
    assert len(await identities(pool)) == len(values)
    assert len(set(await identities(pool))) == len(values)


def _messages() -> list[bytes]:
    return [
        data([health(n, up=10.0 + n), health(n + 1, up=11.0 + n)], boot=boot, box=box, run=run, received=NOW + 1000 * n)
        for n in range(6)
        for run, boot, box in ((1, "a", "a"), (2, "b", "a"), (2, "b", "b"), (3, "c", "x"))
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
async def test_any_order_and_repetition_stores_each_once(pool: Pool, draw: st.DataObject) -> None:
    messages = _messages()
    extra = draw.draw(st.lists(st.sampled_from(messages), max_size=10))
    order = draw.draw(st.permutations(messages + extra))
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(order)), max_size=3)))
    await pool.execute("TRUNCATE health, record_box, boot_anchor")
    handler = RecordsHandler()
    for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True):
        await store(pool, *order[begin:end], handler=handler)
    expected = sorted(("S1", "001", box, n) for box in "abx" for n in range(7))
    assert await identities(pool) == expected
    anchors = {row["boot"]: row["anchor"] for row in await pool.fetch("SELECT boot, anchor FROM boot_anchor")}
    assert anchors == dict.fromkeys("abc", NOW / 1000 - 1000)


async def test_batch_borders_change_no_time(pool: Pool) -> None:
    """Row for row the same, whether all comes in one batch or each message in its own."""
    messages = [
        data([health(1, at=5, up=10.0)], boot="a", run=1, received=NOW),
        data([health(1, at=NOW + 3 * HOUR, up=None)], boot="c", box="lost", run=3, received=NOW + 5 * HOUR),
        data([health(2, at=NOW - 9 * HOUR, up=None)], boot="c", box="lost", run=3, received=NOW + 5 * HOUR),
        data([health(3, at=NOW + 3 * HOUR, up=7.0)], boot="d", box="lost", run=4, received=NOW + 9 * HOUR),
        data([health(2, at=5, up=20.0)], boot="d", box="a", run=4, received=NOW + 9 * HOUR),
    ]
    query = "SELECT box, id, ts, time_source FROM health ORDER BY box, id"
    await store(pool, *messages)
    together = [tuple(row) for row in await pool.fetch(query)]
    await pool.execute("TRUNCATE health, record_box, boot_anchor")
    for message in messages:
        await store(pool, message)
    assert [tuple(row) for row in await pool.fetch(query)] == together
    assert together == [
        ("a", 1, when(NOW - 990_000), "anchor"),
        ("a", 2, when(NOW - 980_000), "anchor"),
        ("lost", 1, when(NOW + 3 * HOUR), "device"),
        ("lost", 2, when(NOW), "unknown"),
        ("lost", 3, when(NOW + 3 * HOUR), "device"),
    ]


async def test_a_reply_is_kept_by_stage_and_the_first_holds(pool: Pool, handler: RecordsHandler) -> None:
    def reply(stage: Any, received: int, **more: Any) -> bytes:
        body = Reply(id="c1", stage=stage, **more)
        return encode(ReplyEntry(terminal="001", shard="main", start="s", received=received, mono=0, body=body))

    await store(
        pool,
        reply("received", NOW),
        reply("done", NOW + 1, at=5, result={"lines": [1]}),
        reply("done", NOW + 2),
        handler=handler,
    )
    rows = await pool.fetch("SELECT stage, device_at, received_at, result FROM command_reply ORDER BY received_at")
    assert [tuple(row) for row in rows] == [
        ("received", None, when(NOW), None),
        ("done", 5, when(NOW + 1), {"lines": [1]}),
    ]


GOOD = [data([health(n)]) for n in (1, 2)]


@pytest.mark.parametrize(
    ("value", "key", "reason"),
    [
        pytest.param(b"\xff\x00 not JSON", b"S1", "not_an_entry", id="bytes"),
        pytest.param(None, b"S1", "not_an_entry", id="a tombstone"),
        pytest.param(b"[" * 100_000, b"S1", "not_an_entry", id="nested without end"),
        pytest.param(b'{"channel":"data"}', b"S1", "not_an_entry", id="half an entry"),
        pytest.param(b'{"channel":"heartbeat"}', b"S1", "not_an_entry", id="of another topic"),
        pytest.param(data([health(9)]), None, "not_an_entry", id="no key"),
        pytest.param(data([health(9)]), b"S/1\xff", "not_an_entry", id="a key that is no station"),
        pytest.param(data([health(9)], terminal="0/1"), b"S1", "not_an_entry", id="a terminal that is none"),
        pytest.param(data([health(9)], received=10**18), b"S1", "not_an_entry", id="received in the far future"),
        pytest.param(data([health(9)], received=1), b"S1", "not_an_entry", id="received in 1970"),
        pytest.param(data([health(9)], box="b\0x"), b"S1", "not_an_entry", id="NUL in the box"),
        pytest.param(data([b'{"kind":"wish","id":9,"at":1}']), b"S1", "unknown_kind", id="a kind of tomorrow"),
        pytest.param(data([b'{"kind":"health","id":9,"at":1,"cpu":7}']), b"S1", "out_of_range", id="out of range"),
        pytest.param(
            data([b'{"kind":"event","id":9,"at":1,"detail":{"a":["\\u0000"]}}']),
            b"S1",
            "nul_character",
            id="NUL in JSON",
        ),
        pytest.param(data([health(9)], boot="b9", run=2**70), b"S1", "not_storable", id="a run beyond bigint"),
        pytest.param(
            data([health(9)], boot="".join(f"{n:x}" for n in range(20_000))), b"S1", "not_storable", id="too long a key"
        ),
    ],
)
async def test_poison_goes_to_the_dead_letters_and_stops_nothing(
    pool: Pool, handler: RecordsHandler, value: bytes | None, key: bytes | None, reason: str
) -> None:
    batch = [kafka_record(GOOD[0]), kafka_record(value, key=key, offset=1), kafka_record(GOOD[1], offset=2)]
    await feed(pool, handler, batch)
    handler.forget((0,))
    await feed(pool, handler, batch)
    assert await identities(pool) == [("S1", "001", "b1", 1), ("S1", "001", "b1", 2)]
    letters = await pool.fetch("SELECT * FROM dead_letter")
    assert [letter["reason"] for letter in letters] == [reason]
    assert len(letters[0]["excerpt"]) <= 1000
    assert letters[0]["station"] == ("S1" if key == b"S1" else None)
    assert letters[0]["detail"]


async def test_of_a_message_only_the_culprit_is_refused(pool: Pool, handler: RecordsHandler) -> None:
    await pool.execute("ALTER TABLE health ADD CHECK (cpu <> 0.5), ADD CHECK (mem < 0.9)")
    records = [health(n, cpu=0.5 if n in (7, 150) else 0.1) for n in range(200)]
    later = [health(n, cpu=0.2, mem=0.95 if n == 260 else 0.1) for n in range(200, 300)]
    await store(pool, data(records), data(later), handler=handler)
    await store(pool, data(records), data(later), data([health(300)]), handler=handler)
    expected = set(range(301)) - {7, 150, 260}
    assert [each[3] for each in await identities(pool)] == sorted(expected)
    letters = await pool.fetch("SELECT topic, station, reason, refused, excerpt, shard FROM dead_letter ORDER BY id")
    assert [(letter["reason"], letter["refused"], letter["topic"]) for letter in letters] == [
        ("not_storable", 1, "milepost/v1/S1/001/data")
    ] * 3
    assert '"id":7,' in letters[0]["excerpt"]
    assert await pool.fetchval("SELECT seen::text FROM record_box") == "{[0,301)}"


async def test_culprits_in_several_slices_of_a_batch(pool: Pool, handler: RecordsHandler) -> None:
    await pool.execute("ALTER TABLE health ADD CHECK (cpu <> 0.5)")
    culprits = {0, 777, 2001, 4999, 5999}
    messages = [
        data([health(n, cpu=0.5 if n in culprits else 0.1) for n in range(first, first + 200)], box=f"box{first % 600}")
        for first in range(0, 6000, 200)
    ]
    await store(pool, *messages, handler=handler)
    await store(pool, *messages, handler=handler)
    assert sorted(each[3] for each in await identities(pool)) == sorted(set(range(6000)) - culprits)
    assert await pool.fetchval("SELECT count(*) FROM dead_letter") == len(culprits)
    assert handler.tally.stored == 6000 - len(culprits)
    assert handler.tally.repeated == 6000


async def test_times_of_terminals_with_broken_clocks(pool: Pool) -> None:
    """1970, 2099 and an hour off: with an anchor they do not matter; without one they stay within bounds."""
    for clock in (0, 4_090_000_000_000, NOW - HOUR, NOW + HOUR):
        await store(pool, data([health(1, at=clock, up=990.0)], boot=f"anchored-{clock}", run=5))
        await store(pool, data([health(1, at=clock, up=None)], boot=f"bare-{clock}", run=6, up=None))
    rows = await pool.fetch("SELECT box, ts, time_source FROM health")
    assert {row["ts"] for row in rows if row["box"].startswith("anchored")} == {when(NOW - 10_000)}
    assert min(row["ts"] for row in rows) >= when(NOW - HOUR)
    assert max(row["ts"] for row in rows) <= when(NOW)
    sources = {row["box"]: row["time_source"] for row in rows if row["box"].startswith("bare")}
    assert sources == {
        "bare-0": "unknown",
        "bare-4090000000000": "unknown",
        f"bare-{NOW - HOUR}": "unknown",  # the boot before was heard until now
        f"bare-{NOW + HOUR}": "unknown",
    }


def letter(n: int, **more: Any) -> bytes:
    fields = {
        "topic": "milepost/v1/S7/001/data", "reason": "bad_json", "detail": "d", "shard": "main", "at": NOW + n,
        "size": 5, "payload": "x",
    } | more  # fmt: skip
    return encode(DeadLetter(**fields))  # type: ignore[arg-type]


async def test_dead_letters_are_kept_readable_and_few(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_store, "DEAD_LETTERS", 20)
    handler = DeadLettersHandler()
    strange = [
        letter(0, payload="a\0b" + "界" * 5000, size=10**12, topic="milepost/v1/S8/001/nochannel"),
        letter(1, topic="else\0where"),
        b"rubbish",
        letter(3, topic="milepost/v1/bad station/001/data"),
    ]
    batch = [kafka_record(v, topic=DEADLETTER, offset=n) for n, v in enumerate(strange)]
    await feed(pool, handler, batch)
    await feed(pool, handler, batch)
    rows = await pool.fetch("SELECT * FROM dead_letter ORDER BY id")
    assert [row["station"] for row in rows] == ["S8", None, "S1", None]
    assert [row["reason"] for row in rows] == ["bad_json", "bad_json", "not_an_entry", "bad_json"]
    assert len(rows[0]["excerpt"]) == 1000
    assert rows[0]["excerpt"].startswith("a\N{REPLACEMENT CHARACTER}b界")
    assert rows[1]["topic"] == "else\N{REPLACEMENT CHARACTER}where"
    for begin in range(10, 70, 7):
        await feed(
            pool,
            handler,
            [kafka_record(letter(n), topic=DEADLETTER, offset=n) for n in range(begin, begin + 7)],
        )
    kept = await pool.fetch("SELECT at FROM dead_letter ORDER BY id DESC")
    assert [row["at"] for row in kept] == [when(NOW + n) for n in range(72, 52, -1)]


def test_a_commit_is_due_by_time_number_or_size() -> None:
    few, many = [kafka_record(b"x")], [kafka_record(b"x")] * 5000
    big = [kafka_record(b"x" * 2**20)] * 8
    waiting = WaitingRecords[HasValue]()
    assert waiting.due_in(100.0) == math.inf
    waiting.add_records(0, few, 100.0)
    assert waiting.due_in(100.15) == pytest.approx(0.05)
    assert waiting.due_in(100.21) < 0
    waiting.drop_partitions({0})
    for enough in (many, big):
        waiting.add_records(1, enough, 200.0)
        assert waiting.due_in(200.0) == 0
        waiting.drop_partitions({1})
    assert waiting.due_in(300.0) == math.inf


async def letters(pool: Pool) -> list[tuple[str, str]]:
    return [(row["reason"], row["excerpt"]) for row in await pool.fetch("SELECT * FROM dead_letter ORDER BY id")]


OTHER = [
    pytest.param(health(1, cpu=0.2), health(1, cpu=0.3), id="a value"),
    pytest.param(health(1, cpu=0.2), health(1), id="a value less"),
    pytest.param(health(1), health(1, up=901.0), id="a time"),
    pytest.param(health(1), health(1, at=NOW - 300 * 24 * HOUR, up=None), id="a time long ago"),
    pytest.param(health(1), Event(id=1, at=NOW, up=900.0), id="a kind"),
    pytest.param(FULL[1], Usage(**{**structs.asdict(FULL[1]), "by": {"language": {"bo": 3}}}), id="JSON"),
    pytest.param(FULL[2], Inventory(id=3, at=NOW, up=900.0, model="N"), id="inventory"),
    pytest.param(FULL[3], Presence(id=4, at=NOW, up=900.0, until=NOW + 6, until_up=950.0, usable=False), id="presence"),
    pytest.param(FULL[4], Event(id=5, at=NOW, up=900.0, name="door", detail={"open": [1, None]}), id="event"),
]


@pytest.mark.parametrize(("first", "second"), OTHER)
async def test_other_content_under_a_known_id_is_kept_aside_and_named(
    pool: Pool, handler: RecordsHandler, first: Record, second: Record
) -> None:
    await store(pool, data([first, health(99)]), handler=handler)
    batch = [kafka_record(data([second], received=NOW + 5), offset=7)]
    await feed(pool, handler, batch)
    assert await letters(pool) == [("other_content", encode(second).decode())]
    assert handler.tally.differing == 1
    handler.forget((0,))
    await feed(pool, handler, batch)
    assert len(await letters(pool)) == 1, "a replay adds none"
    assert len(await identities(pool)) == 2, "what was first holds"


async def test_other_content_within_one_message_is_kept_aside(pool: Pool, handler: RecordsHandler) -> None:
    await store(pool, data([health(1, cpu=0.1), health(1, cpu=0.1), health(1, cpu=0.2)]), handler=handler)
    assert await letters(pool) == [("other_content", encode(health(1, cpu=0.2)).decode())]


async def test_the_same_again_is_no_news_whatever_its_fields(pool: Pool, handler: RecordsHandler) -> None:
    bare = [kind(id=n + 10, at=NOW) for n, kind in enumerate((Health, Usage, Inventory, Presence, Event))]
    odd = [health(20, cpu=0.1, mem=1 / 3, temp=-59.9, rtt_ms=1e-9, services={"b": True, "a": False})]
    message = data([*FULL, *bare, *odd])
    later = data([*FULL, *bare, *odd], received=NOW + HOUR, up=4600.0)
    await store(pool, message, message, later, handler=handler)
    handler.forget((0,))
    await store(pool, later, message, handler=handler)
    assert await letters(pool) == []
    assert handler.tally.repeated == 4 * 11


async def test_a_box_that_begins_anew_loses_no_record(pool: Pool, handler: RecordsHandler) -> None:
    """An agent that numbers from 1 again under the box that it had before."""
    old = [health(n, cpu=0.25) for n in range(1, 31)]
    await store(pool, data(old), handler=handler)
    new = [health(n, at=NOW + 90 * 24 * HOUR, up=7_000_000.0 + n, cpu=0.5) for n in range(1, 31)]
    await store(pool, data(new, received=NOW + 90 * 24 * HOUR, up=7_777_000.0), handler=handler)
    kept = await letters(pool)
    assert sorted(excerpt for _, excerpt in kept) == sorted(encode(record).decode() for record in new)
    assert {reason for reason, _ in kept} == {"other_content", "not_compared"}, "the searches are rationed"


async def test_what_counts_as_stored_and_is_nowhere_is_kept_aside(pool: Pool, handler: RecordsHandler) -> None:
    """A box in too many pieces has its oldest gaps closed: what comes for them later was never stored."""
    await store(pool, data([health(n) for n in range(0, 2 * (MAX_RANGES + 5), 2)]), handler=handler)
    await store(pool, data([health(1)]), handler=handler)
    assert await letters(pool) == [("not_compared", encode(health(1)).decode())]


async def test_the_same_again_is_found_where_its_time_is_judged_otherwise_today(
    pool: Pool, handler: RecordsHandler
) -> None:
    """The first message of a boot lay in the broker for hours, so its anchor was late; a time without any moves too."""
    first = data([health(1, up=90.0), health(2, at=NOW + 3 * HOUR, up=None)], up=100.0, received=NOW + 2 * HOUR)
    better = data([health(3, up=7200.0)], up=7300.0, received=NOW + 2 * HOUR + 1)
    again = data([health(1, up=90.0), health(2, at=NOW + 3 * HOUR, up=None)], up=7400.0, received=NOW + 2 * HOUR + 100)
    await store(pool, first, better, again, handler=handler)
    assert await letters(pool) == []
    assert handler.tally.repeated == 2
