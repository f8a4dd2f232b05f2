"""The same things in any order, between any passes: the latest figures are the same, and equal to their sources."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from store.pool import open_pool
from tests.conftest import database_url
from tests.integration.audit.days.day_world import DayWorld

STATIONS = ("a", "b", "c")
Happening = Callable[[DayWorld], Awaitable[None]]


def happenings(seed: int) -> list[Happening]:
    """What is told of three stations and four days: presence, closures, gaps, moves, hours."""
    dice = random.Random(seed)

    def some() -> tuple[str, float, float]:
        begin = dice.randrange(0, 90)
        return dice.choice(STATIONS), begin, begin + dice.randrange(1, 30)

    made: list[Happening] = []
    for _ in range(4):
        station, begin, end = some()
        made.append(lambda world, s=station, b=begin, e=end: world.ran(s, b, e, usable=e % 2 == 0))  # type: ignore[misc]
        station, begin, end = some()
        made.append(lambda world, s=station, b=begin, e=end: world.closure(s, b, e))  # type: ignore[misc]
    for _ in range(2):
        station, begin, end = some()
        made.append(lambda world, b=begin, e=end: world.gap(b, b + (e - b) / 10))  # type: ignore[misc]
    station, begin, _ = some()
    made.append(lambda world, s=station, b=begin: world.move(s, "632123", b))  # type: ignore[misc]
    made.append(lambda world, s=station, b=begin: world.retire(s, b + 40))  # type: ignore[misc]
    return made


async def told(database: str, seed: int, order: int) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """The latest figures of stations and areas, after everything was told in an order that `order` decides."""
    dice = random.Random(order)
    waiting = happenings(seed)
    dice.shuffle(waiting)
    async with open_pool(database, name="test", size=2) as pool:
        world = DayWorld(pool)
        await world.register(STATIONS)
        for number, (station, hours, state) in enumerate(
            [("a", 1, "online"), ("b", 1, "online"), ("a", 30, "offline"), ("b", 60, "away"), ("a", 75, "online")]
        ):
            await world.judge(station, hours, state, usable=True if number % 2 else None)
        passes = sorted(dice.randrange(0, 130) for _ in range(4))
        for hours in [*passes, 130]:
            for _ in range(dice.randrange(0, 5)):
                if waiting:
                    await waiting.pop()(world)
            await world.keep(hours)
        for each in waiting:
            await each(world)
        await world.keep()
        assert await world.wrong() == []
        columns = "scheduled_ms, excused_ms, unknown_ms, online_ms, service_due_ms, usable_ms"
        days = await pool.fetch(f"SELECT station, day, path, {columns} FROM station_day ORDER BY 1, 2")  # noqa: S608
        areas = await pool.fetch(f"SELECT day, path, {columns} FROM area_day WHERE scheduled_ms > 0 ORDER BY 1, 2")  # noqa: S608
        return [_plain(row) for row in days if any(row[3:])], [_plain(row) for row in areas]


def _plain(row: object) -> tuple[object, ...]:
    return tuple(tuple(value) if isinstance(value, list) else value for value in row)  # type: ignore[attr-defined]


@pytest.fixture
async def second(postgres_server: str, template: str, database: str) -> AsyncIterator[str]:
    """A further database."""
    name = f"{database.rpartition('/')[2].partition('?')[0]}_second"
    admin = await asyncpg.connect(postgres_server)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield database_url(postgres_server, name)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.mark.parametrize("seed", [1, 2])
async def test_any_order_of_the_same_things_gives_the_same_figures(seed: int, database: str, second: str) -> None:
    one, other = await told(database, seed, 1), await told(second, seed, 2)
    assert one == other
    assert len({row[1] for row in one[0]}) == 5, "so many days are kept"
