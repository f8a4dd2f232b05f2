"""Rows that cannot be judged, from before their doors had bounds: each costs itself, is named, and stops no process."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from alerting.incident_process.service import IncidentsConfig
from alerting.incident_process.service import run as run_incidents
from contract.bounds import EARLIEST, LATEST, held
from registry.hours.calendar_keeper import CalendarKeeper
from registry.importing.importer import import_file
from store.pool import Pool
from tests.integration.api_world import config, serving
from tests.integration.incidents_kit import add_station, ago, judging, now, running, until, write_transition

ONE = range(1)
_CLOSURE = "INSERT INTO closure (station, from_at, until_at, reason, declared_by) VALUES ({}, {}, {}, 'x', 'x')"
_WITHDRAWN = (
    "INSERT INTO closure (station, from_at, until_at, reason, declared_by, withdrawn_by, withdrawn_at) "
    "VALUES ({}, {}, {}, 'x', 'x', 'x', now())"
)
_COMMISSIONED = "UPDATE station SET commissioned_at = {1}, in_service_at = {2} WHERE id = {0}"
_SCHEDULE = "INSERT INTO schedule (station, valid_from, rules) VALUES ({}, {}, {})"
_OVERRIDE = "INSERT INTO schedule_override (station, from_day, to_day, rules) VALUES ({}, {}, {}, 'off')"
_CALENDAR = (
    "WITH made AS (INSERT INTO calendar (key, definition, filled_from, filled_to, classes) "
    "VALUES ({0}, {1}, now(), now(), '') RETURNING id) "
    "UPDATE station SET calendar = made.id FROM made WHERE station.id = {0}"
)
_HOURS = "'Mo-Su 00:00-24:00'"

# Rows from before there were bounds, or written by hand: a statement with its values, and the kind that is named.
ROWS: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "a closure from the year 1": (_CLOSURE, ("'0001-01-01'", "now() + '1 d'"), "closure"),
    "a closure until the last moment": (_CLOSURE, ("now() - '1 d'::interval", "'infinity'"), "closure"),
    "a closure of before Christ": (_CLOSURE, ("'4000-01-01 BC'", "now() + '1 d'"), "closure"),
    "a closure until a year that no client can read": (_CLOSURE, ("now()", "'200000-01-01'"), "closure"),
    "a closure that was over long ago": (_CLOSURE, ("'-infinity'", "'0001-01-02'"), "closure"),
    "a closure for all time that was withdrawn": (_WITHDRAWN, ("'0001-01-01'", "'infinity'"), None),
    "commissioned in the year 1": (_COMMISSIONED, ("'0001-01-01'", "'-infinity'"), "commissioned"),
    "commissioned at the end of time": (_COMMISSIONED, ("'infinity'", "now()"), "commissioned"),
    "commissioned when no client can read": (_COMMISSIONED, ("'200000-01-01'", "now()"), "commissioned"),
    "a schedule from the last day on": (_SCHEDULE, ("'9999-12-31'", _HOURS), None),
    "a schedule that cannot be read": (_SCHEDULE, ("'2026-01-01'", "'whenever we like'"), None),
    "a day that lasts for ever": (_OVERRIDE, ("'0001-01-01'", "'9999-12-31'"), None),
    "a calendar of rules that cannot be read": (_CALENDAR, ("""'{"versions": [["2026-01-01", "no"]]}'""",), None),
    "a calendar of another shape": (_CALENDAR, ("""'{"versions": 7}'""",), None),
}
STATIONS = {f"S{number}": name for number, name in enumerate(ROWS)}


async def write_rows(pool: Pool) -> None:
    for station, name in STATIONS.items():
        await add_station(pool, station)
        statement, values, _ = ROWS[name]
        await pool.execute(statement.format(f"'{station}'", *values))
        await write_transition(pool, station, "online", "offline", at=ago(30))
    await add_station(pool, "good")
    await pool.execute(_SCHEDULE.format("'good'", "'2026-01-01'", "'Mo-Su 00:00-23:59'"))
    await write_transition(pool, "good", "online", "offline", at=ago(30))


async def look_everywhere(client: httpx.AsyncClient) -> None:
    """Ask for everything that shows one of the rows."""
    of_stations = ("/stations/{}", "/api/v1/stations/{}", "/api/v1/stations/{}/timeline", "/closures?station={}")
    paths = [path.format(station) for path in of_stations for station in STATIONS]
    paths += [f"/closures/{number}" for number in range(1, 7)]
    for path in (*paths, "/", "/stations", "/closures", "/api/v1/closures", "/api/v1/stations", "/metrics"):
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)


@pytest.fixture
async def rows(pool: Pool) -> Pool:
    await write_rows(pool)
    return pool


async def test_no_row_stops_the_incident_process(rows: Pool, database: str, tmp_path: Path) -> None:
    service = IncidentsConfig(database_url=database, poll=0.05)
    async with judging(rows, ONE), running(run_incidents, service):
        await until(rows, "SELECT count(*) FROM incident WHERE key = 'station_offline:good'", 1)
        async with serving(config(database, tmp_path)) as (client, _):
            await look_everywhere(client)
            found = (await client.get("/api/v1/pipeline")).json()["set_aside"]
            metrics = (await client.get("/metrics")).text
    named = {(each["kind"], each["subject"]) for each in found if each["service"] == "incidents"}
    closures = {str(place) for place, (_, _, kind) in enumerate(ROWS.values(), 1) if kind == "closure"}
    stations = {station for station, name in STATIONS.items() if ROWS[name][2] == "commissioned"}
    expected = {*(("closure", one) for one in closures), *(("commissioned", one) for one in stations)}
    assert {one for one in named if one[0] != "calendar"} == expected
    assert 'milepost_set_aside{service="incidents"}' in metrics


# Rows that the incident process wrote itself, in a shape that another version of it may have.
_INCIDENT = (
    "WITH i AS (INSERT INTO incident (kind, key, station, status, began_at, opened_at, detail) "
    "VALUES ({kind}, {kind} || ':x', {station}, 'open', {began}, now(), {detail}) RETURNING id, key, began_at) {more}"
)
_CAUSE = "INSERT INTO cause_memory (key, began_at, memory) SELECT key, began_at, '{\"shape\": 7}' FROM i"
OWN: dict[str, tuple[dict[str, str], tuple[str, str] | None]] = {
    "a cause of another shape": ({"kind": "'area_outage'", "more": _CAUSE}, ("outage", "1")),
    "a storm of another shape": (
        {"kind": "'health'", "station": "NULL", "detail": "'{\"rule\": 7}'"},
        ("part", "health"),
    ),
    "a blind spot of another shape": ({"kind": "'blind_spot'", "detail": "'{\"kind\": [1]}'"}, None),
}


@pytest.mark.parametrize("name", OWN)
async def test_what_it_wrote_itself_stops_no_more_than_a_part_of_it(pool: Pool, database: str, name: str) -> None:
    for station in ("odd", "good"):
        await add_station(pool, station)
        await write_transition(pool, station, "online", "offline", at=ago(30))
    values, thing = OWN[name]
    usual = {"station": "'odd'", "began": "now()", "detail": "'{}'", "more": "SELECT id FROM i"}
    await pool.execute(_INCIDENT.format(**usual | values))
    service = IncidentsConfig(database_url=database, poll=0.05)
    async with judging(pool, ONE), running(run_incidents, service):
        await until(pool, "SELECT count(*) FROM incident WHERE key = 'station_offline:good'", 1)
        named = [(row["kind"], row["subject"]) for row in await pool.fetch("SELECT kind, subject FROM set_aside")]
    assert named == ([] if thing is None else [thing])


async def test_no_row_stops_the_calendars_or_an_import(rows: Pool, database: str, tmp_path: Path) -> None:
    async with rows.acquire() as connection:
        await CalendarKeeper().refresh(connection)
        files = {
            "areas": "code,name,parent\n63,青海省,\n",
            "closures": "station,from,until,reason\n" + "".join(f"{one},2026-11-01,2026-11-02,x\n" for one in STATIONS),
            "schedules": "kind,schedule,from\nreading_room,Mo-Fr 09:00-17:00,\n",
            "overrides": "from,until,hours,kind\n2026-12-01,2026-12-02,off,reading_room\n",
            "days": "day,class\n2027-01-01,holiday\n",
        }
        for kind, text in files.items():
            path = tmp_path / f"{kind}.csv"
            path.write_text(text)
            report = await import_file(connection, kind, path, now=now())  # type: ignore[arg-type]
            assert report.applied, report.text
    kept = "SELECT count(*) > 0 FROM calendar_opening o JOIN station s USING (calendar) WHERE s.id = 'good'"
    assert await rows.fetchval(kept)


async def test_the_database_holds_times_where_the_code_does(pool: Pool) -> None:
    times = [EARLIEST, LATEST, EARLIEST - timedelta.resolution, LATEST + timedelta.resolution]
    times += [each.replace(tzinfo=UTC) for each in (datetime.min, datetime.max, datetime(2026, 11, 1))]
    assert [await pool.fetchval("SELECT held($1)", each) for each in times] == [held(each) for each in times]
    assert await pool.fetchval("SELECT held(NULL)") is None
