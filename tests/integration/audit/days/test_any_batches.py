"""Hypothesis: any order of arrival of the same things, cut into any batches, with restarts and repeated messages.

The latest figures are the same bytes, and each revision is what the sources and the facts up to its cut gave then.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from itertools import count
from random import Random

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.days.compute_store import compute
from audit.days.day_store import QUERIES
from audit.days.figures import Figures
from store.pool import Pool, open_pool
from tests.conftest import database_url
from tests.integration.audit.days.day_world import FIRST, DayWorld
from tests.integration.audit.days.test_any_order import STATIONS, happenings

FIGURES = ", ".join(Figures.__struct_fields__)
_LATEST = f"SELECT station, day, path, {FIGURES} FROM station_day WHERE cardinality(path) > 0 ORDER BY 1, 2"  # noqa: S608
_AREAS = f"SELECT day, path, {FIGURES} FROM area_day WHERE scheduled_ms > 0 ORDER BY 1, 2"  # noqa: S608
_REVISED = f"SELECT station, day, {FIGURES} FROM day_figure WHERE cut = $1 AND recorded_at >= $2"  # noqa: S608
JUDGED = (("a", 1, "online"), ("b", 1, "online"), ("a", 30, "offline"), ("b", 60, "away"), ("a", 75, "online"))
LAST = FIRST + timedelta(days=4)


async def told(database: str, order: int, batches: Sequence[int]) -> bytes:
    """A hash of the latest figures after all events arrived in an order, in batches of these sizes, then the rest. Each
    batch comes through new connections, and some messages come twice."""
    dice = Random(order)
    waiting = happenings(5)
    waiting += dice.sample([each for each in waiting if _is_message(each)], 3)
    dice.shuffle(waiting)
    hours = sorted(dice.randrange(0, 130) for _ in batches)
    steps = [*zip(batches, hours, strict=True), (len(waiting), 130.0)]
    async with open_pool(database, name="test", size=1) as pool:
        world = DayWorld(pool)
        await world.register(STATIONS)
        for number, (station, since, state) in enumerate(JUDGED):
            await world.judge(station, since, state, usable=True if number % 2 else None)
    for size, clock in steps:
        async with open_pool(database, name="test", size=1) as pool:
            world.pool = pool
            for _ in range(min(size, len(waiting))):
                await waiting.pop()(world)
            began = await pool.fetchval("SELECT clock_timestamp()")
            await world.keep(clock)
            await _require_reproducible(pool, began)
    async with open_pool(database, name="test", size=1) as pool:
        world.pool = pool
        assert await world.wrong() == []
        return hashlib.sha256(repr(await latest(pool)).encode()).digest()


async def latest(pool: Pool) -> list[tuple[object, ...]]:
    """The latest figures of stations and of areas."""
    return [tuple(row.values()) for query in (_LATEST, _AREAS) for row in await pool.fetch(query)]


def _is_message(each: Callable[[DayWorld], Awaitable[None]]) -> bool:
    return "ran" in each.__code__.co_names


async def _require_reproducible(pool: Pool, began: object) -> None:
    """What was written since `began` follows from the sources and the facts up to the cut that it names."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        state = await connection.fetchrow(QUERIES.lock_state)
        if state is None or state["last_day"] < state["first_day"]:
            return
        rows = await connection.fetch(_REVISED, state["cut"], began)
        wanted = dict.fromkeys({row["station"] for row in rows}, (state["first_day"], state["last_day"]))
        refused: dict[str, Exception] = {}
        fresh: dict[tuple[str, date], Figures] = {}
        async for each in compute(connection, wanted, state["cut"], refused.__setitem__):
            fresh.update({(day.station, day.day): day.figures for day in each.figures})
        newest = {(row["station"], row["day"]): Figures(**dict(list(row.items())[2:])) for row in rows}
        assert {key: fresh[key] for key in newest} == newest
        assert refused == {}


_numbers = count(1)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.integers(0, 2**32), batches=st.lists(st.integers(0, 6), max_size=4))
def test_any_order_in_any_batches_gives_the_same_bytes(
    postgres_server: str, template: str, order: int, batches: list[int]
) -> None:
    async def both() -> tuple[bytes, bytes]:
        return await apart(0, []), await apart(order, batches)

    async def apart(order: int, batches: Sequence[int]) -> bytes:
        name = f"batches_{next(_numbers)}"
        admin = await asyncpg.connect(postgres_server)
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            return await told(database_url(postgres_server, name), order, batches)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            await admin.close()

    one, other = asyncio.run(both())
    assert one == other
