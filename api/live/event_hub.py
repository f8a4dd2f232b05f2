"""Transitions and incidents as they happen, from one dedicated connection to every open stream.

NOTIFY only wakes the hub; what happened is read from the tables behind a cursor per partition, so that nothing is
missed when the connection breaks. Each client has a bounded queue: one that cannot keep up is dropped and, coming
back with its Last-Event-ID, gets the events that it missed from a bounded memory, or an event `reset`: load all anew.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg
import msgspec

from access.scope import WHOLE, AreaScope
from api.live.events import Share, incident_event, places_of, share_event, transition_event
from contract.errors import reason_of
from store.keepalive import KeepaliveConnection, keepalive_settings
from store.pool import CONNECT_TIMEOUT, UNREACHABLE, Connection
from store.sql import queries_beside
from store.tasks import Backoff, wait_at_most

logger = logging.getLogger(__name__)
QUERIES = queries_beside(__file__)

CHANNELS: Final = ("milepost_transition", "milepost_incident")
QUEUE: Final = 1000
REMEMBERED: Final = 5000
MOST_CLIENTS: Final = 200
AT_ONCE: Final = 50
"""Events that are sent to all clients before the event loop gets a turn: some milliseconds."""
_BATCH: Final = 500
_LOOK_BACK: Final = 200
_POLL: Final = 5.0
_QUERY: Final = 10.0
_SHORTEST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 5.0


class StreamEvent(msgspec.Struct, frozen=True):
    """One server-sent event: `data` is JSON without line breaks. `places`: codes of the areas in which it lies; without
    any, only the whole gets it; None: every scope. `shared`: what is sent where only a share of it lies."""

    id: str
    name: str
    data: bytes
    places: tuple[str, ...] | None = None
    shared: "StreamEvent | None" = None

    def within(self, scope: AreaScope) -> "StreamEvent | None":
        """What a client of a scope gets: the event, what it is for a share in the scope, or nothing."""
        if self.places is None or scope.covers(self.places):
            return self
        return None if self.shared is None else self.shared.within(scope)

    def frame(self) -> bytes:
        """The event as it is sent."""
        return b"id: %s\nevent: %s\ndata: %s\n\n" % (self.id.encode(), self.name.encode(), self.data)


class Client:
    """One open stream: the events of its scope wait in a bounded queue; None ends it."""

    def __init__(self, scope: AreaScope) -> None:
        self._scope = scope
        self.queue: asyncio.Queue[StreamEvent | None] = asyncio.Queue(QUEUE)
        self.ended = False
        self.dropped = False

    def put(self, event: StreamEvent) -> None:
        """Queue an event as far as it lies in the scope; a client whose queue is full is ended."""
        seen = event.within(self._scope)
        if seen is None:
            return
        try:
            self.queue.put_nowait(seen)
        except asyncio.QueueFull:
            self.dropped = True
            self.end()

    def end(self) -> None:
        """End the stream after what is queued."""
        self.ended = True
        with suppress(asyncio.QueueFull):
            self.queue.put_nowait(None)


class TooManyClientsError(Exception):
    """As many streams are open as the server keeps."""


class EventHub:
    """Reads the database and hands events to the clients; `run` it as a task."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._epoch = secrets.token_hex(4)
        self._count = 0
        self._clients: set[Client] = set()
        self._memory: deque[StreamEvent] = deque(maxlen=REMEMBERED)
        self._heads: dict[int, int] | None = None
        self._entry = 0
        self._entries_had: set[int] = set()
        self._backoff = Backoff(first=_SHORTEST_WAIT, longest=_LONGEST_WAIT, spread=True)
        self._woken = asyncio.Event()
        self.closed = False
        self.listening = asyncio.Event()
        self.over = asyncio.Event()

    # -- clients -----------------------------------------------------------------------------------------------

    def join(self, last_event_id: str | None, scope: AreaScope) -> Client:
        """A client that gets every event of its scope from now on, preceded by those it missed since `last_event_id`.

        It must `leave` in the end. Raises TooManyClientsError.
        """
        if self.closed or len(self._clients) >= MOST_CLIENTS:
            raise TooManyClientsError("no more event streams are served now")
        client = Client(scope)
        for event in self._missed(last_event_id):
            client.put(event)
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        """Forget a client; it gets nothing more."""
        self._clients.discard(client)

    @property
    def clients(self) -> int:
        """Number of open streams."""
        return len(self._clients)

    def _missed(self, last_event_id: str | None) -> list[StreamEvent]:
        if last_event_id is None or last_event_id == self._id():
            return []
        events = list(self._memory)
        for place, event in enumerate(events):
            if event.id == last_event_id and len(events) - place <= QUEUE:
                return events[place + 1 :]
        return [StreamEvent(self._id(), "reset", b"{}")]

    def _id(self) -> str:
        return f"{self._epoch}-{self._count}"

    def _publish_row(self, name: str, write: Callable[[asyncpg.Record], bytes], row: asyncpg.Record) -> None:
        try:
            self.publish(name, write(row), places_of(row), share_event(row) if name == "incident" else None)
        except Exception:
            logger.exception("a row makes no event: the stream goes on without it")

    def publish(
        self,
        name: str,
        data: bytes,
        places: tuple[str, ...] | None,
        share: Share | None = None,
    ) -> None:
        """Send an event to every client whose scope has one of the places, and remember it for those that come back.
        `share`: what the others get whose scope has a share of it, and the places of the shares."""
        self._count += 1
        shared = None if share is None else StreamEvent(self._id(), name, *share)
        event = StreamEvent(self._id(), name, data, places, shared)
        self._memory.append(event)
        for client in list(self._clients):
            client.put(event)

    def close(self) -> None:
        """End every stream now and take no new ones."""
        self.closed = True
        for client in list(self._clients):
            client.end()

    # -- the database ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Listen until cancelled; a database that is away is waited for. Sets `over` at the end, whatever ended it."""
        try:
            await self._listen_for_ever()
        finally:
            self.over.set()
            self.close()

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except (*UNREACHABLE, asyncpg.InternalClientError) as exc:
                logger.warning("the event stream lost the database (%s): trying again", reason_of(exc))
            except Exception:
                logger.exception("the event stream cannot go on: trying again")
            self.listening.clear()
            await self._backoff.pause()

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=CONNECT_TIMEOUT,
            connection_class=KeepaliveConnection,
            server_settings={
                "application_name": "milepost api stream",
                "milepost.scope": WHOLE.setting,
                **keepalive_settings(),
            },
        )
        try:
            await connection.set_type_codec(
                "jsonb", encoder=str, decoder=msgspec.json.decode, schema="pg_catalog", format="text"
            )
            for channel in CHANNELS:
                await connection.add_listener(channel, self._wake)
            connection.add_termination_listener(lambda _: self._woken.set())
            await self._find_heads(connection)
            self.listening.set()
            self._backoff.reset()
            while not connection.is_closed():
                self._woken.clear()
                await self._read_all(connection)
                await wait_at_most(self._woken, _POLL)
        finally:
            connection.terminate()

    def _wake(self, *_: Any) -> None:
        self._woken.set()

    async def _find_heads(self, connection: Connection) -> None:
        """Begin at what is there now; after a break go on where it broke."""
        if self._heads is None:
            self._entry = await connection.fetchval(QUERIES.newest_entry, timeout=_QUERY)
            self._note_entries(await self._recent_entries(connection))
            self._heads = await self._transition_heads(connection)

    async def _read_all(self, connection: Connection) -> None:
        more = True
        while more:
            transitions = await self._read_transitions(connection)
            more = await self._read_entries(connection) or transitions

    async def _transition_heads(self, connection: Connection) -> dict[int, int]:
        rows = await connection.fetch(QUERIES.transition_heads, timeout=_QUERY)
        return {row["partition"]: row["seq"] for row in rows}

    async def _read_transitions(self, connection: Connection) -> bool:
        """Publish the next transitions; True when there may be more."""
        heads = self._heads = self._heads or {}
        rows = await connection.fetch(
            QUERIES.transitions_after, list(heads), list(heads.values()), _BATCH, timeout=_QUERY
        )
        async for row in _in_turns(rows):
            heads[row["partition"]] = max(heads[row["partition"]], row["seq"])
            self._publish_row("transition", transition_event, row)
        return bool(rows) or await self._new_partitions(connection, heads)

    async def _new_partitions(self, connection: Connection, heads: dict[int, int]) -> bool:
        """Partitions that had no clock when the hub began: everything in them is new."""
        found = set(await self._transition_heads(connection)) - set(heads)
        heads.update(dict.fromkeys(found, 0))
        return bool(found)

    async def _read_entries(self, connection: Connection) -> bool:
        """Publish what happened to incidents since; True when there may be more."""
        new = [row for row in await self._recent_entries(connection) if row["entry"] not in self._entries_had]
        async for row in _in_turns(new):
            self._publish_row("incident", incident_event, row)
        self._note_entries(new)
        return bool(new)

    async def _recent_entries(self, connection: Connection) -> list[asyncpg.Record]:
        return await connection.fetch(QUERIES.entries_after, self._entry - _LOOK_BACK, _BATCH, timeout=_QUERY)

    def _note_entries(self, rows: list[asyncpg.Record]) -> None:
        self._entries_had.update(row["entry"] for row in rows)
        self._entry = max(self._entries_had, default=self._entry)
        self._entries_had = {number for number in self._entries_had if number > self._entry - _LOOK_BACK}


async def _in_turns(rows: Sequence[asyncpg.Record]) -> AsyncIterator[asyncpg.Record]:
    """Rows for all clients, thousands after an outage of a province: other tasks run between them."""
    for place, row in enumerate(rows, 1):
        yield row
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
