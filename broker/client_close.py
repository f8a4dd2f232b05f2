"""Closes clients of Kafka in bounded time."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from store.tasks import end_tasks

log = logging.getLogger(__name__)


async def close_client(closing: Coroutine[Any, Any, object], *, seconds: float = 5.0) -> None:
    """Close a client of aiokafka; after `seconds` it is given up. Its errors are logged, not raised.

    The client closes in a task of its own: its `stop` may raise the CancelledError of one of aiokafka's own tasks,
    which the caller would take for its own cancellation. Such a task counts as closed and is not logged.
    """
    task = asyncio.create_task(closing, name="close a Kafka client")
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        in_time = task.done()
        await end_tasks(task)
    if not in_time:
        log.warning("a Kafka client did not close in time", extra={"seconds": seconds})
    elif not task.cancelled() and (why := task.exception()) is not None:
        log.warning("a Kafka client did not close in order", extra={"error": repr(why)})
