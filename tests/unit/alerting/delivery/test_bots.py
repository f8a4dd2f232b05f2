"""The group bots of WeCom, DingTalk and Feishu: addresses, what is sent, what an answer means."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.delivery.bots import KINDS, BotVerdict, build_request, clip, read_answer
from alerting.delivery.facts import AlertMessage
from registry.contacts.bot_address import Bot, parse_bot

MESSAGE = AlertMessage(title="【离线】红旗阅览室", body="自 08:00 起\n查看：http://m.example.org/incidents/1")
TEXT = f"{MESSAGE.title}\n{MESSAGE.body}"
SIGNED_DING = "jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM%3D"
SIGNED_FEISHU = "VIS10b0EBvzzSdFnuk4tznEmK5wHaruvf/WnViv2yR4="


@pytest.mark.parametrize(
    ("url", "bot"),
    [
        pytest.param("wecombot://693a-Key_B", Bot(kind="wecombot", token="693a-Key_B"), id="WeCom"),
        pytest.param("wecombot://?key=abc", Bot(kind="wecombot", token="abc"), id="WeCom, key as parameter"),
        pytest.param(
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a-B",
            Bot(kind="wecombot", token="693a-B"),
            id="WeCom as it shows it",
        ),
        pytest.param("dingtalk://aBc1", Bot(kind="dingtalk", token="aBc1"), id="DingTalk"),
        pytest.param("dingtalk://SEC1@aBc1/", Bot(kind="dingtalk", token="aBc1", secret="SEC1"), id="with a secret"),
        pytest.param(
            "dingtalk://SEC1@aBc1/13800000000/13900000000",
            Bot(kind="dingtalk", token="aBc1", secret="SEC1", phones=("13800000000", "13900000000")),
            id="with people",
        ),
        pytest.param(
            "https://oapi.dingtalk.com/robot/send?access_token=aBc1&secret=SEC1",
            Bot(kind="dingtalk", token="aBc1", secret="SEC1"),
            id="DingTalk as it shows it",
        ),
        pytest.param("feishu://a1-B2", Bot(kind="feishu", token="a1-B2"), id="Feishu"),
        pytest.param("feishu://s3@a1-B2", Bot(kind="feishu", token="a1-B2", secret="s3"), id="Feishu with a secret"),
        pytest.param(
            "https://open.feishu.cn/open-apis/bot/v2/hook/a1-B2",
            Bot(kind="feishu", token="a1-B2"),
            id="Feishu as it shows it",
        ),
        pytest.param("json://host/token", None, id="another target"),
        pytest.param("https://example.org/hook?key=1", None, id="another address"),
    ],
)
def test_an_address_names_a_bot(url: str, bot: Bot | None) -> None:
    assert parse_bot(url) == bot


@pytest.mark.parametrize(
    "url",
    [
        "wecombot://",
        "wecombot://geheim/more",
        "wecombot://geheim,dingtalk://b",
        "dingtalk://geheim/somebody",
        "dingtalk://geh!eim@a",
        "feishu://geh/eim",
        "https://oapi.dingtalk.com/robot/send?token=geheim&access_token=",
        "wecombot://[geheim",
    ],
)
def test_a_wrong_address_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r"address") as wrong:
        parse_bot(url)
    assert "geh" not in str(wrong.value)
    assert "geheim" not in repr(Bot(kind="wecombot", token="geheim", secret="geheim"))


def test_what_is_sent_is_plain_text_for_nobody_in_particular() -> None:
    sent = {kind: build_request(Bot(kind=kind, token="T"), MESSAGE, 1_700_000_000.0) for kind in KINDS}
    assert {kind: request.path for kind, request in sent.items()} == {
        "wecombot": "/cgi-bin/webhook/send?key=T",
        "dingtalk": "/robot/send?access_token=T",
        "feishu": "/open-apis/bot/v2/hook/T",
    }
    mentioned = {"atMobiles": [], "isAtAll": False}
    assert sent["wecombot"].document == {"msgtype": "text", "text": {"content": TEXT}}
    assert sent["dingtalk"].document == {"msgtype": "text", "text": {"content": TEXT}, "at": mentioned}
    assert sent["feishu"].document == {"msg_type": "text", "content": {"text": TEXT}}


def test_signatures_are_as_the_providers_describe_them() -> None:
    """Made with openssl: DingTalk signs time and secret by the secret, Feishu nothing by time and secret."""
    ding = build_request(Bot(kind="dingtalk", token="T", secret="SECabc"), MESSAGE, 1_700_000_000.0)
    assert ding.path == f"/robot/send?access_token=T&timestamp=1700000000000&sign={SIGNED_DING}"
    feishu = build_request(Bot(kind="feishu", token="T", secret="abc"), MESSAGE, 1_700_000_000.0)
    assert (feishu.document["timestamp"], feishu.document["sign"]) == ("1700000000", SIGNED_FEISHU)


@pytest.mark.parametrize(
    ("kind", "status", "answer", "verdict", "silent"),
    [
        ("wecombot", 200, {"errcode": 0, "errmsg": "ok"}, BotVerdict.TAKEN, 0),
        ("wecombot", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, BotVerdict.THROTTLED, 60),
        ("wecombot", 200, {"errcode": 93000, "errmsg": "invalid webhook url"}, BotVerdict.REFUSED, 0),
        ("wecombot", 200, {"errcode": -1, "errmsg": "system busy"}, BotVerdict.FAILED, 0),
        ("dingtalk", 200, {"errcode": 0, "errmsg": "ok"}, BotVerdict.TAKEN, 0),
        ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, BotVerdict.THROTTLED, 600),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}, BotVerdict.REFUSED, 0),
        ("dingtalk", 200, {"errcode": 460101, "errmsg": "message too long"}, BotVerdict.REFUSED, 0),
        ("feishu", 200, {"code": 0, "msg": "success"}, BotVerdict.TAKEN, 0),
        ("feishu", 200, {"StatusCode": 0, "StatusMessage": "success"}, BotVerdict.TAKEN, 0),
        ("feishu", 200, {"code": 9499, "msg": "too many request"}, BotVerdict.THROTTLED, 10),
        ("feishu", 200, {"code": 19021, "msg": "sign match fail"}, BotVerdict.REFUSED, 0),
        ("feishu", 400, {"code": 19024, "msg": "Key Words Not Found"}, BotVerdict.REFUSED, 0),
        ("feishu", 200, {"code": 4711, "msg": "new"}, BotVerdict.FAILED, 0),
        ("wecombot", 429, {}, BotVerdict.THROTTLED, 60),
        ("wecombot", 502, {}, BotVerdict.FAILED, 0),
        ("wecombot", 302, {}, BotVerdict.FAILED, 0),
        ("wecombot", 200, {}, BotVerdict.UNKNOWN, 0),
        ("wecombot", 200, [0], BotVerdict.UNKNOWN, 0),
        ("wecombot", 200, {"errcode": False}, BotVerdict.UNKNOWN, 0),
        ("wecombot", 200, {"errcode": "0"}, BotVerdict.UNKNOWN, 0),
        ("wecombot", 500, {"errcode": 0}, BotVerdict.UNKNOWN, 0),
    ],
)
def test_only_the_code_says_what_became_of_it(
    kind: str, status: int, answer: object, verdict: BotVerdict, silent: float
) -> None:
    found = read_answer(kind, status, msgspec.json.encode(answer))
    assert (found.verdict, found.silent) == (verdict, silent)


@given(st.sampled_from(sorted(KINDS)), st.integers(100, 599), st.binary(max_size=200))
def test_no_answer_is_a_surprise(kind: str, status: int, body: bytes) -> None:
    assert read_answer(kind, status, body).verdict != BotVerdict.TAKEN or b"0" in body


@given(st.text(max_size=400), st.integers(20, 300))
def test_a_long_text_is_cut_between_characters(text: str, limit: int) -> None:
    cut = clip(text, limit)
    assert len(cut.encode()) <= limit
    assert cut == text or "…" in cut


def test_of_a_long_text_the_link_stays() -> None:
    cut = clip("名" * 2000 + "\n查看：http://m.example.org/incidents/1", 2048)
    assert cut.endswith("…\n查看：http://m.example.org/incidents/1")
