"""What people are told, and when to try again. Pure.

Retries back off exponentially with jitter; an answer that says the message itself is unacceptable ends after a
few attempts, everything else only with age. Texts exist in zh-CN and en; times are shown in China's one zone.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec

Language = Literal["zh-CN", "en"]
Phase = Literal["opened", "closed", "passed"]

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


def after_failure(*, status: int | None, attempts: int, age: float, give_up: float, roll: float) -> Retry | GiveUp:
    """What to do after a failed attempt.

    `status`: the HTTP status of the answer, if there was one. `attempts`: how many failed, this one included.
    `age` and `give_up` in seconds since people were to be told.
    """
    if status in _REFUSING and attempts >= REFUSALS_ENOUGH:
        return GiveUp.REFUSED
    return GiveUp.TOO_OLD if age > give_up else Retry(retry_delay(attempts, roll))


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification is about."""

    incident: int
    kind: str
    phase: Phase
    began_at: datetime
    ended_at: datetime | None = None
    station: str | None = None
    station_name: str | None = None
    station_name_en: str | None = None
    area_name: str | None = None
    area_name_en: str | None = None
    shard: str | None = None
    detail: dict[str, Any] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as people read it."""

    title: str
    body: str
    link: str | None = None


class _Words(msgspec.Struct, frozen=True):
    """The texts of one language."""

    titles: dict[tuple[str, str], str]
    other_titles: dict[str, str]
    since: str
    was: str
    place: str
    shard: str
    last_seen: str
    causes: str
    cause_names: dict[str, str]
    unknown_note: str
    resolved: str
    number: str
    link: str
    listing: str
    units: tuple[str, str, str, str]
    zone: str


_ZH: Final = _Words(
    titles={
        ("station_offline", "opened"): "【离线】{what}",
        ("station_offline", "closed"): "【恢复】{what}",
        ("station_offline", "passed"): "【曾离线,已恢复】{what}",
        ("pipeline_blind", "opened"): "【平台失明】{what}",
        ("pipeline_blind", "closed"): "【平台恢复】{what}",
        ("pipeline_blind", "passed"): "【平台曾失明,已恢复】{what}",
    },
    other_titles={"opened": "【故障】{what}", "closed": "【恢复】{what}", "passed": "【曾故障,已恢复】{what}"},
    since="自 {began} 起,已持续 {lasted}。",
    was="自 {began} 至 {ended},共 {lasted}。",
    place="服务点:{name}({id}){area}",
    shard="消息分片 {shard}",
    last_seen="最后一次心跳:{at}",
    causes="原因:{causes}",
    cause_names={
        "gap": "消息通道中断",
        "blind": "消息通道不计时",
        "judge_silent": "判定进程停顿",
        "behind": "判定落后于实时",
        "database_hung": "数据库无响应",
        "missed_heartbeats": "心跳中断",
        "last_will": "终端连接断开",
        "away_overdue": "告知离开后逾期未归",
        "commissioned_offline": "启用时即离线",
        "registry": "登记信息变更",
    },
    unknown_note="这是平台自身的问题:期间各服务点状态未知,不计为离线。",
    resolved="由 {who} 处理完毕。",
    number="故障编号 {id}",
    link="查看与确认:{link}",
    listing="、",
    units=("天", "小时", "分", "秒"),
    zone="",
)
_EN: Final = _Words(
    titles={
        ("station_offline", "opened"): "[OFFLINE] {what}",
        ("station_offline", "closed"): "[BACK] {what}",
        ("station_offline", "passed"): "[WAS OFFLINE] {what}",
        ("pipeline_blind", "opened"): "[PLATFORM BLIND] {what}",
        ("pipeline_blind", "closed"): "[PLATFORM BACK] {what}",
        ("pipeline_blind", "passed"): "[PLATFORM WAS BLIND] {what}",
    },
    other_titles={"opened": "[INCIDENT] {what}", "closed": "[CLOSED] {what}", "passed": "[WAS OPEN] {what}"},
    since="Since {began}, for {lasted}.",
    was="From {began} to {ended}, {lasted}.",
    place="Station: {name} ({id}){area}",
    shard="Message shard {shard}",
    last_seen="Last heartbeat: {at}",
    causes="Cause: {causes}",
    cause_names={
        "gap": "the message pipeline was interrupted",
        "blind": "the message pipeline is interrupted",
        "judge_silent": "the judge stands still",
        "behind": "the judge is behind the present",
        "database_hung": "the database did not answer",
        "missed_heartbeats": "heartbeats missed",
        "last_will": "the terminal's connection broke",
        "away_overdue": "away, and overdue",
        "commissioned_offline": "offline when it was commissioned",
        "registry": "the registry changed",
    },
    unknown_note="This is the platform's own trouble: meanwhile stations are unknown, not offline.",
    resolved="Resolved by {who}.",
    number="Incident {id}",
    link="Look and acknowledge: {link}",
    listing=", ",
    units=("d", "h", "min", "s"),
    zone=" (UTC+8)",
)
_LANGUAGES: Final[dict[Language, _Words]] = {"zh-CN": _ZH, "en": _EN}


def write_message(facts: Facts, *, language: Language, public_url: str | None, now: datetime) -> Message:
    """The text of a notification: what, since when or from when to when, where, why, and where to look."""
    words = _LANGUAGES[language]
    titles = words.titles.get((facts.kind, facts.phase)) or words.other_titles.get(
        facts.phase, words.other_titles["opened"]
    )
    link = None if public_url is None else f"{public_url.rstrip('/')}/incidents/{facts.incident}"
    return Message(
        title=titles.format(what=_what(facts, language)),
        body="\n".join(line for line in _lines(facts, language, now, link) if line),
        link=link,
    )


def _lines(facts: Facts, language: Language, now: datetime, link: str | None) -> Sequence[str | None]:
    words = _LANGUAGES[language]
    return (
        _when(facts, words, now),
        _place(facts, language),
        words.shard.format(shard=facts.shard) if facts.shard else None,
        _why(facts, words),
        _last_seen(facts, words),
        words.unknown_note if facts.kind == "pipeline_blind" else None,
        words.resolved.format(who=facts.detail["resolved_by"]) if "resolved_by" in facts.detail else None,
        words.number.format(id=facts.incident),
        words.link.format(link=link) if link else None,
    )


def _what(facts: Facts, language: Language) -> str:
    if facts.station is None:
        return _LANGUAGES[language].shard.format(shard=facts.shard) if facts.shard else facts.kind
    name, area = _name(facts, language), _area(facts, language)
    return f"{name} · {area}" if area else name


def _name(facts: Facts, language: Language) -> str:
    local = facts.station_name or facts.station or ""
    return (facts.station_name_en or local) if language == "en" else local


def _area(facts: Facts, language: Language) -> str:
    return (language == "en" and facts.area_name_en) or facts.area_name or ""


def _place(facts: Facts, language: Language) -> str | None:
    if facts.station is None:
        return None
    area = _area(facts, language)
    after = f"{_LANGUAGES[language].listing}{area}" if area else ""
    return _LANGUAGES[language].place.format(name=_name(facts, language), id=facts.station, area=after)


def _when(facts: Facts, words: _Words, now: datetime) -> str:
    began = _shown(facts.began_at, words)
    if facts.phase == "opened" or facts.ended_at is None:
        return words.since.format(began=began, lasted=lasted(now - facts.began_at, words.units))
    ended = _shown(facts.ended_at, words)
    return words.was.format(began=began, ended=ended, lasted=lasted(facts.ended_at - facts.began_at, words.units))


def _why(facts: Facts, words: _Words) -> str | None:
    causes = facts.detail.get("causes") or [facts.detail.get("reason")]
    named = [words.cause_names.get(cause, cause) for cause in causes if isinstance(cause, str)]
    return words.causes.format(causes=words.listing.join(named)) if named else None


def _last_seen(facts: Facts, words: _Words) -> str | None:
    seen_at: Any = facts.detail.get("seen_at")
    try:
        return words.last_seen.format(at=_shown(datetime.fromisoformat(seen_at), words))
    except (TypeError, ValueError):  # there is none, or another writer's form of it
        return None


def _shown(moment: datetime, words: _Words) -> str:
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
