"""What people read of an incident, in both languages."""

import re
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from alerting.delivery.facts import OVER, WANTS_ACKNOWLEDGEMENT, AlertArea, AlertFacts, Phase, known_zone, plain
from alerting.delivery.message import write_message
from alerting.delivery.short import MOST_UNITS, units
from alerting.delivery.texts import Language
from alerting.delivery.times import lasted
from alerting.incidents.severity import SEVERITIES, severity_of
from contract.glossary import WORDS

NOW = datetime(2026, 11, 23, 8, 5, 12, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=5, seconds=12)
COUNTY = AlertArea("632622000000", "玛多县", "Madoi County", "county")
TREE = [
    AlertArea("630000000000", "青海省", "Qinghai", "province"),
    AlertArea("632600000000", "果洛州", "Golog", "prefecture"),
    COUNTY,
    AlertArea("632622101000", "花石峡镇", "Huashixia", "township"),
]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("红旗阅览室", "红旗阅览室"),
        ("No. 3 Library, 2.5 km", "No. 3 Library, 2.5 km"),
        ("@all", "@\u200ball"),
        ("＠所有人", "＠\u200b所有人"),
        ('<at user_id="all">x</at>', '<\u200bat user_id="all">x<\u200b/at>'),
        ("<!channel>", "<\u200b!channel>"),
        ("http://evil.example/x", "http:\u200b//evil.\u200bexample/x"),
        ("www.evil.cn", "www.\u200bevil.\u200bcn"),
        ("a\nb\r\nc\u2028d\u202ee\x00f", "a b c d e f"),
    ],
)
def test_a_name_is_text_of_one_line(name: str, shown: str) -> None:
    assert plain(name) == shown
    assert plain({"reasons": [name], "n": 1}) == {"reasons": [shown], "n": 1}
    message = write_message(
        facts(station_name=name, areas=[AlertArea("1", name)], detail={"terminal": name}),
        language="zh-CN",
        public_url=None,
        now=NOW,
    )
    told = f"{message.title}\n{message.body}"
    assert told.count(shown) == 4
    assert name == shown or name not in told
    assert len(message.body.splitlines()) == len(
        write_message(facts(detail={"terminal": "x"}), language="zh-CN", public_url=None, now=NOW).body.splitlines()
    )


def facts(phase: Phase = "opened", **more: object) -> AlertFacts:
    base: dict[str, object] = {
        "incident": 12,
        "kind": "station_offline",
        "station": "6321220007",
        "station_name": "红旗阅览室",
        "station_name_en": "Red Flag Reading Room",
        "areas": [COUNTY],
        "address": "花石峡街 1 号",
        "began_at": BEGAN,
        "detail": {"reason": "missed_heartbeats", "seen_at": "2026-11-23T07:59:00.5Z"},
    }
    return AlertFacts(phase=phase, **{**base, **more})  # type: ignore[arg-type]


def test_a_station_offline_in_chinese() -> None:
    message = write_message(facts(), language="zh-CN", public_url="https://m.example.org/", now=NOW)
    assert message.title == "【离线】红旗阅览室 · 玛多县"
    assert message.body.splitlines() == [
        "级别：警告",
        "自 2026-11-23 16:00:00 起，已持续 5 分钟 12 秒。",
        "服务点：红旗阅览室（6321220007）",
        "行政区划：玛多县",
        "地址：花石峡街 1 号",
        "原因：心跳中断",
        "最后一次心跳：2026-11-23 15:59:00",
        "处理：请联系站点，依次检查供电、网络和终端；仍无法恢复的，派人到现场处理。",
        "故障编号 12",
        "查看并确认：https://m.example.org/incidents/12",
    ]
    assert message.short == "【离线】玛多县 红旗阅览室 6321220007 11-23 16:00起 https://m.example.org/i/12"


def test_a_station_back_in_english() -> None:
    message = write_message(facts("closed", ended_at=NOW), language="en", public_url=None, now=NOW)
    assert message.title == "[BACK] Red Flag Reading Room · Madoi County"
    assert message.body.splitlines() == [
        "Severity was: warning",
        "From 2026-11-23 16:00:00 (UTC+8) to 2026-11-23 16:05:12 (UTC+8); it took 5 min 12 s.",
        "Station: Red Flag Reading Room (6321220007)",
        "Area: Madoi County",
        "Address: 花石峡街 1 号",
        "Cause: heartbeats missed",
        "Last heartbeat: 2026-11-23 15:59:00 (UTC+8)",
        "To do: Nothing; it is over.",
        "Incident 12",
    ]
    assert message.link is None
    assert message.short == "[BACK] Red Flag Reading Room 6321220007 11-23 16:05, took 5min12s #12"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("phase", ["opened", "closed", "passed"])
