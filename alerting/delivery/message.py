"""The text of a notification, in zh-CN and en: what, severity, since when, where, why, what to do, and the link last.
Pure.

Times are in the zone of the station, or in China's zone when the incident has no single station.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from alerting.channels.answer_words import answer_in
from alerting.delivery.advice import advice
from alerting.delivery.facts import OVER, WANTS_ACKNOWLEDGEMENT, AlertArea, AlertFacts, AlertMessage, plain, plain_facts
from alerting.delivery.short import MOST_UNITS, ShortParts, short_text, units, with_link
from alerting.delivery.texts import TEXTS, AlertTexts, Language
from alerting.delivery.times import short_when, shown_time, when_line
from alerting.incidents.severity import severity_of
from alerting.incidents.topics import shared_name, topic_word
from contract.figures import figure
from contract.glossary import WORDS, word
from contract.kinds import SHARED_BY_STATIONS, IncidentKind


def write_message(facts: AlertFacts, *, language: Language, public_url: str | None, now: datetime) -> AlertMessage:
    """The text of a notification. `now`: in any zone. `public_url`: of the console; None leaves the link out."""
    facts = plain_facts(facts)
    link, end = link_to(facts.incident, public_url), short_link(facts.incident, public_url)
    return AlertMessage(
        title=title_of(facts, language, subject_of(facts, language)),
        body="\n".join([*body_lines(facts, language, now), *link_lines(facts.phase, language, link)]),
        short=short_text(with_link(short_parts(facts, language, now), end)),
        link=link,
    )


def link_to(incident: int, public_url: str | None, token: str | None = None) -> str | None:
    """The address of the page of an incident in the console at `public_url`; None without a console. `token`: of the
    link of one person, whose page needs no sign-in."""
    return own_link(public_url, token) or (
        None if public_url is None else f"{public_url.rstrip('/')}/incidents/{incident}"
    )


def own_link(public_url: str | None, token: str | None) -> str | None:
    """The address of the link of one person; None without one."""
    return None if public_url is None or token is None else f"{public_url.rstrip('/')}/i/{token}"


def short_link(incident: int, public_url: str | None) -> str | None:
    """The shortest address of the same page, for SMS."""
    return None if public_url is None else f"{public_url.rstrip('/')}/i/{incident}"


def write_plainly(
    facts: AlertFacts, *, language: Language, public_url: str | None, token: str | None = None
) -> AlertMessage:
    """Kind, number and link of an incident: the text to send when `write_message` fails."""
    link = link_to(facts.incident, public_url, token)
    number = TEXTS[language].number.format(id=facts.incident)
    title = plain(f"{word('kind', facts.kind, language)} · {number}")
    linked = " ".join(filter(None, (title[:30], own_link(public_url, token) or short_link(facts.incident, public_url))))
    short = linked if units(linked) <= MOST_UNITS else title[:64]
    return AlertMessage(title=title, body="\n".join(filter(None, (number, link))), short=short, link=link)


_PHASES: Final = ("opened", "closed", "passed")


def title_of(facts: AlertFacts, language: Language, what: str) -> str:
    """The title: what happened to what."""
    words = TEXTS[language]
    if facts.phase in WORDS["alert_again"]:
        return words.title_with_kind.format(
            tag=tag_of(facts, language), kind=word("kind", facts.kind, language), what=what
        )
    return words.title.format(tag=tag_of(facts, language), what=what)


def tag_of(facts: AlertFacts, language: Language) -> str:
    """What happened, in the one or two words at the beginning of a title."""
    if facts.phase in WORDS["alert_again"]:
        return word("alert_again", facts.phase, language)
    known = facts.phase in _PHASES and facts.kind in WORDS["kind"]
    family = f"alert_{facts.phase if facts.phase in _PHASES else _PHASES[0]}"
    return word(family, facts.kind if known else "other", language)


def body_lines(facts: AlertFacts, language: Language, now: datetime) -> list[str]:
    """All that people should know, but the link."""
    words = TEXTS[language]
    lines = (
        severity_line(facts, language),
        when_line(facts, language, now),
        *_place(facts, language),
        words.shard.format(shard=facts.shard) if facts.shard else None,
        _shared(facts, language),
        _concerned(facts, words),
        _measured(facts, language),
        cause_line(facts, language),
        _last_seen(facts, words),
        _clears(facts, language),
        words.unknown_note if facts.kind == IncidentKind.PIPELINE_BLIND and facts.phase not in OVER else None,
        _acknowledged(facts, words),
        *_by_hand(facts, words),
        words.to_do.format(advice=advice(facts).text(language)),
        words.number.format(id=facts.incident),
    )
    return [line for line in lines if line]


def severity_line(facts: AlertFacts, language: Language) -> str:
    """The line with the severity that the incident has, or had."""
    words = TEXTS[language]
    severity = severity_of(facts.kind, facts.detail, children=facts.children)
    text = words.was_severity if facts.phase in OVER else words.severity
    return text.format(severity=word("severity", severity, language))


def link_lines(phase: str, language: Language, link: str | None) -> list[str]:
    """The line with the link, always the last; it asks for an acknowledgement only in the phases that want one."""
    if link is None:
        return []
    words = TEXTS[language]
    return [(words.link_to_acknowledge if phase in WANTS_ACKNOWLEDGEMENT else words.link).format(link=link)]


def short_parts(facts: AlertFacts, language: Language, now: datetime) -> ShortParts:
    """The parts of the short form."""
    words = TEXTS[language]
    many = words.terminals if facts.kind == IncidentKind.HEALTH else words.stations
    kind = word("kind", facts.kind, language) if facts.phase in WORDS["alert_again"] else ""
    return ShortParts(
        tag=words.title.format(tag=tag_of(facts, language), what="").strip(),
        topic=_topic(facts, language) or kind,
        area=near_area(facts, language),
        name=station_name(facts, language) if facts.station is not None else shared_name(facts.detail, language) or "",
        ident=facts.station or facts.shard or "",
        count=many.format(n=_many(facts)) if facts.children else "",
        when=short_when(facts, language, now),
        number=f"#{facts.incident}",
    )


def subject_of(facts: AlertFacts, language: Language) -> str:
    """The subject: a station, an area with its number of stations, or a shard; before it the topic, if the kind has
    several."""
    words = TEXTS[language]
    subject = _subject(facts, language)
    topic = _topic(facts, language)
    return words.about.format(topic=topic, what=subject) if topic else subject


def _topic(facts: AlertFacts, language: Language) -> str | None:
    if facts.kind == IncidentKind.IDENTITY_CONFLICT:
        return _conflict(facts, language)
    if facts.kind == IncidentKind.CHANNEL_DEAD:
        return _channel(facts, language)
    return topic_word(facts.kind, facts.detail, language)


def _conflict(facts: AlertFacts, language: Language) -> str | None:
    """Which terminal of the station, and why."""
    terminal, reason = facts.detail.get("terminal"), facts.detail.get("reason")
    named = TEXTS[language].terminal_short.format(terminal=terminal) if isinstance(terminal, str) else None
    parts = [named, word("reason", reason, language) if isinstance(reason, str) else None]
    return TEXTS[language].listing.join(part for part in parts if part) or None


def _channel(facts: AlertFacts, language: Language) -> str | None:
    """Whose channel it is, and of which kind."""
    contact, channel = (str(facts.detail.get(name) or "") for name in ("contact", "channel"))
    return " ".join(part for part in (contact, word("channel", channel, language)) if part) or None


def _subject(facts: AlertFacts, language: Language) -> str:
    words, area = TEXTS[language], near_area(facts, language)
    if facts.station is not None:
        parts = [station_name(facts, language), area]
    elif facts.kind in SHARED_BY_STATIONS or facts.kind == IncidentKind.HEALTH:
        many = words.terminals if facts.kind == IncidentKind.HEALTH else words.stations
        parts = [shared_name(facts.detail, language) or "", area, many.format(n=_many(facts)) if facts.children else ""]
    else:
        parts = [area, words.shard.format(shard=facts.shard) if facts.shard else ""]
    return " · ".join(dict.fromkeys(part for part in parts if part)) or word("kind", facts.kind, language)


def _acknowledged(facts: AlertFacts, words: AlertTexts) -> str | None:
    if not facts.acknowledged_by:
        return None
    return words.acknowledged.format(who=_person(facts, words, facts.acknowledged_by, facts.acknowledged_remark))


def _person(facts: AlertFacts, words: AlertTexts, account: Any, remark: Any) -> str:
    """The name of an account, and the person for whom it acted; the free text from before accounts as it stands."""
    name = facts.people.get(str(account), str(account))
    return words.acting_for.format(account=name, person=remark) if remark else name


def _by_hand(facts: AlertFacts, words: AlertTexts) -> Sequence[str | None]:
    """Which person closed the incident although the fault continued, why, and when it opens again."""
    if "resolved_by" not in facts.detail:
        return ()
    who = _person(facts, words, facts.detail["resolved_by"], facts.detail.get("resolved_remark"))
    reason = facts.detail.get("resolved_reason")
    goes_on = facts.phase == "resolved"
    return (
        (words.by_hand if goes_on else words.was_by_hand).format(who=who),
        words.by_hand_reason.format(reason=reason) if reason else words.no_reason if goes_on else None,
        words.reopens.format(at=shown_time(facts.reopen_at, words, facts.timezone))
        if goes_on and facts.reopen_at
        else None,
    )


def station_name(facts: AlertFacts, language: Language) -> str:
    """What the station is called; its id if it has no name, empty without a station."""
    local = facts.station_name or facts.station or ""
    return (facts.station_name_en or local) if language == "en" else local


def _area(facts: AlertFacts, language: Language) -> str:
    """The name of the last area alone."""
    return facts.areas[-1].called(language) if facts.areas else ""


_NEAR: Final = frozenset({"county", "township", "village"})


def near_area(facts: AlertFacts, language: Language) -> str:
    """County and township, or the last area where the tree has other levels."""
    return _path([area for area in facts.areas if area.level in _NEAR] or facts.areas[-1:], language)


def _path(areas: Sequence[AlertArea], language: Language) -> str:
    """The names of areas in the order in which the language writes an address."""
    words = TEXTS[language]
    names = [area.called(language) for area in areas]
    # Two names without a gap may be a link together.
    return str(plain(words.area_listing.join(reversed(names) if words.smallest_first else names)))


def _place(facts: AlertFacts, language: Language) -> Sequence[str | None]:
    """The lines with the station, its areas and its address."""
    words = TEXTS[language]
    area = words.area.format(name=_path(facts.areas, language)) if facts.areas else None
    if facts.station is None:
        return (area,)
    address = words.address.format(address=facts.address) if facts.address else words.no_address
    return words.place.format(name=station_name(facts, language), id=facts.station), area, address


def _shared(facts: AlertFacts, language: Language) -> str | None:
    """What the stations of a common cause share."""
    cause = facts.detail.get("cause")
    if facts.kind not in SHARED_BY_STATIONS or not isinstance(cause, str):
        return None
    name = shared_name(facts.detail, language) or _area(facts, language)
    return TEXTS[language].shared.format(cause=word("cause", cause, language), name=name).strip()


def _concerned(facts: AlertFacts, words: AlertTexts) -> str | None:
    if not facts.children:
        return None
    texts = (words.concerned, words.still_down)
    if facts.kind == IncidentKind.HEALTH:
        texts = (words.concerned_terminals, words.still_bad)
    text = texts[facts.phase != "opened" and facts.children_open > 0]
    return text.format(n=_many(facts), down=facts.children_open)


def _many(facts: AlertFacts) -> str:
    """How many stations or terminals a common cause concerns.

    The first notification is sent when only few of them are down, so it gives the expected number.
    """
    expected = facts.detail.get("expected")
    if facts.phase == "opened" and isinstance(expected, int) and expected > facts.children:
        return f"≈{expected}"
    return str(facts.children)


def _measured(facts: AlertFacts, language: Language) -> str | None:
    """Terminal, field, value and threshold, as far as the detail has them."""
    words = TEXTS[language]
    detail = {name: value for name, value in facts.detail.items() if isinstance(value, str | int | float)}
    parts = []
    if "terminal" in detail:
        parts.append(words.terminal.format(terminal=detail["terminal"]))
    if facts.kind == IncidentKind.HEALTH and detail.get("subject"):
        parts.append(str(detail["subject"]))
    if "value" in detail and "threshold" in detail:
        field = str(detail.get("field", ""))
        value, threshold = (figure(field, detail[name], language) for name in ("value", "threshold"))
        name = word("field", field, language) or words.value
        parts.append(words.measured.format(field=name, value=value, threshold=threshold))
    return words.listing.join(parts) or None


def cause_line(facts: AlertFacts, language: Language) -> str | None:
    """Why, as far as it is known."""
    words = TEXTS[language]
    causes = facts.detail.get("causes") or [facts.detail.get("reason")]
    named = [word("reason", cause, language) for cause in causes if isinstance(cause, str)]
    # What the provider of a dead channel answered.
    named += [answer_in(answer, language) for answer in (facts.detail.get("answer"),) if isinstance(answer, str)]
    return words.causes.format(causes=words.listing.join(named)) if named else None


def _clears(facts: AlertFacts, language: Language) -> str | None:
    clears = facts.detail.get("clears")
    if facts.phase != "opened" or not isinstance(clears, str):
        return None
    return TEXTS[language].clears.format(clears=word("clears", clears, language))


def _last_seen(facts: AlertFacts, words: AlertTexts) -> str | None:
    seen_at: Any = facts.detail.get("seen_at")
    try:
        return words.last_seen.format(at=shown_time(datetime.fromisoformat(seen_at), words, facts.timezone))
    except (TypeError, ValueError):  # it is missing, or in another format
        return None
