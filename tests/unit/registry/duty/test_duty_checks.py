"""What a duty and a substitute must be, and the normal form of times."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.said import SaidError
from registry.duty.checks import require_substitute, sound_duty
from registry.duty.model import Duty, Substitute
from registry.duty.written_times import normal_times
from registry.hours.day_classes import DayClass
from registry.hours.opening_rules import WEEKDAYS
from registry.hours.opening_text import parse_rules

TIMES = {
    "24/7": "24x7",
    "24x7": "24x7",
    "Mo-Su 00:00-24:00": "24x7",
    "Mo-Fr 8:00-18:00": "Mo-Fr 08:00-18:00",
    "Mo,Tu,We,Th,Fr 08:00-18:00;HD off": "Mo-Fr 08:00-18:00; HD off",
    "Sa,Su 10:00-16:00": "Sa,Su 10:00-16:00",
    "Mo,We,Th,Fr,Su 8:00-9:00": "Mo,We-Fr,Su 08:00-09:00",
    "WD 20:00-8:00": "WD 20:00-08:00",
    "18:00-08:00": "Mo-Su 18:00-08:00",
    "Su 18:00-26:30,08:00-12:00": "Su 08:00-12:00,18:00-02:30",
    "Mo-Su 09:00-33:00": "Mo-Su 09:00-33:00",
    "[Asia/Urumqi]24x7": "[Asia/Urumqi] 24x7",
    "May-Sep: RD 10:00-16:00": "May 01-Sep 30: RD 10:00-16:00",
}


@pytest.mark.parametrize(("written", "normal"), TIMES.items(), ids=TIMES)
def test_the_normal_form_of_times(written: str, normal: str) -> None:
    assert normal_times(written) == normal
    assert normal_times(normal) == normal


@given(
    st.sets(st.sampled_from((*WEEKDAYS, "WD", "RD", "HD")), min_size=1), st.dates(date(2026, 1, 1), date(2026, 12, 31))
)
def test_the_normal_form_means_the_same(days: set[str], day: date) -> None:
    text = f"{','.join(days)} 08:00-12:00,14:00-18:00"
    for kind in DayClass:
        assert parse_rules(normal_times(text)).spans(day, kind) == parse_rules(text).spans(day, kind)


JUNE = date(2026, 6, 1)
# (fields of a duty, the beginning of the error in English and in Chinese)
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "a role in words": ({"role": "Head of IT"}, "'Head of IT' is not a role", "“Head of IT”不是角色"),
    "no weeks": ({"weeks": 0}, "a rotation of 0 weeks", "轮换周数 0"),
    "too many weeks": ({"weeks": 54}, "a rotation of 54 weeks", "轮换周数 54"),
    "a week that does not come": ({"weeks": 2, "week": 3, "valid_from": JUNE}, "week 3 of a rotation", "轮换共 2 周"),
    "week 0": ({"week": 0}, "week 0 of a rotation of 1", "轮换共 1 周"),
    "a rotation without a first day": ({"weeks": 2}, "a rotation has no first day", "轮换缺少生效日期"),
    "dates exchanged": ({"valid_from": JUNE, "valid_to": date(2026, 5, 31)}, "2026-05-31 is before", "2026-05-31 早于"),
    "a year that was mistyped": ({"valid_to": date(9026, 6, 1)}, "9026-06-01 lies outside", "9026-06-01 不在"),
    "times": ({"times": "always"}, "character 1, before 'always'", "第 1 个字"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "en", "zh"), BAD.values(), ids=BAD)
def test_what_a_duty_cannot_be(fields: dict[str, Any], en: str, zh: str) -> None:
    with pytest.raises(SaidError) as error:
        sound_duty(Duty(**{"role": "technician", "contact": "li", **fields}))
    assert error.value.said.en.startswith(en)
    assert error.value.said.zh.startswith(zh)


AT = datetime(2026, 6, 1, tzinfo=UTC)
BAD_SUBSTITUTES: dict[str, tuple[dict[str, Any], str, str]] = {
    "itself": ({"substitute": "li"}, "a contact is its own substitute", "代班人是本人"),
    "ends at its beginning": ({"until_at": AT}, "it ends before it begins", "结束不晚于开始"),
    "a year that was mistyped": ({"until_at": AT.replace(year=9026)}, "9026-06-01T00:00:00Z lies", "9026-06-01"),
    "a long reason": ({"reason": "x" * 501}, "the reason has 501 characters", "原因有 501 个字"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "en", "zh"), BAD_SUBSTITUTES.values(), ids=BAD_SUBSTITUTES)
def test_what_a_substitute_cannot_be(fields: dict[str, Any], en: str, zh: str) -> None:
    usual = {"contact": "li", "substitute": "ma", "from_at": AT, "until_at": AT + timedelta(days=1)}
    with pytest.raises(SaidError) as error:
        require_substitute(Substitute(**{**usual, **fields}))
    assert error.value.said.en.startswith(en)
    assert error.value.said.zh.startswith(zh)
