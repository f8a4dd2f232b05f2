"""Compares kept days with an oracle that checks every second. The stations have every kind of event, and the events
arrive late and in pieces.

`python -m tests.instrument.uptime_year` does the same for 1,000 stations and a year (docs/benchmarks.md).
"""

from store.pool import Pool
from tests.instrument.uptime_oracle import oracle_days
from tests.instrument.uptime_truth import make_truth
from tests.instrument.uptime_year import differing, rebuilt


async def test_kept_days_are_those_of_an_oracle_that_walks_every_second(pool: Pool) -> None:
    truth = make_truth(stations=10, days=40, seed=7)
    assert await differing(pool, truth, seed=7) == []
    assert await rebuilt(pool) == []
    assert await pool.fetchval("SELECT count(*) FROM day_figure WHERE revision > 1") > 0, "some of it came late"


def test_the_truth_has_every_figure() -> None:
    """So the comparison means something: each figure is of some days and not of others."""
    truth = make_truth(stations=10, days=40, seed=7)
    days = [day for station in truth.stations for day in oracle_days(truth, station)]
    for figure in zip(*days, strict=True):
        assert 0 < sum(1 for ms in figure if ms) < len(days)
    assert any(day[0] > day[3] > 0 for day in days)
