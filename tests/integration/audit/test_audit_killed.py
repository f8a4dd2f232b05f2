"""`milepost audit` is killed with -9 after any statement; days and the log are those of a process that was not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from audit.days.sealed.figure_export_store import WantedFigures
from audit.ledger import key_files
from audit.ledger.export_files import verify_export
from audit.ledger.export_store import export_log
from audit.ledger.verify import Trust
from store.pool import Pool, open_pool
from tests.integration.audit.days.day_world import FIRST, DayWorld
from tests.integration.audit.days.test_any_batches import LAST, latest
from tests.integration.audit.days.test_any_order import STATIONS, Happening, happenings, second
from tests.integration.audit.killed_driver import DriverConfig, run_until_killed
from tests.integration.audit.ledger_world import config, seal_all

__all__ = ["second"]

KILLS = 16


async def begin(world: DayWorld) -> Iterator[Happening]:
    """Register three stations that are online; what is told of them later."""
    await world.register(STATIONS)
    for station in STATIONS:
        await world.judge(station, 1, "online", usable=True)
    told = happenings(3)
    Random(3).shuffle(told)
    return iter(told)


@pytest.mark.timeout(300)
async def test_killed_after_any_statement(pool: Pool, database: str, second: str, tmp_path: Path) -> None:
    world, dice, last = DayWorld(pool), Random(1), set()
    told = await begin(world)
    for kill in range(KILLS):
        for each in (next(told, None), next(told, None)):
            if each is not None:
                await each(world)
        await world.clock(130 * kill / KILLS)
        driver = DriverConfig(database_url=database, folder=str(tmp_path), statements=dice.randrange(8, 60))
        last.add(await asyncio.to_thread(run_until_killed, driver))
    assert len(last) >= KILLS // 2, "they are killed at different steps"
    for each in told:
        await each(world)
    await world.keep(130)
    await seal_all(pool, config(database, tmp_path))

    async with open_pool(second, name="test", size=1) as other:
        lived = DayWorld(other)
        for each in await begin(lived):
            await each(lived)
        await lived.keep(130)
        assert await latest(pool) == await latest(other)
    assert await world.wrong() == []
    async with pool.acquire() as connection:
        await export_log(connection, tmp_path / "export", WantedFigures(first=FIRST, last=LAST))
    verdict = verify_export(tmp_path / "export", Trust(key=key_files.read_key(tmp_path / "key").verifier))
    assert not verdict.findings and verdict.figures is not None
    assert verdict.figures.computed == 5 * len(STATIONS)
