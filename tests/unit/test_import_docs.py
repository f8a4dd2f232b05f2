"""docs/import.md names every column, and its examples can be imported."""

import re
from pathlib import Path

import pytest

from registry.diff import plan_areas, plan_stations
from registry.rows import COLUMNS, Kind, parse_rows
from registry.sheet import read_sheet

PAGE = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")


def section(kind: Kind) -> str:
    return PAGE.split(f"## {kind.capitalize()}\n")[1].split("\n## ")[0]


def example(kind: Kind) -> bytes:
    found = re.search(r"```csv\n(.*?)```", section(kind), re.DOTALL)
    assert found is not None
    return found[1].encode()


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_column_is_described(kind: Kind) -> None:
    rows = re.findall(r"^\| (`.*?) \| (required)? ?\|", section(kind), re.MULTILINE)
    described = {name: required == "required" for names, required in rows for name in re.findall(r"`(\w+)`", names)}
    assert described == {column.name: column.required for column in COLUMNS[kind]}


def test_examples_can_be_imported() -> None:
    areas = plan_areas(parse_rows(read_sheet(example("areas")), "areas"), {})
    assert areas.bad == []
    known = {area.code for area in areas.new}
    stations = plan_stations(parse_rows(read_sheet(example("stations")), "stations"), {}, known)
    assert stations.bad == []
    assert len(stations.new) == 2


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_row_of_an_example_can_be_read(kind: Kind) -> None:
    rows = parse_rows(read_sheet(example(kind)), kind)
    assert rows.good
    assert rows.bad == []
