"""A message to addresses of every kind, against receivers on loopback: what counts as taken, and what is told."""

import email
import email.policy
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from apprise import Apprise

from alerting.delivery.bots import KINDS
from alerting.delivery.facts import plain
from alerting.delivery.senders.address_target import AddressSender, SenderConfig
from alerting.delivery.senders.gateways import MAIL_SETTING, SMS_SETTING, parse_gateway
from alerting.delivery.sending import SendOutcome
from registry.contacts.addresses import parse_address
from tests.integration.alerting.channels.receivers_kit import (
    TEXT,
    HttpReceiver,
    SmtpReceiver,
    envelope,
    http_receiver,
    smtp_receiver,
)
from tests.servers import find_free_port

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

BOTS = {
    "wecom://geheim-KEY": "errcode",
    "dingtalk://geheimTOKEN?secret=SECgeheim": "errcode",
    "feishu://geheim-T": "code",
}
PHONE, MAILBOX = "sms:+8613800138000", "mail:li@example.cn"


@pytest.fixture
async def receiver() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as receiver:
        yield receiver


@pytest.fixture
async def mailserver() -> AsyncIterator[SmtpReceiver]:
    async with smtp_receiver() as receiver:
        yield receiver


def bots_at(receiver: HttpReceiver, *, timeout: float = 15.0, **more: Any) -> SenderConfig:
    return SenderConfig(origins=dict.fromkeys(KINDS, receiver.url), timeout=timeout, **more)


async def sent(config: SenderConfig, address: str, **content: Any) -> SendOutcome:
    async with AddressSender(config) as sender:
        return await sender.send(parse_address(address), envelope(**content))


@pytest.mark.parametrize("address", BOTS)
async def test_a_bot_takes_a_message_only_by_its_code(receiver: HttpReceiver, address: str) -> None:
    receiver.say({BOTS[address]: 0})
    assert (await sent(bots_at(receiver), address)).verdict == "taken"
    receiver.say({BOTS[address]: 19001 if "feishu" in address else 40035 if "ding" in address else 93000})
    assert (await sent(bots_at(receiver), address)).verdict == "refused"
    receiver.say({})
    assert (await sent(bots_at(receiver), address)).verdict == "unknown"
    (first, *_) = receiver.got
    assert TEXT.title in json.dumps(json.loads(first.body), ensure_ascii=False)
    if address.startswith("dingtalk"):
        assert set(parse_qs(urlsplit(first.path).query)) == {"access_token", "timestamp", "sign"}


@pytest.mark.parametrize(
    "name", ["@all", "@13800138000", '<at user_id="all">所有人</at>', "<@all>", "@所有人", "[x](http://evil.cn)"]
)
async def test_a_name_mentions_nobody(receiver: HttpReceiver, name: str) -> None:
    """Mentions are lists of their own, which only the address fills; names are made plain where texts are written."""
    receiver.say({"errcode": 0, "code": 0})
    text = TEXT.__class__(title=plain(name), body=plain(name))
    for address in BOTS:
        await sent(bots_at(receiver), address, text=text)
    documents = [json.loads(asked.body) for asked in receiver.got]
    assert documents[1].pop("at") == {"atMobiles": [], "isAtAll": False}
    for document in documents:
        assert set(document) in ({"msgtype", "text"}, {"msg_type", "content"})
        assert "<at" not in str(document) and "<@" not in str(document) and "http://" not in str(document)


FAULTS = [
    pytest.param({"hangs": True}, "unknown", "no answer within 2 s", id="hangs"),
    pytest.param({"drops": True}, "unknown", "the connection failed", id="takes it and dies"),
    pytest.param({"status": 500}, "failed", "HTTP status 500", id="500"),
    pytest.param({"status": 429}, "throttled", "HTTP status 429", id="throttles"),
    pytest.param({"status": 302, "headers": {"Location": "/elsewhere"}}, "failed", "HTTP status 302", id="redirects"),
]


@pytest.mark.parametrize(("fault", "verdict", "why"), FAULTS)
@pytest.mark.parametrize("address", ["wecom://geheim-KEY", "webhook", PHONE])
async def test_a_receiver_that_does_not_take_it(
    receiver: HttpReceiver, address: str, fault: dict[str, Any], verdict: str, why: str
) -> None:
    for name, value in fault.items():
        setattr(receiver, name, value)
    sms = parse_gateway(SMS_SETTING, f"{receiver.url}/geheim?m={{to}}&t={{text}}")
    address = f"{receiver.url}/geheim" if address == "webhook" else address
    outcome = await sent(bots_at(receiver, timeout=2.0 if "hangs" in fault else 30.0, sms=sms), address)
    assert (outcome.verdict, len(receiver.got)) == (verdict, 1)
    assert why in outcome.why
    assert "geheim" not in outcome.why


async def test_nobody_listens() -> None:
    url = f"http://127.0.0.1:{find_free_port()}/geheim"
    outcome = await sent(SenderConfig(timeout=2), url)
    assert (outcome.verdict, outcome.why) == ("failed", "cannot be reached")


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}, {"Content-Length": "999999999"}])
async def test_an_endless_answer_is_not_read_to_its_end(receiver: HttpReceiver, headers: dict[str, str]) -> None:
    receiver.body, receiver.headers = b"x" * 5_000_000, headers
    assert (await sent(bots_at(receiver), "wecom://geheim-KEY")).verdict == "unknown"
    assert (await sent(bots_at(receiver), f"{receiver.url}/in")).verdict == "taken"


