"""Server-sent events: transitions and incidents as they happen."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.context import Context, Shared
from api.hub import Client, TooManyClientsError
from api.problems import Problem

logger = logging.getLogger(__name__)
router = APIRouter(tags=["stream"])

HEARTBEAT: Final = 15.0
_PATIENCE: Final = 20.0


class EventStream(StreamingResponse):
    """The stream of one client of the hub. It ends when nothing is taken from it for a while."""

    media_type = "text/event-stream"

    def __init__(self, context: Context, client: Client) -> None:
        super().__init__(_frames(client), headers={"X-Accel-Buffering": "no"})
        self._context, self._client = context, client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._context.hub.leave(self._client)
            if self._client.dropped:
                self._context.metrics.streams_dropped.inc()

    async def stream_response(self, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        try:
            await super().stream_response(patiently)
        except TimeoutError:
            self._client.dropped = True
            logger.info("an event stream was ended: its client took nothing for %.0f s", _PATIENCE)


async def _frames(client: Client) -> AsyncIterator[bytes]:
    yield b"retry: 3000\n: milepost\n\n"
    while not client.ended:
        try:
            event = await asyncio.wait_for(client.queue.get(), HEARTBEAT)
        except TimeoutError:
            yield b": still here\n\n"
            continue
        if event is not None:
            yield event.frame()


@router.get(
    "/stream",
    response_class=StreamingResponse,
    response_model=None,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(context: Shared, last_event_id: Annotated[str | None, Header(max_length=64)] = None) -> EventStream:
    """Events `transition` and `incident`, each with an id, as they happen; a comment every 15 s.

    Coming back with `Last-Event-ID` gives what was missed, or one event `reset` when that is no longer known: then
    load everything anew. A client that cannot keep up is ended.
    """
    try:
        client = context.hub.join(last_event_id)
    except TooManyClientsError as exc:
        raise Problem(503, str(exc), headers={"Retry-After": "10"}) from exc
    return EventStream(context, client)