@pytest.mark.parametrize("kind", [*WORDS["kind"], "something_new"])
def test_every_text_is_complete(language: Language, phase: Phase, kind: str) -> None:
    """Also where the registry knows next to nothing; no placeholder stays open."""
    poor = facts(
        phase, kind=kind, station=None if kind == "pipeline_blind" else "X1", station_name=None, station_name_en=None,
        areas=[], shard="main", detail={"causes": ["gap", "database_hung", "new_cause"]},
    )  # fmt: skip
    message = write_message(poor, language=language, public_url="http://127.0.0.1:8000", now=NOW)
    text = message.title + message.body
    assert not set("{}") & set(text)
    assert "None" not in text
    assert "new_cause" in text


MANY = {"station": None, "station_name": None, "station_name_en": None}
TOLD = {
    "a county that fell": (
        {**MANY, "kind": "area_outage", "children": 31, "detail": {"cause": "area", "name": "632122000000"}},
        "【区域中断】玛多县 · 31 个服务点",
        ["行政区划：玛多县", "共同点：同一行政区划 玛多县", "涉及 31 个服务点。"],
    ),
    "a county when its first stations fell": (
        {**MANY, "kind": "area_outage", "children": 2, "detail": {"cause": "area", "name": "x", "expected": 31}},
        "【区域中断】玛多县 · ≈31 个服务点",
        ["行政区划：玛多县", "共同点：同一行政区划 玛多县", "涉及 ≈31 个服务点。"],
    ),
    "an operator's cut": (
        {**MANY, "kind": "area_outage", "children": 310, "detail": {"cause": "uplink", "name": "中国移动"}},
        "【区域中断】中国移动 · 玛多县 · 310 个服务点",
        ["行政区划：玛多县", "共同点：同一网络运营商 中国移动", "涉及 310 个服务点。"],
    ),
    "nobody serves an area": (
        {**MANY, "kind": "blind_spot", "detail": {"kind": "area_dark", "clears": "station_works"}},
        "【盲点】全域无服务：玛多县",
        ["行政区划：玛多县", "消除条件：区划内有服务点在线且可用"],
    ),
    "a disk": (
        {
            "kind": "health",
            "detail": {"rule": "disk_full", "field": "disk", "terminal": "001", "value": 0.97, "threshold": 0.95},
        },
        "【设备告警】磁盘将满：红旗阅览室 · 玛多县",
        [
            "服务点：红旗阅览室（6321220007）",
            "行政区划：玛多县",
            "地址：花石峡街 1 号",
            "终端：001、磁盘 97%，阈值 95%",
        ],
    ),
    "a service": (
        {"kind": "health", "detail": {"rule": "service_down", "terminal": "001", "subject": "reader"}},
        "【设备告警】服务停止：红旗阅览室 · 玛多县",
        ["服务点：红旗阅览室（6321220007）", "行政区划：玛多县", "地址：花石峡街 1 号", "终端：001、reader"],
    ),
    "a service of many": (
        {**MANY, "kind": "health", "children": 12, "detail": {"rule": "service_down", "subject": "reader"}},
        "【设备告警】服务停止：玛多县 · 12 台终端",
        ["行政区划：玛多县", "涉及 12 台终端。", "reader"],
    ),
    "a disk of many everywhere": (
        {"station": None, "areas": [], "kind": "health", "children": 5, "detail": {"rule": "disk_full"}},
        "【设备告警】磁盘将满：5 台终端",
        ["涉及 5 台终端。"],
    ),
    "a rule of one's own": (
        {"kind": "health", "detail": {"rule": "door_open"}},
        "【设备告警】door_open：红旗阅览室 · 玛多县",
        ["服务点：红旗阅览室（6321220007）", "行政区划：玛多县", "地址：花石峡街 1 号"],
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_is_told_of_each_kind(case: str) -> None:
    given, title, lines = TOLD[case]
    message = write_message(facts(**given), language="zh-CN", public_url=None, now=NOW)  # type: ignore[arg-type]
    assert message.title == title
    severity, since, *found, to_do, number = message.body.splitlines()
    assert severity.startswith("级别：")
    assert since == "自 2026-11-23 16:00:00 起，已持续 5 分钟 12 秒。"
    assert found == lines
    assert to_do.startswith("处理：")
    assert number == "故障编号 12"


def test_an_outage_that_is_over_says_who_is_still_down() -> None:
    detail = {"cause": "feeder", "name": "10kV-3"}
    given = {**MANY, "kind": "area_outage", "children": 31, "children_open": 2, "detail": detail}
    message = write_message(facts("closed", ended_at=NOW, **given), language="en", public_url=None, now=NOW)
    assert message.title == "[AREA BACK] 10kV-3 · Madoi County · 31 stations"
    assert "Stations concerned: 31, still down: 2." in message.body
    assert "In common: the same power feeder 10kV-3" in message.body


def test_a_health_rule_of_many_that_is_over_says_how_many_are_left() -> None:
    given = {**MANY, "kind": "health", "children": 12, "children_open": 2, "detail": {"rule": "disk_full"}}
    message = write_message(facts("closed", ended_at=NOW, **given), language="en", public_url=None, now=NOW)
    assert message.title == "[HEALTH OK] disk nearly full: Madoi County · 12 terminals"
    assert "Terminals concerned: 12, not yet well: 2." in message.body


def test_what_a_later_version_writes_is_still_told() -> None:
    later = facts("exploded", detail={"seen_at": "just now", "reason": {"code": 7}})  # type: ignore[arg-type]
    message = write_message(later, language="zh-CN", public_url=None, now=NOW)
    assert message.title == "【故障】红旗阅览室 · 玛多县"


def test_closing_by_hand_says_that_it_is_not_over_who_and_why() -> None:
    said = {"resolved_by": "扎西", "resolved_reason": "钥匙丢了"}
    by_hand = facts("resolved", reopen_at=NOW + timedelta(hours=4), detail=said)
    message = write_message(by_hand, language="zh-CN", public_url=None, now=NOW)
    assert message.title == "【人工关闭，未恢复】服务点离线：红旗阅览室 · 玛多县"
    for line in ("由 扎西 人工关闭，故障尚未恢复。", "关闭原因：钥匙丢了", "重新告警"):
        assert line in message.body
    assert "恢复】" not in message.title.replace("未恢复】", "")
    english = write_message(facts("reopened"), language="en", public_url=None, now=NOW)
    assert english.title.startswith("[STILL WRONG] Station offline: ")
    over = write_message(facts("closed", ended_at=NOW, detail=said), language="zh-CN", public_url=None, now=NOW)
    assert "此前由 扎西 人工关闭。" in over.body
    assert "尚未恢复" not in over.body


def test_accounts_are_called_by_their_names_and_for_whom_they_acted() -> None:
    detail = {"resolved_by": "a-1", "resolved_remark": "扎西 @all"}
    given = {"acknowledged_by": "a-2", "acknowledged_remark": None, "people": {"a-1": "李四", "a-2": "王 http://x"}}
    acted = facts("resolved", reopen_at=NOW + timedelta(hours=4), detail=detail, **given)
    body = write_message(acted, language="zh-CN", public_url=None, now=NOW).body
    assert "由 李四（代 扎西 @\u200ball） 人工关闭" in body
    assert "已由 王 http:\u200b//x 确认。" in body
    english = write_message(acted, language="en", public_url=None, now=NOW).body
    assert "Closed by hand by 李四 (for 扎西 @\u200ball); the fault is not over." in english


def test_conflicts_of_one_station_name_the_terminal_and_how() -> None:
    titles = {
        write_message(
            facts("opened", kind="identity_conflict", detail={"terminal": terminal, "reason": reason}),
            language="zh-CN",
            public_url=None,
            now=NOW,
        ).title
        for terminal in ("001", "002")
        for reason in ("two_boots", "numbers")
    }
    assert len(titles) == 4
    assert "【身份冲突】终端 001、心跳序号不再递增：红旗阅览室 · 玛多县" in titles


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(-3, "0 s"), (0, "0 s"), (59, "59 s"), (60, "1 min"), (3605, "1 h"), (90061, "1 d 1 h"), (7_000_000, "81 d")],
)
def test_lengths(seconds: float, expected: str) -> None:
    assert lasted(timedelta(seconds=seconds), "en") == expected


