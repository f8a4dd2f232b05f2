"""The notification of the self-check: which parts do not work, or work again, in zh-CN and en. Pure."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.delivery.advice import advice
from alerting.delivery.facts import AlertFacts, AlertMessage
from alerting.delivery.message import severity_line
from alerting.delivery.short import ShortParts, short_text
from alerting.delivery.texts import TEXTS, Language
from alerting.delivery.times import lasted, short_when, when_line
from alerting.incidents.severity import SELF_CHECK
from alerting.selfcheck.rules import CheckNotice, FailingPart
from contract.glossary import WORDS, word


class _CheckTexts(msgspec.Struct, frozen=True):
    opened: str
    closed: str
    tag_ends: str
    line: str
    listing: str


_ZH: Final = _CheckTexts(
    opened="【平台自检】{parts}不工作",
    closed="【平台自检】{parts}已恢复",
    tag_ends="】",
    line="{part}：{why}，已 {lasted}。{means}",
    listing="、",
)
_EN: Final = _CheckTexts(
    opened="[PLATFORM CHECK] not working: {parts}",
    closed="[PLATFORM CHECK] works again: {parts}",
    tag_ends="] ",
    line="{part}: {why}, for {lasted}. {means}",
    listing=", ",
)
_LANGUAGES: Final[dict[Language, _CheckTexts]] = {"zh-CN": _ZH, "en": _EN}


def write_notice(
    notice: CheckNotice, *, language: Language, now: datetime, mono: float
) -> tuple[AlertFacts, AlertMessage]:
    """The notification: facts for machines, text for people. It belongs to no incident: its number is 0.

    `now`: wall clock; `mono`: the monotonic clock of the check, s.
    """
    words = _LANGUAGES[language]
    parts = words.listing.join(word("part", failing.part, language) for failing in notice.parts)
    title = (words.opened if notice.phase == "opened" else words.closed).format(parts=parts)
    longest = max(mono - failing.since for failing in notice.parts)
    facts = AlertFacts(
        incident=0,
        kind=SELF_CHECK,
        phase=notice.phase,
        began_at=now - timedelta(seconds=longest),
        ended_at=None if notice.phase == "opened" else now,
        detail={failing.part: failing.why for failing in notice.parts},
    )
    common = TEXTS[language]
    lines = (
        severity_line(facts, language),
        when_line(facts, language, now),
        *(_line(failing, language, mono) for failing in notice.parts),
        common.to_do.format(advice=advice(facts).text(language)),
    )
    tag, _, what = title.partition(words.tag_ends)
    short = ShortParts(
        tag=tag + words.tag_ends.strip(), topic="", area="", name=what, ident="", count="",
        when=short_when(facts, language, now), number="",
    )  # fmt: skip
    return facts, AlertMessage(title=title, body="\n".join(lines), short=short_text(short))


def _line(failing: FailingPart, language: Language, mono: float) -> str:
    words, effect = _LANGUAGES[language], WORDS["part_effect"].get(failing.part)
    return words.line.format(
        part=word("part", failing.part, language),
        why=word("part_fault", failing.why, language),
        lasted=lasted(timedelta(seconds=mono - failing.since), language),
        means=effect.text(language) if effect else "",
    ).strip()
