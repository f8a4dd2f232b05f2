"""`milepost notify test` against receivers on loopback: what is sent, printed and written down."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from alerting.delivery.bots import KINDS
from alerting.delivery.senders.address_target import AddressSender, SenderConfig
from alerting.delivery.senders.gateway_store import warn_of_missing_gateways
from alerting.delivery.senders.trial_store import TrialResult, load_trial, try_channel
from contract.errors import RemedyError
from store.author import OPERATOR, Author
from store.pool import Pool
from tests.integration.alerting.channels.receivers_kit import HttpReceiver, http_receiver
from tests.integration.milepost.test_users import milepost

LEDGER = "SELECT kind || ' ' || actor || ' ' || convert_from(body, 'UTF8') FROM ledger_entry ORDER BY id"


@pytest.fixture
async def receiver() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as receiver:
        yield receiver


async def add_contact(pool: Pool, *channels: tuple[str, str], language: str = "zh-CN") -> None:
    """The contact `li` with channels, each (kind, address)."""
    await pool.execute(
        "INSERT INTO contact (id, name, role, language, edited_by) VALUES ('li', '李<at>', 'technician', $1, 'x')",
        language,
    )
    await pool.executemany(
        "INSERT INTO contact_channel (contact, place, kind, address) VALUES ('li', $1, $2, $3)",
        [(place, kind, address) for place, (kind, address) in enumerate(channels, start=1)],
    )


async def tried(pool: Pool, receiver: HttpReceiver, place: int | None = None) -> list[TrialResult]:
    config = SenderConfig(origins=dict.fromkeys(KINDS, receiver.url), timeout=2)
    async with pool.acquire() as connection, AddressSender(config) as sender:
        # The command has the rights of the services.
        await connection.execute("SET ROLE milepost_service")
        contact, channels = await load_trial(connection, "li", place)
        by = Author(account=OPERATOR)
        return [
            await try_channel(connection, sender, contact, each, link="https://m.example.org", by=by)
            for each in channels
        ]


async def ran(database: str, *words: str, language: str = "C.UTF-8") -> tuple[int, str, str]:
    done = await asyncio.to_thread(milepost, database, "notify", "test", *words, language=language)
    return done.returncode, done.stdout, done.stderr


async def test_each_channel_gets_a_marked_message_in_the_language_of_the_contact(
    pool: Pool, receiver: HttpReceiver
) -> None:
    await add_contact(pool, ("wecom", "wecom://geheim1"), ("sms", "+8613800138000"), language="en")
    receiver.say({"errcode": 0})
    bot, sms = await tried(pool, receiver)
    assert (bot.outcome.verdict, sms.outcome.verdict) == ("taken", "refused")
    assert sms.outcome.why == "MILEPOST_SMS_GATEWAY is not set"
    (asked,) = receiver.got
    assert json.loads(asked.body)["text"]["content"] == (
        "[TEST] Milepost test message\n"
        "This is a test of the channel 1 (WeCom) of the contact li. There is nothing to do.\nhttps://m.example.org"
    )
    assert [row[0] for row in await pool.fetch(LEDGER)] == [
        'contact.tested operator {"channel":"wecom","place":1}',
        'contact.tested operator {"channel":"sms","place":2}',
    ]


async def test_a_test_obeys_the_limit_and_counts_for_it(pool: Pool, receiver: HttpReceiver) -> None:
    await add_contact(pool, ("dingtalk", "dingtalk://geheim1"))
    receiver.say({"errcode": 130101, "errmsg": "send too fast"})
    ((first),) = await tried(pool, receiver)
    ((second),) = await tried(pool, receiver)
    assert (first.outcome.verdict, first.waits_until) == ("throttled", None)
    assert second.waits_until is not None and len(receiver.got) == 1
    silent, taken = await pool.fetchrow(  # type: ignore[misc]
        "SELECT extract(epoch FROM silent_until - now()), cardinality(taken_at) FROM send_limit"
    )
    assert 590 < silent <= 600 and taken == 1


async def test_a_test_finds_a_dead_channel_and_revives_it(pool: Pool, receiver: HttpReceiver) -> None:
    await add_contact(pool, ("wecom", "wecom://geheim1"))
    receiver.say({"errcode": 93000, "errmsg": "invalid webhook url"})
    await tried(pool, receiver)
    assert await pool.fetchval("SELECT reason FROM channel_state WHERE dead_at IS NOT NULL") == "channel_refused"
    receiver.say({"errcode": 0})
    await tried(pool, receiver)
    assert await pool.fetchval("SELECT count(*) FROM channel_state WHERE dead_at IS NOT NULL") == 0


@pytest.mark.parametrize(
    ("contact", "place", "said"),
    [("nobody", None, "没有联系人"), ("li", None, "没有通知渠道"), ("wang", 3, "没有第 3 个")],
)
async def test_what_cannot_be_tested(pool: Pool, contact: str, place: int | None, said: str) -> None:
    for name in ("li", "wang"):
        await pool.execute("INSERT INTO contact (id, name, role, edited_by) VALUES ($1, '李', 'technician', 'x')", name)
    await pool.execute(
        "INSERT INTO contact_channel (contact, place, kind, address) VALUES ('wang', 1, 'mail', 'w@a.cn')"
    )
    async with pool.acquire() as connection:
        with pytest.raises(RemedyError) as wrong:
            await load_trial(connection, contact, place)
    assert said in wrong.value.said.zh


async def test_the_command_prints_each_channel_and_never_an_address(
    pool: Pool, database: str, receiver: HttpReceiver
) -> None:
    await add_contact(pool, ("webhook", f"{receiver.url}/geheim"), ("mail", "geheim@example.cn"))
    code, out, error = await ran(database, "li")
    assert (code, error) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["NUMBER", "CHANNEL", "RESULT", "WHY"],
        ["1", "webhook", "taken"],
        ["2", "e-mail", "refused", "MILEPOST_MAIL_GATEWAY", "is", "not", "set"],
    ]
    (asked,) = receiver.got
    document = json.loads(asked.body)
    assert (document["type"], document["data"]["title"]) == ("milepost.test", "【测试】Milepost 测试消息")
    assert document["data"]["key"] == asked.headers["webhook-id"]
    code, out, _ = await ran(database, "li", "--channel", "2", language="zh_CN.UTF-8")
    assert code == 1
    assert "电子邮件" in out and "被拒绝" in out and "未设置 MILEPOST_MAIL_GATEWAY" in out
    assert "geheim" not in out


async def test_the_command_names_what_is_wrong(pool: Pool, database: str) -> None:
    assert await ran(database, "nobody") == (2, "", "milepost: there is no contact 'nobody'\n")
    assert await pool.fetchval("SELECT count(*) FROM ledger_entry") == 0


async def test_deliver_warns_of_a_missing_gateway_at_its_start(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    await add_contact(pool, ("sms", "+8613800138000"), ("wecom", "wecom://geheim1"))
    async with pool.acquire() as connection:
        await warn_of_missing_gateways(connection, SenderConfig())
        assert [record.getMessage() for record in caplog.records] == [
            "channels of contacts are refused: set MILEPOST_SMS_GATEWAY"
        ]
        caplog.clear()
        await pool.execute("UPDATE contact SET retired_at = now()")
        await warn_of_missing_gateways(connection, SenderConfig())
    assert caplog.records == []
