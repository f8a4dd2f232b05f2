"""The demo fleet's files are good imports, and a fleet of any size has who it should."""

import tomllib
from pathlib import Path

import pytest

from agents.simulator import roster
from contract.topics import is_station_id
from registry.codes import county_of
from registry.importing.rows import Kind, parse_rows
from registry.importing.sheets.sheet import read_sheet

ROOT = Path(__file__).resolve().parents[3]


def rows(kind: Kind, path: Path) -> list[dict[str, object]]:
    parsed = parse_rows(read_sheet(path.read_bytes()), kind)
    assert [str(cell) for cell in parsed.bad] == []
    return [row.values for row in parsed.good]


def test_the_files_of_the_demo_are_whole() -> None:
    areas = {str(row["code"]): row for row in rows("areas", roster.AREAS)}
    stations = rows("stations", roster.STATIONS)
    assert {row["parent"] for row in areas.values()} - {None} <= set(areas)
    assert len(stations) == 41
    for station in stations:
        assert station["area"] in areas
        assert station["name"]
        assert station["name_en"]
        assert station["isp"]
        assert station["feeder"]
        assert 35.5 < float(str(station["lat"])) < 37.3
        assert 101.5 < float(str(station["lon"])) < 103.3
    assert sum(1 for row in (*areas.values(), *stations) if row.get("name_bo")) >= 8
    assert all(row["name_en"] for row in areas.values())


def test_an_id_begins_with_its_county_but_for_the_one_that_is_older_than_the_code() -> None:
    odd = [row["id"] for row in rows("stations", roster.STATIONS) if str(row["area"])[:6] != str(row["id"])[:6]]
    assert odd == [roster.OWN_STATION]


@pytest.mark.parametrize("count", [1, 40, 41, 2000, roster.MOST_STATIONS])
def test_a_fleet_has_as_many_stations_as_were_asked_for(count: int) -> None:
    found = [station for station, _ in roster.stations(count)]
    assert len(set(found)) == count
    assert all(is_station_id(station) and county_of(station) for station in found)
    assert roster.OWN_STATION not in found


def test_every_module_of_the_agent_is_held_to_its_import_rule() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (rule,) = [one for one in rules if one["name"] == "The agent runs on its base dependencies"]
    files = [path.relative_to(ROOT) for path in (ROOT / "agents").rglob("*.py") if path.stem != "__init__"]
    modules = {".".join(path.with_suffix("").parts) for path in files if path.parts[1] != "simulator"}
    assert set(rule["source_modules"]) == modules
