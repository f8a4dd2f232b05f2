"""The short form: one SMS, whatever the names are, and what must never be cut is whole."""

import unicodedata
from datetime import datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerting.delivery.apprise_target import open_plugin, text_for
from alerting.delivery.facts import AlertArea, Phase, plain
from alerting.delivery.message import write_message
from alerting.delivery.short import MOST_UNITS, clusters, cut, units
from alerting.delivery.texts import Language
from contract.glossary import WORDS
from tests.unit.alerting.delivery.test_deliver_messages import BEGAN, MANY, NOW, OVER, TREE, facts

# apprise looks for a module that Python is about to drop, and brings its own when it is gone.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
TIBETAN = "མཚོ་སྔོན་ཞིང་ཆེན་མགོ་ལོག་བོད་རིགས་རང་སྐྱོང་ཁུལ་རྨ་སྟོད་རྫོང་དཔེ་མཛོད་ཁང་"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
names = st.one_of(
    st.text(max_size=200),
    st.text(alphabet=st.characters(min_codepoint=0x10000), max_size=100),
    st.lists(st.sampled_from([*TIBETAN, FAMILY, "𠮷", "é", "馆"]), max_size=100).map("".join),
    st.sampled_from([TIBETAN, "甘孜藏族自治州" * 20, FAMILY * 20, "𠮷" * 60]),
).map(lambda name: name.encode("utf-16", "ignore").decode("utf-16"))


# Local time in 1900 was not the time of today's zone.
@example(
    name="", area="", station="0", incident=1, kind="station_offline", phase="opened", language="zh-CN", children=0,
    age=timedelta(days=45983, seconds=57912, microseconds=1),
)  # fmt: skip
@given(
    name=names,
    area=names,
    station=st.from_regex(r"\A[0-9A-Za-z_-]{1,32}\Z"),
    incident=st.integers(1, 2**63 - 1),
    kind=st.sampled_from([*WORDS["kind"], "something_new"]),
    phase=st.sampled_from(get_args(Phase)),
    language=st.sampled_from(get_args(Language)),
    children=st.integers(0, 10**7),
    age=st.timedeltas(timedelta(0), timedelta(days=100_000)),
)
def test_it_fits_one_sms_and_cuts_no_number_and_no_time(
    name: str,
    area: str,
    station: str,
    incident: int,
    kind: str,
    phase: Phase,
    language: Language,
    children: int,
    age: timedelta,
) -> None:
    given_facts = facts(
        phase, incident=incident, kind=kind, station=station, station_name=name, station_name_en=name,
        children=children, areas=[AlertArea("1", area, area)], began_at=NOW - age,
        ended_at=NOW if phase in OVER else None,
        detail={"terminal": "001", "reason": "other_unheard", "rule": "outbox_dropping", "kind": "area_dark"},
    )  # fmt: skip
    short = write_message(given_facts, language=language, public_url=None, now=NOW).short
    assert units(short) <= MOST_UNITS
    assert short.endswith(f" #{incident}")
    assert ("11-23 16:05" if phase in OVER else f"{_local(NOW - age):%m-%d}") in short
    assert station in short or station[:-1] not in short or len(station) < 12, "an id is whole or not there"
    short.encode()  # no half of a pair


def _local(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo("Asia/Shanghai"))


