"""The identity of the log. An in-memory Kafka begins a new log, with offsets from 0, at each start."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from broker.client_close import close_client
from contract.errors import RemedyError, reason_of


class LogReplacedError(Exception):
    """The Kafka cluster is another one than at the start: all stored offsets are invalid, start again."""


@asynccontextmanager
async def open_admin(servers: str, *, wait: float = 10) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client. Raises RemedyError when no broker answers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=int(wait * 1000))
    try:
        try:
            await asyncio.wait_for(admin.start(), wait)
        except (KafkaError, TimeoutError, OSError) as exc:
            raise RemedyError(
                f"Kafka at {servers} cannot be reached ({reason_of(exc)}): start it, or correct MILEPOST_KAFKA_SERVERS",
                f"无法连接 {servers} 的 Kafka（{reason_of(exc)}）：请启动它，或改正 MILEPOST_KAFKA_SERVERS",
            ) from exc
        yield admin
    finally:
        await close_client(admin.close())


async def read_identity(admin: AIOKafkaAdminClient) -> str:
    """The cluster id."""
    return str((await admin.describe_cluster())["cluster_id"])


async def watch_identity(identity: str, read: Callable[[], Awaitable[str]], *, interval: float = 4.0) -> None:
    """Run until the cluster is another one, then raise LogReplacedError. An unreachable cluster is no other cluster."""
    while True:
        await asyncio.sleep(interval)
        try:
            found = await read()
        except (KafkaError, OSError, TimeoutError):
            continue
        if found != identity:
            raise LogReplacedError(f"the Kafka cluster was {identity} and is now {found}")
