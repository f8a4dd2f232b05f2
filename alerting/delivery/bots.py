"""The group bots of WeCom, DingTalk and Feishu: their requests and answers. Pure.

The bots answer HTTP 200 also when they refuse: only the code in the answer says whether a message was taken. Sources:
the documents "group bot configuration" of WeCom, "custom robot access" of DingTalk and "custom bot usage guide" of
Feishu.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

import msgspec

from alerting.delivery.facts import AlertMessage
from registry.contacts.bot_address import Bot

MAX_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read."""
_ANSWER_SHOWN: Final = 120


class BotVerdict(StrEnum):
    """What happened to a message."""

    TAKEN = "taken"
    # Not taken; the bot takes no message for a while.
    THROTTLED = "throttled"
    # Not taken, and this message will never be.
    REFUSED = "refused"
    # Not taken now; perhaps later.
    FAILED = "failed"
    # It is not known whether the bot took the message.
    UNKNOWN = "unknown"


class BotAnswer(msgspec.Struct, frozen=True):
    """The meaning of an answer. `why`: the reason, without secrets; `silent`: seconds in which nothing is to be
    sent. `dead`: the bot itself is refused, so that no message can be sent to it."""

    verdict: BotVerdict
    why: str = ""
    silent: float = 0.0
    dead: bool = False


class BotRequest(msgspec.Struct, frozen=True):
    """What to POST: the path with its query, which contains secrets, and the JSON document."""

    path: str
    document: dict[str, Any]


class BotKind(msgspec.Struct, frozen=True, kw_only=True):
    """The protocol of one provider.

    `limit`: bytes of a text. `codes`: fields in which an answer may say its code. `throttled`: codes and the seconds of
    pause that follow; `refused`: codes for which a retry does not help, of the message, `dead`: of the bot itself.
    `about_text`: words in the answer that make a code of `dead` or `throttled` one of `refused`.
    """

    origin: str
    limit: int
    build: Callable[[Bot, str, float], BotRequest]
    codes: tuple[str, ...]
    throttled: Mapping[int, float]
    refused: frozenset[int]
    dead: frozenset[int]
    about_text: Mapping[int, tuple[str, ...]] = {}


def _wecom(bot: Bot, text: str, now: float) -> BotRequest:
    return BotRequest(f"/cgi-bin/webhook/send?key={bot.token}", {"msgtype": "text", "text": {"content": text}})


def _dingtalk(bot: Bot, text: str, now: float) -> BotRequest:
    path = f"/robot/send?access_token={bot.token}"
    if bot.secret is not None:
        at = str(int(now * 1000))
        sign = _sign(bot.secret, f"{at}\n{bot.secret}")
        path += f"&timestamp={at}&sign={quote(sign, safe='')}"
    mentioned = {"atMobiles": list(bot.phones), "isAtAll": False}
    return BotRequest(path, {"msgtype": "text", "text": {"content": text}, "at": mentioned})


def _feishu(bot: Bot, text: str, now: float) -> BotRequest:
    document: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if bot.secret is not None:
        at = str(int(now))
        document |= {"timestamp": at, "sign": _sign(f"{at}\n{bot.secret}", "")}
    return BotRequest(f"/open-apis/bot/v2/hook/{bot.token}", document)


