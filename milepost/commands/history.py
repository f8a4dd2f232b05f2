"""`milepost history`: fill a new database with made-up history, for demonstrations."""

import argparse
import asyncio
import gc
import re
import time
from datetime import UTC, datetime
from typing import Final

from agents.simulator.roster import MOST_STATIONS
from contract.errors import RemedyError
from contract.said import Said
from milepost.commands.account_database import required_url
from milepost.commands.backup import finish_unless_stopped
from milepost.history.make import make_history
from milepost.language import show
from milepost.numbers import require_between
from milepost.settings import PARTITIONS, Settings
from store.migrate import require_current
from store.pool import open_pool

LEAST_DAYS: Final = 2
MOST_DAYS: Final = 180
_EVERY: Final = 10
"""Days between two lines of progress."""
_GARBAGE_EVERY: Final = 20_000
"""New objects between two searches for garbage."""
_DAYS: Final = re.compile(r"([0-9]{1,4})d?")


def days_of(given: str) -> int:
    """The number of days of `90d` or `90`. Raises RemedyError."""
    found = _DAYS.fullmatch(given.strip())
    if found is None:
        raise RemedyError(
            f"{given[:20]!r} is no number of days: write it as 90d", f"“{given[:20]}”不是天数：请按 90d 的格式填写"
        )
    require_between("days", int(found[1]), LEAST_DAYS, MOST_DAYS)
    return int(found[1])


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Make the history. Returns 130 when the command is stopped. Raises RemedyError."""
    return await finish_unless_stopped(stop, _make(settings, arguments))


async def _make(settings: Settings, arguments: argparse.Namespace) -> None:
    days, began = days_of(arguments.days), time.monotonic()
    require_between("--stations", arguments.stations, 1, MOST_STATIONS)
    url = required_url(settings.database_url)
    async with (
        open_pool(url, name="history", size=2) as pool,
        pool.acquire() as connection,
        pool.acquire() as beside,
    ):
        await require_current(connection)
        _look_for_garbage_rarely()
        made = await make_history(
            connection,
            beside,
            stations=arguments.stations,
            days=days,
            seed=arguments.seed,
            now=datetime.now(UTC),
            shard=settings.shard,
            partitions=settings.partitions or PARTITIONS,
            progress=lambda day: _show_progress(day, days),
        )
    took = f"{time.monotonic() - began:.1f}"
    show(
        Said(
            f"made up {made.days:,} days of stations, {made.incidents:,} incidents and {made.records:,} records in "
            f"{took} s",
            f"已生成虚构数据：{made.days:,} 个站日、{made.incidents:,} 起故障、{made.records:,} 条记录，用时 {took} 秒",
        )
    )


def _look_for_garbage_rarely() -> None:
    """Make a tenth of the time free: nearly all objects of a history go without a search."""
    gc.freeze()
    gc.set_threshold(_GARBAGE_EVERY, 50, 100)


def _show_progress(day: int, days: int) -> None:
    if day and day % _EVERY == 0:
        show(Said(f"day {day} of {days} …", f"第 {day} 天，共 {days} 天……"))
