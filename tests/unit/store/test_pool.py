"""Which database errors are worth another try."""

import asyncpg
import pytest

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
