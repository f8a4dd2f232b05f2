"""`milepost route` as a process, on a real database."""

import asyncpg
import pytest

from tests.integration.milepost.test_duty_command import DUTIES, listed
from tests.integration.milepost.test_users import areas, done, milepost

ROUTES = """
INSERT INTO contact_channel (contact, place, kind, address) VALUES
    ('li', 1, 'sms', '+8613800138000'), ('li', 2, 'mail', 'li@example.cn'), ('zhao', 1, 'mail', 'zhao@example.cn');
UPDATE contact SET quiet = '22:00-07:00' WHERE id = 'li';
INSERT INTO station (id, name, area, schedule) VALUES ('s1', '自助站', '632100000000', '24x7');
INSERT INTO route (id, name, steps, edited_by) VALUES
    ('default', '所有', '[{"role": "technician"}, {"role": "head", "after": 3600}]', 'operator');
INSERT INTO route (id, name, area, kinds, steps, edited_by) VALUES
    ('blind', '盲点', '632100000000', '{blind_spot}', '[{"role": "technician"}]', 'operator')
"""
EXPLAIN = ("route", "explain", "--station", "s1", "--kind", "station_offline")


async def fill(database: str) -> None:
    await areas(database)
    connection = await asyncpg.connect(database)
    await connection.execute(DUTIES)
    await connection.execute(ROUTES)
    await connection.close()


async def test_who_would_be_told(database: str) -> None:
    await fill(database)
    assert listed(done(database, *EXPLAIN, "--at", "2026-11-30 09:00")) == [
        ["Station offline (warning) of s1, 青海 / 海东, at 2026-11-30 09:00"],
        [],
        ["ROUTE", "AREA", "VERDICT"],
        ["default", "everywhere", "taken"],
        ["blind", "632100000000 海东", "other kinds of incidents"],
        [],
        ["DUE", "STEP", "WHO", "CHANNELS", "WHY"],
        ["2026-11-30 09:00", "1 technician", "李明 (li)", "SMS, e-mail", "632100000000 海东: WD 08:00-18:00"],
        ["ma", "not told: not on duty at this time"],
        ["2026-11-30 10:00", "2 head after 1h", "赵磊 (zhao)", "e-mail", "everywhere: its own role"],
    ]


async def test_the_next_step_at_once_and_why(database: str) -> None:
    await fill(database)
    shown = listed(done(database, *EXPLAIN, "--at", "2026-12-01T09:00"))
    assert shown[7:] == [
        ["2026-12-01 09:00", "1 technician", "nobody", "nobody on duty has a channel"],
        ["ma", "not told: without a channel"],
        ["李明 (li)", "not told: absent, with a substitute"],
        ["2026-12-01 09:00", "2 head after 1h", "赵磊 (zhao)", "e-mail", "everywhere: its own role"],
    ]


async def test_a_page_that_waits_for_the_end_of_quiet_hours(database: str) -> None:
    await fill(database)
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE duty SET times = '24x7' WHERE contact = 'li'")
    await connection.close()
    late = ("--at", "2026-11-30 23:00")
    shown = done(database, *EXPLAIN, *late)
    assert "632100000000 海东: 24x7; quiet hours, sent at 2026-12-01 07:00" in shown
    assert "quiet hours" not in done(database, *EXPLAIN, *late, "--severity", "critical")


async def test_an_incident_that_nobody_would_be_told_of(database: str) -> None:
    await fill(database)
    of_area = ("route", "explain", "--area", "63", "--kind", "area_outage")
    assert listed(done(database, *of_area))[0][0].startswith("Area outage (critical) of 630000000000, 青海")
    connection = await asyncpg.connect(database)
    await connection.execute("DELETE FROM route WHERE id = 'default'")
    await connection.close()
    ran = milepost(database, *EXPLAIN)
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (1, "Nobody would be told: no route covers it.")


async def test_gaps(database: str) -> None:
    await fill(database)
    gaps = ("route", "gaps", "--days", "2", "--from", "2026-11-30 00:00")
    ran = milepost(database, *gaps)
    assert ran.returncode == 1
    assert listed(ran.stdout) == [
        ["AREAS", "INCIDENTS", "ROUTE", "WHY", "HOURS", "WHEN"],
        [
            "632100000000 海东",
            "Blind spot",
            "blind",
            "nobody on duty has a channel",
            "38",
            "2026-11-30 00:00 – 08:00, 2026-11-30 18:00 – 12-02 00:00",
        ],
        [],
        [
            "1 of 3 areas have gaps from 2026-11-30 00:00 to 2026-12-02 00:00. `--csv` lists each area and interval.",
        ],
    ]
    ran = milepost(database, *gaps, "--csv", "--kind", "blind_spot", "--severity", "warning")
    assert ran.stdout.splitlines() == [
        "area,name,from,until,route,why,incidents,programme,station_kind",
        "632100000000,海东,2026-11-30T00:00+08:00,2026-11-30T08:00+08:00,blind,no_channel,blind_spot/warning,,",
        "632100000000,海东,2026-11-30T18:00+08:00,2026-12-02T00:00+08:00,blind,no_channel,blind_spot/warning,,",
    ]
    none = done(database, *gaps, "--kind", "station_offline")
    assert none == "Somebody would be told everywhere from 2026-11-30 00:00 to 2026-12-02 00:00.\n"


async def test_in_chinese(database: str) -> None:
    await fill(database)
    ran = milepost(database, *EXPLAIN, "--at", "2026-11-30 09:00", language="zh_CN.UTF-8")
    assert listed(ran.stdout) == [
        ["2026-11-30 09:00 s1（青海 / 海东）服务点离线（警告）"],
        [],
        ["路由", "区划", "结论"],
        ["default", "全部", "采用"],
        ["blind", "632100000000 海东", "事件类型不符"],
        [],
        ["时间", "步骤", "通知", "渠道", "原因"],
        ["2026-11-30 09:00", "1 technician", "李明 (li)", "短信、电子邮件", "632100000000 海东：WD 08:00-18:00"],
        ["ma", "不通知：此时不值班"],
        ["2026-11-30 10:00", "2 head after 1h", "赵磊 (zhao)", "电子邮件", "全部：本人角色"],
    ]
    gaps = ("route", "gaps", "--days", "1", "--from", "2026-11-28", "--area", "6321")
    ran = milepost(database, *gaps, language="zh_CN.UTF-8")
    assert listed(ran.stdout) == [
        ["区划", "事件", "路由", "原因", "小时", "时段"],
        ["632100000000 海东", "盲点", "blind", "值班人员没有通知渠道", "24", "始终"],
        [],
        ["2026-11-28 00:00 至 2026-11-29 00:00，1 个区划中有 1 个存在通知空白。`--csv` 列出每个区划和时段。"],
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("explain", "--station", "s9"), "there is no station s9: correct it"),
        (("explain", "--area", "64"), "there is no area 640000000000: correct it"),
        (("explain", "--area", "6"), "--area: "),
        (("gaps", "--area", "64"), "there is no area 640000000000: correct it"),
        (("gaps", "--days", "63"), "--days: use 1 to 62"),
        (("gaps", "--from", "noon"), "--from: 'noon' is not a date or time"),
    ],
)
async def test_what_is_wrong_is_named(database: str, words: tuple[str, ...], says: str) -> None:
    await fill(database)
    ran = milepost(database, "route", *words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert says in ran.stderr
