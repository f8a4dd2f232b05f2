"""The content of a message: one page with its text, or several as a digest. Pure."""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from alerting.delivery.facts import AlertFacts, AlertMessage
from alerting.delivery.fields import fields_of
from alerting.delivery.message import write_message, write_plainly
from alerting.delivery.sending import MessageContent
from alerting.delivery.short import MOST_UNITS, cut
from alerting.delivery.texts import Language
from alerting.incidents.severity import SEVERITIES
from contract.glossary import word

log = logging.getLogger(__name__)

MOST_LISTED: Final = 20
"""The most pages that a digest shows one by one."""
MOST_BYTES: Final = 1500
"""Bytes of the lines of a digest, so that the whole fits the message of every provider."""


class DigestTexts(msgspec.Struct, frozen=True):
    """The sentences of a digest in one language."""

    title: str
    counts: str
    count: str
    listing: str
    line: str
    more: str
    link: str
    short: str


DIGEST_TEXTS: Final[dict[Language, DigestTexts]] = {
    "zh-CN": DigestTexts(
        title="【{n} 条告警】{first} 等",
        counts="共 {n} 条：{counts}",
        count="{severity} {n}",
        listing="，",
        line="{title} #{id}",
        more="另有 {n} 条未列出。",
        link="查看全部：{link}",
        short="【{n} 条告警】{first}",
    ),
    "en": DigestTexts(
        title="[{n} ALERTS] {first} and others",
        counts="{n} alerts: {counts}",
        count="{n} {severity}",
        listing=", ",
        line="{title} #{id}",
        more="{n} more are not listed.",
        link="See all: {link}",
        short="[{n} ALERTS] {first}",
    ),
}


class WritingStyle(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a message is written. `public_url`: of the console; None leaves the links out."""

    language: Language
    public_url: str | None


def write_content(
    key: str, facts: Sequence[AlertFacts], severities: Sequence[str], style: WritingStyle, now: datetime
) -> MessageContent:
    """The content of message `key`. `facts`: of its first pages, at least one and at most `MOST_LISTED`; `severities`:
    of all its pages."""
    texts = [_write(each, style, now) for each in facts]
    text = texts[0] if len(severities) == 1 else write_digest(texts, facts, severities, style)
    return MessageContent(
        text=text,
        language=style.language,
        severity=max(severities, key=_gravity),
        events=[fields_of(key, now, each, written) for each, written in zip(facts, texts, strict=True)],
    )


def write_digest(
    texts: Sequence[AlertMessage], facts: Sequence[AlertFacts], severities: Sequence[str], style: WritingStyle
) -> AlertMessage:
    """One message for several pages: how many of each severity, a line for each of the first, and how many more."""
    words = DIGEST_TEXTS[style.language]
    number = len(severities)
    lines = _fitting(
        [words.line.format(title=text.title, id=each.incident) for text, each in zip(texts, facts, strict=True)]
    )
    link = None if style.public_url is None else f"{style.public_url.rstrip('/')}/incidents"
    more = number - len(lines)
    body = (
        words.counts.format(n=number, counts=_counts(severities, style.language)),
        *lines,
        words.more.format(n=more) if more else None,
        None if link is None else words.link.format(link=link),
    )
    return AlertMessage(
        title=words.title.format(n=number, first=texts[0].title),
        body="\n".join(line for line in body if line),
        short=cut(words.short.format(n=number, first=texts[0].short), MOST_UNITS),
        link=link,
    )


def _write(facts: AlertFacts, style: WritingStyle, now: datetime) -> AlertMessage:
    """The text of a page; its kind and link only, if that text cannot be made."""
    try:
        return write_message(facts, language=style.language, public_url=style.public_url, now=now)
    except Exception:
        log.exception("a page cannot be written as it should", extra={"incident": facts.incident})
        return write_plainly(facts, language=style.language, public_url=style.public_url)


def _fitting(lines: Sequence[str]) -> list[str]:
    """The first lines that fit."""
    kept: list[str] = []
    left = MOST_BYTES
    for line in lines[:MOST_LISTED]:
        left -= len(line.encode()) + 1
        if left < 0:
            break
        kept.append(line)
    return kept


def _counts(severities: Sequence[str], language: Language) -> str:
    words = DIGEST_TEXTS[language]
    many = Counter(severities)
    gravest_first = sorted(many, key=_gravity, reverse=True)
    return words.listing.join(
        words.count.format(severity=word("severity", severity, language), n=many[severity])
        for severity in gravest_first
    )


def _gravity(severity: str) -> int:
    return [*SEVERITIES].index(severity) if severity in SEVERITIES else 0
