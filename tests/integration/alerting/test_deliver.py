"""The delivery outbox against real receivers: at least once, never lost, secrets kept."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import msgspec
import pytest

from alerting.delivery import service
from alerting.delivery.retry import retry_delay, target_of
from alerting.delivery.service import DeliverConfig
from contract.errors import RemedyError
from store.pool import Pool
from tests.integration.incidents_kit import add_station, running, until

ROOT = Path(__file__).parents[3]
# apprise looks for a module that Python is about to drop, and brings its own when it is gone.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SENT = "SELECT count(*) FROM delivery WHERE status = 'sent'"


class Webhook:
    """A real HTTP receiver on loopback. `answer` gives the status of the next request, by its number from 0."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.documents: list[dict[str, Any]] = []
        self.heads: list[Message] = []
        self.paths: list[str] = []
        self.answer = lambda number: 200
        self.gate: threading.Event | None = None
        hook = self

        class Handler(BaseHTTPRequestHandler):
            server_version: ClassVar[str] = "test"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.documents.append(body)
                hook.heads.append(self.headers)
                hook.paths.append(self.path)
                hook.got.append({**body, "key": self.headers["Idempotency-Key"]})
                status = hook.answer(len(hook.got) - 1)
                if hook.gate is not None:
                    hook.gate.wait(10)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"json://user:hunter2@127.0.0.1:{self._server.server_port}/token"

    @property
    def keys(self) -> list[str]:
        return [got["key"] for got in self.got]

    @property
    def content_types(self) -> list[str]:
        return [head["Content-Type"] for head in self.heads]

    def close(self) -> None:
        if self.gate is not None:
            self.gate.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    yield hook
    hook.close()


async def tell(pool: Pool, *phases: str, station: str = "A", age: float = 0, held: float | None = None) -> int:
    """What the incident process writes: an incident and its notifications, the opening `held` for so many seconds."""
    async with pool.acquire() as connection, connection.transaction():
        incident: int = await connection.fetchval(
            "INSERT INTO incident (kind, key, station, status, began_at, opened_at) "
            "VALUES ('station_offline', 'station_offline:' || $1, $1, 'closed', now() - interval '1 minute', now()) "
            "RETURNING id",
            station,
        )
        for phase in phases:
            await connection.execute(
                "INSERT INTO notification (incident, phase, created_at, not_before) "
                "VALUES ($1, $2, now() - make_interval(secs => $3), now() + make_interval(secs => $4))",
                incident, phase, age, held if phase == "opened" else None,
            )  # fmt: skip
        await connection.execute("SELECT pg_notify('milepost_delivery', '')")
    return incident


async def over(pool: Pool, incident: int, phase: str = "closed") -> None:
    """What the incident process, or a person's action, writes later."""
    await pool.execute("INSERT INTO notification (incident, phase) VALUES ($1, $2)", incident, phase)
    await pool.execute("SELECT pg_notify('milepost_delivery', '')")


def start(config: DeliverConfig, log: Path) -> subprocess.Popen[bytes]:
    """The service as a process of its own."""
    command = [sys.executable, "-m", "tests.integration.incidents_driver", "deliver"]
    with log.open("wb") as out:
        return subprocess.Popen([*command, msgspec.json.encode(config).decode()], cwd=ROOT, stderr=out)


async def test_the_log_gets_one_json_line_a_notification(pool: Pool, database: str, tmp_path: Path) -> None:
    await add_station(pool, "A")
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"cut off')
    async with running(service.run, DeliverConfig(database_url=database, log_path=path, public_url="http://x")):
        incident = await tell(pool, "opened")
        await until(pool, SENT, 1)
        await over(pool, incident)
        await until(pool, SENT, 2)
    broken, *lines = path.read_text().splitlines()
    assert broken == '{"cut off'
    first, second = map(json.loads, lines)
    assert (first["key"], second["key"]) == (f"{incident}-opened-log", f"{incident}-closed-log")
    assert (first["station"], first["phase"], first["link"]) == ("A", "opened", f"http://x/incidents/{incident}")
    assert first["title"] == "【离线】红旗阅览室"
    entries = await pool.fetch("SELECT action, text FROM incident_entry ORDER BY id")
    assert [tuple(entry) for entry in entries] == [("notified", "opened → log"), ("notified", "closed → log")]


