"""The API as a service: opens what it needs, serves until `stop` is set, closes everything."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn
from fastapi import FastAPI

from access.scope import WHOLE
from api.app import create_app
from api.config import ApiConfig
from api.console import pages
from api.context import Context
from api.http.database import Database, require_role, with_query_settings
from api.http.guesses import Guesses
from api.http.identity.actors import Identity
from api.http.identity.api_tokens import ApiTokens
from api.http.identity.known_places import KnownPlaces
from api.http.identity.passwords import Passwords
from api.http.metrics import Metrics
from api.http.server import ConnectionBook
from api.http.session import AdminToken
from api.http.sessions import Sessions
from api.http.uploads.bounds import Uploads
from api.http.work import Work
from api.live.event_hub import EventHub
from contract.errors import RemedyError
from store.made_up import load_made_up
from store.migrate import require_current
from store.pool import UNREACHABLE, Pool, open_pool
from store.signs import EVERY, Signs
from store.tasks import end_tasks, wait_at_most

__all__ = ["ApiConfig", "open_app", "run"]

logger = logging.getLogger(__name__)

_POOL = 8
_GRACE = 3
_START = 10
_BACKLOG = 512


async def run(config: ApiConfig, stop: asyncio.Event) -> None:
    """Serve until `stop` is set. Raises RemedyError for what a person must mend at the start."""
    with _listen(config) as listener:
        book = ConnectionBook(config.connections)
        async with open_app(config) as (app, hub):
            pages.compile_templates()
            app.openapi()
            server = _Server(
                uvicorn.Config(
                    app,
                    log_config=None,
                    access_log=False,
                    lifespan="off",
                    server_header=False,
                    proxy_headers=False,  # the app reads them, from trusted proxies only
                    timeout_keep_alive=30,
                    timeout_graceful_shutdown=_GRACE,
                    ws="none",
                    http=book.protocol,
                )
            )
            sweeping = asyncio.create_task(book.sweep(), name="api connections")
            closing = asyncio.create_task(_close_on(stop, server, hub), name="api stop")
            logger.info("serving on %s", config.url)
            try:
                await server.serve(sockets=[listener])
            finally:
                await end_tasks(closing, sweeping)


@asynccontextmanager
async def open_app(config: ApiConfig) -> AsyncIterator[tuple[FastAPI, EventHub]]:
    """The app with its database pool and its event stream running."""
    token = AdminToken(config.admin_token_file)
    token.require()
    await require_role(config.database_url)
    async with open_pool(with_query_settings(config.database_url), name="api", size=_POOL) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
            made_up = await load_made_up(connection)
        hub = EventHub(with_query_settings(config.database_url))
        listening = asyncio.create_task(hub.run(), name="api stream")
        living = asyncio.create_task(_live(pool, config.instance, config.url), name="api signs")
        database = Database(pool)
        # Who sends a request is known before its scope is.
        whole = database.within(WHOLE)
        sessions, guesses = Sessions(whole, token), Guesses(time.monotonic())
        context = Context(
            config=config,
            database=database,
            token=token,
            sessions=sessions,
            guesses=guesses,
            link_guesses=Guesses(time.monotonic()),
            passwords=Passwords(whole, KnownPlaces(token), guesses),
            identity=Identity(token=token, tokens=ApiTokens(whole), sessions=sessions, guesses=guesses),
            hub=hub,
            metrics=Metrics(),
            work=Work(),
            uploads=Uploads(),
            made_up=made_up,
        )
        app = create_app(context)
        try:
            await _first(hub.listening.wait(), listening)
            yield app, hub
        finally:
            hub.close()
            app.state.boards.close()
            context.work.close()
            context.passwords.close()
            await end_tasks(listening, living)
            for task in (listening, living):
                if not task.cancelled():
                    task.result()


async def _live(pool: Pool, instance: str, address: str) -> None:
    """Signs of life, written from the event loop that answers requests; with its address, for links of dashboards."""
    signs = Signs("api", instance)
    while True:
        with suppress(*UNREACHABLE):
            async with pool.acquire() as connection:
                await signs.give(connection, "working", {"address": address})
        await asyncio.sleep(EVERY)


async def _first(wanted: Awaitable[object], task: asyncio.Task[None]) -> None:
    """Wait for `wanted`, until `task` fails, at most _START seconds: the stream can also start later."""
    waiting = asyncio.ensure_future(wanted)
    await asyncio.wait({waiting, task}, timeout=_START, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _close_on(stop: asyncio.Event, server: "_Server", hub: EventHub) -> None:
    """End the streams first: a server that shuts down waits for its open answers.

    A hub that failed ends the service too, which leaves `run` with the hub's error.
    """
    waiting = {asyncio.create_task(event.wait()) for event in (stop, hub.over)}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    hub.close()
    server.end()


class _Server(uvicorn.Server):
    """Leaves signals to the process that runs the service, and does not wake ten times a second to look for them."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()

    def end(self) -> None:
        """Make `serve` finish the open answers and return."""
        self.should_exit = True
        self._over.set()

    async def main_loop(self) -> None:
        """Renew the Date header each second, until `end`."""
        while not await self.on_tick(0):
            await wait_at_most(self._over, 1.0)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def _listen(config: ApiConfig) -> Iterator[socket.socket]:
    """The socket that is served, bound before anything else is opened."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as exc:
        raise RemedyError(
            f"{config.host} is no address of this machine ({exc}): correct MILEPOST_HTTP_HOST",
            f"{config.host} 不是本机的地址（{exc}）：请改正 MILEPOST_HTTP_HOST",
        ) from exc
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as exc:
            raise RemedyError(
                f"{config.host}:{config.port} cannot be served ({exc.strerror}): "
                "stop what listens there, or choose another MILEPOST_HTTP_PORT",
                f"{config.host}:{config.port} 无法提供服务（{exc.strerror}）："
                "请停止占用该端口的程序，或改用其他 MILEPOST_HTTP_PORT",
            ) from exc
        listener.setblocking(False)
        yield listener