@given(names, st.integers(0, 70))
def test_a_cut_is_within_its_room_and_between_what_is_read_as_one_character(name: str, room: int) -> None:
    found = cut(name, room)
    assert units(found) <= max(room, 0)
    assert "".join(clusters(name)) == name
    if found.endswith("…") and found != name:
        kept = found[:-1]
        assert name.startswith(kept)
        rest = name[len(kept) :].lstrip()
        assert not rest or not unicodedata.category(rest[0]).startswith("M") or not kept
        assert not kept.endswith("\u200d")


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("红旗阅览室", 5, "红旗阅览室"),
        ("红旗阅览室", 4, "红旗阅…"),
        ("红旗阅览室", 3, ""),
        ("𠮷𠮷𠮷𠮷", 7, "𠮷𠮷𠮷…"),
        ("𠮷𠮷𠮷𠮷", 6, ""),
        (FAMILY * 2 + "家书屋", 17, ""),
        ("སྐྱོང་ཁུལ", 5, ""),
        ("རང་སྐྱོང", 7, "རང་…"),
        ("དཔེ་མཛོད་ཁང་ཆེན་མོ", 14, "དཔེ་མཛོད་ཁང་…"),
        ("དཔེ་མཛོད་ཁང་ཆེན་མོ", 11, "དཔེ་མཛོད་…"),
        ("", -1, ""),
        ("abc def", 5, "abc…"),
        ("Red Flag Reading Room", 20, "Red Flag Reading…"),
        ("Red Flag Reading Room", 17, "Red Flag Reading…"),
        ("Red Flag Reading Room", 16, "Red Flag…"),
        ("Verylongnameofaplace x", 12, "Verylongnam…"),
        ("红旗 Library of all", 9, "红旗 Libra…"),
    ],
)
def test_how_names_are_cut(text: str, room: int, expected: str) -> None:
    assert cut(text, room) == expected


LONG = "青海省果洛藏族自治州玛多县花石峡镇人民政府综合文化服务中心图书阅览室"
SHORT = {
    "a station": ({"areas": TREE}, "opened", "【离线】玛多县花石峡镇 红旗阅览室 6321220007 11-23 16:00起 #12"),
    "a station back": (
        {"areas": TREE, "ended_at": NOW},
        "closed",
        "【恢复】玛多县花石峡镇 红旗阅览室 6321220007 11-23 16:05，历时5分钟12秒 #12",
    ),
    "closed by hand": ({}, "resolved", "【人工关闭，未恢复】服务点离线 玛多县 红旗阅览室 6321220007 11-23 16:00起 #12"),
    "begun in another year": (
        {"began_at": BEGAN - timedelta(days=400)},
        "opened",
        "【离线】玛多县 红旗阅览室 6321220007 2025-10-19起 #12",
    ),
    "an operator's cut": (
        {**MANY, "kind": "area_outage", "children": 310, "detail": {"cause": "uplink", "name": "中国移动"}},
        "opened",
        "【区域中断】玛多县 中国移动 310 个服务点 11-23 16:00起 #12",
    ),
    "a disk": (
        {"kind": "health", "detail": {"rule": "disk_full"}},
        "opened",
        "【设备告警】磁盘将满 玛多县 红旗阅览室 6321220007 11-23 16:00起 #12",
    ),
    "a long name leaves no room for the area": (
        {"station_name": LONG, "areas": TREE},
        "opened",
        f"【离线】{LONG} 6321220007 11-23 16:00起 #12",
    ),
    "a name too long": (
        {"station_name": LONG + "东楼二层报告厅", "areas": TREE},
        "opened",
        f"【离线】{LONG}东楼二… 6321220007 11-23 16:00起 #12",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SHORT)
def test_what_the_short_form_says(case: str) -> None:
    given_facts, phase, expected = SHORT[case]
    message = write_message(facts(phase, **given_facts), language="zh-CN", public_url=None, now=NOW)  # type: ignore[arg-type]
    assert message.short == expected


def test_a_name_is_no_link_in_it_either() -> None:
    message = write_message(facts(station_name="www.evil.cn"), language="zh-CN", public_url=None, now=NOW)
    assert plain("www.evil.cn") in message.short


@pytest.mark.parametrize(
    ("url", "is_sms"),
    [
        ("d7sms://token@+8613800000000", True),
        ("mailto://user:pass@example.org", False),
        ("wxteams://" + "a" * 80, False),
    ],
)
def test_a_channel_of_sms_gets_the_short_form_alone(url: str, is_sms: bool) -> None:
    message = write_message(facts(), language="zh-CN", public_url=None, now=NOW)
    told = text_for(open_plugin(url, 1), message)
    assert told == (("", message.short) if is_sms else (message.title, message.body))
