"""The group bots, mail and Telegram against real receivers: what counts as delivered, and what people are shown."""

import asyncio
import email
import json
import socketserver
import threading
from collections.abc import Iterator
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alerting.delivery.apprise_target import AppriseTarget
from alerting.delivery.bot_target import BotTarget
from alerting.delivery.facts import AlertFacts
from alerting.delivery.message import write_message
from alerting.delivery.service import DeliverConfig, DeliveryOutbox, open_target
from alerting.delivery.targets import Parcel, SendError
from registry.contacts.bot_address import parse_bot
from store.pool import Pool
from tests.integration.alerting.test_deliver import tell
from tests.integration.incidents_kit import add_station, until
from tests.servers import find_free_port
from tests.unit.alerting.delivery.test_deliver_messages import NOW, facts

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Provider:
    """Answers each POST with HTTP `status` and the JSON document of `answer`."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = {}
        self.headers: dict[str, str] = {}
        self.got: list[tuple[str, dict[str, Any]]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                provider.got.append((self.path, json.loads(body)))
                answer = json.dumps(provider.answer).encode()
                self.send_response(provider.status)
                for name, value in {**provider.headers, "Content-Length": str(len(answer))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def bot(self, url: str, *, timeout: float = 10.0) -> BotTarget:
        bot = parse_bot(url)
        assert bot is not None
        return BotTarget(bot, url, timeout, origin=self.origin)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


REFUSALS = [
    ("wecombot://k", {"errcode": 93000, "errmsg": "invalid webhook url"}),
    ("wecombot://k", {"errcode": 45009, "errmsg": "api freq out of limit"}),
    ("dingtalk://s@t", {"errcode": 310000, "errmsg": "sign not match"}),
    ("dingtalk://s@t", {"errcode": 130101, "errmsg": "send too fast"}),
    ("feishu://t", {"code": 19024, "msg": "Key Words Not Found"}),
    ("feishu://t", {"code": 9499, "msg": "too many request"}),
]


@pytest.mark.parametrize(("url", "answer"), REFUSALS)
async def test_a_refusal_with_http_200_is_not_delivered(
    pool: Pool, database: str, provider: Provider, url: str, answer: dict[str, Any]
) -> None:
    await add_station(pool, "A")
    provider.answer = answer
    config = DeliverConfig(database_url=database, poll=0.05)
    outbox = DeliveryOutbox(config, pool, [provider.bot(url)])
    stop = asyncio.Event()
    work = asyncio.create_task(outbox.run(stop))
    await tell(pool, "opened")
    await until(
        pool, "SELECT count(*) FROM delivery WHERE status = 'pending' AND last_error LIKE 'refused with code%'", 1
    )
    stop.set()
    await work
    assert await pool.fetchval("SELECT count(*) FROM delivery WHERE status = 'sent'") == 0
    assert await pool.fetchval("SELECT count(*) FROM incident_entry WHERE action = 'notified'") == 0


@pytest.mark.parametrize(
    ("url", "answer"),
    [("wecombot://k", {"errcode": 0}), ("dingtalk://s@t", {"errcode": 0}), ("feishu://s@t", {"StatusCode": 0})],
)
async def test_a_taken_message_is_delivered(provider: Provider, url: str, answer: dict[str, Any]) -> None:
    provider.answer = answer
    await provider.bot(url).send(parcel())
    ((path, document),) = provider.got
    assert "红旗阅览室" in json.dumps(document, ensure_ascii=False)
    if url == "dingtalk://s@t":
        assert set(parse_qs(urlsplit(path).query)) == {"access_token", "timestamp", "sign"}


async def test_a_bot_that_throttles_is_left_alone(provider: Provider) -> None:
    """Each further message to DingTalk within its ten minutes would only be refused."""
    provider.answer = {"errcode": 130101, "errmsg": "send too fast"}
    bot = provider.bot("dingtalk://t")
    for _ in range(3):
        with pytest.raises(SendError) as told:
            await bot.send(parcel())
        assert 590 < told.value.wait <= 600
    assert len(provider.got) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(provider: Provider, status: int) -> None:
    provider.status, provider.headers = status, {"Location": f"{provider.origin}/elsewhere"}
    with pytest.raises(SendError, match=f"HTTP status {status}"):
        await provider.bot("wecombot://k").send(parcel())
    assert len(provider.got) == 1


async def test_an_answer_without_a_code_or_no_answer_is_no_delivery(provider: Provider) -> None:
    with pytest.raises(SendError, match="does not say whether"):
        await provider.bot("wecombot://geheim").send(parcel())
    provider.answer = {"errcode": 0, "more": "x" * 200_000}
    with pytest.raises(SendError, match="does not say whether"):
        await provider.bot("wecombot://geheim").send(parcel())
    provider.origin = f"http://127.0.0.1:{find_free_port()}"
    with pytest.raises(SendError, match="cannot be reached"):
        await provider.bot("wecombot://geheim").send(parcel())


async def test_logs_hold_no_token(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    provider.answer = {"errcode": 0}
    await provider.bot("wecombot://geheim").send(parcel())
    assert "geheim" not in caplog.text


NAME = '<b>红旗</b> <a href="http://evil.example">x</a> @all\n*bold* & <!channel>'


class Letters(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs; letters go to `server.got`."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        for line in self.rfile:
            match line.split(b" ")[0].strip().upper():
                case b"EHLO":
                    self.wfile.write(b"250 test\r\n")
                case b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    self.server.got.append(self._letter())  # type: ignore[attr-defined]
                    self.wfile.write(b"250 taken\r\n")
                case b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                case _:
                    self.wfile.write(b"250 ok\r\n")

    def _letter(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        return b"".join(lines)


async def test_in_mail_a_name_is_text_and_lines_stay_lines() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Letters) as server:
        server.got = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        url = f"mailto://127.0.0.1:{server.server_address[1]}?from=m@x.cn&to=a@x.cn&mode=insecure"
        await open_target(url, 1, 10.0).send(parcel(station_name=NAME))
        server.shutdown()
        (letter,) = server.got  # type: ignore[attr-defined]
    mail: Mail = email.message_from_bytes(letter)
    (part,) = (p for p in mail.walk() if p.get_content_maintype() == "text")
    assert part.get_content_type() == "text/plain"
    body = part.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert len(body.decode().strip().splitlines()) >= 4
    assert "@all" not in body.decode()


async def test_in_telegram_a_name_is_text_and_lines_stay_lines(provider: Provider) -> None:
    provider.answer = {"ok": True, "result": {}}
    target = open_target("tgram://123456789:abcdefg_hijklmnop/12315544/", 1, 10.0)
    assert isinstance(target, AppriseTarget)
    target._notifier.notify_url = f"{provider.origin}/bot"
    await target.send(parcel(station_name=NAME))
    (document,) = (document for path, document in provider.got if path.endswith("/sendMessage"))
    assert document["parse_mode"] == "HTML"
    assert "&lt;" in document["text"]
    assert '<a href="http:' not in document["text"]
    assert "@all" not in document["text"]
    assert len(document["text"].strip().splitlines()) >= 4


async def test_a_webhook_gets_the_text_as_it_is(provider: Provider) -> None:
    await open_target(provider.origin.replace("http://", "json://"), 1, 10.0).send(parcel())
    ((_, document),) = provider.got
    assert document["message"].splitlines()[1].startswith("自 ")


def parcel(**more: Any) -> Parcel:
    told: AlertFacts = facts(**more)
    message = write_message(told, language="zh-CN", public_url="http://m.example.org", now=NOW)
    return Parcel(key="k", at=NOW, facts=told, message=message)
