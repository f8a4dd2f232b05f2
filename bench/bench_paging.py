"""Many incidents at once: how soon people know of the urgent ones, and whether the limits of the providers are kept.

`python -m bench.bench_paging [--incidents N] [--contacts N] [--seconds S] [--critical SHARE]`, with the database of
MILEPOST_TEST_DATABASE_URL or the wheel's own. Pages are owed evenly over the seconds, each incident to one contact; the
contacts have bots of WeCom, DingTalk and Feishu in turn. The bots are a receiver on loopback in a process of its own,
which counts what arrives at each address: the limits are kept if no window of it has more. The run ends when every page
is paid.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import httpx

from alerting.delivery.bots import KINDS
from alerting.delivery.pages.limits import LIMITS
from alerting.delivery.senders.address_target import SenderConfig
from alerting.delivery.service import DeliverConfig, run
from bench.bench_ingest import database_server, fresh_database, set_up
from registry.contacts.model import ChannelKind

ADDRESSES = {
    ChannelKind.WECOM: "wecom://{n:032x}",
    ChannelKind.DINGTALK: "dingtalk://{n:064x}",
    ChannelKind.FEISHU: "feishu://{n:032x}",
}
"""The address of contact n by each kind of channel."""
PATHS = {
    ChannelKind.WECOM: "/cgi-bin/webhook/send",
    ChannelKind.DINGTALK: "/robot/send",
    ChannelKind.FEISHU: "/open-apis/bot/v2/hook/",
}
ANSWER = b'{"errcode":0,"code":0,"msg":"ok"}'


class Receiver:
    """Answers every bot that it takes the message, and remembers when each address got one."""

    def __init__(self) -> None:
        self.arrivals: defaultdict[str, list[float]] = defaultdict(list)

    async def serve(self) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), None
                )
                if length is not None:
                    await reader.readexactly(int(length.partition(b":")[2]))
                path = head.split(b" ", 2)[1].decode()
                body = self._counts() if path == "/counts" else ANSWER
                if path != "/counts":
                    # A signed request of DingTalk ends with its time and signature.
                    self.arrivals[path.partition("&")[0]].append(time.monotonic())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _counts(self) -> bytes:
        return json.dumps(self.arrivals).encode()


@asynccontextmanager
async def receiver() -> AsyncIterator[str]:
    """A receiver in a process of its own: its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.bench_paging", "--receive", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.terminate()
        await process.wait()


async def add_world(connection: asyncpg.Connection, contacts: int, incidents: int) -> None:
    """Contacts with one bot each, and open incidents."""
    kinds = list(ADDRESSES)
    await connection.executemany(
        "INSERT INTO contact (id, name, role, edited_by) VALUES ($1, $1, 'technician', 'bench')",
        [(f"c{n}",) for n in range(contacts)],
    )
    await connection.executemany(
        "INSERT INTO contact_channel (contact, place, kind, address, fingerprint) VALUES ($1, 1, $2, $3, md5($3))",
        [(f"c{n}", kinds[n % 3].value, ADDRESSES[kinds[n % 3]].format(n=n)) for n in range(contacts)],
    )
    await connection.execute(
        "INSERT INTO incident (kind, key, station, status, began_at, opened_at) "
        "SELECT 'station_offline', 'k' || n, '6321' || lpad(n::text, 6, '0'), 'open', now(), now() "
        "FROM generate_series(1, $1) AS n",
        incidents,
    )


async def owe_evenly(connection: asyncpg.Connection, asked: argparse.Namespace) -> None:
    """Pages of one incident after the other, evenly over the seconds."""
    numbers = [row["id"] for row in await connection.fetch("SELECT id FROM incident ORDER BY id")]
    roll = random.Random(1)
    began, made = time.monotonic(), 0
    while made < len(numbers):
        due = min(len(numbers), int((time.monotonic() - began) / asked.seconds * len(numbers)) + 1)
        rows = [
            (number, f"c{roll.randrange(asked.contacts)}", "critical" if roll.random() < asked.critical else "warning")
            for number in numbers[made:due]
        ]
        await connection.executemany(
            "INSERT INTO page (incident, recipient, phase, severity) VALUES ($1, $2, 'opened', $3)", rows
        )
        made = due
        await asyncio.sleep(0.05)


