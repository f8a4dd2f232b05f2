"""What a stack asks of its database before the services run."""

from pathlib import Path

import asyncpg

from contract.log import LIVE
from milepost import datadir
from store.accounts import put_services_login, services_url
from store.offsets import kept_partitions


async def make_services_login(owner_url: str, directory: Path) -> str:
    """Give the services a login of their own, with the password kept in the data directory; its URL."""
    password = datadir.keep_secret(directory / "services.password")
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        await put_services_login(connection, password)
    finally:
        await connection.close(timeout=5)
    return services_url(owner_url, password)


async def read_partitions(url: str) -> int | None:
    """The number of Kafka partitions that the database was begun with; None when it is new."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await kept_partitions(connection, LIVE)
    finally:
        await connection.close(timeout=5)