# -- every kind, every phase, both languages ---------------------------------------------------------------------

DETAILS: dict[str, dict[str, object]] = {
    "station_offline": {"reason": "missed_heartbeats", "seen_at": "2026-11-23T07:59:00Z"},
    "area_outage": {"cause": "uplink", "name": "telecom", "expected": 31},
    "blind_spot": {"kind": "shut", "clears": "online_in_hours"},
    "health": {
        "rule": "hot", "field": "temperature", "severity": "critical", "terminal": "001",
        "value": 81.5, "threshold": 75.0,
    },
    "overdue_return": {"reason": "away_overdue"},
    "identity_conflict": {"reason": "two_boots", "terminal": "001"},
    "channel_dead": {
        "contact": "li", "channel": "wecom", "reason": "channel_refused", "answer": "refused with code 93000",
    },
    "seal_late": {"reason": "seal_waits"},
    "set_aside": {"reason": "kept_aside"},
    "unusable": {"reason": "said_unusable"},
    "pipeline_blind": {"causes": ["gap", "database_hung"]},
    "flapping": {"reason": "flapping", "clears": "steady"},
    "never_seen": {"reason": "never_seen"},
}  # fmt: skip
WITHOUT_STATION = {"area_outage", "channel_dead", "pipeline_blind", "seal_late", "set_aside"}
MACHINE_WORD = re.compile(r"[a-z]+_[a-z_]+|\btelecom\b")


