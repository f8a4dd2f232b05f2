"""The addresses of the group bots of WeCom, DingTalk and Feishu, in every form that people have. Pure."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from contract.glossary import word
from contract.said import SaidError

_WORD: Final = re.compile(r"[0-9A-Za-z_-]{1,256}")
_PHONE: Final = re.compile(r"\+?[0-9-]{11,16}")


class Bot(msgspec.Struct, frozen=True, kw_only=True):
    """One bot. `token` and `secret` are secret; `phones`: of the people to be mentioned."""

    kind: str
    token: str
    secret: str | None = None
    phones: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Bot({self.kind})"


NATIVE: Final[Mapping[str, tuple[str, str, str | None]]] = {
    "wecombot": ("qyapi.weixin.qq.com", "/cgi-bin/webhook/send", "key"),
    "dingtalk": ("oapi.dingtalk.com", "/robot/send", "access_token"),
    "feishu": ("open.feishu.cn", "/open-apis/bot/v2/hook/", None),
}
"""{bot: host and path of the https address that its provider shows, and the parameter with the token (None: the last
part of the path)}."""
_CALLED: Final = {"wecom": "wecombot"}
_ZH: Final = {name: word("channel", name.removesuffix("bot"), "zh-CN") for name in NATIVE}


def parse_bot(url: str) -> Bot | None:
    """The bot of a URL (``wecom://KEY`` or ``wecombot://KEY``, ``dingtalk://[SECRET@]TOKEN[/PHONE…]``,
    ``feishu://[SECRET@]TOKEN``; ``?secret=`` and ``?to=`` also give the secret and the phones) or of the https address
    that its provider shows; None for another kind of target.

    Raises SaidError for the address of a bot that cannot be used; its text contains no secret.
    """
    try:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        kind = _kind(parts.scheme, parts.hostname or "", parts.path)
        if kind is None:
            return None
        native = parts.scheme == "https"
        token = _native_token(kind, parts.path, query) if native else _token(parts.netloc, query)
    except ValueError:  # the text of the error contains the address
        raise SaidError("it is no address", "不是有效的地址") from None
    secret = query.get("secret") or (unquote(parts.username) if parts.username else None)
    phones = () if native else (*unquote(parts.path).strip("/").split("/"), *query.get("to", "").split(","))
    return _checked(Bot(kind=kind, token=token, secret=secret, phones=tuple(filter(None, map(str.strip, phones)))))


def _kind(scheme: str, host: str, path: str) -> str | None:
    scheme = _CALLED.get(scheme, scheme)
    if scheme in NATIVE:
        return scheme
    natives = ((kind, *known) for kind, known in NATIVE.items())
    return next((k for k, at, start, _ in natives if scheme == "https" and host == at and path.startswith(start)), None)


def _native_token(kind: str, path: str, query: Mapping[str, str]) -> str:
    _, start, parameter = NATIVE[kind]
    return unquote(path.removeprefix(start)) if parameter is None else query.get(parameter, "")


def _token(netloc: str, query: Mapping[str, str]) -> str:
    # `hostname` would be in lower case.
    return query.get("token") or query.get("key") or unquote(netloc.rpartition("@")[2])


def _checked(bot: Bot) -> Bot:
    if not _WORD.fullmatch(bot.token):
        raise SaidError(
            f"the token of a {bot.kind} address has only letters, digits, `-` and `_`",
            f"{_ZH[bot.kind]}地址中的令牌只能包含字母、数字、- 和 _",
        )
    if bot.secret is not None and not _WORD.fullmatch(bot.secret):
        raise SaidError(
            f"the secret of a {bot.kind} address has only letters, digits, `-` and `_`",
            f"{_ZH[bot.kind]}地址中的签名密钥只能包含字母、数字、- 和 _",
        )
    if bot.phones and bot.kind != "dingtalk":
        raise SaidError(f"a {bot.kind} address ends with its token", f"{_ZH[bot.kind]}地址在令牌之后不应有其他内容")
    if not all(_PHONE.fullmatch(phone) for phone in bot.phones):
        raise SaidError(
            "what follows the token of a dingtalk address are phone numbers",
            "钉钉地址在令牌之后只能是要提醒的手机号",
        )
    return bot
