"""Messages in the words of an operator: a template where there is one, else the text of Milepost. Pure.

A template that cannot be used never stops a message: the text of Milepost stands in its place.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from alerting.delivery.advice import advice
from alerting.delivery.facts import AlertFacts, AlertMessage, plain_facts
from alerting.delivery.message import (
    body_lines,
    cause_line,
    link_lines,
    link_to,
    near_area,
    own_link,
    severity_line,
    short_link,
    short_parts,
    station_name,
    subject_of,
    tag_of,
    title_of,
)
from alerting.delivery.short import MOST_UNITS, ShortEnds, ShortParts, cut, short_text, units
from alerting.delivery.texts import Language
from alerting.delivery.times import short_when, when_line
from alerting.delivery.wording.digest import DIGEST_TEXTS, Digest, end_body, end_short, fit_counts, room_of
from alerting.delivery.wording.names import IN_ONE_LINE, PLACEHOLDERS, SHORT_FORMS, TemplateName, template_named
from alerting.delivery.wording.template import TemplateParts, fill_in, names_in, parse_template
from contract.errors import RemedyError
from contract.glossary import word

MOST_TITLE: Final = 200
"""UTF-16 units of a title."""
MOST_FIXED: Final = 30
"""UTF-16 units of a template of a short form without its placeholders."""
_CUT_FIRST: Final = ("address", "area", "subject", "title", "station", "first")

TemplateLines = tuple[TemplateParts, ...]


class Wording(msgspec.Struct, frozen=True):
    """The templates that an operator made, by text and language, each in lines."""

    templates: Mapping[tuple[TemplateName, Language], TemplateLines] = {}


DEFAULT_WORDING: Final = Wording()


def template_lines(name: TemplateName, text: str) -> TemplateLines:
    """The lines of a template. Raises RemedyError (`parse_template`), for a line break where there may be none, and for
    a short form that leaves no room for its values."""
    parse_template(text, PLACEHOLDERS[name])
    if name in IN_ONE_LINE and "\n" in text:
        raise RemedyError(f"the template {name} has one line: join its lines", f"模板 {name} 只有一行：请合并为一行")
    lines = tuple(parse_template(line, PLACEHOLDERS[name]) if line.strip() else () for line in text.split("\n"))
    fixed = _fixed_units(lines[0])
    if name in SHORT_FORMS and fixed > MOST_FIXED:
        raise RemedyError(
            f"the template {name} has {fixed} characters beside its placeholders and may have {MOST_FIXED}, so that it "
            "fits one SMS: shorten it",
            f"模板 {name} 除占位符外有 {fixed} 个字符，最多 {MOST_FIXED} 个，才能放进一条短信：请缩短",
        )
    return lines


def compile_wording(stored: Mapping[tuple[str, str], str]) -> tuple[Wording, dict[tuple[str, str], RemedyError]]:
    """The templates that can be used, and what is wrong with the others. `stored`: by name and language."""
    templates: dict[tuple[TemplateName, Language], TemplateLines] = {}
    broken: dict[tuple[str, str], RemedyError] = {}
    for (name, language), text in stored.items():
        try:
            known = template_named(name)
            templates[known, "en" if language == "en" else "zh-CN"] = template_lines(known, text)
        except RemedyError as exc:
            broken[name, language] = exc
    return Wording(templates), broken


def write_worded(
    facts: AlertFacts,
    wording: Wording,
    *,
    language: Language,
    public_url: str | None,
    now: datetime,
    token: str | None = None,
) -> AlertMessage:
    """The text of a message about one incident. The link is always last; `token`: of the link of whom it goes to."""
    facts = plain_facts(facts)
    link, short = link_to(facts.incident, public_url, token), short_parts(facts, language, now)
    ends = ShortEnds(own_link(public_url, token), short_link(facts.incident, public_url))
    title = title_of(facts, language, subject_of(facts, language))
    lines = "\n".join(body_lines(facts, language, now))
    values = {**_values(facts, language, now, short), "title": title}
    body = _filled(wording, TemplateName.BODY, language, {**values, "body": lines}) or lines
    return AlertMessage(
        title=cut(_filled(wording, TemplateName.TITLE, language, values) or title, MOST_TITLE),
        body="\n".join([body, *link_lines(facts.phase, language, link)]),
        short=_short(wording, language, values, short, ends),
        link=link,
    )


def _values(facts: AlertFacts, language: Language, now: datetime, short: ShortParts) -> dict[str, str]:
    """What stands for the placeholders of a message."""
    return {
        "event": tag_of(facts, language),
        "subject": subject_of(facts, language),
        "kind": word("kind", facts.kind, language),
        "severity": severity_line(facts, language),
        "station": station_name(facts, language) if facts.station else "",
        "station_id": facts.station or "",
        "area": near_area(facts, language),
        "address": facts.address or "",
        "when": when_line(facts, language, now),
        "time": short_when(facts, language, now),
        "cause": cause_line(facts, language) or "",
        "advice": advice(facts).text(language),
        "number": str(facts.incident),
    }


def _short(wording: Wording, language: Language, values: Mapping[str, str], parts: ShortParts, ends: ShortEnds) -> str:
    """The short form, which ends with a link or the number of the incident."""
    lines = wording.templates.get((TemplateName.SHORT, language))
    ours = ends.put_on(parts)
    if lines is None:
        return short_text(ours)
    end = ends.end_of(parts, _fixed_units(lines[0]))
    bare = msgspec.structs.replace(ours, number="")
    fitted = _fitted(lines[0], values, MOST_UNITS - units(end) - 1, lambda left: short_text(bare, left))
    return short_text(ours) if fitted is None else f"{fitted} {end}"


def _fixed_units(parts: TemplateParts) -> int:
    """UTF-16 units of a template beside its placeholders."""
    return sum(units(part) for part in parts if isinstance(part, str))


def write_digest_worded(draft: Digest, wording: Wording, language: Language) -> AlertMessage:
    """The message of a digest. The link is always last."""
    given = {"count": str(draft.count), "first": draft.first, "title": draft.title}
    given["counts"] = DIGEST_TEXTS[language].listing.join(draft.counts)
    body = _filled(wording, TemplateName.DIGEST_BODY, language, {**given, "body": draft.body}) or draft.body
    return AlertMessage(
        title=cut(_filled(wording, TemplateName.DIGEST_TITLE, language, given) or draft.title, MOST_TITLE),
        body=end_body(body, draft.link, language),
        short=end_short(_digest_short(wording, language, given, draft) or draft.short, draft.link),
        link=draft.link,
    )


def _digest_short(wording: Wording, language: Language, values: Mapping[str, str], draft: Digest) -> str | None:
    lines, words = wording.templates.get((TemplateName.DIGEST_SHORT, language)), DIGEST_TEXTS[language]
    if lines is None:
        return None
    room = MOST_UNITS - room_of(draft.link)
    return _fitted(lines[0], values, room, lambda left: fit_counts(words, draft.count, draft.counts, left))


def _filled(wording: Wording, name: TemplateName, language: Language, values: Mapping[str, str]) -> str | None:
    """The text of a template; None without one. A line of which every placeholder is empty is left out."""
    lines = wording.templates.get((name, language), ())
    return "\n".join(fill_in(parts, values) for parts in lines if _says_something(parts, values)).strip() or None


def _says_something(parts: TemplateParts, values: Mapping[str, str]) -> bool:
    names = names_in(parts)
    return not names or any(values[name] for name in names)


def _fitted(parts: TemplateParts, values: Mapping[str, str], room: int, shorten: Callable[[int], str]) -> str | None:
    """A short form in at most `room` units: names are cut, the least important first; None if that is not enough.
    `shorten`: Milepost's own short form in a number of units."""
    given, names = dict(values), names_in(parts)
    if "short" in names:
        given["short"] = shorten(room - units(fill_in(parts, {**given, "short": ""})))
    for name in _CUT_FIRST:
        over = units(fill_in(parts, given)) - room
        if over > 0 and name in names:
            given[name] = cut(given[name], units(given[name]) - over)
    text = fill_in(parts, given).strip()
    return text if text and units(text) <= room else None