def of_kind(kind: str, phase: Phase) -> AlertFacts:
    """What the incident process would say of an incident of this kind, in the tree of a township."""
    detail = DETAILS[kind] | ({"resolved_by": "扎西"} if phase == "resolved" else {})
    more: dict[str, object] = {"kind": kind, "areas": TREE, "detail": detail}
    if kind in WITHOUT_STATION:
        more |= {**MANY, "address": None, "shard": "main" if kind == "pipeline_blind" else None}
    if kind == "area_outage":
        more |= {"children": 31, "children_open": 0}
    if phase in OVER:
        more |= {"ended_at": NOW}
    if phase == "acknowledged":
        more |= {"acknowledged_by": "李措"}
    return facts(phase, **more)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("phase", get_args(Phase))
@pytest.mark.parametrize("kind", DETAILS)
def test_every_text_has_all_its_parts(language: Language, phase: Phase, kind: str) -> None:
    message = write_message(of_kind(kind, phase), language=language, public_url="https://m.example.org", now=NOW)
    chinese = language == "zh-CN"
    lines = message.body.splitlines()
    assert lines[0].startswith(("级别：", "原级别：") if chinese else ("Severity: ", "Severity was: ")), "how grave"
    assert "2026-11-23 16:00:00" in lines[1], "since when, in local time"
    assert ("2026-11-23 16:05:12" in lines[1]) == (phase in OVER), "until when"
    assert ("历时 5 分钟 12 秒" if chinese else "it took 5 min 12 s") in lines[1] or phase not in OVER
    where = "青海省果洛州玛多县花石峡镇" if chinese else "Huashixia, Madoi County, Golog, Qinghai"
    assert where in message.body
    assert kind == "pipeline_blind" or ("玛多县花石峡镇" if chinese else "Huashixia, Madoi County") in message.title
    if kind not in WITHOUT_STATION:
        assert ("红旗阅览室" if chinese else "Red Flag Reading Room") + ("（" if chinese else " (") in message.body
        assert "6321220007" in message.body
        assert "花石峡街 1 号" in message.body, "the address"
    assert kind != "area_outage" or "31" in message.title, "how many"
    to_do = [line for line in lines if line.startswith("处理：" if chinese else "To do: ")]
    assert len(to_do) == 1
    assert lines[-1].endswith("https://m.example.org/incidents/12"), "the link is last"
    assert ("确认" in lines[-1] or "acknowledge" in lines[-1]) == (phase in WANTS_ACKNOWLEDGEMENT)
    for text in (message.title, message.body.replace(message.link or "", ""), message.short):
        assert not set("{}") & set(text)
        assert "None" not in text
        assert not MACHINE_WORD.search(text), text
        assert chinese or not re.search(
            r"[\u4e00-\u9fff]", text.replace("花石峡街 1 号", "").replace("扎西", "").replace("李措", "")
        )
    assert units(message.short) <= MOST_UNITS
    assert message.short.endswith((" https://m.example.org/i/12", " #12"))


