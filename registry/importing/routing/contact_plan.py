"""What an import of contacts would change. Pure.

A row without an id is the contact of the same name, role and area, or a new one. Channels are compared by their
fingerprints: no address is in a plan's lines.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from contract.said import Said
from registry.contacts.model import Address, Channel, Contact
from registry.contacts.rules import ContactEdit
from registry.importing.diff import Plan, compare, no_area
from registry.importing.layout import BadCell
from registry.importing.rows import Row, Rows


class ImportedContact(Contact, frozen=True, kw_only=True):
    """A contact of a file, with its addresses; None: the file has no column for them."""

    addresses: tuple[Address, ...] | None = None

    @property
    def edit(self) -> ContactEdit:
        """What is to be written."""
        return ContactEdit(contact=self, addresses=self.addresses)


class ContactContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says of the names in a file. `stored`: all contacts by id; `channels`: by address; `areas`:
    those that there are; `accounts`: {name in the file: id}."""

    stored: Mapping[str, Contact] = {}
    channels: Mapping[Address, Channel] = {}
    areas: Collection[str] = ()
    accounts: Mapping[str, str] = {}


def plan_contacts(rows: Rows, around: ContactContext, new_id: Callable[[], str]) -> Plan[Contact]:
    """Compare the rows with the stored contacts. `new_id` makes the id of a new contact whose row has none."""
    named = _by_name(around.stored)
    wanted: dict[str, Contact] = {}
    before: dict[str, Contact] = {}
    removed: list[Contact] = []
    lines: dict[str, int] = {}
    bad = list(rows.bad)
    for row in rows.good:
        found = _stored(row, around.stored, named)
        built = found if isinstance(found, BadCell) else _contact_of(row, found, around, new_id)
        if not isinstance(built, BadCell) and built.id in lines:
            built = _twice(row, built.id, lines[built.id])
        if isinstance(built, BadCell):
            bad.append(built)
            continue
        lines[built.id] = row.line
        stored = around.stored.get(built.id)
        if row.values.get("remove"):
            removed += [stored] if stored is not None and (stored.retired_at is None or stored.muted) else []
            continue
        wanted[row.key] = built
        if stored is not None:
            before[row.key] = stored
    return msgspec.structs.replace(compare(wanted, before, bad, []), removed=removed)


def namesakes_note(rows: Rows, stored: Mapping[str, Contact]) -> list[Said]:
    """What to say of rows without an id that have the name of a contact with another role or area."""
    keys, names = set(_by_name(stored)), {contact.name for contact in stored.values()}
    others = [
        row for row in rows.good
        if row.values.get("id") is None and row.values["name"] in names and _name_key(row) not in keys
    ]  # fmt: skip
    if not others:
        return []
    return [
        Said(
            f"{len(others)} rows without an id have the name of a stored contact with another role or area: they are "
            "new contacts. Give the id to change the stored one.",
            f"有 {len(others)} 行没有编号，与已存联系人同名但角色或区划不同：将作为新联系人。"
            "要更改已存的联系人，请填写其编号。",
        )
    ]


def reach_note(contacts: Sequence[str]) -> list[Said]:
    """What to say of contacts whose area their account does not see."""
    if not contacts:
        return []
    shown = ", ".join(contacts[:5]) + (", …" if len(contacts) > 5 else "")
    return [
        Said(
            f"{len(contacts)} contacts are responsible for an area that their account does not see ({shown}): an "
            "import widens no account. Change its scope with `milepost users`.",
            f"有 {len(contacts)} 名联系人负责的区划不在其账户的范围内（{shown}）：导入不会扩大账户的范围。"
            "请用 milepost users 更改。",
        )
    ]


_NameKey = tuple[str, str, str | None]


def _name_key(row: Row) -> _NameKey:
    return row.values["name"], row.values["role"], row.values.get("area")


def _by_name(stored: Mapping[str, Contact]) -> dict[_NameKey, list[Contact]]:
    """Contacts by name, role and area; retired ones last."""
    found: dict[_NameKey, list[Contact]] = {}
    for contact in sorted(stored.values(), key=lambda each: (each.retired_at is not None, each.id)):
        found.setdefault((contact.name, contact.role, contact.area), []).append(contact)
    return found


def _stored(
    row: Row, stored: Mapping[str, Contact], named: Mapping[_NameKey, list[Contact]]
) -> Contact | BadCell | None:
    """The contact that a row means; None: a new one."""
    if (own := row.values.get("id")) is not None:
        return stored.get(own)
    same = named.get(_name_key(row), [])
    active = [contact for contact in same if contact.retired_at is None] or same
    if len(active) > 1:
        ids = ", ".join(contact.id for contact in active[:5])
        return BadCell(
            row.line,
            "name",
            Said(
                f"{len(active)} contacts have this name, role and area: give the id of one of them ({ids})",
                f"有 {len(active)} 名联系人的名称、角色和区划与此相同：请填写其中一人的编号（{ids}）",
            ),
        )
    return active[0] if active else None


def _contact_of(
    row: Row, stored: Contact | None, around: ContactContext, new_id: Callable[[], str]
) -> ImportedContact | BadCell:
    values = dict(_values(row, stored))
    values["id"] = values.get("id") or (stored.id if stored else new_id())
    if row.values.get("remove"):
        return ImportedContact(**values)
    if (area := values["area"]) is not None and area not in around.areas:
        return BadCell(row.line, "area", no_area(area))
    if (name := row.values.get("account")) is not None:
        if values["room"]:
            return BadCell(
                row.line, "account", Said("a room has no account: empty the cell", "群聊没有账户：请清空此格")
            )
        if name not in around.accounts:
            problem = Said(
                f"{name[:40]!r} is not the login of an account: correct it, or empty the cell",
                f"没有登录名为“{name[:40]}”的账户：请更正，或清空此格",
            )
            return BadCell(row.line, "account", problem)
        values["account"] = around.accounts[name]
    addresses = row.values.get("channels")
    if addresses is not None:
        values["channels"] = tuple(around.channels[address] for address in addresses)
    return ImportedContact(**values, addresses=addresses)


def _values(row: Row, stored: Contact | None) -> Iterator[tuple[str, Any]]:
    """The fields of a contact: of the row, else as stored. A person keeps the account where the cell is empty."""
    given = {name: value for name, value in row.values.items() if name not in ("remove", "channels")}
    if given.get("account") is None:
        given.pop("account", None)
    if given.get("id") is None:
        given.pop("id", None)
    kept = {} if stored is None else {name: getattr(stored, name) for name in Contact.__struct_fields__}
    if stored is not None and not stored.muted:
        kept["retired_at"] = None
    merged = {**kept, **given}
    if merged.get("room"):
        merged["account"] = None
    yield from {"area": None, "room": False, **merged}.items()


def _twice(row: Row, contact: str, line: int) -> BadCell:
    return BadCell(
        row.line,
        "id",
        Said(f"{contact} is already on line {line}: keep one of them", f"{contact} 与第 {line} 行重复：请只留一行"),
    )
