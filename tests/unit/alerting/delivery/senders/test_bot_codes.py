"""What the bots of WeCom, DingTalk and Feishu answer, and what it says about the message and about the bot."""

import msgspec
import pytest

from alerting.channels.model import SendNews
from alerting.delivery.bots import read_answer
from alerting.delivery.senders.answers import SenderAnswer, news_of, outcome_of_bot, outcome_of_status, pause_of
from alerting.delivery.sending import SendOutcome, SendVerdict

DING_LIKE = "description:{};solution:请参考本接口对应文档;link:https://open.dingtalk.com/document/"


@pytest.mark.parametrize(
    ("kind", "answer", "verdict", "dead", "silent"),
    [
        ("wecombot", {"errcode": 0, "errmsg": "ok"}, "taken", False, 0),
        ("wecombot", {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1]"}, "refused", True, 0),
        ("wecombot", {"errcode": 93004, "errmsg": "robot is disabled"}, "refused", True, 0),
        ("wecombot", {"errcode": 93008, "errmsg": "not in chat"}, "refused", True, 0),
        ("wecombot", {"errcode": 45009, "errmsg": "api freq out of limit"}, "throttled", False, 60),
        ("wecombot", {"errcode": 45033, "errmsg": "api concurrent out of limit"}, "throttled", False, 60),
        ("wecombot", {"errcode": 44004, "errmsg": "empty content"}, "refused", False, 0),
        ("wecombot", {"errcode": 45002, "errmsg": "content size out of limit"}, "refused", False, 0),
        ("wecombot", {"errcode": 40058, "errmsg": "text.content exceed max length 2048"}, "refused", False, 0),
        ("wecombot", {"errcode": -1, "errmsg": "system busy"}, "failed", False, 0),
        ("dingtalk", {"errcode": 0, "errmsg": "ok"}, "taken", False, 0),
        ("dingtalk", {"errcode": 310000, "errmsg": "sign not match, more: [https://d]"}, "refused", True, 0),
        ("dingtalk", {"errcode": 310000, "errmsg": DING_LIKE.format("机器人发送签名不匹配")}, "refused", True, 0),
        ("dingtalk", {"errcode": 310000, "errmsg": "invalid timestamp"}, "refused", True, 0),
        ("dingtalk", {"errcode": 310000, "errmsg": "ip 1.2.3.4 not in whitelist"}, "refused", True, 0),
        ("dingtalk", {"errcode": 310000, "errmsg": "keywords not in content, more: [https://d]"}, "refused", False, 0),
        ("dingtalk", {"errcode": 310000, "errmsg": DING_LIKE.format("关键词不匹配")}, "refused", False, 0),
        ("dingtalk", {"errcode": 300001, "errmsg": "token is not exist"}, "refused", True, 0),
        ("dingtalk", {"errcode": 300005, "errmsg": "token is not exist"}, "refused", True, 0),
        ("dingtalk", {"errcode": 400102, "errmsg": "机器人已停用"}, "refused", True, 0),
        ("dingtalk", {"errcode": 400106, "errmsg": "机器人不存在"}, "refused", True, 0),
        ("dingtalk", {"errcode": 400013, "errmsg": "群已被解散"}, "refused", True, 0),
        ("dingtalk", {"errcode": 430102, "errmsg": "contains improper words"}, "refused", False, 0),
        ("dingtalk", {"errcode": 460101, "errmsg": "message too long"}, "refused", False, 0),
        (
            "dingtalk",
            {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"},
            "throttled",
            False,
            600,
        ),
        ("dingtalk", {"errcode": 410100, "errmsg": "发送速度太快而限流"}, "throttled", False, 600),
        ("dingtalk", {"errcode": 660026, "errmsg": "发送速度太快"}, "throttled", False, 600),
        ("dingtalk", {"errcode": -1, "errmsg": "系统繁忙"}, "failed", False, 0),
        ("feishu", {"code": 0, "msg": "success", "data": {}}, "taken", False, 0),
        ("feishu", {"StatusCode": 0, "StatusMessage": "success"}, "taken", False, 0),
        ("feishu", {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}, "refused", True, 0),
        ("feishu", {"code": 19002, "msg": "params error, msg_type need"}, "refused", False, 0),
        ("feishu", {"code": 19021, "msg": "sign match fail or timestamp is not within one hour"}, "refused", True, 0),
        ("feishu", {"code": 19022, "msg": "Ip Not Allowed"}, "refused", True, 0),
        ("feishu", {"code": 19024, "msg": "Key Words Not Found"}, "refused", False, 0),
        ("feishu", {"code": 9499, "msg": "too many request"}, "throttled", False, 10),
        ("feishu", {"code": 9499, "msg": "Bad Request"}, "refused", False, 0),
        (
            "feishu",
            {"code": 11232, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]"},
            "throttled",
            False,
            60,
        ),
        ("feishu", {"code": 4711, "msg": "a code of later years"}, "failed", False, 0),
        ("feishu", {"ok": True}, "unknown", False, 0),
    ],
)
def test_codes(kind: str, answer: dict[str, object], verdict: str, dead: bool, silent: float) -> None:
    outcome = outcome_of_bot(read_answer(kind, 200, msgspec.json.encode(answer)))
    assert (outcome.verdict, outcome.dead, outcome.silent) == (verdict, dead, silent)


@pytest.mark.parametrize(
    ("status", "headers", "verdict", "dead", "silent"),
    [
        (200, {}, "taken", False, 0),
        (204, {}, "taken", False, 0),
        (301, {"location": "http://elsewhere"}, "failed", False, 0),
        (400, {}, "refused", False, 0),
        (401, {}, "failed", False, 0),
        (404, {}, "failed", False, 0),
        (410, {}, "refused", True, 0),
        (413, {}, "refused", False, 0),
        (429, {}, "throttled", False, 60),
        (429, {"retry-after": "7"}, "throttled", False, 7),
        (429, {"retry-after": "999999999"}, "throttled", False, 3600),
        (429, {"retry-after": "soon"}, "throttled", False, 60),
        (500, {}, "failed", False, 0),
        (503, {}, "failed", False, 0),
        (503, {"retry-after": "30"}, "throttled", False, 30),
    ],
)
def test_a_webhook_says_everything_by_its_status(
    status: int, headers: dict[str, str], verdict: str, dead: bool, silent: float
) -> None:
    outcome = outcome_of_status(SenderAnswer(status, headers), 0.0)
    assert (outcome.verdict, outcome.dead, outcome.silent) == (verdict, dead, silent)


def test_a_pause_until_a_date() -> None:
    assert pause_of("Thu, 01 Jan 1970 00:10:00 GMT", 0.0) == 600
    assert pause_of("Thu, 01 Jan 1970 00:10:00 GMT", 700.0) == 1


@pytest.mark.parametrize(
    ("verdict", "dead", "news"),
    [
        (SendVerdict.TAKEN, False, SendNews.WORKS),
        (SendVerdict.THROTTLED, False, None),
        (SendVerdict.REFUSED, True, SendNews.REFUSED),
        (SendVerdict.REFUSED, False, SendNews.TEXT_REFUSED),
        (SendVerdict.FAILED, False, SendNews.FAILED),
        (SendVerdict.UNKNOWN, False, SendNews.FAILED),
    ],
)
def test_what_an_outcome_says_about_its_channel(verdict: SendVerdict, dead: bool, news: SendNews | None) -> None:
    assert news_of(SendOutcome(verdict=verdict, dead=dead)) == news
