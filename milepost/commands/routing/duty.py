"""`milepost duty`: who is on duty."""

import argparse
import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from contract.errors import RemedyError
from contract.home import HOME
from contract.said import Said, SaidError
from milepost.commands.account_database import required_url, table, word_of
from milepost.language import show
from milepost.settings import Settings
from registry.codes import normal_code
from registry.contacts.model import Contact
from registry.duty.listing import DutyLine, duty_lines
from registry.duty.model import Duty, Holder
from registry.duty.roster_store import load_roster
from registry.importing.cells import moment
from registry.model import Area
from registry.store import list_areas
from store.migrate import require_current
from store.pool import open_pool

_WHOLE: Final = Said("everywhere", "全部")
_NOBODY: Final = Said("nobody", "无人")


class _Known(msgspec.Struct, frozen=True):
    """What the list names: contacts, duties and areas by their ids."""

    contacts: Mapping[str, Contact]
    duties: Mapping[int, Duty]
    areas: Mapping[str, Area]


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """List who is on duty. Raises RemedyError."""
    at = _time(arguments.at)
    async with (
        open_pool(required_url(settings.database_url), name="duty", size=1) as pool,
        pool.acquire() as connection,
    ):
        await require_current(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            loaded, areas = await load_roster(connection, at), await list_areas(connection)
    lines = duty_lines(loaded.roster, at, _below(areas, arguments.area))
    show(_text(lines, _Known(loaded.contacts, loaded.duties, areas), at))


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return moment(text)
    except SaidError as exc:
        raise RemedyError(f"--at: {exc.said.en}", f"--at：{exc.said.zh}") from exc


def _below(areas: Mapping[str, Area], named: str | None) -> set[str] | None:
    """The codes of an area and those below it; None: no area is named."""
    if named is None:
        return None
    try:
        code = normal_code(named)
    except SaidError as exc:
        raise RemedyError(f"--area: {exc.said.en}", f"--area：{exc.said.zh}") from exc
    if code not in areas:
        raise RemedyError(f"there is no area {code}: correct it", f"没有区划 {code}：请改正")
    return {area.code for area in areas.values() if code in area.path}


def _text(lines: list[DutyLine], known: _Known, at: datetime) -> str | Said:
    if not lines:
        return Said(
            "nobody has a role here: import contacts, then duty (`milepost import`)",
            "这里没有任何角色：请先导入联系人，再导入值班（`milepost import`）",
        )
    time = at.astimezone(HOME).strftime("%Y-%m-%d %H:%M")
    head = (Said("AREA", "区划"), Said("ROLE", "角色"), Said(f"ON DUTY {time}", f"{time} 值班"), Said("WHY", "原因"))
    return table([head, *(row for line in lines for row in _rows(line, known))])


def _rows(line: DutyLine, known: _Known) -> list[tuple[Said | str, ...]]:
    area = _WHOLE if line.area is None else _area(line.area, known)
    if line.outcome.found:
        return [(area, line.role, _name(holder.contact, known), _why(holder, known)) for holder in line.outcome.found]
    whys = [(_name(contact, known), word_of("passed_over", why)) for contact, why in line.outcome.passed_over]
    english = "; ".join(f"{name}: {why.en}" for name, why in whys)
    chinese = "；".join(f"{name}：{why.zh}" for name, why in whys)
    return [(area, line.role, _NOBODY, Said(english, chinese))]


def _area(code: str, known: _Known) -> str:
    found = known.areas.get(code)
    return code if found is None else f"{code} {found.name}"


def _name(contact: str, known: _Known) -> str:
    found = known.contacts.get(contact)
    return contact if found is None or found.name == contact else f"{found.name} ({contact})"


def _why(holder: Holder, known: _Known) -> Said:
    duty = known.duties.get(holder.duty) if holder.duty is not None else None
    if duty is None:
        said = Said("its own role", "本人角色")
    elif duty.weeks == 1:
        said = Said(duty.times, duty.times)
    else:
        said = Said(
            f"{duty.times}, week {duty.week} of {duty.weeks}", f"{duty.times}，{duty.weeks} 周轮换的第 {duty.week} 周"
        )
    if holder.instead_of is None:
        return said
    absent = _name(holder.instead_of, known)
    return Said(f"instead of {absent}; {said.en}", f"代 {absent}；{said.zh}")
