"""What an import of duties or of substitutes would change. Pure.

A row that says `remove` removes what it names; what is not in the file stays.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from contract.said import Said, SaidError
from registry.duty.checks import rotation_fault, substitute_fault
from registry.duty.model import Duty, NamedContact, Substitute
from registry.importing.diff import Plan, compare, no_area
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows

U = TypeVar("U", Duty, Substitute)
Contacts = Mapping[str, NamedContact]


def plan_duties(rows: Rows, stored: Iterable[Duty], contacts: Contacts, areas: Collection[str]) -> Plan[Duty]:
    """Compare the rows with the stored duties. `contacts`: all of them by id; `areas`: those of the rows that there
    are."""

    def build(row: Row, known: Mapping[Hashable, Duty]) -> Duty | BadCell:
        return _duty_of(row, known, contacts, areas)

    return _plan(rows, {_duty_key(duty): duty for duty in stored}, _duty_key, build)


def plan_substitutes(rows: Rows, stored: Iterable[Substitute], contacts: Contacts) -> Plan[Substitute]:
    """Compare the rows with the stored substitutes. `contacts`: all of them by id."""

    def build(row: Row, known: Mapping[Hashable, Substitute]) -> Substitute | BadCell:
        return _substitute_of(row, known, contacts)

    return _plan(rows, {_substitute_key(each): each for each in stored}, _substitute_key, build)


def _duty_key(duty: Duty) -> Hashable:
    return duty.area, duty.role, duty.contact, duty.times, duty.weeks, duty.week, duty.valid_from


def _substitute_key(absence: Substitute) -> Hashable:
    return absence.contact, absence.from_at


def _plan(
    rows: Rows,
    stored: Mapping[Hashable, U],
    key_of: Callable[[U], Hashable],
    build: Callable[[Row, Mapping[Hashable, U]], U | BadCell],
) -> Plan[U]:
    wanted: dict[str, U] = {}
    before: dict[str, U] = {}
    removed: list[U] = []
    lines: dict[Hashable, int] = {}
    bad = list(rows.bad)
    for row in rows.good:
        built = build(row, stored)
        if isinstance(built, BadCell):
            bad.append(built)
            continue
        key = key_of(built)
        if key in lines:
            bad.append(_twice(row, lines[key]))
            continue
        lines[key] = row.line
        if row.values.get("remove"):
            removed += [stored[key]] if key in stored else []
            continue
        wanted[row.key] = built
        if key in stored:
            before[row.key] = stored[key]
    return msgspec.structs.replace(compare(wanted, before, bad, []), removed=removed)


def _duty_of(row: Row, stored: Mapping[Hashable, Duty], contacts: Contacts, areas: Collection[str]) -> Duty | BadCell:
    found = _contact(row, "contact", contacts)
    if isinstance(found, BadCell):
        return found
    values = {**_values(row), "contact": found}
    duty = Duty(**values)
    known = stored.get(_duty_key(duty))
    duty = duty if known is None else msgspec.structs.replace(known, **values)
    if row.values.get("remove"):
        return duty
    if duty.area is not None and duty.area not in areas:
        return BadCell(row.line, "area", no_area(duty.area))
    if fault := rotation_fault(duty):
        return BadCell(row.line, *fault)
    return duty if known is not None else _unless_retired(row, duty, contacts, "contact")


def _substitute_of(row: Row, stored: Mapping[Hashable, Substitute], contacts: Contacts) -> Substitute | BadCell:
    contact, substitute = _contact(row, "contact", contacts), _contact(row, "substitute", contacts)
    if isinstance(contact, BadCell):
        return contact
    if isinstance(substitute, BadCell):
        return substitute
    values = {**_values(row), "contact": contact, "substitute": substitute}
    absence = Substitute(**values)
    known = stored.get(_substitute_key(absence))
    absence = absence if known is None else msgspec.structs.replace(known, **values)
    if row.values.get("remove"):
        return absence
    if fault := substitute_fault(absence):
        column, problem = fault
        return BadCell(row.line, _COLUMNS.get(column, column), problem)
    changed = known is None or known.substitute != absence.substitute
    return _unless_retired(row, absence, contacts, "substitute") if changed else absence


_COLUMNS = {"from_at": "from", "until_at": "until"}


def _values(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.values.items() if name != "remove"}


def _contact(row: Row, field: str, contacts: Contacts) -> str | BadCell:
    try:
        return contact_named(row.values[field], contacts)
    except SaidError as exc:
        return BadCell(row.line, field, exc.said)


def contact_named(text: str, contacts: Contacts) -> str:
    """The id of the contact with this id, or else with this name. Raises SaidError for none and for several."""
    if text in contacts:
        return text
    same = sorted(contact.id for contact in contacts.values() if contact.name == text and not contact.retired)
    if len(same) == 1:
        return same[0]
    shown = text if len(text) <= 40 else text[:40] + "…"
    if not same:
        raise SaidError(
            f"{shown!r} is not the id or the name of a contact: import the contact first, or correct it",
            f"没有编号或姓名为“{shown}”的联系人：请先导入联系人，或改正",
        )
    ids = ", ".join(same[:5])
    raise SaidError(
        f"{len(same)} contacts have the name {shown!r}: give the id of one of them ({ids})",
        f"有 {len(same)} 名联系人叫“{shown}”：请填写其中一人的编号（{ids}）",
    )


def _unless_retired(row: Row, entry: U, contacts: Contacts, field: str) -> U | BadCell:
    name = getattr(entry, field)
    if not contacts[name].retired:
        return entry
    problem = Said(f"{name} is retired: name another contact", f"联系人 {name} 已停用：请换一名联系人")
    return BadCell(row.line, field, problem)


def _twice(row: Row, line: int) -> BadCell:
    return BadCell(
        row.line, None, Said(f"says the same as line {line}: keep one of them", f"与第 {line} 行相同：请只留一行")
    )