async def test_one_sender_serves_many_and_keeps_no_cookies(receiver: HttpReceiver) -> None:
    receiver.headers = {"Set-Cookie": "a=geheim"}
    async with AddressSender(SenderConfig()) as sender:
        for number in range(3):
            outcome = await sender.send(parse_address(f"{receiver.url}/{number}"), envelope())
            assert outcome.verdict == "taken"
    assert [asked.headers.get("cookie") for asked in receiver.got] == [None] * 3


async def test_a_secret_that_is_repeated_is_not_told(receiver: HttpReceiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.say({"errcode": 93000, "errmsg": "no bot geheim-KEY at /cgi-bin/webhook/send?key=geheim-KEY"})
    outcome = await sent(bots_at(receiver), "wecom://geheim-KEY")
    assert outcome.dead
    assert "geheim" not in outcome.why + caplog.text
    assert "93000" in outcome.why


@pytest.mark.parametrize(("address", "setting"), [(PHONE, SMS_SETTING), (MAILBOX, MAIL_SETTING)])
async def test_without_a_gateway_the_setting_is_named(address: str, setting: str) -> None:
    outcome = await sent(SenderConfig(), address)
    assert (outcome.verdict, outcome.why) == ("refused", f"{setting} is not set")


async def test_an_sms_through_a_gateway_that_answers_with_a_code(receiver: HttpReceiver) -> None:
    url = f"json+{receiver.url}/send?mobile={{to}}&content={{text}}&key=geheim#code=0"
    gateway = parse_gateway(SMS_SETTING, url)
    receiver.say({"code": 0})
    assert (await sent(SenderConfig(sms=gateway), PHONE)).verdict == "taken"
    receiver.say({"code": "E17"})
    outcome = await sent(SenderConfig(sms=gateway), PHONE)
    assert (outcome.verdict, outcome.why) == ("failed", "answered with code E17")
    receiver.say({"code": "key geheim is of no customer, for 13800138000"})
    outcome = await sent(SenderConfig(sms=gateway), PHONE)
    assert outcome.why == "answered with code key … is of no customer, for …"
    assert json.loads(receiver.got[0].body) == {
        "mobile": "+8613800138000", "content": TEXT.short, "key": "geheim",
    }  # fmt: skip


async def test_other_urls_go_through_apprise(receiver: HttpReceiver) -> None:
    host = receiver.url.removeprefix("http://")
    assert (await sent(SenderConfig(timeout=30), f"json://{host}/geheim")).verdict == "taken"
    assert json.loads(receiver.got[0].body)["title"] == TEXT.title
    receiver.status = 500
    outcome = await sent(SenderConfig(timeout=30), f"json://{host}/geheim")
    assert (outcome.verdict, outcome.why) == ("failed", "answered with HTTP status 500")
    receiver.hangs = True
    assert (await sent(SenderConfig(timeout=0.3), f"json://{host}/geheim")).verdict == "unknown"
    assert (await sent(SenderConfig(), "nothing://geheim")).dead


async def test_a_plugin_that_waits_between_its_messages_delays_none(receiver: HttpReceiver) -> None:
    """The pause of this plugin is longer than the time limit of a message."""
    url = f"ntfy://{receiver.url.removeprefix('http://')}/geheim"
    plugin = Apprise.instantiate(url)
    assert plugin is not None and plugin.request_rate_per_sec > 3
    async with AddressSender(SenderConfig(timeout=3)) as sender:
        for _ in range(2):
            assert (await sender.send(parse_address(url), envelope())).verdict == "taken"


async def mailed(server: SmtpReceiver, login: str = "", seconds: float = 5.0) -> SendOutcome:
    gateway = parse_gateway(MAIL_SETTING, f"smtp://{login}{server.url}?from=m@example.org")
    return await sent(SenderConfig(mail=gateway, timeout=seconds), MAILBOX)


async def test_a_mail_is_taken_by_its_last_answer(mailserver: SmtpReceiver) -> None:
    assert (await mailed(mailserver, "u:p@")).verdict == "taken"
    (raw,) = mailserver.mails
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert (mail["Subject"], mail["To"], mail["Message-ID"]) == (
        TEXT.title, "li@example.cn", "<0c5e4f7e-6d0d-4c0e-9d7e-0d6c2f9b1a11@milepost>",
    )  # fmt: skip
    assert mail.get_content().replace("\r\n", "\n").strip() == TEXT.body
    assert any(command.startswith("AUTH") for command in mailserver.commands)


@pytest.mark.parametrize(
    ("word", "reply", "verdict", "dead"),
    [
        ("", "554 go away", "failed", False),
        ("AUTH", "535 wrong password", "failed", False),
        ("MAIL", "550 not you", "failed", False),
        ("RCPT", "550 5.1.1 <li@example.cn>: no such user", "refused", True),
        ("RCPT", "450 greylisted", "failed", False),
        ("DATA", "451 later", "failed", False),
        (".", "554 5.6.0 spam", "refused", False),
        (".", "452 full", "failed", False),
    ],
)
async def test_each_answer_of_a_mail_server(
    mailserver: SmtpReceiver, word: str, reply: str, verdict: str, dead: bool
) -> None:
    mailserver.replies = {word: reply}
    outcome = await mailed(mailserver, "u:p@")
    assert (outcome.verdict, outcome.dead) == (verdict, dead)
    assert reply[:3] in outcome.why and "li@" not in outcome.why


@pytest.mark.parametrize(("word", "verdict"), [("EHLO", "failed"), ("RCPT", "failed"), (".", "unknown")])
async def test_a_mail_server_that_hangs(mailserver: SmtpReceiver, word: str, verdict: str) -> None:
    mailserver.hangs_at = word
    outcome = await mailed(mailserver, seconds=2.0)
    assert (outcome.verdict, outcome.why) == (verdict, "no answer within 2 s")
