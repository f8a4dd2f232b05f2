"""`milepost duty now` as a process, on a real database."""

import asyncpg

from tests.integration.milepost.test_users import areas, done, milepost

DUTIES = """
INSERT INTO contact (id, name, role, area, edited_by) VALUES
    ('li', '李明', 'technician', '632100000000', 'operator'), ('ma', 'ma', 'technician', '632100000000', 'operator'),
    ('zhao', '赵磊', 'head', NULL, 'operator');
INSERT INTO duty (area, role, contact, times, weeks, week, valid_from, edited_by) VALUES
    ('632100000000', 'technician', 'li', 'WD 08:00-18:00', 1, 1, NULL, 'operator'),
    ('630000000000', 'lead', 'ma', '24x7', 2, 2, '2026-11-23', 'operator');
INSERT INTO duty_substitute (contact, substitute, from_at, until_at, edited_by)
VALUES ('li', 'ma', '2026-12-01T00:00+08:00', '2026-12-02T00:00+08:00', 'operator')
"""


async def fill(database: str) -> None:
    await areas(database)
    connection = await asyncpg.connect(database)
    await connection.execute(DUTIES)
    await connection.close()


def listed(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


async def test_who_is_on_duty(database: str) -> None:
    await fill(database)
    assert listed(done(database, "duty", "now", "--at", "2026-11-30 09:00")) == [
        ["AREA", "ROLE", "ON DUTY 2026-11-30 09:00", "WHY"],
        ["everywhere", "head", "赵磊 (zhao)", "its own role"],
        ["630000000000 青海", "lead", "ma", "24x7, week 2 of 2"],
        ["632100000000 海东", "technician", "李明 (li)", "WD 08:00-18:00"],
    ]
    assert listed(done(database, "duty", "now", "--at", "2026-12-01T09:00", "--area", "6321"))[1:] == [
        ["632100000000 海东", "technician", "ma", "instead of 李明 (li); WD 08:00-18:00"]
    ]
    assert listed(done(database, "duty", "now", "--at", "2026-11-28 23:00", "--area", "63"))[1:] == [
        ["630000000000 青海", "lead", "nobody", "ma: a week of others in the rotation"],
        [
            "632100000000 海东",
            "technician",
            "nobody",
            "李明 (li): not on duty at this time; ma: not on duty at this time",
        ],
    ]
    assert done(database, "duty", "now").startswith("AREA")


async def test_in_chinese(database: str) -> None:
    await fill(database)
    ran = milepost(database, "duty", "now", "--at", "2026年12月1日 9:00", language="zh_CN.UTF-8")
    assert listed(ran.stdout) == [
        ["区划", "角色", "2026-12-01 09:00 值班", "原因"],
        ["全部", "head", "赵磊 (zhao)", "本人角色"],
        ["630000000000 青海", "lead", "ma", "24x7，2 周轮换的第 2 周"],
        ["632100000000 海东", "technician", "ma", "代 李明 (li)；WD 08:00-18:00"],
    ]
    ran = milepost(database, "duty", "now", "--at", "2026-11-28 23:00", language="zh_CN.UTF-8")
    assert listed(ran.stdout)[-1][2:] == ["无人", "李明 (li)：此时不值班；ma：此时不值班"]


async def test_an_area_that_is_not_there(database: str) -> None:
    await fill(database)
    for named, says in (("64", "there is no area 640000000000"), ("6", "--area: ")):
        ran = milepost(database, "duty", "now", "--area", named)
        assert (ran.returncode, ran.stdout) == (2, "")
        assert says in ran.stderr
