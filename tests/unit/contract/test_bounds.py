"""The bounds of times, at every column of an import file that takes one."""

from datetime import UTC, datetime, timedelta

import pytest

from contract.bounds import EARLIEST, FIRST_DAY, LAST_DAY, LATEST, OutOfBoundsError, held, require_day, require_time
from registry.importing import cells, columns
from registry.importing.rows import COLUMNS

_READERS = {cells.day: "a day", cells.moment: "a time", cells.end: "an end"}
TIMES = [
    pytest.param(column, id=f"{kind}.{column.name}: {_READERS[column.read]}")
    for kind, table in COLUMNS.items()
    for column in table
    if column.read in _READERS
]
EDGES = ("0001-01-01", "0001-01-03", "1899-12-30", "2200-01-02", "9999-12-30", "9999-12-31")


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("column", TIMES)
def test_a_column_refuses_what_lies_outside(column: columns.Column, edge: str) -> None:
    with pytest.raises(ValueError, match=r"lies outside|is not a date"):
        column.read(edge)


@pytest.mark.parametrize("column", TIMES)
def test_a_column_takes_what_lies_inside(column: columns.Column) -> None:
    for day in (FIRST_DAY + timedelta(days=1), LAST_DAY):
        assert column.read(day.isoformat())


def test_an_end_may_be_the_last_day() -> None:
    assert cells.end("2199-12-31") <= LATEST


@pytest.mark.parametrize("at", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_what_lies_outside_is_named_and_held(at: datetime) -> None:
    with pytest.raises(OutOfBoundsError, match=f"^{at.year:04d}-"):
        require_time(at)
    with pytest.raises(OutOfBoundsError, match="lies outside 1900-01-01 to 2199-12-31"):
        require_day(at.date())
    assert held(at) in (EARLIEST, LATEST)
    assert require_time(held(at)) == held(at)
