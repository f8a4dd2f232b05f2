"""`milepost export`: entries of the registry as a file for `milepost import`."""

import argparse
import asyncio
from pathlib import Path

from contract.errors import RemedyError
from contract.said import Said
from milepost.commands.account_database import required_url
from milepost.language import show
from milepost.settings import Settings
from registry.importing.export_store import export_file
from store.migrate import require_current
from store.pool import open_pool


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Write a new file. Raises RemedyError."""
    path: Path = arguments.file
    async with (
        open_pool(required_url(settings.database_url), name="export", size=1) as pool,
        pool.acquire() as connection,
    ):
        await require_current(connection)
        text = await export_file(connection, arguments.what)
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError as exc:
        raise RemedyError(
            f"{path} exists already: name another file, or delete this one",
            f"{path} 已存在：请指定其他文件，或先删除它",
        ) from exc
    except OSError as exc:
        raise RemedyError(
            f"{path} cannot be written ({exc.strerror}): name another file",
            f"无法写入 {path}（{exc.strerror}）：请指定其他文件",
        ) from exc
    show(Said(f"wrote {path}", f"已写入 {path}"))
