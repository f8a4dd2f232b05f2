"""Pages against a provider on loopback: paid once, by the next channel, folded, overtaken, with nothing lost."""

import asyncio
import logging
from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest

from access.links.store import find_link
from alerting.delivery import service as deliver
from alerting.delivery.pages.store import QUERIES, DueContact, due_contacts
from alerting.delivery.service import DeliverConfig
from store.pool import Connection, Pool
from tests.integration.alerting.paging.kit import (
    CALM,
    DriverConfig,
    Provider,
    add_contact,
    add_incident,
    hurry,
    owe,
    provider,
    run_pages,
    statuses,
)
from tests.integration.alerting.test_deliver import Webhook, webhook
from tests.integration.incidents_kit import running, until

__all__ = ["provider", "webhook"]

OPEN = "SELECT count(*) FROM page WHERE status IN ('owed', 'sending')"
PAID = "SELECT count(*) FROM page WHERE status = 'paid'"
MESSAGES = "SELECT status || ' ' || kind FROM message ORDER BY created_at"


@pytest.fixture
def config(database: str) -> DriverConfig:
    return DriverConfig(database_url=database)


async def entries(pool: Pool) -> list[tuple[str, str]]:
    return [tuple(row) for row in await pool.fetch("SELECT action, text FROM incident_entry ORDER BY id")]


async def messages(pool: Pool) -> list[str]:
    return [row[0] for row in await pool.fetch(MESSAGES)]


