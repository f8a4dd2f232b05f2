"""The times in a notification, in zh-CN and en: since when, until when, and how long. Pure."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerting.delivery.facts import OVER, AlertFacts
from alerting.delivery.texts import TEXTS, AlertTexts, Language
from contract.lengths import in_two_units

_HOME_OFFSET: Final = 8 * 60
"""Minutes by which China's zone is ahead of UTC."""


def when_line(facts: AlertFacts, language: Language, now: datetime) -> str:
    """Since when and how long; after the end from when to when, how long, and how much of that was opening time."""
    words = TEXTS[language]
    began = shown_time(facts.began_at, words, facts.timezone)
    if facts.phase not in OVER or facts.ended_at is None:
        return words.since.format(began=began, lasted=lasted(now - facts.began_at, language))
    ended, length = shown_time(facts.ended_at, words, facts.timezone), facts.ended_at - facts.began_at
    opened = None if facts.open_seconds is None else timedelta(seconds=facts.open_seconds)
    text = words.was if opened is None or _whole(opened) == _whole(length) else words.was_open
    return text.format(
        began=began,
        ended=ended,
        lasted=lasted(length, language),
        open=lasted(opened or timedelta(), language),
    )


def short_when(facts: AlertFacts, language: Language, now: datetime) -> str:
    """Since when, or when over and how long, for the short form; times of the current year without the year."""
    words = TEXTS[language]
    zone = ZoneInfo(facts.timezone)
    began, today = facts.began_at.astimezone(zone), now.astimezone(zone)
    if facts.phase not in OVER or facts.ended_at is None:
        return words.short_began.format(
            began=f"{began:%m-%d %H:%M}" if began.year == today.year else f"{began:%Y-%m-%d}"
        )
    length = lasted(facts.ended_at - facts.began_at, language, apart="")
    return words.short_over.format(ended=f"{facts.ended_at.astimezone(zone):%m-%d %H:%M}", lasted=length)


def lasted(length: timedelta, language: Language, *, apart: str = " ") -> str:
    """A length of time, rounded to seconds, by its two largest units; `apart` stands between numbers and units."""
    return in_two_units(_whole(length), language, apart=apart)


def shown_time(moment: datetime, words: AlertTexts, timezone: str) -> str:
    """A moment in a time zone, with the name of the zone where the language needs it."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%Y-%m-%d %H:%M:%S}{_zone(local, words)}"


def _zone(local: datetime, words: AlertTexts) -> str:
    """The zone of a time; in Chinese it is left out for China's zone."""
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    if minutes == _HOME_OFFSET:
        return words.home_zone
    hours, rest = divmod(abs(minutes), 60)
    return words.zone.format(offset=f"{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else ""))


def _whole(length: timedelta) -> int:
    return max(0, round(length.total_seconds()))
