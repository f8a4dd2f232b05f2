"""Opening rules as people write them: what they mean, and what is said of those that cannot be read."""

from datetime import date

import pytest

from registry.hours.day_classes import DayClass
from registry.hours.opening_rules import ALWAYS_RULES, clock_text
from registry.hours.opening_text import MAX_TEXT, DatedRule, ScheduleError, parse_dated, parse_rules, parse_zone

READ = {
    "every day of the week by its name": ("Mo,We 9:00-17:00", "Mo,We 09:00-17:00"),
    "a range goes over the week's end": ("Sa-Mo 09:00-17:00", "Mo,Sa,Su 09:00-17:00"),
    "no day means every day": ("09:00-17:00", "Mo,Tu,We,Th,Fr,Sa,Su 09:00-17:00"),
    "classes of days": ("WD 09:00-12:00,14:30-18:00; RD 10:00-16:00; HD off", None),
    "public holiday is another word for holiday": ("PH off", "HD off"),
    "closed is another word for off": ("Mo closed", "Mo off"),
    "a colon behind the days is let pass": ("Mo-Fr: 09:00-17:00", "Mo,Tu,We,Th,Fr 09:00-17:00"),
    "small letters": ("mo-fr 09:00-17:00; ph OFF", "Mo,Tu,We,Th,Fr 09:00-17:00; HD off"),
    "a season of whole months": ("May-Sep: WD 09:00-19:00", "May 01-Sep 30: WD 09:00-19:00"),
    "a season without its colon": ("May-Sep WD 09:00-19:00", "May 01-Sep 30: WD 09:00-19:00"),
    "a season of days": ("Nov 15-Mar 15: 10:00-16:00", "Nov 15-Mar 15: Mo,Tu,We,Th,Fr,Sa,Su 10:00-16:00"),
    "days of one month": ("Dec 24-26 off", "Dec 24-Dec 26: Mo,Tu,We,Th,Fr,Sa,Su off"),
    "one day": ("Jan 1 off", "Jan 01-Jan 01: Mo,Tu,We,Th,Fr,Sa,Su off"),
    "one month, and a time that is no day of it": (
        "May 09:00-17:00",
        "May 01-May 31: Mo,Tu,We,Th,Fr,Sa,Su 09:00-17:00",
    ),
    "several seasons": ("Jan-Feb,Jul: WD off", "Jan 01-Feb 29,Jul 01-Jul 31: WD off"),
    "over midnight": ("Fr 22:00-02:00", "Fr 22:00-26:00"),
    "over midnight, counted on": ("Fr 22:00-26:00", "Fr 22:00-26:00"),
    "signs of Chinese keyboards": ("WD 09：00—12：00，14:30–18:00；RD off", "WD 09:00-12:00,14:30-18:00; RD off"),
    "a semicolon at the end": ("WD 09:00-12:00;", "WD 09:00-12:00"),
}


@pytest.mark.parametrize(("text", "written"), READ.values(), ids=READ)
def test_read(text: str, written: str | None) -> None:
    assert str(parse_rules(text)) == (written or text)


@pytest.mark.parametrize("text", [text for text, _ in READ.values()], ids=READ)
def test_what_was_read_is_written_so_that_it_reads_the_same(text: str) -> None:
    assert parse_rules(str(parse_rules(text))) == parse_rules(text)


@pytest.mark.parametrize("text", ["24x7", "24/7", " 24X7 "])
def test_always(text: str) -> None:
    assert parse_rules(text) == ALWAYS_RULES


def test_a_zone_stands_in_front() -> None:
    rules = parse_rules("[Asia/Urumqi] Mo-Fr 10:00-18:00")
    assert rules.zone == "Asia/Urumqi"
    assert parse_rules("[Asia/Urumqi] 24x7").zone == "Asia/Urumqi"
    assert str(rules) == "Mo,Tu,We,Th,Fr 10:00-18:00"


REFUSED = {
    "nothing": ("", "character 1, at the end: expected days and times"),
    "a word": ("weekdays", "character 1, before 'weekdays': expected days and times"),
    "an English weekday": ("Mon 09:00-17:00", "character 1, before 'Mon 09:00-17:00': expected days and times"),
    "no closing time": ("Mo 09:00", "character 9, at the end: expected - and the time it closes at"),
    "an hour that there is not": ("Mo 09:00-49:00", "character 10, before '49:00': 49:00 is not a time of day"),
    "a minute that there is not": ("Mo 09:60-17:00", "character 4, before '09:60-17:00': 09:60 is not"),
    "hours without minutes": ("Mo 9-17", "character 4, before '9-17': expected days and times"),
    "no length": ("Mo 09:00-09:00", "opens and closes at the same time: write 00:00-24:00"),
    "over a day long": ("Mo 09:00-34:00", "longer than a day"),
    "opening behind the day's end": ("Mo 25:00-26:00", "opens after the end of its day"),
    "a range without an end": ("Mo- 09:00-17:00", "expected the weekday that the range ends with"),
    "a range to a class": ("Mo-HD 09:00-17:00", "character 4, before 'HD 09:00-17:00': expected the weekday"),
    "a comma too many": ("Mo, 09:00-17:00", "expected a day: Mo Tu We"),
    "a day that no year has": ("Feb 30 off", "character 5, before '30 off': Feb has the days 1 to 29"),
    "a season without an end": ("May-: off", "expected the month that the season ends with"),
    "half a season in days": ("May 1-Sep: off", "expected days at both ends of the season"),
    "two rules without a semicolon": ("WD 09:00-17:00 RD off", "character 16, before 'RD off': expected ;"),
    "no season behind a season": (
        "May-Sep: WD 09:00-19:00; HD off",
        "character 26, before 'HD off': expected a season, as the rule before has one",
    ),
    "a zone that there is not": ("[Asia/Nowhere] off", "'Asia/Nowhere' is not a time zone"),
    "too long": ("x" * (MAX_TEXT + 1), "2001 characters, allowed are 2000"),
    "too many rules": ("Mo off;" * 65, "more than 64 rules"),
    "too many times": ("Mo " + ",".join(["09:00-10:00"] * 17), "more than 16 times"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, said: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse_rules(text)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "dated"),
    [
        ("off", DatedRule(())),
        ("10:00-14:00", DatedRule(((600, 840),))),
        ("+18:00-21:00", DatedRule(((1080, 1260),), extends=True)),
        ("Scheduled", DatedRule((), scheduled=True)),
        ("+ 06:00-08:00, 22:00-02:00", DatedRule(((360, 480), (1320, 1560)), extends=True)),
    ],
)
def test_dated(text: str, dated: DatedRule) -> None:
    assert parse_dated(text) == dated
    assert parse_dated(str(dated)) == dated