async def test_a_page_is_paid_and_its_incident_says_so(
    pool: Pool, config: DriverConfig, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    await add_contact(pool, "zhang", ("wecom", provider.address("a")), ("sms", provider.address("b")))
    with caplog.at_level(logging.DEBUG):
        async with running(run_pages, config):
            await owe(pool, "zhang", await add_incident(pool, 1))
            await until(pool, PAID, 1)
    (arrival,) = provider.arrivals
    assert (arrival.path, arrival.text) == ("a", "[OFFLINE] 632122000001")
    assert arrival.events[0]["type"] == "milepost.incident.opened"
    assert await entries(pool) == [("notified", "opened → zhang wecom")]
    assert await pool.fetchval("SELECT id::text FROM message") == arrival.key
    stored = await pool.fetchval(
        "SELECT string_agg(m::text || a::text || e::text, '') FROM message m, attempt a, incident_entry e"
    )
    assert "secret" not in stored
    assert "secret" not in "".join(str(vars(record)) for record in caplog.records if record.name.startswith("alerting"))


async def test_the_end_of_a_hold_wakes_the_search_for_pages(pool: Pool, database: str, provider: Provider) -> None:
    """Searches are so rare that only the due time of the page can be the cause."""
    await add_contact(pool, "zhang", ("wecom", provider.address("a")))
    rare = DriverConfig(database_url=database, paging=msgspec.structs.replace(CALM, poll=3600))
    async with running(run_pages, rare):
        await owe(pool, "zhang", await add_incident(pool, 1), held=0.5)
        await until(pool, PAID, 1)


async def test_what_becomes_due_during_a_slow_search_is_found(
    pool: Pool, database: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def search_slowly(connection: Connection) -> list[DueContact]:
        found = await due_contacts(connection)
        await asyncio.sleep(1)
        return found

    monkeypatch.setattr("alerting.delivery.pages.service.due_contacts", search_slowly)
    await add_contact(pool, "zhang", ("wecom", provider.address("a")))
    await owe(pool, "zhang", await add_incident(pool, 1), held=1.5)
    rare = DriverConfig(database_url=database, paging=msgspec.structs.replace(CALM, poll=3600))
    async with running(run_pages, rare):
        await until(pool, PAID, 1)


async def test_a_name_that_cannot_be_taken_back_yet_delays_no_page(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    """An earlier process named the contact, and another session holds that row."""
    await add_contact(pool, "zhang", ("wecom", provider.address("a")))
    await pool.execute(
        "INSERT INTO set_aside (service, kind, subject, why) VALUES ('deliver', 'contact', 'zhang', 'x')"
    )
    for number in (1, 2):
        await owe(pool, "zhang", await add_incident(pool, number))
    async with running(run_pages, config):
        async with pool.acquire() as other, other.transaction():
            await other.execute("SELECT FROM set_aside FOR UPDATE")
            await until(pool, PAID, 2)
        await until(pool, "SELECT count(*) FROM set_aside", 0)
    assert len(provider.arrivals) == 2


async def test_a_provider_that_fails_gets_the_same_message_until_it_takes_it(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    await add_contact(pool, "zhang", ("wecom", provider.address("a")))
    provider.plan["a"].extend(["broken", "cut", "broken", "broken"])
    async with running(run_pages, config):
        await owe(pool, "zhang", await add_incident(pool, 1))
        for number in range(1, 5):
            await until(pool, "SELECT count(*) FROM attempt WHERE outcome IS NOT NULL", number)
            await hurry(pool)
        await until(pool, PAID, 1)
    assert len(provider.arrivals) == 5
    assert len(set(provider.keys("a"))) == 1
    assert [row[0] for row in await pool.fetch("SELECT outcome FROM attempt ORDER BY number")] == [
        "failed", "unknown", "failed", "failed", "taken",
    ]  # fmt: skip


async def test_the_last_channel_is_tried_on_and_the_page_says_so(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    await add_contact(pool, "zhang", ("wecom", provider.address("a")))
    provider.plan["a"].extend(["broken"] * 3)
    async with running(run_pages, config):
        await owe(pool, "zhang", await add_incident(pool, 1))
        for number in range(1, 4):
            await until(pool, "SELECT count(*) FROM attempt WHERE outcome IS NOT NULL", number)
            if number < 3:
                await hurry(pool)
        assert await pool.fetchval("SELECT status || ' ' || reason FROM page") == "sending unreached"
        await hurry(pool)
        await until(pool, PAID, 1)
    assert await pool.fetchval("SELECT reason FROM page") is None


async def test_a_refused_message_goes_by_the_next_channel_and_then_nobody_is_left(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    await add_contact(pool, "zhang", ("wecom", provider.address("a")), ("sms", provider.address("b")))
    await add_contact(pool, "li", ("wecom", provider.address("c")))
    provider.plan["a"].append("refused")
    provider.plan["c"].append("refused")
    async with running(run_pages, config):
        incident = await add_incident(pool, 1)
        await owe(pool, "zhang", incident)
        await until(pool, PAID, 1)
        await owe(pool, "li", incident)
        await until(pool, OPEN, 0)
    assert await messages(pool) == ["refused wecom", "taken sms", "refused wecom"]
    assert await entries(pool) == [("notified", "opened → zhang sms"), ("undelivered", "opened → li: no_channel")]


async def test_a_contact_without_a_channel_fails_at_once(pool: Pool, config: DriverConfig) -> None:
    await add_contact(pool, "zhang")
    async with running(run_pages, config):
        await owe(pool, "zhang", await add_incident(pool, 1))
        await until(pool, OPEN, 0)
    assert await pool.fetchval("SELECT status || ' ' || reason FROM page") == "failed no_channel"


async def test_three_unknown_outcomes_lead_to_the_next_channel(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    """Perhaps the page arrives twice; that it is not known is stored with each attempt."""
    await add_contact(pool, "zhang", ("wecom", provider.address("a")), ("mail", provider.address("b")))
    provider.plan["a"].extend(["cut", "hang", "cut"])
    async with running(run_pages, config):
        await owe(pool, "zhang", await add_incident(pool, 1))
        for number in range(1, 4):
            if number == 2:
                await asyncio.to_thread(provider.opened.wait, 20)
                provider.gate.set()
            await until(pool, "SELECT count(*) FROM attempt WHERE outcome = 'unknown'", number)
            await hurry(pool)
        await until(pool, PAID, 1)
    assert len(set(provider.keys("a"))) == 1
    assert len(provider.keys("a")) == 3
    assert await messages(pool) == ["given_up wecom", "taken mail"]


class ProviderHangs:
    """The time for an answer of the first attempt is over when the provider has the request and hangs. Later attempts
    have all the time that they need."""

    def __init__(self, provider: Provider) -> None:
        self.asked: list[float] = []
        self._provider = provider

    async def wait(self, seconds: float) -> None:
        self.asked.append(seconds)
        if len(self.asked) > 1:
            await asyncio.Event().wait()
        await asyncio.to_thread(self._provider.opened.wait, 20)


async def test_a_critical_page_does_not_wait_for_a_provider_that_hangs(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    """The next channel takes it; that the first one took it too is written down when it says so."""
    hangs = ProviderHangs(provider)
    await add_contact(pool, "zhang", ("wecom", provider.address("a")), ("mail", provider.address("b")))
    provider.plan["a"].append("late")
    async with running(partial(run_pages, wait=hangs.wait), config):
        await owe(pool, "zhang", await add_incident(pool, 1), severity="critical")
        await until(pool, PAID, 1)
        assert await messages(pool) == ["hastened wecom", "taken mail"]
        assert hangs.asked[0] == config.paging.next_channel_after
        provider.gate.set()
        await until(pool, "SELECT count(*) FROM attempt WHERE outcome = 'taken'", 2)
    assert await messages(pool) == ["taken wecom", "taken mail"]
    assert await entries(pool) == [("notified", "opened → zhang mail"), ("notified", "opened → zhang wecom")]


@pytest.mark.parametrize("message", ["sending", "hastened", "given_up"])
@pytest.mark.parametrize("page", ["paid", "cancelled", "failed"])
async def test_a_receipt_is_noted_although_the_page_is_settled(pool: Pool, page: str, message: str) -> None:
    """Another channel delivered the page, or the page is not needed any more; this message arrived all the same."""
    await add_contact(pool, "zhang")
    owed = await owe(pool, "zhang", await add_incident(pool, 1))
    await pool.execute("UPDATE page SET status = $1", page)
    key = await pool.fetchval(
        "INSERT INTO message (contact, kind, fingerprint, severity, status) "
        "VALUES ('zhang', 'wecom', 'f', 'warning', $1) RETURNING id",
        message,
    )
    await pool.execute("INSERT INTO message_page VALUES ($1, $2)", key, owed)
    for _ in range(2):
        await pool.execute(QUERIES.mark_taken, key)
        assert await entries(pool) == [("notified", "opened → zhang wecom")]
    assert await pool.fetchval("SELECT status FROM page") == page


async def test_a_late_receipt_counts_while_the_next_channel_fails(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    hangs = ProviderHangs(provider)
    await add_contact(pool, "zhang", ("wecom", provider.address("a")), ("mail", provider.address("b")))
    provider.plan["a"].append("late")
    provider.plan["b"].extend(["broken"] * 20)
    async with running(partial(run_pages, wait=hangs.wait), config):
        await owe(pool, "zhang", await add_incident(pool, 1), severity="critical")
        await until(pool, "SELECT count(*) > 0 FROM attempt WHERE outcome = 'failed'", True)
        provider.gate.set()
        await until(pool, PAID, 1)
    assert (await entries(pool))[0] == ("notified", "opened → zhang wecom")
    assert len(provider.keys("a")) == 1


async def test_without_another_channel_the_one_that_hung_gets_the_same_message_again(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    hangs = ProviderHangs(provider)
    await add_contact(pool, "zhang", ("wecom", provider.address("a")), ("mail", provider.address("b")))
    provider.plan["a"].append("hang")
    provider.plan["b"].append("refused")
    async with running(partial(run_pages, wait=hangs.wait), config):
        await owe(pool, "zhang", await add_incident(pool, 1), severity="critical")
        await until(pool, PAID, 1)
    assert len(provider.keys("a")) == 2 and len(set(provider.keys("a"))) == 1
    assert await messages(pool) == ["taken wecom", "refused mail"]


async def test_what_is_not_critical_waits_for_the_answer(pool: Pool, config: DriverConfig, provider: Provider) -> None:
    hangs = ProviderHangs(provider)
    await add_contact(pool, "zhang", ("wecom", provider.address("a")), ("mail", provider.address("b")))
    provider.plan["a"].append("late")
    async with running(partial(run_pages, wait=hangs.wait), config):
        await owe(pool, "zhang", await add_incident(pool, 1))
        await until(pool, "SELECT count(*) FROM attempt", 1)
        await asyncio.to_thread(provider.opened.wait, 20)
        provider.gate.set()
        await until(pool, PAID, 1)
    assert await messages(pool) == ["taken wecom"]
    assert not hangs.asked


async def test_what_a_provider_throttles_is_folded_with_what_follows(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    await add_contact(pool, "zhang", ("dingtalk", provider.address("a")))
    provider.plan["a"].append("throttled")
    silent = "SELECT silent_until > now() + interval '9 minutes' FROM send_limit"
    async with running(run_pages, config):
        await owe(pool, "zhang", await add_incident(pool, 1))
        await until(pool, silent, True)
        for number in (2, 3):
            await owe(pool, "zhang", await add_incident(pool, number))
    async with running(run_pages, config):
        await asyncio.sleep(0.3)
        assert len(provider.arrivals) == 1, "the silence outlives the process"
        await pool.execute("UPDATE send_limit SET silent_until = NULL, taken_at = array_fill(now(), '{13}')")
        await until(pool, PAID, 3)
    assert await messages(pool) == ["folded dingtalk", "taken dingtalk"]
    assert provider.arrivals[1].text == "[3 ALERTS] [OFFLINE] 632122000001 and others"
    assert [event["station"] for event in provider.arrivals[1].events] == [
        "632122000001",
        "632122000002",
        "632122000003",
    ]


async def test_what_was_held_until_the_same_time_is_one_digest(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    await add_contact(pool, "zhang", ("feishu", provider.address("a")))
    incidents = [await add_incident(pool, number) for number in range(3)]
    for incident in incidents:
        await owe(pool, "zhang", incident)
    await pool.execute("UPDATE page SET not_before = now()")
    async with running(run_pages, config):
        await until(pool, PAID, 3)
    (arrival,) = provider.arrivals
    assert sorted(event["incident"] for event in arrival.events) == incidents


async def test_an_sms_a_minute_and_the_rest_in_one(pool: Pool, config: DriverConfig, provider: Provider) -> None:
    await add_contact(pool, "zhang", ("sms", provider.address("a")))
    incidents = [await add_incident(pool, number) for number in range(30)]
    async with running(run_pages, config):
        await owe(pool, "zhang", incidents[0])
        await until(pool, PAID, 1)
        for incident in incidents[1:]:
            await owe(pool, "zhang", incident)
        await asyncio.sleep(0.3)
        assert len(provider.arrivals) == 1
        await pool.execute("UPDATE send_limit SET taken_at = ARRAY[now() - interval '61 seconds']")
        await until(pool, PAID, 30)
    assert len(provider.arrivals) == 2
    assert len(provider.arrivals[1].events) == 20


async def test_two_processes_share_the_limits_as_the_receiver_counts(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    """Feishu takes five a second, and one of them is kept for what is urgent."""
    for contact in ("zhang", "li", "wang"):
        await add_contact(pool, contact, ("feishu", provider.address("room")))
    incidents = [await add_incident(pool, number) for number in range(20)]
    async with running(run_pages, config), running(run_pages, config):
        for number, incident in enumerate(incidents):
            for contact in ("zhang", "li", "wang"):
                await owe(pool, contact, incident, severity="critical" if number % 4 == 0 else "info")
        await until(pool, PAID, 60)
    assert provider.most_within("room", 1.0) <= 5
    events = [event["incident"] for arrival in provider.arrivals for event in arrival.events]
    assert sorted(events) == sorted(incidents * 3), "each exactly once, because nobody died"


async def test_one_bot_in_two_contacts_has_one_limit(pool: Pool, config: DriverConfig, provider: Provider) -> None:
    """Also if it mentions other people in each."""
    incident = await add_incident(pool, 1)
    for contact in ("zhang", "li"):
        await add_contact(pool, contact, ("dingtalk", f"{provider.address('a')}?to={contact}"))
        await owe(pool, contact, incident)
    async with running(run_pages, config):
        await until(pool, PAID, 2)
    (tokens,) = [row["taken_at"] for row in await pool.fetch("SELECT taken_at FROM send_limit")]
    assert (len(tokens), len(provider.arrivals)) == (2, 2)


async def test_a_slow_address_delays_no_other(pool: Pool, config: DriverConfig, provider: Provider) -> None:
    await add_contact(pool, "zhang", ("webhook", provider.address("slow")))
    await add_contact(pool, "li", ("webhook", provider.address("quick")))
    provider.plan["slow"].append("hang")
    async with running(run_pages, config):
        await owe(pool, "zhang", await add_incident(pool, 1), severity="critical")
        await until(pool, "SELECT count(*) FROM message WHERE status = 'sending'", 1)
        await owe(pool, "li", await add_incident(pool, 2), severity="info")
        await until(pool, PAID, 1)
        assert provider.keys("quick")
        assert await pool.fetchval("SELECT count(*) FROM message WHERE status = 'sending'") == 1
        provider.gate.set()


async def test_a_slow_provider_delays_no_other(pool: Pool, config: DriverConfig, provider: Provider) -> None:
    """One attempt at a time by each kind of channel: another contact's WeCom waits, and an SMS does not."""
    narrow = msgspec.structs.replace(config, paging=msgspec.structs.replace(CALM, most_sends=1))
    for contact, kind in (("zhang", "wecom"), ("li", "wecom"), ("wang", "sms")):
        await add_contact(pool, contact, (kind, provider.address(contact)))
    provider.plan["zhang"].append("hang")
    async with running(run_pages, narrow):
        await owe(pool, "zhang", await add_incident(pool, 1), severity="critical")
        await until(pool, "SELECT count(*) FROM message WHERE status = 'sending'", 1)
        for number, contact in enumerate(("li", "wang"), start=2):
            await owe(pool, contact, await add_incident(pool, number))
        await until(pool, PAID, 1)
        assert {arrival.path for arrival in provider.arrivals} == {"zhang", "wang"}
        provider.gate.set()
        await until(pool, "SELECT status FROM page WHERE recipient = 'li'", "paid")


@pytest.mark.parametrize(
    ("phase", "sql", "reason"),
    [
        ("opened", "UPDATE incident SET status = 'acknowledged', acknowledged_at = now()", "acknowledged"),
        ("escalated", "UPDATE incident SET status = 'closed', ended_at = now()", "over"),
        ("closed", "UPDATE incident SET status = 'closed', ended_at = now()", "never_told"),
    ],
)
async def test_overtaken_pages_are_cancelled_with_the_reason(
    pool: Pool, config: DriverConfig, provider: Provider, phase: str, sql: str, reason: str
) -> None:
    await add_contact(pool, "zhang", ("wecom", provider.address("a")))
    await owe(pool, "zhang", await add_incident(pool, 1), phase)
    await pool.execute(sql)
    async with running(run_pages, config):
        await until(pool, OPEN, 0)
    assert await pool.fetchval("SELECT status || ' ' || reason FROM page") == f"cancelled {reason}"
    assert not provider.arrivals
    assert await entries(pool) == [("not_told", f"{phase} → zhang")]


@pytest.mark.parametrize("how", ["taken", "cut"])
async def test_the_end_goes_to_who_was_told_or_may_have_been(
    pool: Pool, config: DriverConfig, provider: Provider, how: str
) -> None:
    await add_contact(pool, "zhang", ("wecom", provider.address("a")))
    await add_contact(pool, "li", ("wecom", provider.address("b")))
    provider.plan["a"].append(how)
    provider.plan["b"].extend(["broken"] * 9)
    incident = await add_incident(pool, 1)
    async with running(run_pages, config):
        for contact in ("zhang", "li"):
            await owe(pool, contact, incident)
        await until(pool, "SELECT count(*) FROM attempt WHERE outcome IS NOT NULL", 2)
        await pool.execute("UPDATE incident SET status = 'closed', ended_at = now()")
        for contact in ("zhang", "li"):
            await owe(pool, contact, incident, "closed")
        await hurry(pool)
        await until(pool, OPEN, 0)
    assert await pool.fetchval("SELECT status FROM page WHERE recipient = 'zhang' AND phase = 'closed'") == "paid"
    found = await pool.fetch("SELECT phase, reason FROM page WHERE recipient = 'li' ORDER BY id")
    assert [tuple(row) for row in found] == [("opened", "over"), ("closed", "never_told")]


async def test_a_thing_that_cannot_be_sent_costs_only_itself(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    """A channel whose address is no URL: the sender raises, and the other contact gets its page."""
    await add_contact(pool, "zhang", ("webhook", "secret and no URL"))
    await add_contact(pool, "li", ("webhook", provider.address("b")))
    async with running(run_pages, config):
        for contact in ("zhang", "li"):
            await owe(pool, contact, await add_incident(pool, 1 + (contact == "li")))
        await until(pool, PAID, 1)
        await until(pool, "SELECT why FROM attempt WHERE outcome = 'unknown'", "the sender raised ValueError")
    assert (await statuses(pool)) == {"paid": 1, "sending": 1}


async def test_deliver_sends_pages_beside_notifications(pool: Pool, database: str, webhook: Webhook) -> None:
    """The service as it runs, with its own sender."""
    await add_contact(pool, "zhang", ("webhook", webhook.url.replace("json:", "http:")))
    async with running(deliver.run, DeliverConfig(database_url=database, poll=0.05)):
        await owe(pool, "zhang", await add_incident(pool, 1))
        await until(pool, PAID, 1)
    assert len(webhook.documents) == 1


async def test_a_person_gets_a_link_of_its_own_and_a_group_or_a_room_does_not(
    pool: Pool, config: DriverConfig, provider: Provider
) -> None:
    await add_contact(pool, "wang", ("sms", provider.address("person")))
    await add_contact(pool, "group", ("wecom", provider.address("group")))
    await add_contact(pool, "hall", ("mail", provider.address("hall")))
    await pool.execute(
        "INSERT INTO account (id, login, name, role, whole, created_by) "
        "VALUES ('a-wang', 'wang', 'Wang', 'technician', true, 'operator')"
    )
    await pool.execute("UPDATE contact SET account = 'a-wang' WHERE id IN ('wang', 'group')")
    incident = await add_incident(pool, 1)
    for contact in ("wang", "group", "hall"):
        await owe(pool, contact, incident)
    async with running(run_pages, config):
        await until(pool, PAID, 3)
    links = {arrival.path: arrival.events[0]["link"] for arrival in provider.arrivals}
    assert links["group"] == links["hall"] == f"https://x.example/incidents/{incident}"
    token = links["person"].removeprefix("https://x.example/i/")
    async with pool.acquire() as connection:
        found = await find_link(connection, token, datetime.now(UTC))
    assert found is not None and (found.incident, found.contact, found.refusal) == (incident, "wang", None)
