"""The whole life of an incident on a technician's phone: the message, its link, what the person does, and the end."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from alerting.delivery import service as deliver
from alerting.delivery.service import DeliverConfig
from alerting.incident_process import service as incident_process
from alerting.incident_process.service import IncidentsConfig
from store.pool import Pool
from tests.integration.alerting.channels.receivers_kit import HttpReceiver, http_receiver
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running as serving
from tests.integration.api_world import config, leave
from tests.integration.duty_kit import add_route
from tests.integration.incidents_kit import ago, end_verification, judging, running, until, write_transition
from tests.integration.links.phone_kit import a_county, phone
from tests.pictures import of_a_phone
from tests.servers import find_free_port

STATION: Final = "6321220000"
SAID: Final = {
    "zh-CN": ("没有网络", "已确认", "照片已保存", "核实中", "修复有效", "已关闭", "供电 · 插座", "由您处理"),
    "en": ("No connection", "Acknowledged", "photo is saved", "being verified", "the repair held", "closed",
           "power · 插座", "You work on it"),
}  # fmt: skip
STATUS: Final = "SELECT status FROM incident WHERE kind = 'station_offline'"


class Office(NamedTuple):
    """Everything that runs beside the phone. `receiver`: takes the messages for it."""

    pool: Pool
    receiver: HttpReceiver

    async def link(self, phase: str) -> str:
        """The address in the message of this phase, as the person reads it there."""
        await until(self.pool, "SELECT count(*) FROM page WHERE phase = $1 AND status = 'paid'", 1, phase)
        messages = [msgspec.json.decode(asked.body)["data"] for asked in self.receiver.got]
        found = [one for one in messages if f"milepost.incident.{phase}" in {event["type"] for event in one["events"]}]
        (address,) = re.findall(r"http://\S+/i/\S+", found[-1]["text"])
        return str(address)


@pytest.fixture
async def office(pool: Pool, database: str, tmp_path: Path) -> AsyncIterator[Office]:
    """Judges, the incident process, the delivery and the console."""
    await a_county(pool)
    settings = config(database, tmp_path, port=find_free_port())
    incidents = IncidentsConfig(database_url=database, poll=0.1, standby_poll=0.1)
    delivering = DeliverConfig(database_url=database, public_url=settings.url, poll=0.1)
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(http_receiver())
        await pool.execute(
            "UPDATE contact_channel SET kind = 'webhook', address = $1 WHERE contact = 'wang'", f"{receiver.url}/wang"
        )
        await pool.execute("UPDATE contact SET retired_at = now() WHERE id <> 'wang'")
        await add_route(pool, "default")
        for other in (
            judging(pool, range(1)),
            running(incident_process.run, incidents),
            running(deliver.run, delivering),
            serving(settings),
        ):
            await stack.enter_async_context(other)
        yield Office(pool, receiver)


def form(page: Any, act: str) -> Any:
    return page.locator(f"form[data-act={act}]")


async def unfold(page: Any, act: str) -> Any:
    await page.locator(f"details:has(form[data-act={act}]) > summary").click()
    return form(page, act)


@pytest.mark.parametrize("language", list(SAID))
async def test_from_the_message_to_the_closed_incident(language: str, browser: Any, office: Office) -> None:  # noqa: F811
    """Station offline, message, link, taken with an ETA, photo, repair typed while offline, verified, closed."""
    said = dict(
        zip(("offline", "taken", "photo", "waiting", "held", "closed", "repair", "own"), SAID[language], strict=True)
    )
    await office.pool.execute("UPDATE contact SET language = $1", language)
    await write_transition(office.pool, STATION, "online", "offline", at=ago(1200))
    link = await office.link("opened")
    async with phone(browser, language) as page:
        await page.goto(link)
        assert await page.evaluate("document.documentElement.lang") == language
        await form(page, "ack").locator("select").select_option("2")
        await leave(page, form(page, "ack").locator("button"))
        await page.get_by_role("status").get_by_text(said["taken"]).wait_for()
        await page.locator(".tag.acknowledged + strong").get_by_text(said["own"]).wait_for()
        await (
            (await unfold(page, "photo"))
            .locator("[type=file]")
            .set_input_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": of_a_phone()})
        )
        await leave(page, form(page, "photo").locator("button"))
        await page.get_by_role("status").get_by_text(said["photo"]).wait_for()
        repair = await unfold(page, "repair")
        await page.context.set_offline(True)
        await repair.locator("[name=cause]").select_option("power")
        await repair.locator("[name=parts]").fill("插座")
        await repair.locator("[name=fixed]").check()
        await repair.locator("button").click()
        await repair.get_by_text(said["offline"]).wait_for()
        await write_transition(office.pool, STATION, "offline", "online", at=ago(600))
        async with page.expect_navigation():
            await page.context.set_offline(False)
        await page.locator("#repair").get_by_text(said["waiting"]).wait_for()
        await until(office.pool, "SELECT status = 'closed' OR detail ? 'fault_ended' FROM incident", True)
        await end_verification(office.pool, await office.pool.fetchval("SELECT id FROM repair"))
        await until(office.pool, STATUS, "closed")
        await page.goto(await office.link("held"))
        await page.locator("#repair").get_by_text(said["held"]).wait_for()
        await page.locator(".tag.closed").get_by_text(said["closed"]).wait_for()
        await page.get_by_text(said["repair"]).first.wait_for(state="attached")
        await form(page, "ack").wait_for(state="detached")
    assert await actions(office.pool) == ["acknowledged", "photo", "fixed"]
    assert await office.pool.fetchval("SELECT outcome FROM repair") == "held"
    hours = await office.pool.fetchval(
        "SELECT ((convert_from(body, 'UTF8')::jsonb ->> 'eta_ms')::bigint - at_ms) / 3600000.0 FROM ledger_entry "
        "WHERE kind = 'incident.acknowledged'"
    )
    assert round(hours) == 2


async def actions(pool: Pool) -> Sequence[str]:
    """What the person did, all of it by the link."""
    rows = await pool.fetch("SELECT action FROM incident_entry WHERE remark = 'via link' ORDER BY id")
    return [row["action"] for row in rows]
