"""A technician's shift on a phone of 360 px over 20 kbit/s with losses: taps, seconds and bytes.

`python -m bench.bench_shift [--lost SHARE] [--seed N] [--cut BYTES]`, with Chromium. The line is a TCP proxy on
loopback: 20 kbit/s each way, a round trip of 600 ms, and by a seed the share `--lost` of requests breaks the connection
(in the middle of the request, before the answer or in the middle of the answer) or stalls for 20 s. With `--cut` the
connection breaks once more, after so many bytes of one request: only a photo has so many. Five incidents in three
townships, two of them of one cause. The person opens the link of each, takes the incident with an ETA, opens the link
again on the spot, and reports cause, part, text and “repaired”, once with a photo. Seconds are those of waiting for the
line.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from PIL import Image
from playwright.async_api import Error as BrowserError
from playwright.async_api import async_playwright

from access.links.store import give_links
from bench.bench_ingest import database_server, fresh_database, set_up
from store.pool import Pool, open_pool
from tests.conftest import free_port
from tests.integration.api.test_api_pages import CHROMIUM, FLAGS
from tests.integration.api.test_api_service import running
from tests.integration.api_world import config
from tests.integration.links.phone_kit import TOWNS, a_county, phone
from tests.integration.links.slow_line import Faults, LineFault, SlowLine, random_faults, slow_line
from tests.pictures import encoded

FALLEN: Final = ("6321220000", "6321220001", "6321220010", "6321220011", "6321220020")
"""The first two are of one township and one uplink."""
CAUSES: Final = ("uplink", "uplink", "power", "agent", "hardware")
PARTS: Final = "插座和电源线"
TEXT: Final = "配电箱里的保险丝烧断，已更换，开机正常"
WITH_PHOTO: Final = "power"
_IDLE: Final = 0.5
"""Seconds without a request after which the browser says that the network is idle."""


class Cost(msgspec.Struct, kw_only=True):
    """What one incident cost."""

    taps: int = 0
    seconds: float = 0.0
    up: int = 0
    down: int = 0
    faults: int = 0


class Shift:
    """One person with one phone. A tap on the page, on a link in a message, or to load a page again counts; typing does
    not."""

    def __init__(self, page: Any, line: SlowLine, photo: bytes) -> None:
        self._page, self._line, self._photo = page, line, photo
        self._cost = Cost()
        self.costs: list[Cost] = []

    async def play(self, link: str, cause: str) -> None:
        """One incident."""
        line, self._cost = self._line, Cost()
        up, down, faults = line.up, line.down, line.broken + line.stalled
        await self._wait(self._open(link))
        await self._take()
        await self._wait(self._open(link))
        await self._repair(cause)
        self._cost.up, self._cost.down = line.up - up, line.down - down
        self._cost.faults = line.broken + line.stalled - faults
        self.costs.append(self._cost)

    async def _wait(self, doing: Awaitable[None]) -> None:
        began = time.monotonic()
        await doing
        await self._page.wait_for_load_state("networkidle", timeout=120_000)
        self._cost.seconds += time.monotonic() - began - _IDLE

    async def _open(self, link: str) -> None:
        while True:
            self._cost.taps += 1
            try:
                await self._page.goto(link, timeout=60_000)
            except BrowserError:
                continue
            return

    async def _send(self, form: Any) -> None:
        """Press the button; the script sends again by itself. A page that does not come is loaded again."""
        self._cost.taps += 1
        await form.locator("button").click()
        while True:
            try:
                await self._page.locator(".banner[role=status]").wait_for(timeout=2_000)
            except BrowserError:
                if self._page.url.startswith("chrome-error:"):
                    await self._reload()
                continue
            return

    async def _reload(self) -> None:
        self._cost.taps += 1
        with suppress(BrowserError):
            await self._page.reload(timeout=60_000)

    async def _take(self) -> None:
        form = self._page.locator("form[data-act=ack]")
        await self._page.locator(".go").click()
        await form.locator("select").select_option("4")
        self._cost.taps += 3
        await self._wait(self._send(form))

    async def _repair(self, cause: str) -> None:
        form = self._page.locator("form[data-act=repair]")
        await self._page.locator(".go").click()
        await self._page.locator("details:has(form[data-act=repair]) > summary").click()
        await form.locator("[name=cause]").select_option(cause)
        await form.locator("[name=parts]").press_sequentially(PARTS)
        await form.locator("[name=text]").press_sequentially(TEXT)
        await form.locator("[name=fixed]").check()
        self._cost.taps += 7
        if cause == WITH_PHOTO:
            file = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": self._photo}
            await form.locator("[type=file]").set_input_files(file)
            await form.locator("button:enabled").wait_for()
            self._cost.taps += 2
        await self._wait(self._send(form))


async def fallen_world(pool: Pool) -> None:
    """The county, with health and an earlier repair of the stations that are offline."""
    world = await a_county(pool)
    await pool.execute(
        "UPDATE station_state SET state = 'offline', since = now() - interval '1 hour' WHERE station = ANY ($1)",
        list(FALLEN),
    )
    for number, station in enumerate(FALLEN):
        town = list(TOWNS)[int(station[8])]
        await world.record("health", station, 4000, number, cpu=0.25, mem=0.6, disk=0.93, temp=41.0, rtt_ms=1800.0)
        for began, status in ((400_000, "closed"), (3600, "open")):
            await world.incident("station_offline", station=station, area=town, began=began, status=status)
    await pool.execute("UPDATE incident SET closed_at = now(), ended_at = now() WHERE status = 'closed'")


async def links_of(pool: Pool) -> list[str]:
    """The tokens of the open incidents."""
    rows = await pool.fetch("SELECT id FROM incident WHERE status = 'open' ORDER BY id")
    async with pool.acquire() as connection:
        tokens = await give_links(connection, "wang", [row["id"] for row in rows], datetime.now(UTC))
    return [tokens[row["id"]] for row in rows]


async def main(asked: argparse.Namespace) -> None:
    with database_server() as server, tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder:
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(fresh_database(server))
            await set_up(database)
            pool = await stack.enter_async_context(open_pool(database, name="bench", size=2))
            await fallen_world(pool)
            tokens = await links_of(pool)
            settings = config(database, Path(folder), port=free_port())
            await stack.enter_async_context(running(settings))
            faults = with_a_cut(random_faults(asked.lost, asked.seed), asked.cut)
            line = await stack.enter_async_context(slow_line(settings.port, faults=faults))
            driver = await stack.enter_async_context(async_playwright())
            chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = await stack.enter_async_context(phone(chromium, "zh-CN"))
            shift = Shift(page, line, photo_of_a_phone())
            for token, cause in zip(tokens, CAUSES, strict=True):
                await shift.play(f"http://127.0.0.1:{line.port}/i/{token}", cause)
            show(shift.costs, line, asked)
            await check(pool)
            await chromium.close()


def with_a_cut(faults: Faults, size: int) -> Faults:
    """The faults, and once a break in the middle of a request, after `size` bytes of an exchange that has no other
    fault; 0: none."""
    cut = deque([LineFault(on="up", up=size)] if size else [])
    return lambda: faults() or cut


def photo_of_a_phone() -> bytes:
    """A JPEG of 12 megapixels, which the page makes smaller before it is sent."""
    coarse = Image.effect_noise((250, 188), 90).convert("RGB")
    return encoded(coarse.resize((4000, 3000), Image.Resampling.BICUBIC), quality=92)


async def check(pool: Pool) -> None:
    """Nothing typed is lost, and nothing is counted twice."""
    acts = await pool.fetch(
        "SELECT action, count(*) AS n FROM incident_entry WHERE remark = 'via link' GROUP BY action"
    )
    assert {row["action"]: row["n"] for row in acts} == {"acknowledged": 5, "fixed": 5, "photo": 1}, acts
    repairs = await pool.fetch("SELECT cause, parts, text FROM repair ORDER BY incident")
    assert [tuple(row) for row in repairs] == [(cause, PARTS, TEXT) for cause in CAUSES], repairs
    print("nothing is lost: five taken and five repaired, each once, with all that was typed and the photo")


def show(costs: Sequence[Cost], line: SlowLine, asked: argparse.Namespace) -> None:
    """The table of the documentation."""
    print(
        f"{os.cpu_count()} cores; --lost {asked.lost:g} --seed {asked.seed} --cut {asked.cut}: "
        f"{line.broken} requests broke the connection and {line.stalled} stalled"
    )
    print("| incident | taps | s | bytes up | bytes down | faults |\n|---|---|---|---|---|---|")
    for number, (cost, cause) in enumerate(zip(costs, CAUSES, strict=True), start=1):
        row(f"{number}, {cause}{' with a photo' if cause == WITH_PHOTO else ''}", [cost])
    row("**the shift**", costs)


def row(name: str, costs: Sequence[Cost]) -> None:
    """One line of the table."""
    taps, faults, up, down = (sum(getattr(one, field) for one in costs) for field in ("taps", "faults", "up", "down"))
    print(f"| {name} | {taps} | {sum(one.seconds for one in costs):.0f} | {up:,} | {down:,} | {faults} |")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lost", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cut", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
