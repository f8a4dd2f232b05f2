"""The service as it runs: a real server on a port, its streams, its end, and a database that goes away."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from access.scope import WHOLE
from api.config import ApiConfig
from api.http import middleware
from api.http.connections import PATIENCE
from api.http.guesses import Guesses
from api.http.identity.actors import Identity
from api.http.server import ConnectionBook
from api.http.session import AdminToken
from api.live import event_hub as hub_module
from api.live.events import Share
from api.service import open_app, run
from contract.errors import RemedyError
from store.pool import Pool
from store.tasks import end_tasks
from tests.integration.api_world import TOKEN, World, config, serving, sign_in
from tests.integration.wire import Wire
from tests.servers import find_free_port

API = "/api/v1"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def running(settings: ApiConfig) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.Event, asyncio.Task[None]]]:
    """The service on its port, and a client of it, past any proxy that `public_url` names."""
    url = f"http://127.0.0.1:{settings.port}"
    stop = asyncio.Event()
    service = asyncio.create_task(run(settings, stop))
    try:
        async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=20) as client:
            await _answering(client, service)
            yield client, stop, service
    finally:
        stop.set()
        await asyncio.wait_for(service, 20)


async def _answering(client: httpx.AsyncClient, service: asyncio.Task[None]) -> None:
    async with asyncio.timeout(20):
        while not service.done():
            with suppress(httpx.ConnectError):
                await client.get("/healthz")
                return
            await asyncio.sleep(0.02)
    await service


async def until(client: httpx.AsyncClient, path: str, holds: Callable[[httpx.Response], bool]) -> None:
    """Ask again until it holds, for 20 s at most."""
    async with asyncio.timeout(20):
        while True:
            if holds(await client.get(path)):
                return
            await asyncio.sleep(0.05)


class Events:
    """Reads server-sent events from an answer."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, str, dict[str, Any]]:
        """The id, name and data of the next event."""
        found: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name:
                    found[name] = value
                elif line == "" and "data" in found:
                    return found["id"], found["event"], json.loads(found["data"])
                if line == "":
                    found = {}
        raise EOFError

    async def end(self) -> None:
        async with asyncio.timeout(20):
            async for _ in self._lines:
                pass


