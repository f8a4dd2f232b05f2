"""When a delivery is tried again, and what people read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.deliver_core import (
    FIRST_RETRY,
    LONGEST_RETRY,
    Facts,
    GiveUp,
    Language,
    Phase,
    Retry,
    after_failure,
    lasted,
    plain,
    retry_delay,
    target_of,
    write_message,
)
from contract.glossary import WORDS

NOW = datetime(2026, 11, 23, 8, 5, 12, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=5, seconds=12)
DAY = 86400.0


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_delays_are_bounded_and_never_zero(attempts: int, roll: float) -> None:
    assert FIRST_RETRY / 2 <= retry_delay(attempts, roll) <= LONGEST_RETRY


@given(st.integers(1, 30), st.floats(0, 1, exclude_max=True))
def test_delays_grow(attempts: int, roll: float) -> None:
    assert retry_delay(attempts, roll) <= retry_delay(attempts + 1, roll)


@pytest.mark.parametrize(
    ("name", "status", "attempts", "age", "expected"),
    [
        ("the gateway restarts", 503, 1, 10, Retry(1.0)),
        ("nobody answers", None, 5, 10, Retry(16.0)),
        ("a token that may be renewed", 401, 50, 10, Retry(300.0)),
        ("a refusal may be a hiccup", 400, 2, 10, Retry(2.0)),
        ("refused three times is refused", 400, 3, 10, GiveUp.REFUSED),
        ("a day has passed", 503, 200, DAY + 1, GiveUp.TOO_OLD),
    ],
)
def test_after_a_failure(name: str, status: int | None, attempts: int, age: float, expected: object) -> None:
    assert after_failure(status=status, attempts=attempts, age=age, give_up=DAY, roll=0) == expected, name


def test_a_target_that_wants_silence_gets_it_and_one_that_refuses_is_given_up() -> None:
    common = {"status": None, "age": 10.0, "give_up": DAY, "roll": 0.0}
    assert after_failure(attempts=1, wait=600.0, **common) == Retry(600.0)
    assert after_failure(attempts=2, refused=True, **common) == Retry(2.0)
    assert after_failure(attempts=3, refused=True, **common) == GiveUp.REFUSED


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
        facts(station_name=name, area_name=name, detail={"terminal": name}), language="zh-CN", public_url=None, now=NOW
    )
    told = f"{message.title}\n{message.body}"
    assert told.count(shown) == 4
    assert name == shown or name not in told
    assert len(message.body.splitlines()) == len(
        write_message(facts(detail={"terminal": "x"}), language="zh-CN", public_url=None, now=NOW).body.splitlines()
    )


def test_a_target_is_named_without_its_secret() -> None:
    url = "json://user:hunter2@example.org/token"
    assert target_of(url) == target_of(url)
    assert target_of(url) != target_of(url + "x")
    assert len(target_of(url)) == len("apprise-") + 12
    assert "hunter2" not in target_of(url)


def facts(phase: Phase = "opened", **more: object) -> Facts:
    base: dict[str, object] = {
        "incident": 12,
        "kind": "station_offline",
        "station": "6321220007",
        "station_name": "红旗阅览室",
        "station_name_en": "Red Flag Reading Room",
        "area_name": "玛多县",
        "area_name_en": "Madoi County",
        "began_at": BEGAN,
        "detail": {"reason": "missed_heartbeats", "seen_at": "2026-11-23T07:59:00.5Z"},
    }
    return Facts(phase=phase, **{**base, **more})  # type: ignore[arg-type]


def test_a_station_offline_in_chinese() -> None:
    message = write_message(facts(), language="zh-CN", public_url="https://m.example.org/", now=NOW)
    assert message.title == "【离线】红旗阅览室 · 玛多县"
    assert message.body.splitlines() == [
        "自 2026-11-23 16:00:00 起，已持续 5 分钟 12 秒。",
        "服务点：红旗阅览室（6321220007）、玛多县",
        "原因：心跳中断",
        "最后一次心跳：2026-11-23 15:59:00",
        "故障编号 12",
        "查看与确认：https://m.example.org/incidents/12",
    ]


def test_a_station_back_in_english() -> None:
    message = write_message(facts("closed", ended_at=NOW), language="en", public_url=None, now=NOW)
    assert message.title == "[BACK] Red Flag Reading Room · Madoi County"
    assert message.body.splitlines() == [
        "From 2026-11-23 16:00:00 (UTC+8) to 2026-11-23 16:05:12 (UTC+8), 5 min 12 s.",
        "Station: Red Flag Reading Room (6321220007), Madoi County",
        "Cause: heartbeats missed",
        "Last heartbeat: 2026-11-23 15:59:00 (UTC+8)",
        "Incident 12",
    ]
    assert message.link is None


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("phase", ["opened", "closed", "passed"])
@pytest.mark.parametrize("kind", [*WORDS["kind"], "something_new"])
def test_every_text_is_complete(language: Language, phase: Phase, kind: str) -> None:
    """Also where the registry knows next to nothing; no placeholder stays open."""
    poor = facts(
        phase, kind=kind, station=None if kind == "pipeline_blind" else "X1", station_name=None, station_name_en=None,
        area_name=None, area_name_en=None, shard="main", detail={"causes": ["gap", "database_hung", "new_cause"]},
    )  # fmt: skip
    message = write_message(poor, language=language, public_url="http://127.0.0.1:8000", now=NOW)
    text = message.title + message.body
    assert not set("{}") & set(text)
    assert "None" not in text
    assert "new_cause" in text


COUNTY = {"station": None, "station_name": None, "station_name_en": None}
TOLD = {
    "a county that fell": (
        {**COUNTY, "kind": "area_outage", "children": 31, "detail": {"cause": "area", "name": "632122000000"}},
        "【区域中断】玛多县 · 31 个服务点",
        ["行政区划：玛多县", "共同点：同一行政区划 玛多县", "涉及 31 个服务点。"],
    ),
    "a county when its first stations fell": (
        {**COUNTY, "kind": "area_outage", "children": 2, "detail": {"cause": "area", "name": "x", "expected": 31}},
        "【区域中断】玛多县 · ≈31 个服务点",
        ["行政区划：玛多县", "共同点：同一行政区划 玛多县", "涉及 ≈31 个服务点。"],
    ),
    "an operator's cut": (
        {**COUNTY, "kind": "area_outage", "children": 310, "detail": {"cause": "uplink", "name": "中国移动"}},
        "【区域中断】中国移动 · 玛多县 · 310 个服务点",
        ["行政区划：玛多县", "共同点：同一网络运营商 中国移动", "涉及 310 个服务点。"],
    ),
    "nobody serves an area": (
        {**COUNTY, "kind": "blind_spot", "detail": {"kind": "area_dark", "clears": "station_works"}},
        "【盲点】全域无服务：玛多县",
        ["行政区划：玛多县", "消除条件：区划内有服务点在线且可用"],
    ),
    "a disk": (
        {"kind": "health", "detail": {"rule": "disk_full", "terminal": "001", "value": 0.97, "threshold": 0.95}},
        "【设备告警】磁盘将满：红旗阅览室 · 玛多县",
        ["服务点：红旗阅览室（6321220007）、玛多县", "终端：001、数值 0.97，阈值 0.95"],
    ),
    "a service": (
        {"kind": "health", "detail": {"rule": "service_down", "terminal": "001", "subject": "reader"}},
        "【设备告警】服务停止：红旗阅览室 · 玛多县",
        ["服务点：红旗阅览室（6321220007）、玛多县", "终端：001、reader"],
    ),
    "a service of many": (
        {**COUNTY, "kind": "health", "children": 12, "detail": {"rule": "service_down", "subject": "reader"}},
        "【设备告警】服务停止：玛多县 · 12 台终端",
        ["行政区划：玛多县", "涉及 12 台终端。", "reader"],
    ),
    "a disk of many everywhere": (
        {"station": None, "area_name": None, "kind": "health", "children": 5, "detail": {"rule": "disk_full"}},
        "【设备告警】磁盘将满：5 台终端",
        ["涉及 5 台终端。"],
    ),
    "a rule of one's own": (
        {"kind": "health", "detail": {"rule": "door_open"}},
        "【设备告警】door_open：红旗阅览室 · 玛多县",
        ["服务点：红旗阅览室（6321220007）、玛多县"],
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_is_told_of_each_kind(case: str) -> None:
    given, title, lines = TOLD[case]
    message = write_message(facts(**given), language="zh-CN", public_url=None, now=NOW)  # type: ignore[arg-type]
    assert message.title == title
    assert message.body.splitlines() == ["自 2026-11-23 16:00:00 起，已持续 5 分钟 12 秒。", *lines, "故障编号 12"]


def test_an_outage_that_is_over_says_who_is_still_down() -> None:
    detail = {"cause": "feeder", "name": "10kV-3"}
    given = {**COUNTY, "kind": "area_outage", "children": 31, "children_open": 2, "detail": detail}
    message = write_message(facts("closed", ended_at=NOW, **given), language="en", public_url=None, now=NOW)
    assert message.title == "[AREA BACK] 10kV-3 · Madoi County · 31 stations"
    assert "Stations concerned: 31, still down: 2." in message.body
    assert "In common: the same power feeder 10kV-3" in message.body


def test_a_health_rule_of_many_that_is_over_says_how_many_are_left() -> None:
    given = {**COUNTY, "kind": "health", "children": 12, "children_open": 2, "detail": {"rule": "disk_full"}}
    message = write_message(facts("closed", ended_at=NOW, **given), language="en", public_url=None, now=NOW)
    assert message.title == "[HEALTH OK] disk nearly full: Madoi County · 12 terminals"
    assert "Terminals concerned: 12, not yet well: 2." in message.body


def test_what_a_later_version_writes_is_still_told() -> None:
    later = facts("escalated", detail={"seen_at": "just now", "reason": {"code": 7}})  # type: ignore[arg-type]
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
    assert lasted(timedelta(seconds=seconds), ("d", "h", "min", "s")) == expected
