"""What people are told, and when to try again. Pure.

Retries back off exponentially with jitter; an answer that says the message itself is unacceptable ends after a
few attempts, everything else only with age. Texts exist in zh-CN and en; times are shown in China's one zone.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

from alerting.deliver_texts import TEXTS, Words
from alerting.deliver_texts import Language as Language
from contract.glossary import WORDS, word

Phase = Literal["opened", "resolved", "reopened", "closed", "passed"]
"""`resolved`: a person closed it although the fault goes on; `closed`: the fault is over."""

FIRST_RETRY: Final = 2.0
LONGEST_RETRY: Final = 600.0
REFUSALS_ENOUGH: Final = 3
_REFUSING: Final = frozenset({400, 405, 410, 413, 414, 415, 422})
_CHINA: Final = timezone(timedelta(hours=8))

LOG_TARGET: Final = "log"


def target_of(url: str) -> str:
    """The name of an apprise URL in the database: a fingerprint, because the URL is a secret."""
    return f"apprise-{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def retry_delay(attempts: int, roll: float) -> float:
    """Seconds until the next attempt after `attempts` failed ones; `roll` in [0, 1) spreads it over [d/2, d]."""
    longest = min(FIRST_RETRY * 2.0 ** min(max(attempts - 1, 0), 16), LONGEST_RETRY)
    return longest * (0.5 + 0.5 * roll)


class Retry(msgspec.Struct, frozen=True):
    """Try again in so many seconds."""

    seconds: float


class GiveUp(StrEnum):
    """Why a delivery is not tried again."""

    REFUSED = "refused"
    TOO_OLD = "too_old"


def after_failure(
    *,
    status: int | None,
    attempts: int,
    age: float,
    give_up: float,
    roll: float,
    refused: bool = False,
    wait: float = 0.0,
) -> Retry | GiveUp:
    """What to do after a failed attempt.

    `status`: the HTTP status of the answer, if there was one. `refused`: the answer itself says that this message will
    not be taken. `attempts`: how many failed, this one included. `age` and `give_up` in seconds since people were to be
    told. `wait`: seconds for which the target takes nothing.
    """
    if (refused or status in _REFUSING) and attempts >= REFUSALS_ENOUGH:
        return GiveUp.REFUSED
    return GiveUp.TOO_OLD if age > give_up else Retry(max(wait, retry_delay(attempts, roll)))


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification is about; `children`: incidents it is the common cause of, `children_open` of them are not
    closed."""

    incident: int
    kind: str
    phase: Phase
    began_at: datetime
    ended_at: datetime | None = None
    reopen_at: datetime | None = None
    station: str | None = None
    station_name: str | None = None
    station_name_en: str | None = None
    area_name: str | None = None
    area_name_en: str | None = None
    shard: str | None = None
    children: int = 0
    children_open: int = 0
    detail: dict[str, Any] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as people read it."""

    title: str
    body: str
    link: str | None = None


def write_message(facts: Facts, *, language: Language, public_url: str | None, now: datetime) -> Message:
    """The text of a notification: what, since when or from when to when, where, why, and where to look."""
    facts = msgspec.structs.replace(facts, **{name: plain(getattr(facts, name)) for name in _SAID})
    link = None if public_url is None else f"{public_url.rstrip('/')}/incidents/{facts.incident}"
    return Message(
        title=_title(facts, language, _what(facts, language)),
        body="\n".join(line for line in _lines(facts, language, now, link) if line),
        link=link,
    )


def write_plainly(facts: Facts, *, language: Language, public_url: str | None) -> Message:
    """Which incident it is and where to look: what can be said whatever stands in the incident."""
    link = None if public_url is None else f"{public_url.rstrip('/')}/incidents/{facts.incident}"
    number = TEXTS[language].number.format(id=facts.incident)
    return Message(title=plain(f"{facts.kind} {facts.phase}"), body="\n".join(filter(None, (number, link))), link=link)


# What others wrote: names, ids, and what terminals and people said.
_SAID: Final = ("station", "station_name", "station_name_en", "area_name", "area_name_en", "shard", "detail")
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\s]+")
_LIVE: Final = re.compile(r"(?<=[<@＠])(?=\S)|(?<=:)(?=//)|(?<=[0-9A-Za-z]\.)(?=[A-Za-z])")
_APART: Final = "\u200b"


def plain(said: Any) -> Any:
    """Data as text of one line, in which no channel finds a link, a mention or an own way of writing.

    A space of no width stands where those would begin (``@all``, ``<at``, ``http://``, ``a.cn``): people see what was
    written, and a chat client sees no such word. Goes through dicts and lists.
    """
    if isinstance(said, str):
        return _LIVE.sub(_APART, _INVISIBLE.sub(" ", said))
    if isinstance(said, dict):
        return {name: plain(value) for name, value in said.items()}
    return [plain(value) for value in said] if isinstance(said, list) else said


_PHASES: Final = ("opened", "closed", "passed")


def _title(facts: Facts, language: Language, what: str) -> str:
    words = TEXTS[language]
    by_phase = {"resolved": words.by_hand_title, "reopened": words.reopened_title}
    if facts.phase in by_phase:
        return by_phase[facts.phase].format(kind=word("kind", facts.kind, language), what=what)
    known = facts.phase in _PHASES and facts.kind in WORDS["kind"]
    family = f"alert_{facts.phase if facts.phase in _PHASES else _PHASES[0]}"
    return words.title.format(said=word(family, facts.kind if known else "other", language), what=what)


def _lines(facts: Facts, language: Language, now: datetime, link: str | None) -> Sequence[str | None]:
    words = TEXTS[language]
    return (
        _when(facts, words, now),
        _place(facts, language),
        words.shard.format(shard=facts.shard) if facts.shard else None,
        _shared(facts, language),
        _concerned(facts, words),
        _measured(facts, words),
        _why(facts, language),
        _last_seen(facts, words),
        _clears(facts, language),
        words.unknown_note if facts.kind == "pipeline_blind" else None,
        *_by_hand(facts, words),
        words.number.format(id=facts.incident),
        words.link.format(link=link) if link else None,
    )


def _what(facts: Facts, language: Language) -> str:
    """Of what: a station, an area with its number of stations, a shard; and where its kind has several, which."""
    words = TEXTS[language]
    subject = _subject(facts, language)
    topic = _topic(facts, language)
    return words.about.format(topic=topic, what=subject) if topic else subject


def _topic(facts: Facts, language: Language) -> str | None:
    if facts.kind == "identity_conflict":
        return _conflict(facts, language)
    said = facts.detail.get(_TOPICS.get(facts.kind, ("", ""))[1])
    return word(_TOPICS[facts.kind][0], said, language) if isinstance(said, str) else None


_TOPICS: Final = {"blind_spot": ("spot", "kind"), "health": ("rule", "rule")}
"""By kind of incident: the family of words that says which, and where it stands in its detail."""


def _conflict(facts: Facts, language: Language) -> str | None:
    """Which terminal, and how: a station may have several."""
    terminal, reason = facts.detail.get("terminal"), facts.detail.get("reason")
    named = TEXTS[language].terminal_short.format(terminal=terminal) if isinstance(terminal, str) else None
    said = [named, word("reason", reason, language) if isinstance(reason, str) else None]
    return TEXTS[language].listing.join(part for part in said if part) or None


def _subject(facts: Facts, language: Language) -> str:
    words, area = TEXTS[language], _area(facts, language)
    if facts.station is not None:
        parts = [_name(facts, language), area]
    elif facts.kind in {"area_outage", "unusable", "health"}:
        many = words.terminals if facts.kind == "health" else words.stations
        parts = [_shared_name(facts), area, many.format(n=_many(facts)) if facts.children else ""]
    else:
        parts = [area, words.shard.format(shard=facts.shard) if facts.shard else ""]
    return " · ".join(dict.fromkeys(part for part in parts if part)) or word("kind", facts.kind, language)


def _by_hand(facts: Facts, words: Words) -> Sequence[str | None]:
    """Who closed it although its fault went on, why, and when it opens again."""
    if "resolved_by" not in facts.detail:
        return ()
    reason = facts.detail.get("resolved_reason")
    goes_on = facts.phase == "resolved"
    return (
        (words.by_hand if goes_on else words.was_by_hand).format(who=facts.detail["resolved_by"]),
        words.by_hand_reason.format(reason=reason) if reason else words.no_reason if goes_on else None,
        words.reopens.format(at=_shown(facts.reopen_at, words)) if goes_on and facts.reopen_at else None,
    )


def _shared_name(facts: Facts) -> str:
    """The name of what stations share, where it is not the area, which is named anyway."""
    name = facts.detail.get("name")
    return name if isinstance(name, str) and facts.detail.get("cause") != "area" else ""


def _name(facts: Facts, language: Language) -> str:
    local = facts.station_name or facts.station or ""
    return (facts.station_name_en or local) if language == "en" else local


def _area(facts: Facts, language: Language) -> str:
    return (language == "en" and facts.area_name_en) or facts.area_name or ""


def _place(facts: Facts, language: Language) -> str | None:
    words, area = TEXTS[language], _area(facts, language)
    if facts.station is None:
        return words.area.format(name=area) if area else None
    after = f"{words.listing}{area}" if area else ""
    return words.place.format(name=_name(facts, language), id=facts.station, area=after)


def _shared(facts: Facts, language: Language) -> str | None:
    """What the stations that fell together share."""
    cause = facts.detail.get("cause")
    if facts.kind not in {"area_outage", "unusable"} or not isinstance(cause, str):
        return None
    name = _shared_name(facts) or _area(facts, language)
    return TEXTS[language].shared.format(cause=word("cause", cause, language), name=name).strip()


def _concerned(facts: Facts, words: Words) -> str | None:
    if not facts.children:
        return None
    told = (words.concerned, words.still_down)
    if facts.kind == "health":
        told = (words.concerned_terminals, words.still_bad)
    text = told[facts.phase != "opened" and facts.children_open > 0]
    return text.format(n=_many(facts), down=facts.children_open)


def _many(facts: Facts) -> str:
    """How many a cause concerns. It is told when the first of them fell, so then by what was expected."""
    expected = facts.detail.get("expected")
    if facts.phase == "opened" and isinstance(expected, int) and expected > facts.children:
        return f"≈{expected}"
    return str(facts.children)


def _measured(facts: Facts, words: Words) -> str | None:
    """Which terminal, what of it, how much and how much is allowed, as far as it is said."""
    detail = {name: said for name, said in facts.detail.items() if isinstance(said, str | int | float)}
    parts = []
    if "terminal" in detail:
        parts.append(words.terminal.format(terminal=detail["terminal"]))
    if facts.kind == "health" and detail.get("subject"):
        parts.append(str(detail["subject"]))
    if "value" in detail and "threshold" in detail:
        parts.append(words.value.format(value=_figure(detail["value"]), threshold=_figure(detail["threshold"])))
    return words.listing.join(parts) or None


def _figure(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _when(facts: Facts, words: Words, now: datetime) -> str:
    began = _shown(facts.began_at, words)
    if facts.phase == "opened" or facts.ended_at is None:
        return words.since.format(began=began, lasted=lasted(now - facts.began_at, words.units))
    ended = _shown(facts.ended_at, words)
    return words.was.format(began=began, ended=ended, lasted=lasted(facts.ended_at - facts.began_at, words.units))


def _why(facts: Facts, language: Language) -> str | None:
    words = TEXTS[language]
    causes = facts.detail.get("causes") or [facts.detail.get("reason")]
    named = [word("reason", cause, language) for cause in causes if isinstance(cause, str)]
    return words.causes.format(causes=words.listing.join(named)) if named else None


def _clears(facts: Facts, language: Language) -> str | None:
    clears = facts.detail.get("clears")
    if facts.phase != "opened" or not isinstance(clears, str):
        return None
    return TEXTS[language].clears.format(clears=word("clears", clears, language))


def _last_seen(facts: Facts, words: Words) -> str | None:
    seen_at: Any = facts.detail.get("seen_at")
    try:
        return words.last_seen.format(at=_shown(datetime.fromisoformat(seen_at), words))
    except (TypeError, ValueError):  # there is none, or another writer's form of it
        return None


def _shown(moment: datetime, words: Words) -> str:
    return f"{moment.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}{words.zone}"


def lasted(length: timedelta, units: tuple[str, str, str, str]) -> str:
    """A length by its two largest units; a negative one is nothing."""
    rest, parts = max(0, round(length.total_seconds())), []
    for size, unit in zip((86400, 3600, 60, 1), units, strict=True):
        count, rest = divmod(rest, size)
        parts.append((count, unit))
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count or len(parts) == 1)
