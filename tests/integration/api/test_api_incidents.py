"""Incidents, dead letters, unregistered stations and the pipeline over HTTP."""

from datetime import timedelta
from pathlib import Path

from store.pool import Pool
from tests.integration.api.test_api_stations import AREA, a_province, walk, z
from tests.integration.api_world import World, config, serving

INCIDENTS = "/api/v1/incidents"


async def test_incidents_are_newest_first_and_filtered(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await a_province(world)
    await world.station("s", "offline", area=AREA)
    parent = await world.incident("area_outage", area=AREA, began=500)
    child = await world.incident("station_offline", station="s", parent=parent, began=400)
    closed = await world.incident("pipeline_blind", status="closed", began=900)
    async with serving(config(database, tmp_path)) as (client, _):
        items = await walk(client, INCIDENTS, limit=1)
        by_area = await walk(client, INCIDENTS, area="63")
        elsewhere = await walk(client, INCIDENTS, area="65")
        open_ones = await walk(client, INCIDENTS, status="open")
        of_kind = await walk(client, INCIDENTS, kind="pipeline_blind")
        nonsense = await client.get(INCIDENTS, params={"status": "broken"})
    assert [item["id"] for item in items] == [closed, child, parent]
    assert [item["id"] for item in by_area] == [child, parent], "a station's incident is in the station's area"
    assert [item["id"] for item in open_ones] == [child, parent]
    assert ([item["id"] for item in of_kind], elsewhere) == ([closed], [])
    assert items[2]["children"] == [child]
    assert (items[1]["parent"], items[1]["area"], items[1]["began_at"]) == (parent, AREA, z(world.ago(400)))
    assert (nonsense.status_code, nonsense.json()["parameter"]) == (422, "status")


async def test_people_act_on_an_incident(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    number = await world.incident("station_offline", station="s")
    async with serving(config(database, tmp_path)) as (client, _):
        acknowledged = (await client.post(f"{INCIDENTS}/{number}/ack", json={"by": "Li Na"})).json()
        again = await client.post(f"{INCIDENTS}/{number}/ack")
        assigned = (await client.post(f"{INCIDENTS}/{number}/assign", json={"assignee": "Tenzin"})).json()
        noted = (await client.post(f"{INCIDENTS}/{number}/note", json={"text": "路断了,周四到"})).json()
        resolved = (await client.post(f"{INCIDENTS}/{number}/resolve", json={"text": "new modem"})).json()
        late = await client.post(f"{INCIDENTS}/{number}/resolve")
    assert (acknowledged["status"], acknowledged["acknowledged_by"]) == ("acknowledged", "admin")
    assert acknowledged["acknowledged_remark"] == "Li Na"
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    assert assigned["assignee"] == "Tenzin"
    assert [entry["text"] for entry in noted["entries"] if entry["action"] == "note"] == ["路断了,周四到"]
    assert (resolved["status"], late.status_code) == ("closed", 409)
    actions = [(entry["action"], entry["actor"], entry["remark"]) for entry in reversed(resolved["entries"])]
    assert actions[:2] == [("opened", "milepost", None), ("acknowledged", "admin", "Li Na")]
    assert actions[2:5] == [(action, "admin", None) for action in ("assigned", "note", "resolved")]


BAD_DEEDS = {
    "no such incident": ("999/ack", {}, 404, None),
    "a number that no database holds": ("99999999999999999999/ack", {}, 422, "id"),
    "not a number": ("first/ack", {}, 422, "id"),
    "an empty note": ("1/note", {"text": "  "}, 422, "text"),
    "closed by hand without a reason": ("1/resolve", {"text": " "}, 422, "text"),
    "a note without text": ("1/note", {}, 422, "text"),
    "a note that is too long": ("1/note", {"text": "x" * 4001}, 422, "text"),
    "nobody to assign it to": ("1/assign", {}, 422, "assignee"),
    "text of the wrong type": ("1/note", {"text": 7}, 422, "text"),
    "a character that cannot be stored": ("1/note", {"text": "a\0b"}, 400, None),
}


async def test_a_deed_that_cannot_be_done_says_why(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).incident("station_offline", station="s")
    async with serving(config(database, tmp_path)) as (client, _):
        for case, (path, body, status, parameter) in BAD_DEEDS.items():
            answer = await client.post(f"{INCIDENTS}/{path}", json=body)
            assert (answer.status_code, answer.json().get("parameter")) == (status, parameter), case
            assert answer.headers["content-type"] == "application/problem+json", case
    assert await pool.fetchval("SELECT count(*) FROM incident_entry") == 1


async def test_one_closed_by_hand_opens_again_after_the_time_that_is_set(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    number = await World(pool).incident("station_offline", station="s")
    async with serving(config(database, tmp_path, reopen_after=90.0)) as (client, _):
        answer = await client.post(f"{INCIDENTS}/{number}/resolve", json={"text": "the key is lost"})
    assert answer.status_code == 200
    after = await pool.fetchval("SELECT reopen_at - closed_at FROM incident WHERE id = $1", number)
    assert after == timedelta(seconds=90)


async def test_deadletters_are_the_last_ten_thousand(pool: Pool, database: str, tmp_path: Path) -> None:
    await pool.execute(
        "INSERT INTO dead_letter (at, topic, station, reason, detail, excerpt, size, refused, shard) "
        "SELECT now(), 'milepost/v1/s/001/data', 's', 'bad_json', 'n' || n, '{', 1, 0, 'main' "
        "FROM generate_series(1, 10050) AS n"
    )
    async with serving(config(database, tmp_path)) as (client, _):
        items = await walk(client, "/api/v1/deadletters", limit=1000)
    assert [item["id"] for item in items] == list(range(10050, 50, -1))
    assert (items[0]["reason"], items[0]["detail"], items[0]["excerpt"]) == ("bad_json", "n10050", "{")


async def test_unregistered_stations_are_the_last_heard_first(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    for name, age in (("b", 60), ("a", 60), ("new", 5), ("old", 9000)):
        await pool.execute(
            "INSERT INTO unregistered VALUES ($1, '{001}', $2, $3, 7)", name, world.ago(10_000), world.ago(age)
        )
    async with serving(config(database, tmp_path)) as (client, _):
        items = await walk(client, "/api/v1/unregistered", limit=2)
    assert [item["station"] for item in items] == ["new", "b", "a", "old"]
    assert (items[0]["terminals"], items[0]["messages"]) == (["001"], 7)


async def test_the_pipeline_says_how_far_behind_it_is_and_where_it_stood_still(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    async with serving(config(database, tmp_path)) as (client, _):
        assert (await client.get("/api/v1/pipeline")).json()["sound"] is False, "no clock at all is not sound"
        await world.clock(0)
        await world.clock(1, age=40)
        await world.clock(0, "north", blind=60)
        await world.gap(500, 490)
        await world.gap(300, 290)
        await world.gap(90_000, 89_000)
        await pool.execute("INSERT INTO consumer_offset VALUES ('judge', 'milepost.live', 0, 'log', 42, 1, 'host-1')")
        found = (await client.get("/api/v1/pipeline")).json()
        (brief,) = (await client.get("/api/v1/pipeline?limit=1")).json()["shards"][0]["partitions"][0]["gaps"]
    main, north = found["shards"]
    assert (found["sound"], main["sound"], north["sound"]) == (False, False, False)
    assert main["lag_s"] >= 40
    assert main["lag_s"] == main["partitions"][1]["lag_s"] > main["partitions"][0]["lag_s"]
    assert north["blind_since"] is not None
    assert [gap["from"] for gap in main["partitions"][0]["gaps"]] == [z(world.ago(300)), z(world.ago(500))]
    assert brief == {"from": z(world.ago(300)), "to": z(world.ago(290)), "reason": "tick_lost"}
    (consumer,) = found["consumers"]
    assert (consumer["consumer"], consumer["next_offset"], consumer["instance"]) == ("judge", 42, "host-1")
    assert consumer["lag"] is None, "nobody looked where the log ends"


async def test_the_pipeline_names_stations_that_number_wrongly(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    for partition in (0, 1):
        await world.clock(partition=partition)
    async with serving(config(database, tmp_path)) as (client, _):
        (shard,) = (await client.get("/api/v1/pipeline")).json()["shards"]
        assert shard["misnumbering"] == []
        await pool.execute("""UPDATE partition_clock SET memory = '{"named": ["6321220007", "6321220001"]}'""")
        (shard,) = (await client.get("/api/v1/pipeline")).json()["shards"]
        assert shard["misnumbering"] == ["6321220001", "6321220007"]


async def test_the_pipeline_says_how_far_consumers_lag_and_who_is_alive(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    for partition, log, next_offset in ((0, "log", 42), (1, "log", 99), (2, "before", 7)):
        await pool.execute(
            "INSERT INTO consumer_offset VALUES ('judge', 'milepost.live', $1, $2, $3, 1, 'host-1')",
            partition,
            log,
            next_offset,
        )
        await pool.execute("INSERT INTO log_end VALUES ('milepost.live', $1, 'log', 60, now())", partition)
    for instance, age in (("host-1", 3), ("host-2", 300)):
        await pool.execute(
            "INSERT INTO service_sign VALUES ('judge', $1, now() - make_interval(secs => $2), 'working', '{}')",
            instance,
            age,
        )
    async with serving(config(database, tmp_path)) as (client, _):
        found = (await client.get("/api/v1/pipeline")).json()
    assert [(c["end_offset"], c["lag"]) for c in found["consumers"]] == [(60, 18), (60, 0), (None, None)]
    judges = [(s["instance"], s["alive"]) for s in found["services"] if s["service"] == "judge"]
    assert judges == [("host-1", True), ("host-2", False)]


async def test_a_person_decides_about_a_suspected_shard(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    async with serving(config(database, tmp_path)) as (client, _):
        early = await client.post("/api/v1/pipeline/shards/main/trust")
        elsewhere = await client.post("/api/v1/pipeline/shards/nowhere/trust")
        await world.suspicion(began=120, fell=24, counted=30)
        shown = (await client.get("/api/v1/pipeline")).json()["shards"][0]["suspicion"]
        decided = await client.post("/api/v1/pipeline/shards/main/trust", json={"by": "Li Na"})
    assert (early.status_code, elsewhere.status_code, decided.status_code) == (409, 404, 200)
    assert (decided.json()["by"], decided.json()["remark"]) == ("admin", "Li Na")
    assert (shown["began_at"], shown["fell"], shown["counted"], shown["unknown"]) == (z(world.ago(120)), 24, 30, 0)
    assert dict(await pool.fetch("SELECT remark, actor FROM shard_decision")) == {"Li Na": "admin"}


async def test_a_restart_is_announced_once_in_ten_minutes(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).clock(0)
    path = "/api/v1/pipeline/restarts"
    async with serving(config(database, tmp_path)) as (client, _):
        for wrong in ({}, {"minutes": 5}, {"minutes": 11, "reason": "r"}, {"minutes": 5, "reason": ""}):
            assert (await client.post(path, json=wrong)).status_code == 422, wrong
        announced = await client.post(path, json={"minutes": 5, "reason": "new kernel", "by": "Li Na"})
        again = await client.post(path, json={"minutes": 5, "reason": "new kernel"})
        found = (await client.get("/api/v1/pipeline")).json()
    assert (announced.status_code, again.status_code) == (201, 409)
    (restart,) = found["restarts"]
    assert (restart["by"], restart["remark"], restart["reason"]) == ("admin", "Li Na", "new kernel")
    assert restart == announced.json()


async def test_gaps_that_recur_are_a_warning_and_not_a_lack(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).clock(0)
    for number in range(4):
        await pool.execute(
            "INSERT INTO pipeline_gap (partition, seq, shard, began_at, ended_at, reason) VALUES "
            "(0, $1, 'main', now() - make_interval(secs => $2), now() - make_interval(secs => $2 - 1.5), 'not_whole')",
            number + 1, 60.0 * number + 30,
        )  # fmt: skip
    async with serving(config(database, tmp_path)) as (client, _):
        ready = await client.get("/readyz")
        (shard,) = (await client.get("/api/v1/pipeline")).json()["shards"]
        await pool.execute(
            "INSERT INTO incident (kind, key, shard, status, began_at, opened_at, detail) VALUES ('pipeline_blind', "
            "'pipeline_blind:main', 'main', 'open', now(), now(), '{\"reason\": \"unstable\"}')"
        )
        (said,) = (await client.get("/api/v1/pipeline")).json()["shards"]
    assert ready.status_code == 200
    assert "4 gaps of together 6.0 s" in ready.json()["warnings"][0]
    assert (shard["gaps_10m"], shard["unknown_10m_s"], shard["unstable"], said["unstable"]) == (4, 6.0, False, True)
