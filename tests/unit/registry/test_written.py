"""Values as people write them."""

import pytest

from contract.said import SaidError
from registry.hours.day_classes import DayClass
from registry.hours.opening_chinese import dated_of, rules_of
from registry.hours.opening_text import ScheduleError, parse_dated, parse_rules
from registry.importing.cells import (
    DAY_CLASSES_CALLED,
    LEVELS_CALLED,
    LIFECYCLES_CALLED,
    METRICS_CALLED,
    dated,
    day_class,
    end,
    level,
    lifecycle,
    metric,
    moment,
    number,
    rules,
    schedule,
)
from registry.model import LEVELS, LIFECYCLES, METRICS
from registry.written import amount, iso, plain


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026/11/27", "2026-11-27"),
        ("2026/5/1", "2026-05-01"),
        ("2026.5.1", "2026-05-01"),
        ("2026-5-1", "2026-05-01"),
        ("2026年5月1日", "2026-05-01"),
        ("2026 年 5 月 1 日", "2026-05-01"),
        ("２０２６年５月１日", "2026-05-01"),
        ("2026年5月1日 8时30分", "2026-05-01T08:30:00"),
        ("2026年5月1日 下午2点30分", "2026-05-01T14:30:00"),
        ("2026年5月1日 中午12点", "2026-05-01T12:00:00"),
        ("2026/5/1 9:00", "2026-05-01T09:00:00"),
        ("2026/5/1 9:00:30", "2026-05-01T09:00:30"),
        ("46143", "2026-05-01"),
        ("46143.375", "2026-05-01T09:00:00"),
        ("2026-10-31T08:00:00+08:00", "2026-10-31T08:00:00+08:00"),
    ],
)
def test_days_and_times(written: str, meant: str) -> None:
    assert iso(plain(written)) == meant


@pytest.mark.parametrize("written", ["31/10/2026", "2026/13/1", "2026年2月30日", "1/2", "五月一日", "2026年5月", "123"])
def test_what_is_not_clear_stays_for_the_reader_to_refuse(written: str) -> None:
    assert iso(written) == written
    for read in (moment, end):
        with pytest.raises(ValueError, match="is not a date or time"):
            read(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("95%", "0.95"), ("９５％", "0.95"), ("99.5 %", "0.995"), ("100%", "1"), ("1,200", "1200"), ("0.5", "0.5")],
)
def test_amounts(written: str, meant: str) -> None:
    assert amount(plain(written)) == meant
    assert number(plain(written)) == float(meant)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("周一至周五 9:00-17:00", "Mo-Fr 09:00-17:00"),
        ("星期一到星期五上午9点至下午5点", "Mo-Fr 09:00-17:00"),
        ("周一至五9:00—17:00，周六、日休息", "Mo-Fr 09:00-17:00; Sa,Su off"),
        ("周一至周五 9:00-12:00,14:00-18:00", "Mo-Fr 09:00-12:00,14:00-18:00"),
        ("上午8:30-11:30,下午2:30-5:30", "08:30-11:30,14:30-17:30"),
        ("下午2:00-5:30", "14:00-17:30"),
        ("下午2:00-晚上9:00", "14:00-21:00"),
        ("晚上6:00-12:00", "18:00-24:00"),
        ("晚上8:00-2:00", "20:00-02:00"),
        ("每天 8点半到18点", "Mo-Su 08:30-18:00"),
        ("周一闭馆，周二至周日9:00-17:00", "Mo off; Tu-Su 09:00-17:00"),
        ("9:00-17:00（周一闭馆）", "09:00-17:00; Mo off"),
        ("周一至周五 9:00-17:00\n周末 10:00-16:00", "Mo-Fr 09:00-17:00; Sa,Su 10:00-16:00"),
        ("工作日 9-17点；节假日休息", "WD 09:00-17:00; HD off"),
        ("周六日 10:00～16:00", "Sa,Su 10:00-16:00"),
        ("５月-９月 每天8:00-20:00；10月-4月 每天9:00-18:00", "May-Sep Mo-Su 08:00-20:00; Oct-Apr Mo-Su 09:00-18:00"),
        ("24小时", "24x7"),
        ("每天24小时开放", "24x7"),
        ("全天", "24x7"),
        ("Mo-Fr 09:00-17:00", "Mo-Fr 09:00-17:00"),
        ("９：００-１７：００", "9:00-17:00"),
    ],
)
def test_opening_hours(written: str, meant: str) -> None:
    assert rules_of(written) == meant
    assert parse_rules(rules(written)) == parse_rules(schedule(written)) == parse_rules(meant)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("休息", "off"), ("闭馆", "off"), ("照常开放", "scheduled"), ("加开18:00-21:00", "+18:00-21:00"), ("off", "off")],
)
def test_hours_of_single_days(written: str, meant: str) -> None:
    assert dated_of(written) == meant
    assert parse_dated(dated(written)) == parse_dated(meant)


@pytest.mark.parametrize("written", ["除周一外 9:00-17:00", "全年无休", "看情况", "周一至周五", "25:00-26:00点"])
def test_hours_that_are_not_understood_are_refused_in_both_languages(written: str) -> None:
    with pytest.raises(ScheduleError):
        parse_rules(rules_of(written))
    with pytest.raises(ValueError, match="character") as caught:
        rules(written)
    assert f"“{written}”不是能识别的开放时间" in caught.value.said.zh  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("read", "called", "allowed"),
    [
        (lifecycle, LIFECYCLES_CALLED, LIFECYCLES),
        (level, LEVELS_CALLED, LEVELS),
        (metric, METRICS_CALLED, METRICS),
        (day_class, DAY_CLASSES_CALLED, tuple(DayClass)),
    ],
)
def test_every_word_has_its_chinese(read, called, allowed) -> None:  # type: ignore[no-untyped-def]
    assert {read(word) for word in called} == set(allowed)
    assert [read(word) for word in allowed] == list(allowed)


def test_a_choice_is_refused_with_what_may_be_written() -> None:
    with pytest.raises(SaidError) as caught:
        lifecycle("开着")
    assert caught.value.said.zh == "“开着”不是生命周期状态：请用计划、在用、停用、撤销"


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ("Mo-Fr", "末尾：这里应是日子和时间"),
        ("Mo-Fr 09:00", "末尾：这里应是 - 和关门时间"),
        ("Mo-Fr 09:00-09:00", "开门和关门是同一时间"),
        ("Mo-Fr 09:70-10:00", "第 7 个字，“09:70-10:00”之前：09:70 不是时刻"),
        ("Feb 31-Mar 2: off", "2 月只有 1 至 29 日"),
        ("May-", "季节结束的月份"),
        ("Mo, 09:00-10:00", "这里应是日子"),
        ("Mo-x 09:00-10:00", "这里应是星期几"),
        ("[Nowhere/Town] 09:00-10:00", "不是时区"),
        ("09:00-10:00 x", "这里应是分号和下一条规则"),
        ("50:00-51:00", "不是时刻"),
        ("25:00-26:00", "开门时间已过当天"),
        ("May-Sep: 09:00-10:00; 10:00-11:00", "这里应写季节"),
    ],
)
def test_what_is_wrong_with_rules_is_said_in_chinese(rule: str, where: str) -> None:
    with pytest.raises(SaidError) as caught:
        rules(rule)
    assert where in caught.value.said.zh
    assert "expected" not in caught.value.said.zh
