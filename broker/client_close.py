"""Closing what talks to Kafka, in bounded time and whatever comes of it."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from store.tasks import end_tasks

log = logging.getLogger(__name__)


async def close_client(closing: Coroutine[Any, Any, object], *, seconds: float = 5.0) -> None:
    """Let a client of aiokafka close; after `seconds` it is given up. Raises nothing of what it raises.

    It closes in a task of its own: the cancellation of one of aiokafka's own tasks comes out of its `stop`, and would
    pass for a cancellation of whoever waits for it. Such a task counts as neither failed nor done, and is missed by
    nobody.
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
