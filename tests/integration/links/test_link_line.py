"""The page behind a link over a real slow line: how many bytes it takes, and what a broken connection leaves."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from PIL import Image

from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api_world import World
from tests.integration.links.phone_kit import phone
from tests.integration.links.slow_line import LineFault, SlowLine, slow_line
from tests.integration.links.test_link_phone import STATION, Shown, form, links  # noqa: F401 -- a fixture
from tests.pictures import encoded

FIRST: Final = 15_000
"""Most bytes over the line for the first page of a phone, both ways, with the style and the scripts."""
RETURN: Final = 6_000
"""The same when the link is opened again."""
SMALLER: Final = 230_000
"""Most bytes up for a photo of which 8 KB are sent once and all is sent twice, with what else the page sends."""
FAST: Final = 400_000.0


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2].partition("/")[0])


def over(line: SlowLine, address: str) -> str:
    """The address of a link as it is behind the line."""
    return address.replace(f":{port_of(address)}/", f":{line.port}/")


async def bytes_of(line: SlowLine, doing: Callable[[], Awaitable[Any]]) -> int:
    before = line.up + line.down
    await doing()
    return line.up + line.down - before


async def test_a_page_takes_few_bytes(browser: Any, links: Shown) -> None:  # noqa: F811
    """A full page: health, a likely cause, earlier incidents with repairs, neighbours, people who were told."""
    world = World(links.pool)
    await world.record("health", STATION, 4000, 1, cpu=0.25, mem=0.6, disk=0.93, temp=41.0, rtt_ms=1800.0)
    for began in (400_000, 500_000, 600_000, 700_000):
        before = await world.incident("station_offline", station=STATION, began=began, status="closed")
        await links.pool.execute(
            "INSERT INTO repair (incident, at, made_by, cause, parts, text) "
            "VALUES ($1, now(), 'admin', 'power', '插座和电源线', '供电箱里的保险丝烧断，换了新的，恢复供电')",
            before,
        )
    await links.pool.execute("UPDATE incident SET closed_at = now(), ended_at = now() WHERE status = 'closed'")
    async with (
        slow_line(port_of(links.wang), rate=FAST, round_trip=0.0) as line,
        phone(browser, "zh-CN") as page,
    ):
        took = [await bytes_of(line, lambda: page.goto(over(line, links.wang), wait_until="networkidle")) for _ in "ab"]
        await page.get_by_text("插座和电源线").nth(2).wait_for()

    assert took[0] <= FIRST
    assert took[1] <= RETURN


async def test_a_repair_with_a_photo_over_a_line_that_breaks(browser: Any, links: Shown) -> None:  # noqa: F811
    """The first try breaks in the middle of the photo, the answer to the second is lost, and the third counts as the
    same form. What was typed into another form meanwhile is still there. Three tries send less than the photo has,
    because the page made the photo smaller."""
    faults = deque([LineFault(on="up", up=8000), LineFault(on="down", up=8000)])
    photo = encoded(Image.effect_noise((250, 188), 90).resize((2000, 1500)).convert("RGB"), quality=90)
    async with (
        slow_line(port_of(links.wang), rate=FAST, round_trip=0.01, faults=lambda: faults) as line,
        phone(browser, "zh-CN") as page,
    ):
        await page.goto(over(line, links.wang))
        repair = form(page, "repair")
        await page.locator("details:has(form[data-act=repair]) > summary").click()
        await repair.locator("[name=cause]").select_option("power")
        await repair.locator("[name=parts]").fill("插座")
        await repair.locator("[type=file]").set_input_files(
            {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": photo}
        )
        await page.locator("details:has(form[data-act=note]) > summary").click()
        await repair.locator("button:enabled").wait_for()
        async with page.expect_navigation():
            await repair.locator("button").click()
            await form(page, "note").locator("textarea").fill("钥匙在村委会")
        await page.get_by_text("之前已收到").wait_for()
        assert await form(page, "note").locator("textarea").input_value() == "钥匙在村委会"
    assert (line.broken, len(faults)) == (2, 0)
    assert line.up < SMALLER < len(photo)
    rows = await links.pool.fetch(
        "SELECT r.parts, p.made_by IS NOT NULL AS shown FROM repair r LEFT JOIN photo p ON p.repair = r.id"
    )
    assert [tuple(row) for row in rows] == [("插座", True)]
