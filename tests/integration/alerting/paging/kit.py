"""Contacts, pages and a provider on loopback; and the loop that delivers, in this process or in one of its own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

import httpx
import msgspec
import pytest

from alerting.delivery.pages import service
from alerting.delivery.pages.service import CONNECTIONS, PageLoop, PagingConfig, Wait
from alerting.delivery.pages.store import AttemptPace
from alerting.delivery.sending import PageEnvelope, SendOutcome, SendVerdict
from registry.contacts.model import Address
from store.pool import Pool, open_pool

ROOT: Final = Path(__file__).parents[4]
CALM: Final = PagingConfig(
    poll=0.05, pace=AttemptPace(hold=25.0, lease=30.0), look_again=0.1, max_backoff=0.2, public_url="https://x.example"
)
"""Every attempt has an answer in time, also on a busy machine; `end_leases` ends a lease."""
THROTTLING: Final = 45009
_TIMEOUT: Final = 20.0


class Arrival(NamedTuple):
    """A message as the provider received it."""

    at: float
    path: str
    key: str
    text: str
    events: list[dict[str, Any]]


class Provider:
    """A real HTTP receiver that behaves as told for each path, one word a request: `taken` (when nothing is planned),
    `broken` (status 500), `refused` and `throttled` (status 200 with a code), `hang`, `late` (it takes the message
    when the gate opens) and `cut` (it takes the message, and the connection ends without an answer)."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.plan: dict[str, deque[str]] = defaultdict(deque)
        self.taken: Counter[str] = Counter()
        self.gate = threading.Event()
        self.opened = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            server_version: ClassVar[str] = "test"

            def do_POST(self) -> None:
                provider.receive(self)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/secret-{path}"

    def receive(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        path = request.path.removeprefix("/secret-")
        self.arrivals.append(Arrival(time.monotonic(), path, body["key"], body["title"], body["events"]))
        how = self.plan[path].popleft() if self.plan[path] else "taken"
        if how in {"hang", "late"}:
            self.opened.set()
            self.gate.wait(30)
        if how in {"hang", "cut"}:
            self.taken[body["key"]] += how == "cut"
            request.close_connection = True
            request.connection.close()
            return
        self.taken[body["key"]] += how in {"taken", "late"}
        answer = json.dumps({"errcode": {"refused": 93000, "throttled": THROTTLING}.get(how, 0)}).encode()
        request.send_response(500 if how == "broken" else 200)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def keys(self, path: str) -> list[str]:
        return [arrival.key for arrival in self.arrivals if arrival.path == path]

    def most_within(self, path: str, seconds: float) -> int:
        """The most messages that arrived in any window of so many seconds."""
        times = [arrival.at for arrival in self.arrivals if arrival.path == path]
        return max((sum(first <= at < first + seconds for at in times) for first in times), default=0)

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    opened = Provider()
    yield opened
    opened.close()


class LoopbackSender:
    """Sends to the provider, as the channels send to theirs. `die`: where the process kills itself: `before` it sends,
    or `after` it."""

    def __init__(self, die: str | None = None) -> None:
        self._die = die

    async def send(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        if self._die == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return await self._post(address, envelope)
        finally:
            if self._die == "after":
                os.kill(os.getpid(), signal.SIGKILL)

    async def _post(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        if not address.text.startswith("http://"):
            raise ValueError(address.text)
        content = envelope.content
        body = {"key": envelope.key, "title": content.text.title, "events": content.events}
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
                answer = await client.post(
                    address.text, content=msgspec.json.encode(body), headers={"Content-Type": "application/json"}
                )
        except httpx.ConnectError:
            return SendOutcome(verdict=SendVerdict.FAILED, why="cannot be reached")
        except httpx.HTTPError as exc:
            return SendOutcome(verdict=SendVerdict.UNKNOWN, why=type(exc).__name__)
        if answer.status_code >= 500:
            return SendOutcome(verdict=SendVerdict.FAILED, why=f"status {answer.status_code}")
        code = answer.json()["errcode"]
        verdicts = {0: SendVerdict.TAKEN, THROTTLING: SendVerdict.THROTTLED}
        return SendOutcome(verdict=verdicts.get(code, SendVerdict.REFUSED), why=f"code {code}")


class DriverConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`die`: where the process kills itself: before the `token` is committed, `before` it sends, `after` it."""

    database_url: str
    die: str | None = None
    paging: PagingConfig = CALM


async def run_pages(config: DriverConfig, stop: asyncio.Event, *, wait: Wait = asyncio.sleep) -> None:
    """Deliver pages through the provider until `stop`. `wait`: as in `PageLoop`."""
    async with open_pool(config.database_url, name="pages", size=CONNECTIONS) as pool:
        await PageLoop(config.paging, pool, LoopbackSender(config.die), wait=wait).run(stop)


def start(config: DriverConfig) -> subprocess.Popen[bytes]:
    """The loop as a process of its own."""
    command = [sys.executable, "-m", "tests.integration.alerting.paging.kit", msgspec.json.encode(config).decode()]
    return subprocess.Popen(command, cwd=ROOT)


async def _main(config: DriverConfig) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if config.die == "token":
        begin = service.begin_attempt

        async def begin_and_die(*given: Any, **named: Any) -> Any:
            looked = await begin(*given, **named)
            if looked is not None and looked.begun is not None:
                os.kill(os.getpid(), signal.SIGKILL)
            return looked

        service.begin_attempt = begin_and_die
    await run_pages(config, stop)


# ---- rows as the registry, the incident process and the escalation write them


async def add_contact(pool: Pool, contact: str, *channels: tuple[str, str], language: str = "en") -> None:
    """`channels`: kind and address of each."""
    await pool.execute(
        "INSERT INTO contact (id, name, role, language, edited_by) VALUES ($1, $1, 'lead', $2, 'test')",
        contact,
        language,
    )
    await pool.executemany(
        "INSERT INTO contact_channel (contact, place, kind, address, fingerprint) VALUES ($1, $2, $3, $4, md5($4))",
        [(contact, place, kind, address) for place, (kind, address) in enumerate(channels, start=1)],
    )


async def add_incident(pool: Pool, number: int, *, kind: str = "station_offline", status: str = "open") -> int:
    incident: int = await pool.fetchval(
        "INSERT INTO incident (kind, key, station, status, began_at, opened_at) "
        "VALUES ($1, $1 || $2, $2, $3, now(), now()) RETURNING id",
        kind,
        f"63212200{number:04}",
        status,
    )
    return incident


async def owe(
    pool: Pool,
    contact: str,
    incident: int,
    phase: str = "opened",
    *,
    severity: str = "warning",
    step: int = 0,
    held: float | None = None,
) -> int:
    """`held`: seconds until the page may be sent."""
    page: int = await pool.fetchval(
        "INSERT INTO page (incident, recipient, phase, severity, step, not_before) "
        "VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6)) RETURNING id",
        incident,
        contact,
        phase,
        severity,
        step,
        held,
    )
    return page


async def hurry(pool: Pool) -> None:
    """What waits for a pause is due now."""
    await pool.execute("UPDATE message SET next_attempt_at = now() WHERE status = 'due'")


async def end_leases(pool: Pool) -> None:
    """The time of every attempt under way is over, as if its process had died long ago."""
    await pool.execute("UPDATE message SET next_attempt_at = now() WHERE status = 'sending'")


async def statuses(pool: Pool) -> dict[str, int]:
    """How many pages have each status."""
    return {row["status"]: row["many"] for row in await pool.fetch(_STATUSES)}


_STATUSES: Final = "SELECT status, count(*) AS many FROM page GROUP BY status"

if __name__ == "__main__":
    asyncio.run(_main(msgspec.json.decode(sys.argv[1].encode(), type=DriverConfig)))
