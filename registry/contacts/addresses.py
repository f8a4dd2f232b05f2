"""From the text of a person to addresses in their normal form, and from an address to what a sender needs. Pure.

No error and no `repr` shows an address: they name a channel by its place and kind.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from contract.glossary import word
from contract.said import Said, SaidError
from registry.contacts.bot_address import Bot, parse_bot
from registry.contacts.model import Address, ChannelKind

MOST_CHANNELS: Final = 8
"""Channels of one contact."""
MOST_ADDRESS: Final = 2000
"""Characters of an address."""
MOST_SECRETS: Final = 4
"""Signing secrets of a webhook."""
LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that a webhook may have without TLS."""
_SEPARATORS: Final = re.compile(r"[\s;；、]+")
_VISIBLE: Final = re.compile(r"[!-~]+")
_NAMED: Final = re.compile(r"([a-z]+|短信|手机|手机号|电话|邮箱|邮件|电子邮箱)[:：](?!//)(.*)", re.IGNORECASE)
_CALLED: Final[Mapping[str, ChannelKind]] = {
    **dict.fromkeys(("sms", "tel", "phone", "短信", "手机", "手机号", "电话"), ChannelKind.SMS),
    **dict.fromkeys(("mail", "email", "mailto", "邮箱", "邮件", "电子邮箱"), ChannelKind.MAIL),
}
_CHINESE_PHONE: Final = re.compile(r"1[3-9][0-9]{9}")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{7,14}")
_LIKE_PHONE: Final = re.compile(r"\+?[0-9()-]{5,}")
_MAIL_NAME: Final = re.compile(r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(\.[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = r"[0-9a-z]([0-9a-z-]{0,61}[0-9a-z])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_SCHEME: Final = re.compile(r"([a-z][0-9a-z+.-]{1,31})://.", re.IGNORECASE)
# Plugins of apprise that show a message on the machine of the service instead of sending it.
_HERE: Final = frozenset({"dbus", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
_SECRET: Final = "whsec_"  # noqa: S105 -- a prefix
_BOTS: Final = {
    "wecombot": ChannelKind.WECOM,
    "dingtalk": ChannelKind.DINGTALK,
    "feishu": ChannelKind.FEISHU,
}


class HookAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook. `secrets`: the bytes that sign its messages, two or more while a secret is replaced; none for a
    webhook without signatures."""

    url: str
    secrets: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return "HookAddress()"


def parse_channels(text: str) -> tuple[Address, ...]:
    """The addresses of a text, separated by spaces, line ends, `;` or `、`, in its order.

    Raises SaidError for an address that cannot be used, one that is there twice, and too many.
    """
    texts = [part for part in _SEPARATORS.split(text) if part]
    require_few(texts)
    found = [_placed(place, part) for place, part in enumerate(texts, start=1)]
    require_different(found)
    return tuple(found)


def parse_address(text: str) -> Address:
    """One address, such as ``sms:+8613800138000``, ``mail:li@example.cn``, ``dingtalk://TOKEN?secret=SECRET``, the
    https address of a bot or of a webhook, or a URL of apprise. Raises SaidError, which does not show it."""
    if len(text) > MOST_ADDRESS:
        raise SaidError(
            f"has {len(text)} characters, allowed are {MOST_ADDRESS}: shorten it",
            f"有 {len(text)} 个字符，最多 {MOST_ADDRESS} 个：请缩短",
        )
    named = _NAMED.fullmatch(text)
    kind = _CALLED.get(named[1].lower()) if named else None
    if named is not None and kind is not None:
        return Address(kind, _MADE[kind](named[2]))
    if _LIKE_PHONE.fullmatch(text):
        return Address(ChannelKind.SMS, _phone(text))
    if "@" in text and "://" not in text:
        return Address(ChannelKind.MAIL, _mail(text))
    return _of_url(text)


def bot_of(address: Address) -> Bot:
    """The bot of an address of the kinds wecom, dingtalk and feishu."""
    bot = parse_bot(address.text)
    if bot is None:
        raise AssertionError(f"an address of the kind {address.kind} is no bot")
    return bot


def hook_of(address: Address) -> HookAddress:
    """The webhook of an address of the kind webhook."""
    url, _, secrets = address.text.partition("#")
    found = (secret.removeprefix(_SECRET) for secret in secrets.split(",") if secret)
    return HookAddress(url=url, secrets=tuple(base64.b64decode(secret) for secret in found))


def require_few(channels: Sequence[object]) -> None:
    """Raise SaidError for more than MOST_CHANNELS channels."""
    if len(channels) > MOST_CHANNELS:
        raise SaidError(
            f"has {len(channels)} channels, allowed are {MOST_CHANNELS}: take some out",
            f"有 {len(channels)} 个渠道，最多 {MOST_CHANNELS} 个：请减少",
        )


def require_different(addresses: Sequence[Address]) -> None:
    """Raise SaidError for a receiver that is there twice."""
    first: dict[tuple[ChannelKind, str], int] = {}
    for place, address in enumerate(addresses, start=1):
        if (before := first.setdefault((address.kind, address.receiver), place)) != place:
            kind = word("channel", address.kind, "zh-CN")
            raise SaidError(
                f"channel {place} ({address.kind}) has the same receiver as channel {before}: keep one of them",
                f"第 {place} 个渠道（{kind}）与第 {before} 个的接收方相同：请只留一个",
            )


def _placed(place: int, text: str) -> Address:
    try:
        return parse_address(text)
    except SaidError as exc:
        kind = _guessed(text)
        shown = Said(f" ({kind})", f"（{word('channel', kind, 'zh-CN')}）") if kind else Said("", "")
        raise SaidError(
            f"channel {place}{shown.en}: {exc.said.en}", f"第 {place} 个渠道{shown.zh}：{exc.said.zh}"
        ) from None


def _guessed(text: str) -> str | None:
    """The kind that a person meant, as far as it can be said without showing more."""
    if (named := _NAMED.fullmatch(text)) and (kind := _CALLED.get(named[1].lower())):
        return kind
    scheme = (found[1].lower() if (found := _SCHEME.match(text)) else "").replace("wecombot", "wecom")
    if scheme in ("http", "https"):
        return ChannelKind.WEBHOOK
    if scheme in set(ChannelKind):
        return scheme
    return ChannelKind.SMS if _LIKE_PHONE.fullmatch(text) else None


def _phone(text: str) -> str:
    digits = re.sub(r"[()-]", "", text)
    digits = f"+{digits[2:]}" if digits.startswith("00") else digits
    number = f"+86{digits}" if _CHINESE_PHONE.fullmatch(digits) else digits
    if not _PHONE.fullmatch(number) or (number.startswith("+86") and not _CHINESE_PHONE.fullmatch(number[3:])):
        raise SaidError(
            "is no number of a mobile phone: write 11 digits without spaces, or + and the code of the country",
            "不是手机号码：请写 11 位数字，中间不加空格；境外号码请以 + 和国家代码开头",
        )
    return number


def _mail(text: str) -> str:
    name, _, domain = text.rpartition("@")
    domain = domain.lower()
    if len(name) > 64 or len(text) > 254 or not _MAIL_NAME.fullmatch(name) or not _DOMAIN.fullmatch(domain):
        raise SaidError(
            "is no mail address: write it like li@example.cn", "不是电子邮箱地址：请写成 li@example.cn 的形式"
        )
    return f"{name}@{domain}"


_MADE: Final[Mapping[ChannelKind, Callable[[str], str]]] = {ChannelKind.SMS: _phone, ChannelKind.MAIL: _mail}


def _of_url(text: str) -> Address:
    found = _SCHEME.match(text)
    if found is None:
        raise SaidError(
            "is no address: begin with sms: or mail:, or write a URL such as wecom://KEY",
            "不是地址：请填写手机号码、电子邮箱，或机器人的网址",
        )
    if not _VISIBLE.fullmatch(text):
        raise SaidError(
            "has characters that are not of a URL: write them with %",
            "含有网址中不允许的字符：请用 % 编码",
        )
    scheme = found[1].lower()
    text = scheme + text[len(scheme) :]
    if (bot := parse_bot(text)) is not None:
        return Address(_BOTS[bot.kind], _bot_text(bot))
    if scheme in ("http", "https"):
        return Address(ChannelKind.WEBHOOK, _hook_text(text))
    if scheme in _HERE:
        raise SaidError(
            "reaches nobody: it is a message on the machine of the service", "发不到任何人：它只在服务所在的机器上显示"
        )
    return Address(ChannelKind.APPRISE, text)


def _bot_text(bot: Bot) -> str:
    """The normal form: what follows `?` does not change which bot it is."""
    options = [f"secret={bot.secret}"] if bot.secret else []
    options += [f"to={','.join(bot.phones)}"] if bot.phones else []
    return f"{_BOTS[bot.kind]}://{bot.token}" + (f"?{'&'.join(options)}" if options else "")


def _hook_text(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # the text of the error contains the address
        host, port, parts = "", None, SplitResult("", "", "", "", "")
    if not host or port == 0:
        raise SaidError("is no URL: write it like https://host/path", "不是网址：请写成 https://主机/路径 的形式")
    if parts.scheme == "http" and host not in LOCAL_HOSTS:
        raise SaidError("goes over the network without encryption: use https", "会在网络上不加密传输：请改用 https")
    user, at, place = parts.netloc.rpartition("@")
    url = urlunsplit(parts._replace(netloc=f"{user}{at}{place.lower()}", fragment=""))
    secrets = [_checked_secret(secret) for secret in parts.fragment.split(",") if secret]
    if len(secrets) > MOST_SECRETS:
        raise SaidError(
            f"has {len(secrets)} signing secrets, allowed are {MOST_SECRETS}: take the old ones out",
            f"有 {len(secrets)} 个签名密钥，最多 {MOST_SECRETS} 个：请去掉旧密钥",
        )
    return url + (f"#{','.join(secrets)}" if secrets else "")


def _checked_secret(text: str) -> str:
    try:
        key = base64.b64decode(text.removeprefix(_SECRET), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_SECRET) or not 24 <= len(key) <= 64:
        raise SaidError(
            "what follows # is no signing secret: write whsec_ and 24 to 64 random bytes in Base64",
            "# 之后不是签名密钥：请写 whsec_ 和 24 至 64 个随机字节的 Base64 编码",
        )
    return _SECRET + base64.b64encode(key).decode()