async def test_accounts_are_called_by_their_names(pool: Pool, database: str, tmp_path: Path) -> None:
    """Of the account that acknowledged and of the one that closed by hand; old text stays as it stands."""
    await add_station(pool, "A")
    path = tmp_path / "alerts.jsonl"
    await pool.execute("UPDATE account SET name = '值班员' WHERE id = 'operator'")
    async with running(service.run, DeliverConfig(database_url=database, log_path=path, public_url=None)):
        incident = await tell(pool, "opened")
        await until(pool, SENT, 1)
        await pool.execute(
            "UPDATE incident SET acknowledged_by = 'operator', acknowledged_remark = '卓玛', "
            "detail = jsonb_build_object('resolved_by', '扎西') WHERE id = $1",
            incident,
        )
        await over(pool, incident, "resolved")
        await until(pool, SENT, 2)
    text = json.loads(path.read_text().splitlines()[-1])["text"]
    assert "已由 值班员（代 卓玛） 确认。" in text
    assert "由 扎西 人工关闭" in text


async def test_a_failing_webhook_is_tried_again_and_gets_it_once(
    pool: Pool, database: str, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    await add_station(pool, "A")
    webhook.answer = lambda number: 503 if number < 2 else 200
    config = DeliverConfig(database_url=database, urls=(webhook.url,), poll=0.05)
    with caplog.at_level(logging.DEBUG):
        async with running(service.run, config):
            incident = await tell(pool, "opened")
            await until(pool, SENT, 1)
    key = f"{incident}-opened-{target_of(webhook.url)}"
    assert webhook.keys == [key] * 3
    assert webhook.got[2]["title"] == "【离线】红旗阅览室"
    assert await pool.fetchval("SELECT attempts FROM delivery") == 3
    stored = await pool.fetchval("SELECT string_agg(d::text || e::text, '') FROM delivery d, incident_entry e")
    assert "hunter2" not in stored
    assert "hunter2" not in caplog.text
    assert "HTTP status 503" in "".join(str(vars(record)) for record in caplog.records)


async def test_due_times_wake_what_is_held_and_what_is_tried_again(pool: Pool, database: str, webhook: Webhook) -> None:
    """Searches are so rare that only the due times of the held opening and of its retry can be the cause."""
    webhook.answer = lambda number: 503 if number == 0 else 200
    async with running(service.run, DeliverConfig(database_url=database, urls=(webhook.url,), poll=3600)):
        await tell(pool, "opened", held=0.5)
        await until(pool, SENT, 1)
    assert len(webhook.keys) == 2


async def test_what_another_process_has_locked_is_sent_once_it_is_free(
    pool: Pool, database: str, webhook: Webhook
) -> None:
    """The escalation claims the same notifications, woken by the same event; searches are too rare to help."""
    first = await tell(pool, "opened")
    async with running(service.run, DeliverConfig(database_url=database, urls=(webhook.url,), poll=3600)):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("UPDATE notification SET routed_at = now() WHERE incident = $1", first)
            other = await tell(pool, "opened", station="B")
            await until(pool, "SELECT count(*) FROM delivery JOIN notification n ON n.id = notification "
                              "WHERE n.incident = $1 AND status = 'sent'", 1, other)  # fmt: skip
        await until(pool, SENT, 2)
    assert {key.split("-")[0] for key in webhook.keys} == {str(first), str(other)}


async def test_a_dead_target_holds_up_no_other_and_order_is_kept(
    pool: Pool, database: str, webhook: Webhook, tmp_path: Path
) -> None:
    await add_station(pool, "A")
    webhook.answer = lambda number: 503 if number == 0 else 200
    path = tmp_path / "log"
    config = DeliverConfig(database_url=database, urls=(webhook.url,), log_path=path, poll=0.05)
    async with running(service.run, config):
        incident = await tell(pool, "opened")
        await until(pool, SENT, 2)
        await over(pool, incident)
        await until(pool, SENT, 4)
    phases = [key.split("-")[1] for key in webhook.keys]
    assert phases == ["opened", "opened", "closed"]
    assert [json.loads(line)["incident"] for line in path.read_text().splitlines()] == [incident] * 2


async def test_what_is_refused_again_and_again_is_given_up_loudly(
    pool: Pool, database: str, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.answer = lambda number: 400
    async with running(service.run, DeliverConfig(database_url=database, urls=(webhook.url,), poll=0.05)):
        await tell(pool, "opened")
        await until(pool, "SELECT status FROM delivery", "failed")
    assert len(webhook.got) == 3
    assert await pool.fetchval("SELECT last_error FROM delivery") == "refused: answered with HTTP status 400"
    assert await pool.fetchval("SELECT count(*) FROM incident_entry WHERE action = 'undelivered'") == 1
    assert any(record.levelno == logging.ERROR and "NOT delivered" in record.message for record in caplog.records)


async def test_what_is_too_old_is_given_up_even_if_its_target_is_gone(
    pool: Pool, database: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await tell(pool, "opened", age=7200)
    await pool.execute(
        "INSERT INTO delivery (notification, target, idempotency_key) SELECT id, 'apprise-gone', 'k' FROM notification"
    )
    config = DeliverConfig(database_url=database, log_path=tmp_path / "log", give_up=3600, poll=0.05, sweep=0.05)
    async with running(service.run, config):
        await until(pool, "SELECT count(*) FROM delivery WHERE status = 'failed'", 2)
    assert (tmp_path / "log").read_text() == ""
    assert any("NOT delivered" in record.message for record in caplog.records)


async def test_killed_after_sending_it_is_sent_again_with_the_same_key(
    pool: Pool, database: str, webhook: Webhook, tmp_path: Path
) -> None:
    """The receiver has the request and holds its answer: at that moment the process is killed."""
    webhook.gate = threading.Event()
    config = DeliverConfig(database_url=database, urls=(webhook.url,), poll=0.05)
    await tell(pool, "opened")
    child = start(config, tmp_path / "log")
    try:
        while not webhook.got:
            assert child.poll() is None, (tmp_path / "log").read_text()
            await asyncio.sleep(0.02)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    webhook.gate.set()
    assert await pool.fetchval("SELECT status FROM delivery") == "pending"
    await pool.execute("UPDATE delivery SET next_attempt_at = now()")  # the lease of the killed process is over
    async with running(service.run, config):
        await until(pool, SENT, 1)
    assert len(webhook.keys) == 2
    assert len(set(webhook.keys)) == 1


async def test_a_receiver_that_hangs_costs_its_time_limit_only(pool: Pool, database: str, webhook: Webhook) -> None:
    webhook.gate = threading.Event()
    config = DeliverConfig(database_url=database, urls=(webhook.url,), poll=0.05, send_timeout=2.0)
    async with running(service.run, config):
        await tell(pool, "opened")
        await until(pool, "SELECT last_error FROM delivery", "no answer within 2 s")
        webhook.gate.set()
        await until(pool, SENT, 1)


async def test_what_becomes_due_during_a_slow_claim_is_sent(
    pool: Pool, database: str, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = asyncpg.Connection.fetchrow

    async def ask_slowly(connection: Any, query: str, *arguments: Any) -> Any:
        row = await ask(connection, query, *arguments)
        if row is None and query == service.QUERIES.claim:
            await asyncio.sleep(retry_delay(1, 1.0))  # the longest first pause
        return row

    monkeypatch.setattr(asyncpg.Connection, "fetchrow", ask_slowly)
    webhook.answer = lambda number: 200 if number else 503
    async with running(service.run, DeliverConfig(database_url=database, urls=(webhook.url,), poll=3600)):
        await tell(pool, "opened")
        await until(pool, SENT, 1)


async def test_two_processes_share_the_work_without_doubles(pool: Pool, database: str, webhook: Webhook) -> None:
    config = DeliverConfig(database_url=database, urls=(webhook.url,), poll=0.05)
    async with running(service.run, config), running(service.run, config):
        for number in range(30):
            await tell(pool, "opened", station=f"S{number}")
        await until(pool, SENT, 30)
    assert sorted(webhook.keys) == sorted(set(webhook.keys))
    assert len(webhook.keys) == 30


async def test_a_lost_database_is_waited_for(pool: Pool, database: str, tmp_path: Path) -> None:
    """Every connection of the service is cut, again and again, while notifications come."""
    path = tmp_path / "log"
    async with running(service.run, DeliverConfig(database_url=database, log_path=path, poll=0.05, lease=1.0)):
        for number in range(10):
            await tell(pool, "opened", station=f"S{number}")
            if number == 0:
                await until(pool, SENT, 1)  # it is up
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE 'milepost deliver%' AND datname = current_database()"
            )
        await until(pool, SENT, 10)
    assert len({json.loads(line)["key"] for line in path.read_text().splitlines()}) == 10


async def test_wrong_targets_are_named_without_their_secret(database: str, tmp_path: Path) -> None:
    urls = ("json://127.0.0.1/", "slack://user:hunter2@host")
    with pytest.raises(RemedyError, match="MILEPOST_ALERT_URLS: URL 2 ") as wrong:
        await service.run(DeliverConfig(database_url=database, urls=urls), asyncio.Event())
    assert "hunter2" not in str(wrong.value)
    with pytest.raises(RemedyError, match="MILEPOST_ALERT_LOG"):
        await service.run(DeliverConfig(database_url=database, log_path=tmp_path / "no" / "log"), asyncio.Event())


async def test_without_a_target_notifications_wait(pool: Pool, database: str, tmp_path: Path) -> None:
    async with running(service.run, DeliverConfig(database_url=database, poll=0.05)):
        await tell(pool, "opened")
    assert await pool.fetchval("SELECT count(*) FROM notification WHERE spread_at IS NULL") == 1
    async with running(service.run, DeliverConfig(database_url=database, log_path=tmp_path / "log", poll=0.05)):
        await until(pool, SENT, 1)


def test_a_configuration_shows_no_secret() -> None:
    assert "hunter2" not in repr(DeliverConfig(database_url="postgresql://u:hunter2@h/d", urls=("json://hunter2@h",)))


async def test_what_is_held_until_opening_is_told_then_and_once_if_it_is_over_by_then(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    """A falls at night and comes back in the night, B stays down, C is told at once all the while."""
    for station in "ABC":
        await add_station(pool, station, name=station)
    passed = await tell(pool, "opened", "closed", station="A", age=9000, held=3600)
    down = await tell(pool, "opened", station="B", age=9000, held=3600)
    path = tmp_path / "log"
    config = DeliverConfig(database_url=database, log_path=path, give_up=3000, poll=0.05)
    spread = "SELECT count(*) FROM notification WHERE spread_at IS NOT NULL"
    async with running(service.run, config):
        other = await tell(pool, "opened", station="C")
        await until(pool, SENT, 1)
        assert await pool.fetchval(spread) == 1
        await pool.execute("UPDATE notification SET not_before = now() - interval '1 s' WHERE not_before IS NOT NULL")
        await until(pool, SENT, 3)
        await until(pool, spread, 4)
        await pool.execute("INSERT INTO notification (incident, phase) VALUES ($1, 'closed')", down)
        await until(pool, SENT, 4)
    told = [(line["incident"], line["phase"], line["title"]) for line in map(json.loads, path.read_text().splitlines())]
    assert told[0][0] == other
    assert sorted(told[1:]) == sorted(
        [(passed, "passed", "【曾离线，已恢复】A"), (down, "opened", "【离线】B"), (down, "closed", "【恢复】B")]
    )


async def test_what_is_over_before_it_was_told_is_told_once_as_past(pool: Pool, database: str, tmp_path: Path) -> None:
    """The delivery was away: A and P are over, B was closed by hand, C was closed by hand and is still wrong, D was
    closed by hand and is over."""
    for station in "ABCD":
        await add_station(pool, station, name=station)
    past = await tell(pool, "opened", "closed", station="A")
    await tell(pool, "opened", "resolved", station="B")
    again = await tell(pool, "opened", "resolved", "reopened", station="C")
    late = await tell(pool, "opened", "resolved", "closed", station="D")
    path = tmp_path / "log"
    pending = "SELECT count(*) FROM delivery WHERE status = 'pending'"
    async with running(service.run, DeliverConfig(database_url=database, log_path=path, poll=0.05)):
        await until(pool, "SELECT count(*) FROM notification WHERE spread_at IS NULL", 0)
        await until(pool, pending, 0)
        await over(pool, again)
        await until(pool, SENT, 4)
    told = [(line["incident"], line["phase"]) for line in map(json.loads, path.read_text().splitlines())]
    assert sorted(told) == sorted([(past, "passed"), (again, "reopened"), (again, "closed"), (late, "passed")])
    assert await pool.fetchval("SELECT count(*) FROM delivery WHERE status = 'cancelled'") == 7


async def test_a_target_that_was_away_is_told_once_what_is_over_by_then(
    pool: Pool, database: str, webhook: Webhook
) -> None:
    await add_station(pool, "A")
    webhook.answer = lambda number: 503 if number == 0 else 200
    async with running(service.run, DeliverConfig(database_url=database, urls=(webhook.url,), poll=0.05)):
        incident = await tell(pool, "opened")
        await until(pool, "SELECT count(*) FROM delivery WHERE last_error IS NOT NULL", 1)
        await over(pool, incident)
        await until(pool, SENT, 1)
    assert [key.split("-")[1] for key in webhook.keys] == ["opened", "closed"]
    assert webhook.got[-1]["title"] == "【曾离线，已恢复】红旗阅览室"


ODD_INCIDENTS = {
    "begun before time": ("began_at", "'-infinity'"),
    "begun at the end of time": ("began_at", "'infinity'"),
    "begun when no client can read": ("began_at", "'200000-01-01'"),
    "seen last at the end of time": ("detail", """'{"seen_at": "9999-12-31T23:59:59+00:00"}'"""),
    "causes that are a number": ("detail", """'{"causes": 7}'"""),
    "a value of another shape": ("detail", """'{"value": [], "threshold": {}, "terminal": 7, "expected": "x"}'"""),
    "resolved by nobody": ("detail", """'{"resolved_by": null, "children": "x", "quiet": []}'"""),
}


async def test_no_incident_stops_the_delivery_of_others(pool: Pool, database: str, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    for number, (column, value) in enumerate(ODD_INCIDENTS.values()):
        await add_station(pool, f"S{number}")
        odd = await tell(pool, "opened", station=f"S{number}")
        await pool.execute(f"UPDATE incident SET status = 'open', {column} = {value} WHERE id = $1", odd)  # noqa: S608
    await add_station(pool, "good")
    good = await tell(pool, "opened", station="good")
    await pool.execute("UPDATE incident SET status = 'open' WHERE id = $1", good)
    async with running(service.run, DeliverConfig(database_url=database, log_path=path, public_url="http://x")):
        await until(pool, SENT, len(ODD_INCIDENTS) + 1)
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert {each["incident"] for each in told} == {row["id"] for row in await pool.fetch("SELECT id FROM incident")}
    assert all(each["link"] == f"http://x/incidents/{each['incident']}" for each in told)
