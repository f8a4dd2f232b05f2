"""One message for many pages of one contact: how many of each kind, the gravest first, and the link last. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from alerting.delivery.facts import OVER, AlertMessage, plain
from alerting.delivery.short import MOST_UNITS, cut, units
from alerting.delivery.texts import Language
from alerting.incidents.severity import SEVERITIES
from contract.glossary import WORDS, word
from registry.contacts.model import ChannelKind

MOST_LISTED: Final = 20
"""The most pages that a digest shows one by one."""
MOST_COUNTED: Final = 6
"""The most kinds that a digest counts one by one."""
MOST_TITLE: Final = 60
"""UTF-16 units of the gravest page's title in the title of a digest."""
MOST_BYTES: Final = 6000
"""Bytes of the text of a digest without its link."""
BYTES_BY_CHANNEL: Final[Mapping[ChannelKind, int]] = {ChannelKind.WECOM: 1500}
"""The same for channels that take less: a message of WeCom has 2,048 bytes."""


class DigestLine(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a digest: its title, as it would be sent alone, and the number of its incident."""

    title: str
    incident: int


class DigestCount(msgspec.Struct, frozen=True):
    """What one page is about: the kind of its incident, its phase and severity."""

    kind: str
    phase: str
    severity: str


class DigestTexts(msgspec.Struct, frozen=True):
    """The sentences of a digest in one language."""

    title: str
    counts: str
    count: str
    over: str
    others: str
    listing: str
    line: str
    more: str
    link: str
    short: str


DIGEST_TEXTS: Final[dict[Language, DigestTexts]] = {
    "zh-CN": DigestTexts(
        title="【{n} 条告警】{first} 等",
        counts="共 {n} 条：{counts}。",
        count="{kind} {n}",
        over="{kind}（恢复） {n}",
        others="其他 {n}",
        listing="，",
        line="{title} #{id}",
        more="另有 {n} 条未列出。",
        link="查看全部：{link}",
        short="【{n} 条告警】{counts}",
    ),
    "en": DigestTexts(
        title="[{n} ALERTS] {first} and others",
        counts="{n} alerts: {counts}.",
        count="{kind} {n}",
        over="{kind} (over) {n}",
        others="others {n}",
        listing=", ",
        line="{title} #{id}",
        more="{n} more are not listed.",
        link="See all: {link}",
        short="[{n} ALERTS] {counts}",
    ),
}


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a digest, before it is put together. `short` ends before the link."""

    count: int
    #: How many of each kind, in words.
    counts: tuple[str, ...]
    first: str
    title: str
    body: str
    short: str
    link: str | None


def draft_digest(
    lines: Sequence[DigestLine],
    counted: Sequence[DigestCount],
    *,
    language: Language,
    public_url: str | None,
    most_bytes: int = MOST_BYTES,
) -> Digest:
    """The parts of a digest. `lines`: the first pages, at least one, the gravest first; `counted`: all of them."""
    words, number = DIGEST_TEXTS[language], len(counted)
    counts = _counts(counted, language)
    link = None if public_url is None else f"{public_url.rstrip('/')}/incidents"
    shown = [words.line.format(title=line.title, id=line.incident) for line in lines[:MOST_LISTED]]
    first = cut(lines[0].title, MOST_TITLE)
    return Digest(
        count=number,
        counts=tuple(counts),
        first=first,
        title=words.title.format(n=number, first=first),
        body=_body(words, number, words.listing.join(counts), shown, most_bytes),
        short=fit_counts(words, number, counts, MOST_UNITS - room_of(link)),
        link=link,
    )


def finish_digest(draft: Digest, language: Language) -> AlertMessage:
    """The message of a digest, with the link last."""
    return AlertMessage(
        title=draft.title, body=end_body(draft.body, draft.link, language), short=end_short(draft.short, draft.link),
        link=draft.link,
    )  # fmt: skip


def end_body(body: str, link: str | None, language: Language) -> str:
    """The text of a digest with the link as its last line."""
    return body if link is None else "\n".join((body, DIGEST_TEXTS[language].link.format(link=link)))


def end_short(short: str, link: str | None) -> str:
    """The short form of a digest with the link last, if the link leaves enough room."""
    return f"{short} {link}" if room_of(link) else short


def room_of(link: str | None) -> int:
    """Units that the link of a digest takes at the end of the short form: none if it leaves no room to say anything."""
    needed = 0 if link is None else units(link) + 1
    return needed if needed <= MOST_UNITS // 2 + 10 else 0


def _body(words: DigestTexts, number: int, counts: str, shown: Sequence[str], most_bytes: int) -> str:
    """How many of each kind, as many lines as fit, and how many more there are."""
    head = words.counts.format(n=number, counts=counts)
    left = most_bytes - _size(head) - _size(words.more.format(n=number))
    kept: list[str] = []
    for line in shown:
        left -= _size(line)
        if left < 0:
            break
        kept.append(line)
    more = number - len(kept)
    return "\n".join((head, *kept, *((words.more.format(n=more),) if more else ())))


def _size(line: str) -> int:
    return len(line.encode()) + 1


def _counts(counted: Sequence[DigestCount], language: Language) -> list[str]:
    """How many of each kind, what is not over before what is, the gravest and the most frequent first."""
    words = DIGEST_TEXTS[language]
    many = Counter((page.kind, page.phase in OVER) for page in counted)
    gravity = {
        key: max(_gravity(page.severity) for page in counted if (page.kind, page.phase in OVER) == key) for key in many
    }
    ranked = sorted(many, key=lambda key: (key[1], -gravity[key], -many[key], key[0]))
    shown = [
        (words.over if over else words.count).format(kind=_kind(kind, language), n=many[kind, over])
        for kind, over in ranked[:MOST_COUNTED]
    ]
    rest = sum(many[key] for key in ranked[MOST_COUNTED:])
    return [*shown, words.others.format(n=rest)] if rest else shown


def fit_counts(words: DigestTexts, number: int, counts: Sequence[str], most: int) -> str:
    """The short form with as many counts as fit whole."""
    for kept in range(len(counts), -1, -1):
        text = words.short.format(n=number, counts=words.listing.join(counts[:kept])).strip()
        if units(text) <= most:
            return text
    return cut(str(number), most)


def _kind(kind: str, language: Language) -> str:
    return str(plain(word("kind", kind, language) if kind in WORDS["kind"] else kind))


def _gravity(severity: str) -> int:
    return [*SEVERITIES].index(severity) if severity in SEVERITIES else 0
