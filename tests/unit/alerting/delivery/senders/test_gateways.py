"""The settings of gateways, the requests that they make, the text of an SMS, and mails."""

import email
import email.policy
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.delivery.facts import AlertMessage
from alerting.delivery.senders.answers import SenderAnswer
from alerting.delivery.senders.gateways import (
    MAIL_SETTING,
    SMS_SETTING,
    AppriseGateway,
    GatewayBody,
    HttpGateway,
    SmtpGateway,
    gateway_outcome,
    gateway_request,
    parse_gateway,
)
from alerting.delivery.senders.hiding import hide
from alerting.delivery.senders.mail import mail_of, outcome_of_mail, outcome_of_recipient
from alerting.delivery.senders.sms_text import sms_text
from alerting.delivery.sending import MessageContent, PageEnvelope
from alerting.delivery.short import units
from contract.errors import RemedyError

LINK = "https://m.example.org/incidents/1"
VALUES = {"to": "+8613800138000", "text": "【离线】A&B=C {to} #1", "title": "t", "key": "k"}


@pytest.mark.parametrize(
    ("text", "method", "url", "body"),
    [
        pytest.param(
            "https://sms.cn/send?mobile={to}&text={text}&key=a%26b",
            "GET",
            "https://sms.cn/send?mobile=%2B8613800138000&text="
            "%E3%80%90%E7%A6%BB%E7%BA%BF%E3%80%91A%26B%3DC%20%7Bto%7D%20%231&key=a%26b",
            b"",
            id="in the address",
        ),
        pytest.param(
            "https://sms.cn/to/{to}?text={text}",
            "GET",
            "https://sms.cn/to/%2B8613800138000?text=%E3%80%90%E7%A6%BB%E7%BA%BF%E3%80%91A%26B%3DC%20%7Bto%7D%20%231",
            b"",
            id="in the path",
        ),
        pytest.param(
            "form+http://sms.cn:8080/send?mobile={to}&text={text}&id={key}",
            "POST",
            "http://sms.cn:8080/send",
            b"mobile=%2B8613800138000&text=%E3%80%90%E7%A6%BB%E7%BA%BF%E3%80%91A%26B%3DC+%7Bto%7D+%231&id=k",
            id="a form",
        ),
        pytest.param(
            "json+https://u:p@sms.cn?mobile={to}&text=Milepost: {text}#code=0",
            "POST",
            "https://sms.cn/",
            msgspec.json.encode({"mobile": VALUES["to"], "text": f"Milepost: {VALUES['text']}"}),
            id="JSON",
        ),
    ],
)
def test_a_request_holds_the_values_as_data(text: str, method: str, url: str, body: bytes) -> None:
    gateway = parse_gateway(SMS_SETTING, text)
    assert isinstance(gateway, HttpGateway)
    request = gateway_request(gateway, VALUES)
    assert (request.method, request.url, request.body) == (method, url, body)


def test_the_forms_of_a_gateway() -> None:
    json = parse_gateway(SMS_SETTING, "json+https://u:p%40@sms.cn/?m={to}&t={text}#code=0,OK")
    assert isinstance(json, HttpGateway)
    assert (json.body, json.login, json.field, json.good) == (GatewayBody.JSON, ("u", "p@"), "code", {"0", "OK"})
    assert parse_gateway(MAIL_SETTING, "smtp://u%40a.cn:p@smtp.a.cn") == SmtpGateway(
        host="smtp.a.cn", port=587, tls=False, sender="u@a.cn", login=("u@a.cn", "p")
    )
    assert parse_gateway(MAIL_SETTING, "smtps://smtp.a.cn?from=m@a.cn") == SmtpGateway(
        host="smtp.a.cn", port=465, tls=True, sender="m@a.cn", login=None
    )
    plugin = parse_gateway(SMS_SETTING, "sinch://id:token@+8610000/{to}")
    assert isinstance(plugin, AppriseGateway)
    assert plugin.url_for("+8613800138000") == "sinch://id:token@+8610000/+8613800138000"


@pytest.mark.parametrize(
    ("variable", "text", "en", "zh"),
    [
        (SMS_SETTING, "geheim", "it is no address", "不是有效的地址"),
        (SMS_SETTING, "https://[geheim/{to}{text}", "it is no address", "不是有效的地址"),
        (SMS_SETTING, "https://geheim:0/{to}?t={text}", "it is no address", "不是有效的地址"),
        (SMS_SETTING, "https://geheim/?t={text}", "`{to}` is missing", "缺少 `{to}`"),
        (SMS_SETTING, "json+https://geheim/{to}?t={text}", "`{to}` is missing", "缺少 `{to}`"),
        (SMS_SETTING, "https://geheim/?t={to}", "`{text}` is missing", "缺少 `{text}`"),
        (SMS_SETTING, "https://geheim/?t={to}{text}#code", "what follows `#`", "`#` 之后"),
        (SMS_SETTING, "sinch://geheim", "`{to}`, is missing", "缺少收件地址的位置"),
        (SMS_SETTING, "smtp://geheim.cn?from=a@b.cn", "`{to}`, is missing", "缺少收件地址的位置"),
        (MAIL_SETTING, "smtp://geheim.cn", "the sender is missing", "缺少发件人"),
        (MAIL_SETTING, "smtp://geheim.cn?from=a", "the sender is missing", "缺少发件人"),
    ],
)
def test_a_wrong_gateway_is_named_and_not_shown(variable: str, text: str, en: str, zh: str) -> None:
    with pytest.raises(RemedyError) as wrong:
        parse_gateway(variable, text)
    assert wrong.value.said.en.startswith(f"{variable} cannot be used")
    assert en in wrong.value.said.en and zh in wrong.value.said.zh
    assert "geheim" not in str(wrong.value.said)


