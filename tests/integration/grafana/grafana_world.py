"""A database with something of everything that dashboards show."""

from datetime import timedelta

from tests.integration.api_world import World

STATION = "6321220007"
PROVINCE, COUNTY = "63", "632122"


async def fill(world: World) -> None:
    """Two provinces; one station is down, one is away, one was never heard."""
    await world.area(PROVINCE, "青海省", level="province")
    await world.area(COUNTY, "民和县", PROVINCE)
    await world.area("65", "O'Brien", level="province")
    await world.clock(0)
    await world.clock(1, "far", age=60)
    await world.station(STATION, "offline", area=COUNTY, name="一号", since=300)
    await world.station("6321220008", "online", area=COUNTY)
    await world.station("6321220009", None, area=COUNTY)
    await world.station("6501000001", "away", area="65", since=30)
    await world.station("6501000002", "online", partition=1, shard="far", area="65")
    await world.transition(STATION, 7200, "online", before="never_seen")
    await world.transition(STATION, 300, "offline")
    await world.transition("6321220008", 600, "online", before="offline")
    await world.gap(900, 840)
    await _incidents(world)
    await _records(world)
    await _days(world)
    await _platform(world)
    await world.pool.execute("UPDATE station SET lat = 36.3, lon = 102.8, kind = 'reading_room' WHERE area IS NOT NULL")
    await world.pool.execute("UPDATE station SET lat = 43.8, lon = 87.6 WHERE area = '65'")
    await world.pool.execute("UPDATE station SET lat = NULL, lon = NULL WHERE id = '6321220009'")
    await world.pool.execute("INSERT INTO programme VALUES ('reading', '农家书屋')")
    await world.pool.execute("INSERT INTO station_programme VALUES ($1, 'reading')", STATION)


async def _incidents(world: World) -> None:
    down = await world.incident("station_offline", station=STATION, area=COUNTY)
    late = await world.incident("unusable", station=STATION, area=COUNTY, status="acknowledged", began=7000)
    await world.incident("pipeline_blind")
    await world.incident(
        "blind_spot", station=STATION, area=COUNTY, began=900, detail={"kind": "idle", "clears": "session"}
    )
    await world.incident("blind_spot", area="65", began=60, detail={"kind": "area_dark", "clears": "station_works"})
    await world.incident("blind_spot", area=PROVINCE, status="closed", detail={"kind": "uncovered"})
    await world.pool.execute("UPDATE incident SET ended_at = now(), closed_at = now() WHERE status = 'closed'")
    await world.pool.execute(
        "UPDATE incident SET first_acknowledged_at = opened_at + interval '1 minute', acknowledged_by = 'li', "
        "acknowledged_at = now(), eta_at = now() - interval '1 hour' WHERE id = $1", late,
    )  # fmt: skip
    await world.pool.execute(
        "INSERT INTO repair (incident, at, made_by, cause, text, stable, verify_at, outcome, outcome_at) "
        "VALUES ($1, now() - interval '10 minutes', 'li', 'power', '', '30 minutes', now(), 'held', now())", down,
    )  # fmt: skip
    await world.contact("li")
    await world.pool.execute(
        "INSERT INTO message (contact, kind, fingerprint, content, severity, created_at, status) "
        "VALUES ('li', 'wecom', 'f', '{}', 'critical', now() - interval '1 minute', 'taken')"
    )
    await world.pool.execute(
        "INSERT INTO channel_state (contact, fingerprint, channel, failures, texts_refused, dead_at, reason, why) "
        "VALUES ('li', 'f', 'wecom', 3, 0, now(), 'channel_refused', '{}')"
    )


async def _records(world: World) -> None:
    for number, at in enumerate((600, 590, 60)):
        values = {"cpu": 0.5, "mem": 0.25, "disk": 0.75, "rtt_ms": 40.0, "temp": 51.0}
        await world.record("health", STATION, at, number, **values)
    await world.record("usage", STATION, 600, 8, sessions=3, minutes=25.5, bytes=1000)
    await world.pool.execute(
        "INSERT INTO rollup_touch (kind, began_at) VALUES ('usage', date_trunc('hour', $1::timestamptz))",
        world.ago(600),
    )
    await world.record("inventory", STATION, 600, 9, model="K-1", os="Debian 12", agent="1.4.0")
    await world.pool.execute(
        "INSERT INTO terminal_facts (station, terminal, partition, agent, first_at) "
        "VALUES ($1, '001', 0, '1.4.0', now())",
        STATION,
    )
    await world.pool.execute("UPDATE terminal SET refresh_due = current_date - 1 WHERE station = $1", STATION)
    await world.pool.execute(
        "INSERT INTO health_state (station, terminal, rule, subject, partition, field, severity, threshold, value, "
        "since, as_of) VALUES ($1, '001', 'disk_full', '', 0, 'disk', 'warning', 0.9, 0.95, now(), now())", STATION,
    )  # fmt: skip


async def _days(world: World) -> None:
    yesterday = (world.now - timedelta(days=1)).date()
    path = [PROVINCE, COUNTY]
    figures = "28800000, 3600000, 600000, 20000000, 24600000, 18000000"
    await world.pool.execute("INSERT INTO day_state (cut, first_day, last_day) VALUES (0, $1, $1)", yesterday)
    for revision, causes, excused in ((1, [], 0), (2, ["closure"], 3600000)):
        await world.pool.execute(
            "INSERT INTO day_figure (station, day, revision, path, scheduled_ms, excused_ms, unknown_ms, online_ms, "
            "service_due_ms, usable_ms, causes, cut) "
            "VALUES ($1, $2, $3, $4, 28800000, $5, 600000, 20000000, 24600000, 18000000, $6, 0)",
            STATION, yesterday, revision, path, excused, causes,
        )  # fmt: skip
    await world.pool.execute(f"INSERT INTO area_day VALUES ($1, $2, $3, {figures})", yesterday, COUNTY, path)  # noqa: S608
    frozen = (yesterday.replace(day=1) - timedelta(days=1)).replace(day=1)
    await world.pool.execute("INSERT INTO month_frozen VALUES ($1, now(), 0)", frozen)
    await world.pool.execute(f"INSERT INTO area_month VALUES ($1, $2, $3, {figures})", frozen, COUNTY, path)  # noqa: S608
    await world.pool.execute(
        "INSERT INTO ledger_checkpoint VALUES ('milepost.example/1', 3, E'milepost.example/1\\n3\\nAAAA\\n', now())"
    )


async def _platform(world: World) -> None:
    await world.pool.execute(
        "INSERT INTO service_sign (service, instance, at, role, detail) VALUES "
        "('judge', 'one', now(), 'working', '{}'), ('api', 'one', now(), 'working', '{\"address\": \"https://m.test\"}')"
    )
    await world.pool.execute(
        "INSERT INTO log_end (topic, partition, log, end_offset, at) VALUES ('milepost.live', 0, 'l', 20, now())"
    )
    await world.pool.execute(
        "INSERT INTO consumer_offset (consumer, topic, partition, log, next_offset, owner, instance, updated_at) "
        "VALUES ('judge', 'milepost.live', 0, 'l', 12, 1, 'one', now())"
    )
    await world.pool.execute(
        "INSERT INTO dead_letter (source, at, topic, reason, detail, excerpt, size, refused, shard) "
        "VALUES ('b', now() - interval '1 minute', 'm/x', 'bad_json', '', '', 3, 1, 'main')"
    )
    await world.pool.execute("INSERT INTO set_aside VALUES ('judge', 'station', 'x/1', 'odd', now())")
