"""The content of a message: one page with its text, or several as a digest. Pure."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from alerting.delivery.facts import AlertFacts, AlertMessage
from alerting.delivery.fields import fields_of, type_of
from alerting.delivery.message import write_plainly
from alerting.delivery.sending import MessageContent
from alerting.delivery.texts import Language
from alerting.delivery.wording.digest import (
    BYTES_BY_CHANNEL,
    MOST_BYTES,
    DigestCount,
    DigestLine,
    draft_digest,
    finish_digest,
)
from alerting.delivery.wording.digest import MOST_LISTED as MOST_LISTED
from alerting.delivery.wording.write import DEFAULT_WORDING, Wording, write_digest_worded, write_worded
from alerting.incidents.severity import SEVERITIES
from registry.contacts.model import ChannelKind

log = logging.getLogger(__name__)


class WritingStyle(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a message is written. `public_url`: of the console; None leaves the links out. `wording`: the templates
    of an operator; `tokens`: by incident, of the links of the person it goes to."""

    language: Language
    public_url: str | None
    channel: ChannelKind = ChannelKind.MAIL
    wording: Wording = DEFAULT_WORDING
    tokens: Mapping[int, str] = {}


def write_content(
    key: str, facts: Sequence[AlertFacts], counted: Sequence[DigestCount], style: WritingStyle, now: datetime
) -> MessageContent:
    """The content of message `key`. `facts`: of its first pages, at least one and at most `MOST_LISTED`; `counted`:
    all its pages."""
    texts = [_write(each, style, now) for each in facts]
    return MessageContent(
        text=texts[0] if len(counted) == 1 else _write_digest(texts, facts, counted, style),
        language=style.language,
        severity=max((page.severity for page in counted), key=_gravity),
        events=[_event(key, each, written, now) for each, written in zip(facts, texts, strict=True)],
    )


def _event(key: str, facts: AlertFacts, text: AlertMessage, now: datetime) -> dict[str, Any]:
    """The fields of a page for machines; only the most important ones, if the others cannot be made."""
    try:
        return fields_of(key, now, facts, text)
    except Exception:
        log.exception("a page has not all its fields", extra={"incident": facts.incident})
        return {
            "type": type_of(facts),
            "key": key,
            "incident": facts.incident,
            "kind": facts.kind,
            "phase": facts.phase,
        }


def _write_digest(
    texts: Sequence[AlertMessage], facts: Sequence[AlertFacts], counted: Sequence[DigestCount], style: WritingStyle
) -> AlertMessage:
    """One message for several pages; in the words of Milepost if those of an operator cannot be used."""
    draft = draft_digest(
        [DigestLine(title=text.title, incident=each.incident) for text, each in zip(texts, facts, strict=True)],
        counted,
        language=style.language,
        public_url=style.public_url,
        most_bytes=BYTES_BY_CHANNEL.get(style.channel, MOST_BYTES),
    )
    try:
        return write_digest_worded(draft, style.wording, style.language)
    except Exception:
        log.exception("a digest cannot be written by its template")
        return finish_digest(draft, style.language)


def _write(facts: AlertFacts, style: WritingStyle, now: datetime) -> AlertMessage:
    """The text of a page: by its templates, else in the words of Milepost, else its kind and link only."""
    token = style.tokens.get(facts.incident)
    for wording in (style.wording, DEFAULT_WORDING):
        try:
            return write_worded(
                facts, wording, language=style.language, public_url=style.public_url, now=now, token=token
            )
        except Exception:
            log.exception("a page cannot be written as it should", extra={"incident": facts.incident})
    return write_plainly(facts, language=style.language, public_url=style.public_url, token=token)


def _gravity(severity: str) -> int:
    return [*SEVERITIES].index(severity) if severity in SEVERITIES else 0
