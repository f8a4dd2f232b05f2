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
    "no_offline": "没有离线的服务点",
    "offline_unknown": "现在无法得知",
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
    "board": "总览",
    "areas": "行政区划",
    "all_incidents": "故障",
    "skip": "跳到正文",
    "navigation": "导航",
    "stream_cut": "实时推送中断，现在每 5 秒刷新一次。",
    "map": "地图",
    "map_says": "{total} 个服务点按坐标画在图上，离线 {offline} 个",
    "no_map": "还没有服务点登记坐标（lat、lon），所以没有地图",
    "more": "另有 {n} 项，查看全部",
    "more_stations": "另有 {n} 个离线服务点，查看全部",
    "other_offline": "其他离线服务点",
    "children_of": "涉及 {n} 个服务点",
    "assignee": "负责人",
    "search": "查找",
    "search_how": "编号或名称",
    "filter": "筛选",
    "any": "全部",
    "verdict": "判定",
    "status": "状态",
    "kind": "类别",
    "area": "区划",
    "area_how": "区划代码，如 63",
    "next_page": "下一页",
    "first_page": "第一页",
    "none_found": "没有符合条件的服务点",
    "none_here": "没有",
    "usable": "可用",
    "not_usable": "不可用",
    "deadline": "判离线时限",
    "deadline_says": "若再无心跳，将在此时判为离线",
    "never": "从未",
    "ago": "{time} 前",
    "within": "{time} 后",
    "address": "地址",
    "isp": "网络运营商",
    "position": "坐标",
    "site_kind": "类型",
    "last_day": "最近 24 小时",
    "as_table": "用表格表示",
    "from": "起",
    "to": "止",
    "lasted": "时长",
    "evidence": "依据",
    "evidence.live": "实时心跳",
    "evidence.presence": "断网期间本机记录",
    "evidence.none": "无",
    "older": "更早的 {n} 段未列出",
    "terminals": "终端",
    "no_terminals": "没有登记终端",
    "users": "使用人数",
    "counts_not": "不计入服务点在线",
    "health": "最近一次健康数据",
    "no_health": "最近 24 小时没有健康数据",
    "cpu": "处理器",
    "mem": "内存",
    "disk": "磁盘",
    "temp": "温度",
    "rtt_ms": "网络往返",
    "up": "已运行",
    "wifi_works": "无线接入点正常",
    "wifi_fails": "无线接入点不工作",
    "service_runs": "运行",
    "service_down": "停止",
    "usage_today": "今日使用",
    "sessions": "人次",
    "used_minutes": "分钟",
    "station_incidents": "本服务点的故障",
    "no_station_incidents": "没有故障记录",
    "incident": "故障 {n}",
    "began": "开始",
    "opened": "立案",
    "acknowledged": "接手",
    "acknowledged_by": "接手人",
    "ended": "恢复",
    "closed": "关闭",
    "station": "服务点",
    "shard": "数据通道",
    "parent": "属于故障",
    "children": "下属故障",
    "what_happened": "经过",
    "what_to_do": "处理",
    "text": "说明",
    "text_how": "看到了什么，做了什么",
    "by": "您的姓名",
    "do_ack": "接手处理",
    "do_note": "添加说明",
    "do_resolve": "确认解决",
    "do_assign": "指派",
    "assign_to": "指派给",
    "refused": "未执行：{why}",
    "refusal.closed": "故障已关闭，只能添加说明。",
    "refusal.already_acknowledged": "已有人接手。",
    "refusal.empty": "请先填写内容。",
    "refusal.too_long": "文字太长，最多 4000 字。",
    "detail.reason": "原因",
    "detail.seen_at": "最后一次心跳",
    "reason.missed_heartbeats": "心跳中断",
    "reason.last_will": "连接断开",
    "reason.away_overdue": "暂离逾期未归",
    "reason.commissioned_offline": "启用时已离线",
    "reason.registry": "登记信息变更",
    "action.opened": "立案",
    "action.acknowledged": "接手",
    "action.assigned": "指派",
    "action.note": "说明",
    "action.resolved": "确认解决",
    "action.closed": "关闭",
    "action.reopened": "重新打开",
    "parts": "下级区划",
    "no_parts": "没有下级区划",
    "no_areas": "还没有导入行政区划",
    "blind_spots": "盲点",
    "show_stations": "查看服务点",
    "show_incidents": "查看故障",
    "missing_title": "没有这一页",
    "missing": "没有这个服务点、区划或故障，也许编号有误。",
    "foreign_title": "未执行",
    "foreign": "只能在本服务器自己的页面上操作。请打开页面再试。",
    "unclear_title": "无法理解这个请求",
    "unclear": "地址或表单里有这里不接受的内容。请返回重试。",
    "verdict.conflicting": "身份冲突",
    "verdict.presence": "断网但在运行",
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
    "no_offline": "No station is offline",
    "offline_unknown": "Not known now",
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
    "board": "Board",
    "areas": "Areas",
    "all_incidents": "Incidents",
    "skip": "Skip to content",
    "navigation": "Navigation",
    "stream_cut": "The live stream is cut; the page now looks every 5 s.",
    "map": "Map",
    "map_says": "{total} stations drawn where they are, {offline} offline",
    "no_map": "No station has coordinates (lat, lon) yet, so there is no map",
    "more": "and {n} more: see all",
    "more_stations": "and {n} more offline: see all",
    "other_offline": "Other stations offline",
    "children_of": "{n} stations concerned",
    "assignee": "assigned to",
    "search": "Search",
    "search_how": "id or name",
    "filter": "Filter",
    "any": "all",
    "verdict": "Verdict",
    "status": "Status",
    "kind": "Kind",
    "area": "Area",
    "area_how": "area code, e.g. 63",
    "next_page": "Next page",
    "first_page": "First page",
    "none_found": "No station fits",
    "none_here": "None",
    "usable": "usable",
    "not_usable": "not usable",
    "deadline": "Deadline",
    "deadline_says": "offline then, unless more is heard",
    "never": "never",
    "ago": "{time} ago",
    "within": "in {time}",
    "address": "Address",
    "isp": "Uplink",
    "position": "Position",
    "site_kind": "Type",
    "last_day": "Last 24 hours",
    "as_table": "As a table",
    "from": "From",
    "to": "To",
    "lasted": "Lasted",
    "evidence": "Evidence",
    "evidence.live": "live heartbeats",
    "evidence.presence": "recorded while the link was down",
    "evidence.none": "none",
    "older": "{n} earlier ones are not listed",
    "terminals": "Terminals",
    "no_terminals": "No terminal is registered",
    "users": "users",
    "counts_not": "does not make the station online",
    "health": "Last health",
    "no_health": "No health in the last 24 hours",
    "cpu": "CPU",
    "mem": "Memory",
    "disk": "Disk",
    "temp": "Temperature",
    "rtt_ms": "Round trip",
    "up": "Up",
    "wifi_works": "access point works",
    "wifi_fails": "access point does not work",
    "service_runs": "runs",
    "service_down": "down",
    "usage_today": "Usage today",
    "sessions": "sessions",
    "used_minutes": "minutes",
    "station_incidents": "Incidents here",
    "no_station_incidents": "No incident on record",
    "incident": "Incident {n}",
    "began": "Began",
    "opened": "Opened",
    "acknowledged": "Acknowledged",
    "acknowledged_by": "by",
    "ended": "Ended",
    "closed": "Closed",
    "station": "Station",
    "shard": "Pipeline",
    "parent": "Part of incident",
    "children": "Incidents in it",
    "what_happened": "What happened",
    "what_to_do": "What to do",
    "text": "Remark",
    "text_how": "what you saw, what you did",
    "by": "Your name",
    "do_ack": "Acknowledge",
    "do_note": "Add remark",
    "do_resolve": "Resolve",
    "do_assign": "Assign",
    "assign_to": "Assign to",
    "refused": "Not done: {why}",
    "refusal.closed": "the incident is closed; only remarks can be added.",
    "refusal.already_acknowledged": "somebody looks after it already.",
    "refusal.empty": "write something first.",
    "refusal.too_long": "the text is too long, at most 4000 characters.",
    "detail.reason": "Reason",
    "detail.seen_at": "Last heartbeat",
    "reason.missed_heartbeats": "heartbeats missed",
    "reason.last_will": "connection lost",
    "reason.away_overdue": "did not come back in time",
    "reason.commissioned_offline": "was offline when commissioned",
    "reason.registry": "the registry changed",
    "action.opened": "opened",
    "action.acknowledged": "acknowledged",
    "action.assigned": "assigned",
    "action.note": "remark",
    "action.resolved": "resolved",
    "action.closed": "closed",
    "action.reopened": "opened again",
    "parts": "Parts",
    "no_parts": "It has no parts",
    "no_areas": "No areas are imported yet",
    "blind_spots": "Blind spots",
    "show_stations": "Its stations",
    "show_incidents": "Its incidents",
    "missing_title": "There is no such page",
    "missing": "There is no such station, area or incident; perhaps its number is mistyped.",
    "foreign_title": "Not done",
    "foreign": "Things can be changed only from this server's own pages. Open the page and try again.",
    "unclear_title": "This request is not understood",
    "unclear": "The address or the form holds something that is not taken here. Go back and try again.",
    "verdict.conflicting": "Conflicting",
    "verdict.presence": "Link down, running",
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

    def pick(self, name: str, name_en: str | None) -> str:
        """A name as the reader of this language reads it, where there is one."""
        return name_en if self.language == "en" and name_en else name

    def span(self, begin: datetime, end: datetime) -> str:
        """How long it lasted from `begin` to `end`."""
        return self.duration(end - begin)

    def hour(self, time: datetime) -> str:
        return time.astimezone(BEIJING).strftime("%H:%M")

    def clock(self, time: datetime) -> str:
        """A moment as people in the field read it, in Beijing time."""
        return time.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")

    @staticmethod
    def machine(time: datetime) -> str:
        return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def choose(asked: str | None, accepted: str, default: str) -> str:
    """zh-CN or en: what `?lang=` says, else the browser's Accept-Language, else the default."""
    for wish in [asked or "", *_by_preference(accepted)]:
        found = language_of(wish)
        if found is not None:
            return found
    return default


def language_of(tag: str) -> str | None:
    """The language of ours that a tag such as zh-Hans-CN or en-GB stands for."""
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
