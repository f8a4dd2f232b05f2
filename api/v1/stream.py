"""Server-sent events: transitions and incidents as they happen."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Annotated, Final

import asyncpg
from fastapi import APIRouter, Header, Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.actions.people import acting
from api.context import Context, Shared
from api.http.identity.tries import TOO_MANY
from api.http.problems import DatabaseAwayError, Problem
from api.live.event_hub import Client, TooManyClientsError

logger = logging.getLogger(__name__)
router = APIRouter(tags=["stream"])

HEARTBEAT: Final = 15.0
_PATIENCE: Final = 20.0
_LOOK_AGAIN: Final = 1.0
"""Seconds for which an admission is not checked again, because events come by hundreds."""


class EventStream(StreamingResponse):
    """The stream of one client of the hub. It ends when the client takes nothing for a while."""

    media_type = "text/event-stream"

    def __init__(self, context: Context, client: Client, admission: "Admission") -> None:
        super().__init__(_frames(client, admission), headers={"X-Accel-Buffering": "no"})
        self._context, self._client = context, client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._context.hub.leave(self._client)
            if self._client.dropped:
                self._context.metrics.streams_dropped.inc()

    async def stream_response(self, send: Send) -> None:
        """Send until the stream ends, or until the client takes nothing for too long."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        try:
            await super().stream_response(patiently)
        except TimeoutError:
            self._client.dropped = True
            logger.info("an event stream was ended: its client took nothing for %.0f s", _PATIENCE)


class Admission:
    """Whether the client of a stream would still be admitted: a stream may last longer than a session or a token."""

    def __init__(self, context: Context, scope: Scope) -> None:
        self._identity, self._scope, self._looked_at = context.identity, scope, time.monotonic()
        self._actor = context.actor

    async def holds(self) -> bool:
        """Whether the client would be admitted now, with the rights that it began with."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_AGAIN:
            return True
        self._looked_at = now
        try:
            return (await self._identity.find(self._scope)).actor == self._actor
        except Problem as exc:
            return exc.status == TOO_MANY
        except (DatabaseAwayError, asyncpg.PostgresError):
            return True  # without the database there are no events either


async def _frames(client: Client, admission: Admission) -> AsyncIterator[bytes]:
    yield b"retry: 3000\n: milepost\n\n"
    while not client.ended:
        frame = await _next_frame(client)
        if not await admission.holds():
            return
        yield frame


async def _next_frame(client: Client) -> bytes:
    try:
        event = await asyncio.wait_for(client.queue.get(), HEARTBEAT)
    except TimeoutError:
        return b": still here\n\n"
    return b"" if event is None else event.frame()


@router.get(
    "/stream",
    response_class=StreamingResponse,
    response_model=None,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(
    request: Request,
    context: Shared,
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="the id of the last event that came, to go on behind it")
    ] = None,
) -> EventStream:
    """Events `transition` and `incident`, each with an id, as they happen; a comment every 15 s.

    Coming back with `Last-Event-ID` gives what was missed, or one event `reset` when that is no longer known: then
    load everything anew. A client that cannot keep up is ended, and so is one whose session or token is
    over.
    """
    try:
        client = context.hub.join(last_event_id, acting(context).scope)
    except TooManyClientsError as exc:
        raise Problem(503, str(exc), headers={"Retry-After": "10"}) from exc
    return EventStream(context, client, Admission(context, request.scope))
