"""`milepost audit`: seal the ledger, keep days and figures; `rebuild` compares kept days with their sources."""

import argparse
import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

from contract.errors import RemedyError
from contract.said import Said
from milepost.language import show
from milepost.settings import Settings, require


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """The service, or `arguments.action`; 1 if `rebuild` found differences. Raises RemedyError."""
    if arguments.action == "rebuild":
        return await _rebuild(settings, arguments)
    from audit.days import service as days
    from audit.ledger import service as ledger
    from audit.rollups import service as rollups

    kept = days.DaysConfig(database_url=_database(settings), instance=settings.instance_name)
    await _together(
        ledger.run(_ledger_config(settings), stop),
        days.run(kept, stop),
        rollups.run(_rollup_config(settings), stop),
    )
    return 0


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until they end; the first that fails ends the others."""
    from store.tasks import end_tasks

    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        await end_tasks(*tasks)


def _database(settings: Settings) -> str:
    url = settings.database_url
    return require(
        None if url is None else url.value, "MILEPOST_DATABASE_URL", "postgresql://user:password@host:port/name"
    )


def _rollup_config(settings: Settings) -> Any:
    from audit.rollups.service import RollupConfig

    hourly, daily = settings.hourly_days, settings.daily_days
    days = {
        "health": settings.health_days,
        "usage": settings.usage_days,
        "inventory": settings.inventory_days,
        "event": settings.event_days,
        "presence": settings.presence_days,
        "health_hour": hourly,
        "usage_hour": hourly,
        "health_day": daily,
        "usage_day": daily,
    }
    keep = {kind: timedelta(days=number) for kind, number in days.items()}
    return RollupConfig(database_url=_database(settings), keep=keep, instance=settings.instance_name)


def _ledger_config(settings: Settings) -> Any:
    from alerting.delivery.senders.address_target import sender_config
    from audit.ledger.copies import CopyKind
    from audit.ledger.copy_store import read_places
    from audit.ledger.key_files import read_witnesses
    from audit.ledger.service import AuditConfig

    checkpoint = str(settings.ledger_checkpoint or "")
    copies = () if settings.ledger_copies is None else read_places(settings.ledger_copies)
    gateway = None if settings.mail_gateway is None else settings.mail_gateway.value
    if any(place.kind is CopyKind.MAIL for place in copies):
        require(gateway, "MILEPOST_MAIL_GATEWAY", "smtp://user:password@host:587/?from=milepost@example.org")
    return AuditConfig(
        copies=copies,
        mail=None if gateway is None else sender_config(sms=None, mail=gateway),
        language=settings.language,
        witnesses=() if settings.ledger_witnesses is None else read_witnesses(settings.ledger_witnesses),
        database_url=_database(settings),
        key=Path(require(str(settings.ledger_key or ""), "MILEPOST_LEDGER_KEY", "a file for the key")),
        checkpoint=Path(require(checkpoint, "MILEPOST_LEDGER_CHECKPOINT", "a file outside the database")),
        instance=settings.instance_name,
    )


async def _rebuild(settings: Settings, arguments: argparse.Namespace) -> int:
    from audit.days.keep_store import keep_days
    from audit.days.rebuild_store import differences, uncomputable_until
    from store.migrate import require_current
    from store.pool import open_pool

    if arguments.from_day is None or arguments.to_day is None:
        raise RemedyError(
            "name the days: `milepost audit rebuild --from 2026-11-01 --to 2026-11-30`",
            "请给出日期：`milepost audit rebuild --from 2026-11-01 --to 2026-11-30`",
        )
    count = 0
    async with open_pool(_database(settings), name="rebuild", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        # What came since the last pass of the service would be a difference.
        await keep_days(connection)
        async with connection.transaction(isolation="repeatable_read"):
            before = await uncomputable_until(connection, arguments.from_day)
            if before is not None:
                show(
                    Said(
                        f"days of stations before {before} are not computed again: presence records are deleted",
                        f"{before} 之前的站点日不重算：在场记录已删除",
                    )
                )
            async for found in differences(connection, arguments.from_day, arguments.to_day, arguments.area):
                count += 1
                show(found.said)
    show(Said(f"{count} differences", f"共 {count} 处差异"))
    return 1 if count else 0