def _sign(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


KINDS: Final[Mapping[str, BotKind]] = {
    "wecombot": BotKind(
        origin="https://qyapi.weixin.qq.com",
        limit=2048,
        build=_wecom,
        codes=("errcode",),
        throttled={45009: 60.0, 45033: 60.0},
        # Bad parameter, type, empty, too long.
        refused=frozenset({40008, 40058, 44004, 45002}),
        # No such bot or removed from its group, stopped, not in the group.
        dead=frozenset({93000, 93004, 93008}),
    ),
    "dingtalk": BotKind(
        origin="https://oapi.dingtalk.com",
        limit=18_000,
        build=_dingtalk,
        codes=("errcode",),
        throttled={130101: 600.0, 410100: 600.0, 660026: 600.0},
        # Bad parameter, type, too long, unwanted words or pictures.
        refused=frozenset({40035, 43004, 400105, 430101, 430102, 430103, 430104, 460101}),
        # No such token, signature or address, group gone, token, bot stopped, no such bot.
        dead=frozenset({300001, 300005, 310000, 400013, 400101, 400102, 400106}),
        # This code covers every security setting: a missing keyword and a wrong signature differ only in the text.
        about_text={310000: ("keyword", "关键词")},
    ),
    "feishu": BotKind(
        origin="https://open.feishu.cn",
        limit=18_000,
        build=_feishu,
        codes=("code", "StatusCode"),
        throttled={9499: 10.0, 11232: 60.0, 99991400: 60.0},
        # Bad parameter, keyword.
        refused=frozenset({19002, 19024}),
        # No such bot, signature, address.
        dead=frozenset({19001, 19021, 19022}),
        about_text={9499: ("bad request",)},
    ),
}  # fmt: skip


def build_request(bot: Bot, message: AlertMessage, now: float) -> BotRequest:
    """The request for a message as plain text, title first, signed if the bot has a secret. `now`: seconds since the
    epoch."""
    kind = KINDS[bot.kind]
    return kind.build(bot, clip(f"{message.title}\n{message.body}", kind.limit), now)


def clip(text: str, limit: int) -> str:
    """The text in at most `limit` bytes of UTF-8. A longer text is cut before its last line, which contains the
    link."""
    if len(text.encode()) <= limit:
        return text
    last = "…\n" + text.rpartition("\n")[2]
    if len(last.encode()) > limit // 2:
        last = "…"
    return text.encode()[: limit - len(last.encode())].decode(errors="ignore") + last


def read_answer(kind: str, status: int, body: bytes) -> BotAnswer:
    """The meaning of an answer with HTTP `status`. Only code 0 means that the message was taken."""
    if status == 429:
        return BotAnswer(BotVerdict.THROTTLED, "answered with HTTP status 429", 60.0)
    code, text = _code(KINDS[kind].codes, body)
    if code is None:
        known = BotAnswer(BotVerdict.UNKNOWN, "answered in a way that does not say whether it took the message")
        return known if status == 200 else BotAnswer(BotVerdict.FAILED, f"answered with HTTP status {status}")
    if code == 0:
        return (
            BotAnswer(BotVerdict.TAKEN)
            if status == 200
            else BotAnswer(BotVerdict.UNKNOWN, f"HTTP status {status}, code 0")
        )
    why = f"refused with code {code}" + (f": {text}" if text else "")
    return _refusal(KINDS[kind], code, text, why)


def _refusal(kind: BotKind, code: int, text: str, why: str) -> BotAnswer:
    """The meaning of a code that is not 0."""
    if any(word in text.lower() for word in kind.about_text.get(code, ())):
        return BotAnswer(BotVerdict.REFUSED, why)
    if code in kind.throttled:
        return BotAnswer(BotVerdict.THROTTLED, why, kind.throttled[code])
    if code in kind.refused | kind.dead:
        return BotAnswer(BotVerdict.REFUSED, why, dead=code in kind.dead)
    return BotAnswer(BotVerdict.FAILED, why)


def _code(fields: tuple[str, ...], body: bytes) -> tuple[int | None, str]:
    """The code of an answer, None without one, and its message, shortened."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None, ""
    if not isinstance(answer, dict):
        return None, ""
    found = next((answer[field] for field in fields if field in answer), None)
    code = found if isinstance(found, int) and not isinstance(found, bool) else None
    text = answer.get("errmsg") or answer.get("msg") or answer.get("StatusMessage") or ""
    return code, answer_text(str(text))


def answer_text(text: str) -> str:
    """What a server said, in one short line."""
    return " ".join(text.split())[:_ANSWER_SHOWN]