async def wait_until_paid(connection: asyncpg.Connection) -> None:
    while await connection.fetchval("SELECT count(*) FROM page WHERE status IN ('owed', 'sending')"):  # noqa: ASYNC110
        await asyncio.sleep(0.5)


def show_delays(name: str, seconds: Sequence[float]) -> None:
    if len(seconds) > 1:
        cut = statistics.quantiles(seconds, n=100)
        print(f"{name}: {len(seconds)} pages, p50 {cut[49]:.1f} s, p99 {cut[98]:.1f} s, most {max(seconds):.1f} s")


def show_limits(arrivals: dict[str, list[float]]) -> None:
    """The most messages in any window at any address, as the receiver counts."""
    for kind in ADDRESSES:
        path = PATHS[kind]
        for window in LIMITS[kind].windows:
            most = max(
                (sum(at <= other < at + window.seconds for other in times) for address, times in arrivals.items()
                 if address.startswith(path) for at in times),
                default=0,
            )  # fmt: skip
            verdict = "kept" if most <= window.most else "EXCEEDED"
            print(f"{kind.value}: at most {most} in {window.seconds:g} s, allowed {window.most}: {verdict}")


async def show(connection: asyncpg.Connection, url: str) -> None:
    """The counts of the database and of the receiver."""
    async with httpx.AsyncClient() as client:
        arrivals: dict[str, list[float]] = (await client.get(f"{url}/counts")).json()
    rows = await connection.fetch(
        "SELECT severity, status, extract(epoch FROM settled_at - created_at)::float8 AS took FROM page"
    )
    for severity in ("critical", "warning"):
        show_delays(severity, [row["took"] for row in rows if row["severity"] == severity])
    paid, messages, digests, most = await connection.fetchrow(
        "SELECT (SELECT count(DISTINCT l.page) FROM message_page l JOIN message m ON m.id = l.message "
        "WHERE m.status = 'taken'), count(*), count(*) FILTER (WHERE pages > 1), max(pages) "
        "FROM (SELECT count(*) AS pages FROM message_page GROUP BY message) AS packed"
    )  # fmt: skip
    arrived = sum(map(len, arrivals.values()))
    print(f"messages: {messages}, of them {digests} digests of at most {most} pages; {arrived} arrived")
    print(f"missing: {len(rows) - paid}")
    show_limits(arrivals)


async def main(asked: argparse.Namespace) -> None:
    with database_server() as server:
        async with fresh_database(server) as database, receiver() as url:
            await set_up(database)
            connection = await asyncpg.connect(database)
            await add_world(connection, asked.contacts, asked.incidents)
            origins = dict.fromkeys(KINDS, url)
            stop = asyncio.Event()
            config = DeliverConfig(
                database_url=database, senders=SenderConfig(origins=origins), public_url="https://m.example"
            )
            work = asyncio.create_task(run(config, stop))
            began, cpu = time.monotonic(), time.process_time()
            await owe_evenly(connection, asked)
            await wait_until_paid(connection)
            took, used = time.monotonic() - began, time.process_time() - cpu
            stop.set()
            await work
            print(f"{asked.incidents} incidents in {asked.seconds:g} s to {asked.contacts} contacts")
            print(f"all paid after {took:.1f} s; {used:.1f} s of CPU without PostgreSQL")
            await show(connection, url)
            await connection.close()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--incidents", type=int, default=1000)
    parser.add_argument("--contacts", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--critical", type=float, default=0.05)
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    asyncio.run(Receiver().serve() if given.receive else main(given))
