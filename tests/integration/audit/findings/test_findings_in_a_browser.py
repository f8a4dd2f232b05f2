"""A finding, a dispute and a correction by the people whom they concern, in a real browser on a phone."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest

from access.roles import Role
from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api_world import TOKEN, config, leave, other_account
from tests.integration.audit.days.day_world import FIRST, HOUR_MS, DayWorld
from tests.pictures import CAMERA, of_a_phone
from tests.servers import find_free_port

BACK: Final = 300
"""Days from the day of the test to the first day of the world, so that every clock is past it."""
DAY: Final = FIRST - timedelta(days=BACK)
NOON, THREE = f"{DAY}T12:00", f"{DAY}T15:00"
FITS: Final = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
async def world(pool: Pool) -> DayWorld:
    """A station that is open from 9 to 17 and was offline from 12 to 15; the day is kept."""
    world, hours = DayWorld(pool), -24 * BACK
    await world.register(["a"], since=hours - 100)
    await world.judge("a", hours + 1, "online", usable=True)
    await world.judge("a", hours + 12, "offline")
    await world.judge("a", hours + 15, "online", usable=True)
    await world.keep(hours + 24 + 24)
    return world


class Person:
    """A browser on a phone, in which an account is signed in."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url

    async def open(self, path: str) -> None:
        """Open a page, which is not wider than the phone."""
        answer = await self.page.goto(self.url + path)
        assert answer.status == 200, path
        assert await self.page.evaluate(FITS), path

    async def fill(self, **fields: str) -> None:
        """Type into the fields of the form that is called `make` or the only one of the page."""
        for name, value in fields.items():
            field = self.page.locator(f"form.deed [name={name.rstrip('_')}]").first
            if name == "counts_as":
                await field.select_option(value)
            else:
                await field.fill(value)

    async def press(self, text: str) -> str:
        """Press a button, and give the path of the page that follows."""
        await leave(self.page, self.page.locator("button", has_text=text).first)
        return str(self.page.url).removeprefix(self.url)

    async def sees(self, *texts: str) -> None:
        """Each text stands on the page."""
        for text in texts:
            await self.page.get_by_text(text).first.wait_for()


