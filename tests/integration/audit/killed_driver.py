"""`milepost audit` without its rollups, in a process that kills itself after a number of statements.

The process prints the last statement. Polls are short, so that it always gets that far.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
from asyncpg.connection import Connection, LoggedQuery

from audit.days import service as days
from audit.ledger import service as ledger
from tests.servers import ROOT

POLL: Final = 0.02


class DriverConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`folder`: the key and the checkpoint. `statements`: how many the process lives."""

    database_url: str
    folder: str
    statements: int


def run_until_killed(config: DriverConfig) -> str:
    """Run the process; the statement after which it was killed."""
    command = [sys.executable, "-m", __name__, msgspec.json.encode(config).decode()]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended
    return ended.stdout.decode()


def _kill_after(statements: int) -> None:
    left = statements
    begin = Connection.__init__

    def count(query: LoggedQuery) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.write(1, query.query.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def begin_and_count(self: "Connection[Any]", *given: Any, **named: Any) -> None:
        begin(self, *given, **named)
        self.add_query_logger(count)

    Connection.__init__ = begin_and_count


async def _main(config: DriverConfig) -> None:
    _kill_after(config.statements)
    stop, folder = asyncio.Event(), Path(config.folder)
    sealer = ledger.AuditConfig(
        database_url=config.database_url, key=folder / "key", checkpoint=folder / "checkpoint", poll=POLL, limit=20
    )
    keeper = days.DaysConfig(database_url=config.database_url, poll=POLL)
    async with asyncio.TaskGroup() as group:
        group.create_task(ledger.run(sealer, stop))
        group.create_task(days.run(keeper, stop))


if __name__ == "__main__":
    asyncio.run(_main(msgspec.json.decode(sys.argv[1], type=DriverConfig)))