def test_no_gateway_shows_its_secrets() -> None:
    texts = ("https://geheim/{to}?t={text}", "sinch://geheim/{to}")
    shown = [repr(parse_gateway(SMS_SETTING, text)) for text in texts]
    shown.append(repr(parse_gateway(MAIL_SETTING, "smtp://geheim:geheim@h?from=geheim@a.cn")))
    assert "geheim" not in str(shown)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b'{"code":0}', "taken"),
        (200, b'{"code":"OK"}', "taken"),
        (200, b'{"code":17}', "failed"),
        (200, b'{"code":true}', "failed"),
        (200, b'{"other":0}', "unknown"),
        (200, b'{"code":null}', "unknown"),
        (200, b"[0]", "unknown"),
        (200, b"not JSON", "unknown"),
        (500, b'{"code":0}', "failed"),
        (429, b'{"code":0}', "throttled"),
    ],
)
def test_the_answer_of_a_gateway_is_read_if_the_setting_says_how(status: int, body: bytes, verdict: str) -> None:
    gateway = parse_gateway(SMS_SETTING, "https://sms.cn/?m={to}&t={text}#code=0,OK")
    assert isinstance(gateway, HttpGateway)
    assert gateway_outcome(gateway, SenderAnswer(status, {}, body), 0.0).verdict == verdict
    plain = parse_gateway(SMS_SETTING, "https://sms.cn/?m={to}&t={text}")
    assert isinstance(plain, HttpGateway)
    assert (gateway_outcome(plain, SenderAnswer(status, {}, body), 0.0).verdict == "taken") == (status == 200)


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        ("【离线】官亭镇农家书屋 #1", "【离线】官亭镇农家书屋 #1"),
        ("【离线】官亭镇农家书屋 https://m.example.org/i/1", "【离线】官亭镇农家书屋 https://m.example.org/i/1"),
        ("名" * 90, "名" * 69 + "…"),
        ("A\nB", "A B"),
        ("", "T"),
    ],
)
def test_an_sms_has_the_short_form_which_ends_with_its_link(short: str, expected: str) -> None:
    assert sms_text(AlertMessage(title="T", body="B", short=short, link=LINK)) == expected


@given(st.text(max_size=200), st.none() | st.text(alphabet="abc/:.", min_size=1, max_size=100))
def test_an_sms_is_one_sms(short: str, link: str | None) -> None:
    assert units(sms_text(AlertMessage(title="T", body="B", short=short, link=link))) <= 70


@pytest.mark.parametrize(
    ("code", "reply", "verdict", "dead"),
    [
        (550, b"5.1.1 <li@a.cn>: no such user", "refused", True),
        (550, b"Mailbox not found", "refused", True),
        (553, b"5.1.3 bad address", "refused", True),
        (550, b"5.2.1 mailbox disabled", "refused", True),
        (552, b"5.2.2 mailbox full", "failed", False),
        (550, b"5.2.2 mailbox full", "failed", False),
        (550, b"5.7.1 relaying denied", "failed", False),
        (554, b"5.7.1 blocked", "failed", False),
        (450, b"4.2.0 greylisted", "failed", False),
        (421, b"closing", "failed", False),
    ],
)
def test_a_recipient_is_dead_only_if_there_is_no_such_mailbox(
    code: int, reply: bytes, verdict: str, dead: bool
) -> None:
    outcome = outcome_of_recipient(code, reply)
    assert (outcome.verdict, outcome.dead) == (verdict, dead)


def test_a_whole_mail_is_taken_refused_or_failed() -> None:
    assert [outcome_of_mail(code, b"").verdict for code in (250, 552, 554, 451)] == [
        "taken", "refused", "refused", "failed",
    ]  # fmt: skip


def test_a_mail_is_plain_text_and_cannot_gain_headers() -> None:
    text = AlertMessage(title="【离线】A\r\nBcc: evil@x.cn", body=f"<b>名</b>\n.\n查看：{LINK}")
    content = MessageContent(text=text, language="zh-CN", severity="warning")
    envelope = PageEnvelope(key="k-1", at=datetime(2026, 11, 28, tzinfo=UTC), number=1, content=content)
    mail = email.message_from_bytes(mail_of(envelope, "m@a.cn", "li@b.cn"), policy=email.policy.default)
    assert mail["Subject"] == "【离线】A Bcc: evil@x.cn"
    assert mail["Bcc"] is None
    assert (mail["To"], mail["From"], mail["Message-ID"]) == ("li@b.cn", "m@a.cn", "<k-1@milepost>")
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content() == text.body.replace("\n", "\r\n") + "\r\n"


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("550 <Li@B.cn>: no such user", ("li@b.cn",), "550 <…>: no such user"),
        ("no key 693a-Key_B here", ("wecom://693a-Key_B",), "no key … here"),
        ("13800138000 is unknown", ("+8613800138000",), "… is unknown"),
        ("at https://h.example/hook/t0ken?x", ("https://h.example/hook/t0ken",), "at …?x"),
        ("cut off 693a-Ke", ("wecom://693a-Key_B",), "cut off …"),
        ("answered with HTTP status 500", ("https://h.cn/status/t0ken",), "answered with HTTP status 500"),
        ("nothing\nof it", ("wecom://693a-Key_B",), "nothing of it"),
    ],
)
def test_what_a_server_repeats_is_hidden(text: str, secrets: tuple[str, ...], shown: str) -> None:
    assert hide(text, *secrets) == shown


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 200))
def test_no_secret_is_told_wherever_a_text_is_cut(before: str, after: str, length: int) -> None:
    token = "693a7f-Key_Bq"
    shown = hide(f"{before} {token} {after}"[:length], f"https://h.cn/hook?key={token}")
    assert token[:5] not in shown