@pytest.mark.parametrize("text", ["", "+off", "Mo 10:00-14:00", "10:00-14:00; off", "++10:00-12:00", "+scheduled"])
def test_a_dated_rule_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ScheduleError, match="character"):
        parse_dated(text)


@pytest.mark.parametrize("name", ["", "Nowhere", "../etc/passwd", "/etc/passwd", "asia"])
def test_no_zone(name: str) -> None:
    with pytest.raises(ScheduleError, match="not a time zone"):
        parse_zone(name)


# The weekday and class of a day, and the hour at which the rules of the next table open it.
FRIDAY, SATURDAY, SUNDAY, THURSDAY = date(2026, 3, 6), date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 5)
WORKDAY, REST, HOLIDAY = DayClass.WORKDAY, DayClass.REST, DayClass.HOLIDAY
TWO_RULES = "Mo-Fr 08:00-12:00; Sa,Su 10:00-12:00"

HOURS = {
    "an ordinary workday": (TWO_RULES, FRIDAY, WORKDAY, 8),
    "an ordinary day of rest": (TWO_RULES, SATURDAY, REST, 10),
    "a make-up Saturday follows the rule for the week": (TWO_RULES, SATURDAY, WORKDAY, 8),
    "a make-up Saturday follows WD": ("WD 08:00-12:00; RD 10:00-12:00", SATURDAY, WORKDAY, 8),
    "a make-up Saturday of who opens Tuesday to Sunday": ("Tu-Su 09:00-12:00; Mo off", SATURDAY, WORKDAY, 9),
    "a make-up Sunday of who closes on Sunday": ("Mo-Sa 09:00-12:00", SUNDAY, WORKDAY, 9),
    "a make-up Saturday without a rule for the week": ("Mo,We 08:00-12:00; Sa 10:00-12:00", SATURDAY, WORKDAY, 10),
    "a holiday in the week follows the rule for days of rest": (TWO_RULES, THURSDAY, HOLIDAY, 10),
    "a holiday in the week follows RD": ("WD 08:00-12:00; RD 10:00-12:00", THURSDAY, HOLIDAY, 10),
    "a holiday of who opens on workdays only": ("Mo-Fr 08:00-12:00", THURSDAY, HOLIDAY, None),
    "a holiday of who opens every day": ("Mo-Su 09:00-12:00", THURSDAY, HOLIDAY, 9),
    "a holiday of who is closed on Thursdays": ("Th off; Fr-We 09:00-12:00", THURSDAY, HOLIDAY, 9),
    "the rule for holidays goes before later ones for weekdays": ("HD off; Mo-Su 09:00-12:00", THURSDAY, HOLIDAY, None),
    "a holiday on a Saturday": ("Sa 10:00-12:00; Mo-Fr 08:00-12:00", SATURDAY, HOLIDAY, 10),
    "a day off in the week, by a table": (TWO_RULES, THURSDAY, REST, 10),
    "a rule for holidays is not for days off": ("WD 08:00-12:00; HD 11:00-12:00", THURSDAY, REST, None),
    "the later rule overrides": ("Mo-Su 09:00-12:00; Fr 07:00-12:00", FRIDAY, WORKDAY, 7),
    "the later rule is off": ("09:00-12:00; Fr off", FRIDAY, WORKDAY, None),
    "a rule of another season": ("09:00-12:00; May-Sep: 07:00-12:00", FRIDAY, WORKDAY, 9),
    "a rule of this season": ("09:00-12:00; Nov-Mar: 10:00-12:00", FRIDAY, WORKDAY, 10),
    "the last day of a season": ("Jan 1-Mar 6: 09:00-12:00", FRIDAY, WORKDAY, 9),
    "the day behind a season": ("Jan 1-Mar 5: 09:00-12:00", FRIDAY, WORKDAY, None),
}


@pytest.mark.parametrize(("text", "day", "kind", "hour"), HOURS.values(), ids=HOURS)
def test_the_rule_of_a_day(text: str, day: date, kind: DayClass, hour: int | None) -> None:
    opens = [begin // 60 for begin, _ in parse_rules(text).spans(day, kind)]
    assert opens == ([] if hour is None else [hour])


def test_minutes_beyond_midnight_are_counted_on() -> None:
    assert [clock_text(minute) for minute in (0, 545, 1440, 1560)] == ["00:00", "09:05", "24:00", "26:00"]