@asynccontextmanager
async def phones(chromium: Any, pool: Pool, url: str, client: httpx.AsyncClient) -> AsyncIterator[dict[str, Person]]:
    """People by login: an auditor, two supervisors and the station's officer."""
    people, contexts = dict[str, Person](), []
    roles = {"li": Role.AUDITOR, "wang": Role.SUPERVISOR, "ma": Role.SUPERVISOR, "zhao": Role.TECHNICIAN}
    for login, role in roles.items():
        account = (await other_account(pool, role, login)).account
        made = await client.post(
            "/api/v1/signin-links", json={"account": account}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert made.status_code == 201, made.text
        contexts.append(
            await chromium.new_context(
                locale="en" if login == "ma" else "zh-CN", viewport={"width": 360, "height": 740}
            )
        )
        page = await contexts[-1].new_page()
        await page.goto(f"{url}/signin?code={made.json()['link'].partition('code=')[2]}")
        await leave(page, page.locator("form.signin button").last)
        people[login] = Person(page, url)
    yield people
    for context in contexts:
        await context.close()


async def figures(world: DayWorld) -> list[tuple[int, list[str], int]]:
    """Of the kept day: (revision, causes, hours online)."""
    assert await world.wrong() == []
    rows = await world.pool.fetch(
        "SELECT revision, causes, online_ms FROM station_day_revision WHERE station = 'a' AND day = $1 "
        "ORDER BY revision", DAY,
    )  # fmt: skip
    return [(row["revision"], row["causes"], row["online_ms"] // HOUR_MS) for row in rows]


async def test_from_a_finding_to_a_further_revision_of_the_day(
    world: DayWorld,
    browser: Any,  # noqa: F811
    database: str,
    tmp_path: Path,
) -> None:
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings) as (client, _, _), phones(browser, world.pool, settings.url, client) as people:
        finding = await a_finding_is_answered_and_closed(people)
        dispute = await a_time_is_disputed_with_a_photo(people, tmp_path)
        assert await figures(world) == [(1, [], 5)], "questions and answers change no figure"
        correction = await a_correction_is_proposed_and_approved(people, world, dispute)
        await world.keep()
        assert await figures(world) == [(1, [], 5), (2, ["correction"], 8)]
        await people["li"].open(f"/uptime?station=a&period={DAY:%Y-%m}")
        await people["li"].sees("第 2 版", "更正获批准", "+3")
    await all_is_in_the_ledger(world.pool, finding, dispute, correction)


async def a_finding_is_answered_and_closed(people: dict[str, Person]) -> str:
    auditor, supervisor = people["li"], people["wang"]
    # From the figures of the station to the day, and to a form that knows the day.
    await auditor.open(f"/uptime?station=a&period={DAY:%Y-%m}")
    await leave(auditor.page, auditor.page.locator(f"a[href*='from={DAY}']"))
    await auditor.fill(text="当日 12 时至 15 时为何离线？")
    finding = await auditor.press("提出审计意见")
    await auditor.sees("待答复", f"{DAY} 00:00:00")
    await supervisor.open("/findings?status=open")
    await leave(supervisor.page, supervisor.page.locator(f"a[href='{finding}']"))
    await supervisor.fill(text="供电局停电检修")
    assert await supervisor.press("提交答复") == finding
    await supervisor.sees("已答复", "供电局停电检修")
    await auditor.open(finding)
    await auditor.fill(text="已核实")
    await auditor.press("办结")
    await auditor.sees("已办结", "已核实")
    return finding


async def a_time_is_disputed_with_a_photo(people: dict[str, Person], folder: Path) -> str:
    officer = people["zhao"]
    photo = folder / "notice.jpg"
    photo.write_bytes(of_a_phone(6, width=300, height=200))
    await officer.open("/findings?station=a")
    await officer.fill(from_=NOON, until=THREE, text="停电时终端由备用电源供电，一直开放")
    await officer.page.locator("form.deed input[name=photo]").set_input_files(photo)
    dispute = await officer.press("提出异议")
    await officer.sees("待答复", "异议")
    picture = officer.page.locator("#photos img")
    await picture.scroll_into_view_if_needed()
    await officer.page.wait_for_function("document.querySelector('#photos img').naturalWidth === 200")
    kept = await officer.page.request.get(officer.url + str(await picture.get_attribute("src")))
    assert CAMERA.encode() not in await kept.body()
    return dispute


async def a_correction_is_proposed_and_approved(people: dict[str, Person], world: DayWorld, dispute: str) -> str:
    proposer, other = people["wang"], people["ma"]
    await proposer.open(dispute)
    await leave(proposer.page, proposer.page.locator("a", has_text="提出更正"))
    # The form knows the time of the dispute.
    assert await proposer.page.locator("form.deed [name=from]").input_value() == NOON
    await proposer.fill(counts_as="up", reason="备用电源记录与照片一致")
    correction = await proposer.press("提出更正")
    await proposer.sees("待批准", "须由另一人批准")
    # The page offers no approval of the own one; a request that asks for it is refused, and recorded.
    forged = await proposer.page.request.post(
        f"{proposer.url}{correction}/approve", form={}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert forged.status == 409 and "须由另一人批准" in await forged.text()
    await world.keep()
    assert await figures(world) == [(1, [], 5)], "a proposal changes no figure"
    await other.open(correction)
    await other.fill(why="photo seen")
    await other.press("Approve")
    await other.sees("approved", "photo seen")
    return correction


async def all_is_in_the_ledger(pool: Pool, finding: str, dispute: str, correction: str) -> None:
    rows = await pool.fetch(
        "SELECT e.kind, e.subject, a.login, convert_from(e.body, 'UTF8') AS body FROM ledger_entry e "
        "JOIN account a ON a.id = e.actor WHERE e.kind ~ '^(finding|correction|photo)' ORDER BY e.id"
    )
    first, second, third = (path.strip("/").replace("findings", "finding").replace("corrections", "correction")
                            for path in (finding, dispute, correction))  # fmt: skip
    assert [(row["kind"], row["subject"], row["login"]) for row in rows] == [
        ("finding.made", first, "li"), ("finding.answered", first, "wang"), ("finding.closed", first, "li"),
        ("finding.made", second, "zhao"), ("photo.added", second, "zhao"),
        ("correction.proposed", third, "wang"), ("correction.approval_refused", third, "wang"),
        ("correction.approved", third, "ma"),
    ]  # fmt: skip
    photo = msgspec.json.decode(next(row["body"] for row in rows if row["kind"] == "photo.added"))
    jpeg = await pool.fetchval("SELECT jpeg FROM photo WHERE finding IS NOT NULL")
    assert photo["jpeg_sha256"] == hashlib.sha256(jpeg).hexdigest()
    assert not [text for text in ("停电", "备用", "核实", "photo seen") if text in "".join(row["body"] for row in rows)]
