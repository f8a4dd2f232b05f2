"""What docs/schedules.md shows can be read, and `milepost schedule check` says what comes of it."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from registry.hours.opening_text import ScheduleError, parse_dated, parse_rules
from registry.hours.schedule_report import describe_rules, today_in

PAGE = (Path(__file__).parents[3] / "docs" / "schedules.md").read_text(encoding="utf-8")


def examples(section: str) -> list[str]:
    """The first column of the table in a section."""
    text = PAGE.split(f"## {section}\n")[1].split("\n#")[0]
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


@pytest.mark.parametrize("rules", examples("Opening rules"))
def test_every_example_of_rules_can_be_read(rules: str) -> None:
    assert parse_rules(rules).rules


@pytest.mark.parametrize("rules", examples("Single days"))
def test_every_example_of_a_single_day_can_be_read(rules: str) -> None:
    assert str(parse_dated(rules)) == rules


def test_there_are_examples() -> None:
    assert len(examples("Opening rules")) >= 5
    assert len(examples("Single days")) == 4


def test_the_days_to_come_of_the_week_of_national_day() -> None:
    text = describe_rules("Mo-Fr 09:00-17:30; Sa,Su 10:00-16:00; HD off", date(2026, 10, 7), 5)
    assert text.splitlines() == [
        "Read as: Mo,Tu,We,Th,Fr 09:00-17:30; Sa,Su 10:00-16:00; HD off",
        "Time zone: Asia/Shanghai",
        "2026-10-07 We holiday  off",
        "2026-10-08 Th workday  09:00-17:30",
        "2026-10-09 Fr workday  09:00-17:30",
        "2026-10-10 Sa workday  09:00-17:30",
        "2026-10-11 Su rest     10:00-16:00",
    ]


def test_days_that_nobody_announced_are_said_to_be_provisional() -> None:
    (*_, line) = describe_rules("[America/New_York] WD 22:00-02:00", date(2040, 3, 6), 1).splitlines()
    assert line == "2040-03-06 Tu workday  22:00-26:00 (provisional)"


def test_today_is_that_of_the_zone() -> None:
    late = datetime(2026, 10, 8, 17, tzinfo=UTC)
    assert today_in("off", late) == date(2026, 10, 9)
    assert today_in("[America/New_York] off", late) == date(2026, 10, 8)
    with pytest.raises(ScheduleError):
        today_in("sometimes", late)