def test_there_is_a_row_for_every_kind() -> None:
    assert set(DETAILS) == set(WORDS["kind"])
    assert set(WORDS["kind"]) <= set(WORDS["advice"])
    assert set(WORDS["spot_advice"]) == set(WORDS["spot"])
    assert set(WORDS["rule_advice"]) == set(WORDS["rule"])
    assert set(WORDS["severity"]) == set(SEVERITIES)


def test_recovery_says_how_much_of_it_was_within_opening_hours_if_that_differs() -> None:
    night = {"began_at": NOW - timedelta(hours=14), "ended_at": NOW}
    closed = write_message(facts("closed", open_seconds=7800.0, **night), language="zh-CN", public_url=None, now=NOW)
    assert "历时 14 小时，其中应开放时间 2 小时 10 分钟。" in closed.body
    english = write_message(facts("closed", open_seconds=7800.0, **night), language="en", public_url=None, now=NOW)
    assert "; it took 14 h, 2 h 10 min of it within opening hours." in english.body
    all_day = write_message(
        facts("closed", open_seconds=14 * 3600.0, **night), language="zh-CN", public_url=None, now=NOW
    )
    assert "历时 14 小时。" in all_day.body


@pytest.mark.parametrize(
    ("timezone", "language", "shown"),
    [
        ("Asia/Shanghai", "zh-CN", "自 2026-11-23 16:00:00 起"),
        ("Asia/Urumqi", "zh-CN", "自 2026-11-23 14:00:00（UTC+6） 起"),
        ("Asia/Urumqi", "en", "Since 2026-11-23 14:00:00 (UTC+6)"),
        ("Asia/Kathmandu", "en", "Since 2026-11-23 13:45:00 (UTC+5:45)"),
        ("America/Lima", "en", "Since 2026-11-23 03:00:00 (UTC-5)"),
    ],
)
def test_times_are_the_stations(timezone: str, language: Language, shown: str) -> None:
    assert shown in write_message(facts(timezone=timezone), language=language, public_url=None, now=NOW).body


@pytest.mark.parametrize("name", [None, "", "Asia/Nowhere", "../../etc/passwd", "/etc/passwd", "x\0y", "Asia"])
def test_a_zone_that_there_is_not_is_chinas(name: str | None) -> None:
    assert known_zone(name) == "Asia/Shanghai"
    assert known_zone("Asia/Urumqi") == "Asia/Urumqi"


def test_a_dead_channel_is_named_by_its_contact() -> None:
    facts = of_kind("channel_dead", "opened")
    message = write_message(facts, language="zh-CN", public_url=None, now=NOW)
    assert message.title.startswith("【渠道失效】li 企业微信")
    assert "原因：服务商拒绝该渠道、被拒绝，代码 93000" in message.body
    message = write_message(facts, language="en", public_url=None, now=NOW)
    assert message.title.startswith("[CHANNEL DEAD] li WeCom")


SEVERE = [
    ("station_offline", {}, 0, "warning"),
    ("area_outage", {}, 31, "critical"),
    ("pipeline_blind", {}, 0, "critical"),
    ("unusable", {}, 0, "warning"),
    ("unusable", {}, 5, "critical"),
    ("blind_spot", {"kind": "dark"}, 0, "warning"),
    ("blind_spot", {"kind": "area_dark"}, 0, "critical"),
    ("blind_spot", {"kind": "area_dark", "stage": "last_one"}, 0, "warning"),
    ("health", {"severity": "critical"}, 0, "critical"),
    ("health", {"severity": "extreme"}, 0, "warning"),
    ("health", {"severity": ["critical"]}, 0, "warning"),
    ("never_seen", {}, 0, "info"),
    ("something_new", {}, 0, "warning"),
]


@pytest.mark.parametrize(("kind", "detail", "children", "severity"), SEVERE)
def test_how_grave(kind: str, detail: dict[str, object], children: int, severity: str) -> None:
    assert severity_of(kind, detail, children=children) == severity
