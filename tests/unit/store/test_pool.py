"""Which database errors may pass, and the message about a database that cannot be reached."""

import socket

import asyncpg
import pytest

from contract.errors import RemedyError
from store.pool import describe, may_pass, open_pool


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


async def test_the_message_about_a_silent_server_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of a TimeoutError is empty."""
    monkeypatch.setattr("store.pool.CONNECT_TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/milepost"
        with pytest.raises(RemedyError, match=r"cannot be reached \(TimeoutError\): start it"):
            async with open_pool(url, name="test"):
                pass
