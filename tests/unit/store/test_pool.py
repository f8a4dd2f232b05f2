"""Which database errors are worth another try, and ending what uses a database."""

import asyncio

import asyncpg
import pytest

from store import pool
from store.pool import describe, may_pass


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (ConnectionResetError(), True),
        (asyncpg.ConnectionDoesNotExistError("the server was killed"), True),
        (asyncpg.CannotConnectNowError("it is starting"), True),
        (asyncpg.DiskFullError("no space"), True),
        (asyncpg.SerializationError("another claim came first"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.UniqueViolationError("written twice"), False),
        (asyncpg.UndefinedTableError("not migrated"), False),
        (asyncpg.exceptions._base.DataError("an argument that does not fit"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_may_pass(error: Exception, passes: bool) -> None:
    assert may_pass(error) is passes


def test_a_database_is_named_without_its_password() -> None:
    assert describe("postgresql://user:secret@db.example:5433/milepost") == "db.example:5433/milepost"


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_PATIENCE", 0.01)
    heard = 0

    async def deaf() -> None:
        nonlocal heard
        while heard < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                heard += 1

    async def failed() -> None:
        raise OSError("away")

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(failed()), asyncio.create_task(asyncio.sleep(3600))]
    await asyncio.sleep(0)
    await pool.end(*tasks)
    assert heard == 3
    assert [task.cancelled() for task in tasks] == [False, False, True]
