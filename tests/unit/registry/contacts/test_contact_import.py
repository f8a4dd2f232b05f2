"""What an import of contacts would change, and what it says; no address is in any of it."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from registry.contacts.addresses import parse_channels
from registry.contacts.model import Channel, ChannelKind, Contact
from registry.importing.diff import Plan
from registry.importing.export import write_csv
from registry.importing.report import ImportOptions, describe
from registry.importing.routing.contact_plan import ContactContext, ImportedContact, namesakes_note, plan_contacts
from registry.importing.rows import Rows, parse_rows
from registry.importing.sheets.sheet import read_sheet

AREA, OTHER = "632122000000", "630000000000"
PHONE, BOT = Channel(ChannelKind.SMS, "f-phone"), Channel(ChannelKind.WECOM, "f-bot")
KNOWN = dict(zip(parse_channels("sms:13800138000 wecom://geheim"), (PHONE, BOT), strict=True))
HEADER = "id,name,role,area,channels\n"
GONE = datetime(2026, 11, 1, tzinfo=UTC)


def contact(id_: str = "li", **more: Any) -> Contact:
    given = {"id": id_, "name": "李明", "role": "technician", "area": AREA, "account": f"a-{id_}", "channels": (PHONE,)}
    return Contact(**{**given, **more})


def rows(text: str) -> Rows:
    return parse_rows(read_sheet(text.encode()), "contacts")


def plan_of(text: str, stored: Iterable[Contact] = ()) -> Plan[Contact]:
    ids: Iterator[str] = (f"c-{n}" for n in range(1, 100))
    context = ContactContext(
        stored={each.id: each for each in stored}, channels=KNOWN, areas={AREA, OTHER}, accounts={"wang": "a-wang"}
    )
    return plan_contacts(rows(text), context, lambda: next(ids))


def problems(plan: Plan[Any]) -> list[str]:
    assert all(re.search("[\u4e00-\u9fff]", cell.problem.zh) for cell in plan.bad), "everything is said in Chinese too"
    return [str(cell) for cell in plan.bad]


def fields(plan: Plan[Contact]) -> list[dict[str, tuple[Any, Any]]]:
    return [change.fields for change in plan.changes]


def test_a_new_contact_gets_an_id_if_the_row_has_none() -> None:
    plan = plan_of("name,role,area,channels,language\n李明,technician,632122,sms:13800138000,en\n")
    (new,) = plan.new
    assert isinstance(new, ImportedContact)
    assert (new.id, new.language, new.channels, new.account) == ("c-1", "en", (PHONE,), None)
    assert new.addresses == parse_channels("13800138000")


def test_a_file_as_a_person_in_china_writes_it() -> None:
    plan = plan_of(
        "姓名,角色,区划代码,联系方式,语言,免打扰时段,是否群聊,登录名\n"
        "李明,技术员,632122,手机：13800138000；wecom://geheim,中文,22:00-07:00,否,wang\n"
    )
    assert problems(plan) == []
    (new,) = plan.new
    assert (new.role, new.channels, new.quiet, new.account) == ("technician", (PHONE, BOT), "22:00-07:00", "a-wang")


def test_the_same_name_role_and_area_is_the_same_contact() -> None:
    plan = plan_of(
        "name,role,area,channels\n李明,technician,632122,sms:13800138000\n", [contact(), contact("ma", name="马军")]
    )
    assert (plan.new, plan.unchanged, plan.changes) == ([], 1, [])


def test_another_area_is_a_new_contact_unless_the_id_is_given() -> None:
    text = "name,role,area\n李明,technician,63\n"
    assert [each.id for each in plan_of(text, [contact()]).new] == ["c-1"]
    assert "1 rows without an id" in namesakes_note(rows(text), {"li": contact()})[0].en
    moved = "id," + text.replace("\n李", "\nli,李")
    assert fields(plan_of(moved, [contact()])) == [{"area": (AREA, OTHER)}]
    assert namesakes_note(rows(moved), {"li": contact()}) == []


def test_channels_are_replaced_or_kept() -> None:
    replaced = plan_of(HEADER + "li,李明,technician,632122,wecom://geheim\n", [contact()])
    assert fields(replaced) == [{"channels": ((PHONE,), (BOT,))}]
    kept = plan_of("id,name,role,area\nli,李五,technician,632122\n", [contact()])
    assert fields(kept) == [{"name": ("李明", "李五")}]
    assert [each.addresses for each in kept.changed if isinstance(each, ImportedContact)] == [None]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_report_shows_fingerprints_and_never_an_address(language: str) -> None:
    text = (
        HEADER
        + "li,李明,technician,632122,wecom://geheim\n"
        + "ma,马军,lead,632122,sms:13800138000 sms:geheim\n"
        + ",新,lead,63,13800138000\n"
    )
    options = ImportOptions(language=language, skip_bad=True, dry_run=True)
    shown = describe(plan_of(text, [contact()]), "contacts", options, layout=rows(text).layout).text
    assert "sms:f-phone → wecom:f-bot" in shown
    assert "+ c-1 新 lead 630000000000 sms" in shown
    assert "channel 2 (sms)" in shown or "第 2 个渠道（短信）" in shown
    assert not re.search("geheim|138001", shown)


def test_empty_channels_are_called_out_before_they_are_lost() -> None:
    text = HEADER + "li,李明,technician,632122,\n"
    blank = {row.key: row.blank for row in rows(text).good}
    report = describe(plan_of(text, [contact()]), "contacts", ImportOptions(), blank=blank)
    assert (report.refused, report.cleared) == (True, 1)


def test_a_row_retires_a_contact_and_a_later_one_brings_it_back() -> None:
    header = "id,name,role,area,remove\n"
    assert [each.id for each in plan_of(header + "li,李明,technician,632122,yes\n", [contact()]).removed] == ["li"]
    retired = contact(retired_at=GONE, channels=())
    assert plan_of(header + "li,李明,technician,632122,是\n", [retired]).removed == []
    assert fields(plan_of(header + "li,李明,technician,632122,\n", [retired])) == [{"retired_at": (GONE, None)}]
    assert plan_of(header + "x,李明,technician,99,yes\n", [contact()]).removed == []


def test_a_disabled_account_is_not_undone_by_a_file() -> None:
    muted = contact(retired_at=GONE, muted=True)
    assert plan_of("id,name,role,area\nli,李明,technician,632122\n", [muted]).unchanged == 1
    assert [each.id for each in plan_of("name,role,area,remove\n李明,technician,632122,yes\n", [muted]).removed] == [
        "li"
    ]


def test_a_person_that_becomes_a_room_loses_its_account() -> None:
    plan = plan_of("id,name,role,area,room\nli,李明,technician,632122,yes\n", [contact()])
    assert fields(plan) == [{"room": (False, True), "account": ("a-li", None)}]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name,role,area\n李明,technician,65\n", "line 2, column area: 650000000000 is not an area"),
        ("name,role,area\n李明,Über,63\n", "column role: "),
        ("name,role,area,room,account\n群,lead,63,yes,wang\n", "column account: a room has no account"),
        ("name,role,area,account\n李明,lead,63,nobody\n", "column account: 'nobody' is not the login"),
        ("name,role,area,room\n李明,lead,63,maybe\n", "column room: 'maybe' says neither yes nor no"),
        ("name,role,area,language\n李明,lead,63,fr\n", "column language: 'fr' is not a language"),
        ("name,role,area,quiet\n李明,lead,63,nachts\n", "column quiet: "),
        ("id,name,role,area\nl i,李明,lead,63\n", "column id: 'l i' is not the id of a contact"),
        ("id,name,role,area\nx,一,lead,63\nx,二,lead,63\n", "line 3, column id: x is already on line 2"),
        ("name,role,area\n李明,lead,63\n李明,lead,63\n", "line 3, column id: - 李明 lead 630000000000 is already"),
        ("name,role,area\n王芳,lead,63\n", "column name: 2 contacts have this name, role and area: give the id"),
        ("id,name,role,area\n,李明,technician,632122\nli,李明,technician,632122\n", "line 3, column id: li is already"),
        ("name,role,area,channels\n李明,lead,63,sms:1\n", "column channels: channel 1 (sms): is no"),
    ],
)
def test_a_bad_row_is_named(text: str, problem: str) -> None:
    stored = [contact(), *(contact(f"wang-{n}", name="王芳", role="lead", area=OTHER) for n in (1, 2))]
    assert any(problem in found for found in problems(plan_of(text, stored))), problems(plan_of(text, stored))


def test_an_export_has_no_address_and_changes_nothing() -> None:
    stored = [
        contact(quiet="22:00-07:00", language="en"),
        contact("room", name="群", room=True, account=None, area=None, channels=(BOT, PHONE)),
    ]
    text = write_csv("contacts", stored)
    assert text.splitlines()[0] == "id,name,role,area,language,quiet,room,account,remove,remarks"
    assert "wecom:f-bot;sms:f-phone" in text
    context = ContactContext(stored={each.id: each for each in stored}, areas={AREA}, accounts={"a-li": "a-li"})
    plan = plan_contacts(rows(text), context, lambda: "x")
    assert (problems(plan), plan.writes, plan.unchanged) == ([], [], 2)