@asynccontextmanager
async def stream(client: httpx.AsyncClient, last: str | None = None) -> AsyncIterator[Events]:
    headers = {b"Last-Event-ID": last.encode()} if last else {}
    async with client.stream("GET", "/api/v1/stream", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Events(answer)


async def decide(world: World, station: str, after: str) -> None:
    """A transition as the judge commits it, with its NOTIFY."""
    await world.transition(station, 1, after, terminal=None)
    await world.pool.execute("SELECT pg_notify('milepost_transition', '')")


async def test_transitions_and_incidents_arrive_and_a_gap_in_the_connection_is_filled(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    await world.clock()
    await world.transition("before", 9, "offline")
    async with running(config(database, tmp_path, port=find_free_port())) as (client, _, _):
        async with stream(client) as events:
            await decide(world, "s", "offline")
            first, name, data = await events.next()
            assert (name, data["station"], data["terminal"], data["after"]) == ("transition", "s", None, "offline")
            assert data["at"].endswith("Z")
            number = await world.incident("station_offline", station="s")
            await pool.execute("SELECT pg_notify('milepost_incident', '')")
            last, name, data = await events.next()
            assert (name, data["id"], data["kind"], data["action"]) == (
                "incident",
                number,
                "station_offline",
                "opened",
            )
        await decide(world, "s", "online")
        await decide(world, "t", "offline")
        async with stream(client, last) as events:
            missed = [(await events.next())[2] for _ in range(2)]
            assert [(event["station"], event["after"]) for event in missed] == [("s", "online"), ("t", "offline")]
        async with stream(client, first) as events:
            assert (await events.next())[1] == "incident", "all after the first, and nothing twice"
        for odd in ("another-server-9", "-1", "9" * 64, "\x01<script>\u00e9"):
            async with stream(client, odd) as events:
                assert (await events.next())[1] == "reset"
        refused = await client.get("/api/v1/stream", headers={"Last-Event-ID": "9" * 65})
        assert refused.status_code == 422


async def test_a_partition_that_begins_later_is_streamed_from_its_first_transition(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = World(pool)
    async with running(config(database, tmp_path, port=find_free_port())) as (client, _, _), stream(client) as events:
        await world.clock(5)
        await world.transition("s", 1, "online", partition=5)
        await pool.execute("SELECT pg_notify('milepost_transition', '')")
        _, name, data = await events.next()
    assert (name, data["partition"], data["station"]) == ("transition", 5, "s")


async def test_the_stream_outlives_its_database_connection(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    async with running(config(database, tmp_path, port=find_free_port())) as (client, _, _), stream(client) as events:
        await decide(world, "one", "offline")
        assert (await events.next())[2]["station"] == "one"
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'milepost api stream'"
        assert await pool.fetchval(f"SELECT count(*) FROM ({cut}) AS cut") >= 1  # noqa: S608 -- a constant
        await decide(world, "two", "offline")
        assert (await events.next())[2]["station"] == "two", "what was decided during the break is not lost"


async def test_stop_ends_open_streams_at_once(database: str, tmp_path: Path) -> None:
    async with running(config(database, tmp_path, port=find_free_port())) as (client, stop, service):
        async with stream(client) as events:
            stop.set()
            await events.end()
        async with asyncio.timeout(10):
            await service


async def test_a_client_that_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "QUEUE", 3)
    hub = hub_module.EventHub("postgresql://unused")
    slow, quick = hub.join(None, WHOLE), hub.join(None, WHOLE)
    for number in range(4):
        hub.publish("transition", b"%d" % number, None)
        quick.queue.get_nowait()
    assert (slow.dropped, slow.ended, slow.queue.qsize()) == (True, True, 3)
    assert (quick.dropped, quick.ended) == (False, False)


async def test_many_events_at_once_leave_others_their_turn(pool: Pool, database: str) -> None:
    await World(pool).clock()
    hub = hub_module.EventHub(database)
    turn, published = 0, Counter[int]()
    publish, done = hub.publish, asyncio.Event()

    def note(name: str, data: bytes, places: tuple[str, ...] | None, share: Share | None) -> None:
        published[turn] += 1
        publish(name, data, places, share)
        if published.total() == 500:
            done.set()

    async def count_turns() -> None:
        nonlocal turn
        while not done.is_set():
            turn += 1
            await asyncio.sleep(0)

    hub.publish = note  # type: ignore[method-assign]
    running_hub = asyncio.create_task(hub.run())
    async with asyncio.timeout(20), asyncio.TaskGroup() as turns:
        await hub.listening.wait()
        # The hub may read by itself before it is told.
        turns.create_task(count_turns())
        await pool.execute(
            "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason) "
            "SELECT 0, n, 's', 'online', 'offline', now(), now(), 'main', 'x' FROM generate_series(1, 500) AS n"
        )
        await pool.execute("SELECT pg_notify('milepost_transition', '')")
    await end_tasks(running_hub)
    assert max(published.values()) <= hub_module.AT_ONCE


async def test_a_client_that_stopped_reading_costs_nobody_anything(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, database: str, tmp_path: Path
) -> None:
    monkeypatch.setattr("api.v1.stream._PATIENCE", 5.0)
    world = World(pool)
    await world.clock()
    port = find_free_port()
    async with running(config(database, tmp_path, port=port)) as (client, _, _), stream(client) as events:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(f"GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        await until(client, "/metrics", lambda answer: "milepost_stream_clients 2.0" in answer.text)
        await pool.execute(
            "INSERT INTO transition (partition, seq, station, before, after, at, tick_at, shard, reason) "
            "SELECT 0, n, 's', 'online', 'offline', now(), now(), 'main', repeat('x', 20000) "
            "FROM generate_series(1, 900) AS n"
        )
        await pool.execute("SELECT pg_notify('milepost_transition', '')")
        seen = [(await events.next())[2]["seq"] for _ in range(900)]
        assert seen == list(range(1, 901)), "the client that reads gets all of them"
        await until(client, "/metrics", lambda answer: "milepost_stream_dropped_total 1.0" in answer.text)
        await until(client, "/metrics", lambda answer: "milepost_stream_clients 1.0" in answer.text)
        writer.close()


async def test_only_so_many_streams_are_kept(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, database: str, tmp_path: Path
) -> None:
    monkeypatch.setattr(hub_module, "MOST_CLIENTS", 1)
    async with running(config(database, tmp_path, port=find_free_port())) as (client, _, _):
        async with stream(client):
            refused = await client.get("/api/v1/stream")
        assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
        await until(client, "/metrics", lambda answer: "milepost_stream_clients 0.0" in answer.text)
        async with stream(client):
            pass


async def test_ready_means_that_a_tick_was_judged_just_now(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    for prepare, ready, word in (
        (None, 503, "no tick"),
        (lambda: world.clock(0, age=60), 503, "s old"),
        (lambda: world.clock(0, blind=60), 503, "blind"),
        (lambda: world.clock(0), 200, None),
        (lambda: world.clock(1, "other", age=900), 200, None),
        (lambda: pool.execute(DEFAULT_ROUTE), 200, None),
    ):
        if prepare is not None:
            await prepare()
        async with serving(config(database, tmp_path), token=None) as (client, _):
            answer = await client.get("/readyz")
        found = answer.json()
        assert (answer.status_code, found["ready"]) == (ready, ready == 200)
        assert [word in sentence for sentence in found["missing"]] == ([] if word is None else [True]), found
        said = any("no route takes every incident" in sentence for sentence in found["warnings"])
        assert said == (await pool.fetchval("SELECT count(*) FROM route") == 0)


DEFAULT_ROUTE = (
    "INSERT INTO route (id, name, steps, edited_by) "
    'VALUES (\'all\', \'all\', \'[{"role": "technician", "after": 0, "clock": "wall", "most": 20}]\', \'x\')'
)


async def test_ready_needs_the_newest_schema(pool: Pool, database: str, tmp_path: Path) -> None:
    await World(pool).clock()
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await pool.execute("DELETE FROM schema_migration WHERE version = (SELECT max(version) FROM schema_migration)")
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "milepost migrate" in answer.json()["missing"][0]


async def test_a_database_that_is_away_is_503_and_is_found_again(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.clock()
    await world.station("s")
    wire = Wire(database)
    await wire.mend()
    async with running(config(wire.url, tmp_path, port=find_free_port())) as (client, _, _):
        assert (await client.get("/api/v1/stations")).status_code == 200
        browser = httpx.AsyncClient(base_url=client.base_url, headers={"Accept-Language": "en"})
        await sign_in(browser)
        await wire.cut()
        for path in ("/api/v1/stations", "/api/v1/stations/s", "/api/v1/incidents"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
            assert "Traceback" not in answer.text
        acted = await client.post("/api/v1/incidents/1/ack")
        assert acted.status_code == 503
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        assert "milepost_database_up 0.0" in (await client.get("/metrics")).text
        page = await browser.get("/")
        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "unknown" in page.text
        assert (await browser.get("/api/v1/stations")).status_code == 503
        assert (await sign_in(browser)).status_code == 503
        assert (await browser.get("/healthz")).status_code == 200
        await browser.aclose()
        await wire.mend()
        await until(client, "/api/v1/stations", lambda answer: answer.status_code == 200)
    await wire.cut()


async def test_a_database_that_hangs_is_503_and_blocks_nobody(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, database: str, tmp_path: Path
) -> None:
    await World(pool).clock()
    wire = Wire(database)
    await wire.mend()
    async with serving(config(wire.url, tmp_path)) as (client, _):
        assert (await client.get("/api/v1/stations")).status_code == 200
        monkeypatch.setattr("api.http.database.LIMIT", 1.0)
        wire.hold()
        answers = await asyncio.gather(*(client.get("/api/v1/stations") for _ in range(12)))
        assert {answer.status_code for answer in answers} == {503}
        assert "in time" in answers[0].json()["detail"]
        wire.release()
        await until(client, "/api/v1/stations", lambda answer: answer.status_code == 200)
    await wire.cut()


async def test_what_is_committed_is_no_failure_when_its_connection_fails_afterwards(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, database: str, tmp_path: Path
) -> None:
    """Clients repeat a request that is answered 503, so the change would be made twice."""
    monkeypatch.setattr("api.http.database.RELEASE", 0.1)
    world = World(pool)
    await world.clock()
    await world.station("s")
    incident = await world.incident("station_offline", station="s")
    wire = Wire(database)
    await wire.mend()
    async with serving(config(wire.url, tmp_path)) as (client, _):
        wire.lose(b"pg_advisory_unlock_all")  # the first words of what makes a connection ready for the next request
        answer = await client.post(f"/api/v1/incidents/{incident}/ack")
        assert (answer.status_code, answer.json()["status"]) == (200, "acknowledged")
    assert await pool.fetchval("SELECT status FROM incident WHERE id = $1", incident) == "acknowledged"
    await wire.cut()


async def test_a_slow_statement_is_ended_by_the_database(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, database: str, tmp_path: Path
) -> None:
    monkeypatch.setattr("api.http.database.STATEMENT_MS", 2000)
    async with serving(config(database, tmp_path)) as (client, _), pool.acquire() as connection:
        async with connection.transaction():
            await connection.execute("LOCK TABLE station")
            answer = await client.get("/api/v1/stations")
        assert answer.status_code == 503
        assert (await client.get("/api/v1/stations")).status_code == 200


async def test_a_statement_is_planned_for_what_it_asks(database: str, tmp_path: Path) -> None:
    """A plan that is kept for all filters of a list takes minutes for some of them."""
    async with open_app(config(database, tmp_path)) as (app, _), app.state.context.database.transaction() as connection:
        assert await connection.fetchval("SHOW plan_cache_mode") == "force_custom_plan"


async def test_a_busy_port_names_the_setting(database: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = config(database, tmp_path, port=taken.getsockname()[1])
        with pytest.raises(RemedyError, match=r"127\.0\.0\.1:\d+ cannot be served.*MILEPOST_HTTP_PORT"):
            await run(settings, asyncio.Event())


START_FAULTS = {
    "an address of another machine": ({"host": "203.0.113.7"}, "MILEPOST_HTTP"),
    "a host that is none": ({"host": "no.such.host.invalid"}, "MILEPOST_HTTP_HOST"),
    "no token file": ({"admin_token_file": None}, "MILEPOST_ADMIN_TOKEN_FILE"),
    "a token file that is not there": ({"admin_token_file": Path("/nonexistent/token")}, "MILEPOST_ADMIN_TOKEN_FILE"),
    "a database that is down": ({"database_url": "postgresql://u:secret@127.0.0.1:1/x"}, "MILEPOST_DATABASE_URL"),
}


@pytest.mark.parametrize("case", START_FAULTS)
async def test_a_wrong_setting_names_the_remedy_and_no_secret(case: str, tmp_path: Path) -> None:
    changes, remedy = START_FAULTS[case]
    settings = config("postgresql://u:secret@127.0.0.1:1/x", tmp_path, port=find_free_port(), **changes)
    with pytest.raises(RemedyError, match=remedy) as caught:
        await run(settings, asyncio.Event())
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_stream_that_fails_whatever_the_reason_costs_nobody_else_an_answer(
    monkeypatch: pytest.MonkeyPatch, pool: Pool, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await World(pool).clock()
    monkeypatch.setattr(hub_module, "CHANNELS", (7,))
    monkeypatch.setattr("api.service._START", 0.1)
    async with running(config(database, tmp_path, port=find_free_port())) as (client, _, service):
        async with asyncio.timeout(20):
            while "the event stream cannot go on" not in caplog.text:
                assert (await client.get("/readyz")).status_code == 200
        assert not service.done()


async def test_silent_connections_shut_nobody_out(pool: Pool, database: str, tmp_path: Path) -> None:
    settings = config(database, tmp_path, connections=20, port=find_free_port())
    async with running(settings) as (client, _, _), AsyncExitStack() as opened:
        for number in range(60):
            _, writer = await asyncio.open_connection(settings.host, settings.port)
            opened.callback(writer.close)
            writer.write(b"" if number % 2 else b"GET /healthz HTTP/1.1\r\nX-Slow: ")
            await writer.drain()
        answers = await asyncio.gather(*(client.get("/healthz") for _ in range(15)))
        assert {answer.status_code for answer in answers} == {200}
        async with client.stream("GET", f"{API}/stream") as stream:
            assert stream.status_code == 200
            for _ in range(60):
                _, writer = await asyncio.open_connection(settings.host, settings.port)
                opened.callback(writer.close)
            await World(pool).clock()
            assert (await client.get("/healthz")).status_code == 200
            assert await anext(stream.aiter_lines()) == "retry: 3000", "a stream is no idle connection"


async def test_a_silent_connection_ends_after_a_while() -> None:
    book = ConnectionBook(10)
    async with await serve_bare(book) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"204" in await reader.readline()
        writer.write(b"GET / HTTP/1.1\r\nHost: and so on, a word a minute")
        book.end_silent(time.monotonic())
        assert len(book.connections) == 1
        book.end_silent(time.monotonic() + PATIENCE + 1)
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                await reader.read()
        writer.close()


async def serve_bare(book: ConnectionBook) -> asyncio.Server:
    """A server that has nothing to say to whatever it is asked."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    settings = uvicorn.Config(app, lifespan="off", log_config=None)
    state = ServerState()
    return await asyncio.get_running_loop().create_server(
        lambda: book.protocol(config=settings, server_state=state, app_state={}), "127.0.0.1", 0
    )


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_WITHIN", 0.01)
    sent: list[dict[str, Any]] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    nobody: Any = None
    guarded = middleware.Gate(
        never,
        identity=Identity(token=AdminToken(None), tokens=nobody, sessions=nobody, guesses=Guesses(0.0)),
        observe=lambda *_: None,
        secure=False,
    )
    scope = {"type": "http", "method": "POST", "path": "/closures", "headers": [], "query_string": b""}
    await guarded(scope, never, send)
    assert sent[0]["status"] == 408
