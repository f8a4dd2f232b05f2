"""Opening hours, closures, lifecycle and blind spots over HTTP."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.roles import Role
from api.read.moment import load_cover
from api.read.queries import QUERIES
from registry.hours.calendar_store import refresh_calendars
from registry.hours.schedule_store import put_schedules
from store.pool import Pool
from tests.integration.api.test_api_stations import AREA, a_province, walk, z
from tests.integration.api_world import World, config, look_each_time, other_account, other_token, serving

API = "/api/v1"
LIBRARY = "WD 09:00-17:30; RD 10:00-16:00; HD off"


async def verdicts(client: httpx.AsyncClient, **params: str) -> dict[str, str]:
    return {item["id"]: item["verdict"] for item in await walk(client, f"{API}/stations", **params)}


async def test_hours_and_closures_decide_only_where_a_station_is_not_online(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    """A station closed two hours ago with a terminal left on, one switched off, one away, one excused, one not."""
    world = World(pool)
    await a_province(world)
    await world.clock()
    states = {"left-on": "online", "off": "offline", "away": "away", "repair": "offline", "asked": "offline"}
    for station, state in states.items():
        await world.station(station, state, area=AREA, since=3600)
    for station in ("left-on", "off", "away"):
        await world.hours(station, (-9, -2), (5, 9))
    await world.hours("repair", (-3, 4), (9, 10))
    approved = await world.closure(-0.5, 6, station="repair")
    declared = await world.closure(-1, 1, station="asked", approved=False)
    async with serving(config(database, tmp_path)) as (client, _):
        assert await verdicts(client) == {
            "left-on": "online",
            "off": "closed",
            "away": "closed",
            "repair": "excused",
            "asked": "offline",
        }
        assert await verdicts(client, verdict="closed", area="63") == {"off": "closed", "away": "closed"}
        documents = {item["id"]: item for item in await walk(client, f"{API}/stations")}
        counts = (await client.get(f"{API}/areas/63")).json()["counts"]
    off, repair, asked = documents["off"], documents["repair"], documents["asked"]
    assert (off["open"], off["opens_at"], off["closes_at"]) == (False, z(world.ago(-5 * 3600)), None)
    assert off["since"] == z(world.ago(3600)), "it was on an hour longer than it had to be"
    assert off["usable"] is None
    assert (repair["open"], repair["closes_at"], repair["closure"]) == (True, z(world.ago(-4 * 3600)), approved)
    assert repair["since"] == z(world.ago(1800)), "the closure began after it fell"
    assert (asked["open"], asked["opens_at"], asked["closes_at"]) == (True, None, None)
    assert (asked["closure"], asked["since"]) == (declared, z(world.ago(3600)))
    assert {name: number for name, number in counts.items() if number} == {
        "total": 5, "online": 1, "closed": 2, "excused": 1, "offline": 1
    }  # fmt: skip


async def test_a_closure_reaches_all_below_an_area_and_all_of_a_programme(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await a_province(world)
    await world.clock()
    for station, area in {"in": AREA, "member": "650000000000", "out": "650000000000"}.items():
        await world.station(station, "offline", area=area)
    await pool.execute("INSERT INTO programme VALUES ('border', 'border')")
    await pool.execute("INSERT INTO station_programme VALUES ('member', 'border')")
    await world.closure(-1, 1, area="630000000000")
    await world.closure(-1, 1, programme="border")
    async with serving(config(database, tmp_path)) as (client, _):
        assert await verdicts(client) == {"in": "excused", "member": "excused", "out": "offline"}
        assert await verdicts(client, verdict="offline") == {"out": "offline"}
        listed = await walk(client, f"{API}/closures", station="in")
        assert [item["area"] for item in listed] == ["630000000000"]
        assert len(await walk(client, f"{API}/closures", limit=1)) == 2
        assert len(await walk(client, f"{API}/closures", area="63")) == 1


async def test_a_closure_is_declared_approved_and_withdrawn(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s", "offline")
    said = {"station": "s", "from": z(world.ago(60)), "until": z(world.ago(-3600)), "reason": "停电检修", "by": "王"}
    async with serving(config(database, tmp_path)) as (client, _):
        made = await client.post(f"{API}/closures", json=said)
        assert made.status_code == 201, made.text
        closure = made.json()
        assert (closure["status"], closure["declared_by"], closure["from"]) == ("declared", "admin", said["from"])
        assert closure["declared_remark"] == "王"
        assert await verdicts(client) == {"s": "offline"}, "declared is not approved"
        approval, path = {"by": "李", "evidence": "文 12"}, f"{API}/closures/{closure['id']}/approve"
        own = await client.post(path, json=approval)
        assert (own.status_code, own.json()["status"]) == (409, 409), "whatever person `by` names"
        assert "another person must approve it" in own.json()["detail"]
        assert (await client.post(path)).status_code == 409, "again; the ledger has the first try"
        second = await other_account(pool, Role.SUPERVISOR)
        answer = await client.post(path, json=approval, headers=second.headers)
        assert (answer.json()["status"], answer.json()["approved_by"]) == ("approved", second.account)
        assert answer.json()["approved_remark"] == "李"
        assert answer.json()["evidence"] == "文 12"
        assert await verdicts(client) == {"s": "excused"}
        assert (await client.get(f"{API}/closures/{closure['id']}")).json() == answer.json()
        withdrawn = await client.post(f"{API}/closures/{closure['id']}/withdraw")
        assert (withdrawn.json()["status"], withdrawn.json()["withdrawn_by"]) == ("withdrawn", "admin")
        assert await verdicts(client) == {"s": "offline"}
        again = await client.post(path)
        assert await walk(client, f"{API}/closures", status="approved") == []
        assert [item["id"] for item in await walk(client, f"{API}/closures", status="withdrawn")] == [closure["id"]]
    assert again.status_code == 409
    kinds = await pool.fetch("SELECT kind, actor FROM ledger_entry WHERE subject LIKE 'closure/%' ORDER BY id")
    assert [tuple(row) for row in kinds] == [
        ("closure.declared", "admin"),
        ("closure.approval_refused", "admin"),
        ("closure.approved", second.account),
        ("closure.withdrawn", "admin"),
    ]


async def test_a_token_of_the_declarer_is_the_same_person(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.station("s", "offline")
    said = {"station": "s", "from": z(world.ago(60)), "until": z(world.ago(-3600)), "reason": "停电检修"}
    first, second = await other_account(pool, Role.SUPERVISOR), await other_account(pool, Role.SUPERVISOR, "wang")
    another = await other_token(pool, first.account)
    async with serving(config(database, tmp_path)) as (client, _):
        made = (await client.post(f"{API}/closures", json=said, headers=first.headers)).json()
        path = f"{API}/closures/{made['id']}/approve"
        answers = [
            (await client.post(path, json={"by": "someone else"}, headers=headers)).status_code
            for headers in (first.headers, another, second.headers)
        ]
    assert answers == [409, 409, 200]


WRONG = {
    "nobody": {"station": "none"},
    "two at once": {"area": AREA},
    "ends before it begins": {"until": "2020-01-01"},
    "no time": {"from": "tomorrow"},
    "from the year 1": {"from": "0001-01-01T00:00:00Z"},
    "until the last moment of 9999": {"until": "9999-12-31T23:59:59.999999Z"},
    "in a zone that leads out of time": {"until": "9999-12-31T23:59:59-12:00"},
    "no reason": {"reason": ""},
    "a kind that is none": {"kind": "holiday"},
}


async def test_a_closure_that_makes_no_sense_is_a_problem(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await a_province(world)
    await world.station("s", None)
    async with serving(config(database, tmp_path)) as (client, _):
        for case, changes in WRONG.items():
            said = {"station": "s", "from": "2026-10-01", "until": "2026-10-02", "reason": "r", **changes}
            answer = await client.post(f"{API}/closures", json=said)
            assert answer.status_code == 422, case
            assert answer.headers["content-type"] == "application/problem+json", case
        assert (await client.post(f"{API}/closures/77/approve")).status_code == 404
    assert await pool.fetchval("SELECT count(*) FROM closure") == 0


async def a_library(pool: Pool, rules: str = LIBRARY) -> World:
    world = World(pool)
    await world.clock()
    await world.station("s", "offline")
    async with pool.acquire() as connection, connection.transaction():
        await put_schedules(connection, {"s": rules}, now=world.now, by="test")
        await refresh_calendars(connection, now=world.now)
    return world


def local(day: str, hour: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}:00+08:00").astimezone(UTC)


async def test_the_schedule_of_national_day_week(pool: Pool, database: str, tmp_path: Path) -> None:
    """1 to 7 October 2026 are holidays; Saturday the 10th is made up for them and is a workday."""
    await a_library(pool)
    window = {"from": z(local("2026-09-30", "00:00")), "to": z(local("2026-10-12", "00:00"))}
    async with serving(config(database, tmp_path)) as (client, _):
        found = (await client.get(f"{API}/stations/s/schedule", params=window)).json()
        week = (await client.get(f"{API}/stations/s/schedule")).json()
        long = await client.get(f"{API}/stations/s/schedule?from=2020-01-01&to=2026-01-01")
        missing = await client.get(f"{API}/stations/none/schedule")
    days = [("2026-09-30", "09:00", "17:30"), ("2026-10-08", "09:00", "17:30"), ("2026-10-09", "09:00", "17:30")]
    days += [("2026-10-10", "09:00", "17:30"), ("2026-10-11", "10:00", "16:00")]
    assert found["openings"] == [
        {"from": z(local(day, opens)), "to": z(local(day, closes))} for day, opens, closes in days
    ]
    assert (found["always"], found["provisional"], found["closures"]) == (False, [], [])
    assert [(one["valid_from"], one["timezone"]) for one in found["versions"]] == [(None, "Asia/Shanghai")]
    assert week["openings"], "the coming week unless asked otherwise"
    assert (long.status_code, long.json()["parameter"]) == (422, "from")
    assert missing.status_code == 404


async def test_the_timeline_of_a_day_with_its_hours_and_a_closure(pool: Pool, database: str, tmp_path: Path) -> None:
    """Tuesday 22 September 2026: left on until 18:00, dark until noon of Wednesday, which is excused from 10 to 11."""
    world = await a_library(pool)
    changes = [("2026-09-22", "08:30", "online"), ("2026-09-22", "18:00", "offline"), ("2026-09-23", "12:00", "online")]
    for seq, (day, hour, state) in enumerate(changes):
        await pool.execute(
            "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason) "
            "VALUES (0, $1, 's', 'x', $2, $3, $3, 'main', 'r')",
            seq,
            state,
            local(day, hour),
        )
    await world.closure(0, 1, station="s")
    await pool.execute(
        "UPDATE closure SET from_at = $1, until_at = $2, withdrawn_at = $3, withdrawn_by = 'w'",
        local("2026-09-23", "10:00"),
        local("2026-09-23", "13:00"),
        local("2026-09-23", "11:00"),
    )
    await world.closure(-99, 99, station="s", approved=False)
    window = {"from": z(local("2026-09-22", "08:00")), "to": z(local("2026-09-23", "20:00"))}
    async with serving(config(database, tmp_path)) as (client, _):
        intervals = (await client.get(f"{API}/stations/s/timeline", params=window)).json()["intervals"]
    assert [(one["from"], one["verdict"]) for one in intervals] == [
        (z(local("2026-09-22", "08:00")), "never_seen"),
        (z(local("2026-09-22", "08:30")), "online"),
        (z(local("2026-09-22", "18:00")), "closed"),
        (z(local("2026-09-23", "09:00")), "offline"),
        (z(local("2026-09-23", "10:00")), "excused"),
        (z(local("2026-09-23", "11:00")), "offline"),
        (z(local("2026-09-23", "12:00")), "online"),
    ]


async def test_a_suspended_time_stays_in_the_history(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s", "online", since=90_000)
    await world.transition("s", 90_000, "online", before="never_seen")
    for lifecycle in ("suspended", "suspended", "commissioned"):
        await pool.execute("UPDATE station SET lifecycle = $1", lifecycle)
    times = [world.ago(7200), world.ago(3600)]
    rows = await pool.fetch("SELECT id FROM station_lifecycle ORDER BY id")
    assert len(rows) == len(times), "what changes nothing is not written"
    for row, at in zip(rows, times, strict=True):
        await pool.execute("UPDATE station_lifecycle SET at = $2 WHERE id = $1", row["id"], at)
    async with serving(config(database, tmp_path)) as (client, _):
        intervals = (await client.get(f"{API}/stations/s/timeline")).json()["intervals"]
    assert [one["verdict"] for one in intervals] == ["online", "suspended", "online"]
    assert [one["to"] for one in intervals[:2]] == [z(at) for at in times]


KEPT = ("online", "unusable", "offline", "away", "closed", "excused", "never_seen", "suspended")


async def keep_counts(pool: Pool, told: datetime) -> None:
    """What the incident process keeps, made from the view."""
    await pool.execute("TRUNCATE area_count")
    sums = ", ".join(f"count(*) FILTER (WHERE v.verdict = '{name}')" for name in KEPT)
    await pool.execute(
        f"INSERT INTO area_count (area, {', '.join(KEPT)}) SELECT up, {sums} "  # noqa: S608
        "FROM station_verdict v JOIN station s ON s.id = v.station JOIN area a ON a.code = v.area "
        "CROSS JOIN unnest(a.path) AS up WHERE s.lifecycle <> 'retired' GROUP BY up"
    )
    await pool.execute(
        "INSERT INTO area_count_known (known_at, told_at) VALUES ($1, $1) ON CONFLICT (one) DO UPDATE SET told_at = $1",
        told,
    )


async def test_counts_that_are_kept_are_those_that_are_counted(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, database: str, tmp_path: Path
) -> None:
    look_each_time(monkeypatch)
    world = World(pool)
    await a_province(world)
    await world.clock()
    states: list[dict[str, Any]] = [{"state": state} for state in ("online", "offline", "away", None)]
    states += [{"state": "online", "lifecycle": "retired"}, {"state": "offline"}, {"state": "offline"}]
    states += [{"state": "online", "usable": False}, {"state": "online", "usable": None}]
    # Unlike the retired one it counts.
    states += [{"state": "online", "lifecycle": "suspended"}]
    for area in (AREA, "632100000000", "650000000000", None):
        for number, more in enumerate(states):
            await world.station(f"{area}-{number}", **more, area=area)
        await world.hours(f"{area}-5", (-9, -2))
        await world.closure(-1, 1, station=f"{area}-6")
    await world.closure(-1, 1, station=f"{AREA}-1")

    async with serving(config(database, tmp_path)) as (client, _):

        async def areas() -> list[Any]:
            """Areas, and at last all stations by verdict."""
            found = [(await client.get(f"{API}/areas/{code}")).json() for code in ("63", "6321", AREA, "65")]
            figures = (await client.get("/metrics")).text
            return [*found, {"counts": dict(re.findall(r'milepost_stations{verdict="(\w+)"} (\d+)', figures))}]

        counted = await areas()
        assert counted[-1]["counts"]["never_seen"] == "4", "one of them in no area"
        await keep_counts(pool, datetime.now(UTC))
        assert await areas() == counted
        assert counted[0]["counts"] == {
            "total": 18, "online": 4, "unusable": 2, "offline": 1, "away": 2, "closed": 2, "excused": 3, "unknown": 0,
            "never_seen": 2, "suspended": 2,
        }  # fmt: skip
        await pool.execute("UPDATE area_count SET online = 99")
        shown = await areas()
        assert shown[0]["counts"]["online"] == 99, "they are what is shown"
        assert shown[-1]["counts"]["online"] == "200", "99 in each of two provinces, and two in no area"
        await pool.execute("UPDATE area_count_known SET told_at = $1", datetime.now(UTC) - timedelta(seconds=11))
        assert await areas() == counted, "nobody keeps them any more"
        await keep_counts(pool, datetime.now(UTC))
        await pool.execute("UPDATE area_count SET online = 99")
        await world.clock(1, blind=60)
        assert await areas() == counted, "a clock is in doubt"


async def test_blind_spots_are_listed_by_area_and_kind(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await a_province(world)
    await world.station("s", None, area=AREA)
    dark = await world.incident(
        "blind_spot", station="s", detail={"kind": "dark", "clears": "heartbeat", "days": 9}, began=9 * 86_400
    )
    gone = await world.incident("blind_spot", area="630000000000", detail={"kind": "uncovered", "clears": "x"})
    far = await world.incident("blind_spot", area="650000000000", detail={"kind": "dark"})
    await world.incident("blind_spot", station="s", status="closed", detail={"kind": "idle"})
    await world.incident("station_offline", station="s")
    async with serving(config(database, tmp_path)) as (client, _):
        for query, expected in {
            "": [far, gone, dark],
            "area=63": [gone, dark],
            "area=6321": [dark],
            "kind=dark": [far, dark],
            "kind=dark&area=65": [far],
            "kind=idle": [],
        }.items():
            items = (
                await walk(client, f"{API}/blind-spots?{query}", limit=2)
                if not query
                else ((await client.get(f"{API}/blind-spots?{query}")).json()["items"])
            )
            assert [item["id"] for item in items] == expected, query
        (item,) = (await client.get(f"{API}/blind-spots?area={AREA}")).json()["items"]
    assert (item["kind"], item["station"], item["area"], item["clears"]) == ("dark", "s", AREA, "heartbeat")
    assert (item["since"], item["detail"]["days"]) == (z(world.ago(9 * 86_400)), 9)


async def test_an_outage_of_many_names_its_cause_and_its_parts(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    for station in ("a", "b"):
        await world.station(station, "offline")
    outage = await world.incident("area_outage", detail={"cause": "uplink", "name": "中国移动"})
    parts = [await world.incident("station_offline", station=station, parent=outage) for station in ("a", "b")]
    quiet = await world.incident("blind_spot", station="a", detail={"kind": "dark", "quiet": True})
    alone = await world.incident("flapping", station="b")
    await pool.execute("UPDATE incident SET key = 'flapping:b' WHERE id = $1", alone)
    async with serving(config(database, tmp_path)) as (client, _):
        detail = (await client.get(f"{API}/incidents/{outage}")).json()
        assert (detail["cause"], detail["children"]) == ({"kind": "uplink", "name": "中国移动"}, parts)
        listed = (await client.get(f"{API}/incidents?parent={outage}")).json()["items"]
        assert [(one["id"], one["parent"], one["cause"]) for one in listed] == [
            (part, outage, None) for part in reversed(parts)
        ]
        everything = [one["id"] for one in await walk(client, f"{API}/incidents")]
        top = [one["id"] for one in await walk(client, f"{API}/incidents", top="true")]
        flapping = [(await client.get(f"{API}/stations/{station}")).json()["flapping"] for station in "ab"]
    assert everything == [alone, quiet, *reversed(parts), outage]
    assert top == [alone, outage]
    assert flapping == [False, True]


async def test_what_covers_some_stations_is_looked_up_for_these_alone(pool: Pool) -> None:
    world = World(pool)
    await world.area("630000000000", "青海省", level="province")
    for station in ("s", "other"):
        await world.station(station, area="630000000000" if station == "s" else None)
    await pool.execute("INSERT INTO programme (id, name) VALUES ('p', 'P'), ('q', 'Q')")
    await pool.execute("INSERT INTO station_programme (station, programme) VALUES ('s', 'p')")
    await pool.execute("""
        INSERT INTO closure (kind, station, area, programme, from_at, until_at, reason, declared_by, approved_by,
                             approved_at)
        SELECT 'closure', station, area, programme, now() - interval '1 day', now() + interval '1 day', 'r', 'd', 'a',
               now()
        FROM (VALUES ('s', NULL, NULL), ('other', NULL, NULL), (NULL, '630000000000', NULL), (NULL, NULL, 'p'))
            AS what (station, area, programme)
    """)
    async with pool.acquire() as connection:
        rows = await connection.fetch(QUERIES.get_stations, ["s"])
        its, everybodys = await load_cover(connection, rows), await load_cover(connection)
    assert its.arguments[1:] == (["s"], ["630000000000"], ["p"])
    assert sorted(everybodys.arguments[1]) == ["other", "s"]
