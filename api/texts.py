"""What people read on the pages, in zh-CN and en. Both tables have the same names; a test sees to that."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

LANGUAGES: Final = ("zh-CN", "en")
BEIJING: Final = timezone(timedelta(hours=8))

_ZH: Final = {
    "title": "服务点运行状态",
    "stations": "服务点",
    "total": "共 {n} 个",
    "all_well": "一切正常",
    "nothing_yet": "尚无服务点上报",
    "some_wrong": "{n} 项故障未关闭",
    "blind": "平台自身看不到现场：判定为未知，并非服务点故障",
    "incidents": "当前故障",
    "no_incidents": "没有未关闭的故障",
    "offline_stations": "离线的服务点",
    "no_offline": "没有离线的服务点",
    "offline_unknown": "现在无法得知",
    "only_newest": "只列出最近的 {n} 个",
    "pipeline": "数据通道",
    "no_pipeline": "尚未收到任何时钟信号：请检查 MQTT、Kafka、bridge 与 judge 是否已启动",
    "shard_sound": "正常，滞后 {lag}",
    "shard_blind": "不可信，最近一次判定在 {lag} 前",
    "partitions": "{n} 个分区",
    "deadletters": "被拒收的消息：{n} 条",
    "since": "自",
    "for": "已持续 {time}",
    "last_seen": "最后一次心跳",
    "as_of": "数据时间",
    "beijing": "北京时间",
    "lost": "与服务器的连接中断，以下内容可能已过时。正在重试……",
    "language": "English",
    "api_docs": "接口文档",
    "signin_title": "请先登录",
    "signin_how": "此页面需要登录。请打开启动 milepost up 时终端里显示的一次性登录链接。",
    "signin_used_title": "登录链接无效",
    "signin_used": "这个链接已经用过，或者不完整。每个链接只能用一次。",
    "signin_new": "要得到新的链接：重新启动 milepost up，它会在终端里显示一个新的链接。"
    "脚本和程序请使用管理令牌文件里的令牌（Authorization: Bearer）。",
    "signin_again": "已经登录？点此继续",
    "away_title": "暂时看不到数据",
    "away": "数据库暂时无法访问。服务点的状态未知，并不表示它们有故障。本页会自动重试。",
    "verdict.online": "在线",
    "verdict.offline": "离线",
    "verdict.away": "暂离",
    "verdict.closed": "闭馆",
    "verdict.excused": "已报备",
    "verdict.unknown": "未知",
    "verdict.never_seen": "从未上线",
    "verdict.suspended": "停用",
    "kind.station_offline": "服务点离线",
    "kind.area_outage": "区域中断",
    "kind.blind_spot": "盲点",
    "kind.health": "设备健康",
    "kind.overdue_return": "逾期未归",
    "kind.identity_conflict": "身份冲突",
    "kind.pipeline_blind": "数据通道失明",
    "kind.flapping": "时断时续",
    "kind.never_seen": "从未上线",
    "status.open": "待处理",
    "status.acknowledged": "处理中",
    "status.closed": "已关闭",
    "seconds": "{n} 秒",
    "minutes": "{n} 分钟",
    "hours": "{n} 小时",
    "days": "{n} 天",
}

_EN: Final = {
    "title": "Service points now",
    "stations": "Stations",
    "total": "{n} in all",
    "all_well": "All is well",
    "nothing_yet": "No station has reported yet",
    "some_wrong": "Open incidents: {n}",
    "blind": "The platform itself cannot see the field: verdicts are unknown, the stations may well be working",
    "incidents": "Wrong now",
    "no_incidents": "No open incident",
    "offline_stations": "Stations offline",
    "no_offline": "No station is offline",
    "offline_unknown": "Not known now",
    "only_newest": "only the latest {n} are listed",
    "pipeline": "Pipeline",
    "no_pipeline": "No tick was judged yet: check that MQTT, Kafka, the bridge and the judge are running",
    "shard_sound": "sound, {lag} behind",
    "shard_blind": "cannot be trusted, last judged {lag} ago",
    "partitions": "{n} partitions",
    "deadletters": "Refused messages: {n}",
    "since": "since",
    "for": "for {time}",
    "last_seen": "last heartbeat",
    "as_of": "As of",
    "beijing": "Beijing time",
    "lost": "The connection to the server is lost; what you see may be old. Trying again…",
    "language": "中文",
    "api_docs": "API",
    "signin_title": "Please sign in",
    "signin_how": "This page is for people who are signed in. Open the one-use link that `milepost up` printed "
    "in its terminal.",
    "signin_used_title": "This sign-in link does not work",
    "signin_used": "It was used already, or it is not complete. Every link works once.",
    "signin_new": "To get a new one: start `milepost up` again, it prints a new link. Programs use the token of the "
    "admin token file (Authorization: Bearer).",
    "signin_again": "Already signed in? Continue",
    "away_title": "No data to be seen just now",
    "away": "The database cannot be reached. How the stations are is unknown; nothing says that they are down. "
    "This page tries again by itself.",
    "verdict.online": "Online",
    "verdict.offline": "Offline",
    "verdict.away": "Away",
    "verdict.closed": "Closed",
    "verdict.excused": "Excused",
    "verdict.unknown": "Unknown",
    "verdict.never_seen": "Never seen",
    "verdict.suspended": "Suspended",
    "kind.station_offline": "Station offline",
    "kind.area_outage": "Area outage",
    "kind.blind_spot": "Blind spot",
    "kind.health": "Health",
    "kind.overdue_return": "Overdue return",
    "kind.identity_conflict": "Identity conflict",
    "kind.pipeline_blind": "Pipeline blind",
    "kind.flapping": "Flapping",
    "kind.never_seen": "Never seen",
    "status.open": "open",
    "status.acknowledged": "acknowledged",
    "status.closed": "closed",
    "seconds": "{n} s",
    "minutes": "{n} min",
    "hours": "{n} h",
    "days": "{n} d",
}

TABLES: Final[Mapping[str, Mapping[str, str]]] = {"zh-CN": _ZH, "en": _EN}

_UNITS: Final = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


class Words:
    """The texts of one language, called by name: ``words("total", n=3)``."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._table = TABLES[language]

    def __call__(self, name: str, **values: object) -> str:
        return self._table[name].format(**values)

    def named(self, family: str, name: str) -> str:
        """The word for a verdict, kind or status; one that this table lacks stays as it is."""
        return self._table.get(f"{family}.{name}", name)

    def duration(self, time: timedelta) -> str:
        """A length of time in its two largest units at most: 3 h 20 min."""
        seconds = max(int(time.total_seconds()), 0)
        parts: list[str] = []
        for name, size in _UNITS:
            number, seconds = divmod(seconds, size)
            if number or (name == "seconds" and not parts):
                parts.append(self(name, n=number))
            elif parts:
                break
        return " ".join(parts[:2])

    def clock(self, time: datetime) -> str:
        """A moment as people in the field read it, in Beijing time."""
        return time.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")

    @staticmethod
    def machine(time: datetime) -> str:
        return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def choose(asked: str | None, accepted: str, default: str) -> str:
    """zh-CN or en: what `?lang=` says, else the browser's Accept-Language, else the default."""
    for wish in [asked or "", *_by_preference(accepted)]:
        found = _language_of(wish)
        if found is not None:
            return found
    return default


def _language_of(tag: str) -> str | None:
    primary = tag.strip().lower().partition("-")[0]
    return {"zh": "zh-CN", "en": "en"}.get(primary)


def _by_preference(accepted: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first; those with q=0 are not wanted."""
    wishes = []
    for part in accepted.split(",")[:20]:
        tag, _, quality = part.partition(";")
        weight = _weight(quality)
        if weight > 0:
            wishes.append((weight, tag))
    return [tag for _, tag in sorted(wishes, key=lambda wish: -wish[0])]


def _weight(quality: str) -> float:
    name, _, number = quality.strip().partition("=")
    try:
        return float(number) if name == "q" else 1.0
    except ValueError:
        return 0.0
