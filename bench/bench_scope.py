"""What a scope costs at national scale: a county's supervisor against the admin who asks for the same county.

`python -m bench.bench_scope [--stations N] [--times N]`, with the database of MILEPOST_TEST_DATABASE_URL or the
wheel's own. The two ask in turn, in one run, so that the load of the machine is the same for both. Of the board the
admin has only the country's.
"""

import argparse
import asyncio
import secrets
import statistics
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx

from access.roles import Role
from access.rules import OPERATOR
from access.scope import AreaScope
from access.store import add_account, add_token
from access.tokens import new_token
from bench.bench_board import COUNTY, SLOW, Pulse, ask, fill, serving
from bench.bench_ingest import database_server, fresh_database
from store.pool import Connection, open_pool


class Pair(NamedTuple):
    """The same for both: what the admin asks, and what the supervisor does."""

    admin: str
    supervisor: str


PAIRS = {
    "stations": Pair(f"/api/v1/stations?area={COUNTY}", "/api/v1/stations"),
    "stations that are offline": Pair(
        f"/api/v1/stations?area={COUNTY}&verdict=offline", "/api/v1/stations?verdict=offline"
    ),
    "stations that are excused": Pair(
        f"/api/v1/stations?area={COUNTY}&verdict=excused", "/api/v1/stations?verdict=excused"
    ),
    "stations that are unknown": Pair(
        f"/api/v1/stations?area={COUNTY}&verdict=unknown", "/api/v1/stations?verdict=unknown"
    ),
    "stations?q=": Pair(f"/api/v1/stations?area={COUNTY}&q=书屋99", "/api/v1/stations?q=书屋99"),
    "page of stations": Pair(f"/stations?area={COUNTY}", "/stations"),
    "areas/{county}": Pair(f"/api/v1/areas/{COUNTY}", f"/api/v1/areas/{COUNTY}"),
    "page of the county": Pair(f"/areas/{COUNTY}", f"/areas/{COUNTY}"),
    "incidents": Pair(f"/api/v1/incidents?area={COUNTY}", "/api/v1/incidents"),
    "incidents that are open": Pair(f"/api/v1/incidents?area={COUNTY}&status=open", "/api/v1/incidents?status=open"),
    "page of incidents": Pair(f"/incidents?area={COUNTY}", "/incidents"),
    "blind-spots": Pair(f"/api/v1/blind-spots?area={COUNTY}", "/api/v1/blind-spots"),
    "page of blind spots": Pair(f"/blind-spots?area={COUNTY}", "/blind-spots"),
    "closures": Pair(f"/api/v1/closures?area={COUNTY}", "/api/v1/closures"),
}
BOARD = {"board (the admin's is of the country)": Pair("/", "/")}
UNKEPT = {name: PAIRS[name] for name in ("areas/{county}", "page of the county")} | BOARD


async def supervisor_token(connection: Connection) -> str:
    """A token of a new account of the county."""
    scope, login = AreaScope(areas=frozenset({COUNTY})), f"bench-{secrets.token_hex(4)}"
    account = await add_account(connection, login=login, name="县", role=Role.SUPERVISOR, scope=scope, by=OPERATOR)
    token = new_token()
    await add_token(
        connection,
        token,
        account=account.id,
        name="bench",
        role=Role.SUPERVISOR,
        scope=scope,
        by=OPERATOR,
        expires_at=datetime.now(UTC) + timedelta(days=1),
    )
    return token.text


async def compare(client: httpx.AsyncClient, token: str, pairs: dict[str, Pair], times: int, pace: float = 0) -> None:
    """Median milliseconds of each, and the supervisor's by the admin's. The first round is not counted."""
    print(f"    {'ms':42}{'admin':>8}{'county':>8}{'ratio':>8}")
    headers = {"Authorization": f"Bearer {token}"}
    for name, pair in pairs.items():
        took: tuple[list[float], list[float]] = ([], [])
        failed = 0
        for _ in range(times + 1):
            begins = time.monotonic() + pace
            for place, (path, whose) in enumerate(((pair.admin, None), (pair.supervisor, headers))):
                seconds, status = await ask(client, path, whose)
                took[place].append(1000 * seconds)
                failed += status != 200
            await asyncio.sleep(max(begins - time.monotonic(), 0))
        admin, county = (statistics.median(one[1:]) for one in took)
        note = f"  {failed} failed" if failed else ""
        print(f"    {name:42}{admin:8.1f}{county:8.1f}{county / admin:8.2f}{note}", flush=True)


async def cases(connection: Connection, url: str, times: int) -> None:
    """As on any day, and while no process keeps the counts of areas."""
    pulse, token = Pulse(connection), await supervisor_token(connection)
    await pulse.beat()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(serving(url))
        await stack.enter_async_context(pulse.beating())
        print("as on any day", flush=True)
        await compare(client, token, PAIRS, times)
        await compare(client, token, BOARD, max(times // 4, 3), SLOW)
        pulse.kept = False
        await connection.execute("TRUNCATE area_count_known")
        print("nobody keeps the counts", flush=True)
        await compare(client, token, UNKEPT, max(times // 4, 3), SLOW)


async def run(stations: int, times: int) -> None:
    with database_server() as server:
        async with (
            fresh_database(server) as url,
            open_pool(url, name="bench", size=1) as pool,
            pool.acquire() as connection,
        ):
            await fill(connection, stations)
            await connection.execute("RESET session_replication_role")
            await cases(connection, url, times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=700_000)
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    asyncio.run(run(given.stations, given.times))


if __name__ == "__main__":
    main()
