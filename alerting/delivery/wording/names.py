"""The texts that an operator may change, and the placeholders of each. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from contract.errors import RemedyError
from contract.said import Said


class TemplateName(StrEnum):
    """A text that may be changed; the values are stored."""

    TITLE = "title"
    BODY = "body"
    SHORT = "short"
    DIGEST_TITLE = "digest_title"
    DIGEST_BODY = "digest_body"
    DIGEST_SHORT = "digest_short"


TEMPLATES: Final[Mapping[TemplateName, Said]] = {
    TemplateName.TITLE: Said("the title of a message", "消息标题"),
    TemplateName.BODY: Said("the text of a message; the link follows it", "消息正文；链接附在其后"),
    TemplateName.SHORT: Said(
        "the short form of a message, for SMS; the link or the number of the incident follows it",
        "消息短文本，用于短信；链接或故障编号附在其后",
    ),
    TemplateName.DIGEST_TITLE: Said("the title of a digest of several incidents", "汇总消息标题"),
    TemplateName.DIGEST_BODY: Said("the text of a digest; the link follows it", "汇总消息正文；链接附在其后"),
    TemplateName.DIGEST_SHORT: Said(
        "the short form of a digest, for SMS; the link follows it", "汇总消息短文本，用于短信；链接附在其后"
    ),
}
"""What each text is."""

_OF_A_MESSAGE: Final[Mapping[str, Said]] = {
    "event": Said("what happened, such as OFFLINE or RECOVERED", "事件，如“离线”“恢复”"),
    "subject": Said("the station, or what else it is about", "服务点，或故障的对象"),
    "kind": Said("the kind of incident", "故障类别"),
    "severity": Said("the line with the severity", "级别一行"),
    "station": Said("the name of the station", "服务点名称"),
    "station_id": Said("the id of the station", "服务点编号"),
    "area": Said("county and township", "县和乡镇"),
    "address": Said("the address of the station", "服务点地址"),
    "when": Said("the line with the beginning and the duration", "起止时间一行"),
    "time": Said("the beginning or the end in its shortest form", "最短形式的起止时间"),
    "cause": Said("the line with the cause", "原因一行"),
    "advice": Said("what to do", "处理建议"),
    "number": Said("the number of the incident", "故障编号"),
    "title": Said("the title that Milepost writes", "默认标题"),
}
_OF_A_DIGEST: Final[Mapping[str, Said]] = {
    "count": Said("how many incidents the digest is about", "故障条数"),
    "counts": Said("how many of each kind, the gravest first", "各类别条数，严重的在前"),
    "first": Said("the title of the gravest", "最严重一条的标题"),
    "title": Said("the title that Milepost writes", "默认标题"),
}
_BODY: Final = {"body": Said("the text that Milepost writes, without its link", "默认正文，不含链接")}
_SHORT: Final = {"short": Said("the short form that Milepost writes, cut to the room", "默认短文本，按余下长度截短")}
PLACEHOLDERS: Final[Mapping[TemplateName, Mapping[str, Said]]] = {
    TemplateName.TITLE: _OF_A_MESSAGE,
    TemplateName.BODY: {**_OF_A_MESSAGE, **_BODY},
    TemplateName.SHORT: {**_OF_A_MESSAGE, **_SHORT},
    TemplateName.DIGEST_TITLE: _OF_A_DIGEST,
    TemplateName.DIGEST_BODY: {**_OF_A_DIGEST, **_BODY},
    TemplateName.DIGEST_SHORT: {**_OF_A_DIGEST, **_SHORT},
}
"""The placeholders of each text, with what stands in their place."""
IN_ONE_LINE: Final = frozenset(TemplateName) - {TemplateName.BODY, TemplateName.DIGEST_BODY}
"""The texts without line breaks."""
SHORT_FORMS: Final = frozenset({TemplateName.SHORT, TemplateName.DIGEST_SHORT})
"""The texts that fit one SMS."""


def template_named(name: str) -> TemplateName:
    """The text of this name. Raises RemedyError for any other."""
    try:
        return TemplateName(name)
    except ValueError as exc:
        raise RemedyError(
            f"there is no template {name[:40]!r}: use one of {', '.join(TemplateName)}",
            f"没有模板“{name[:40]}”：可用 {'、'.join(TemplateName)}",
        ) from exc
