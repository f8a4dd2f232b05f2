"""The report of an import: what it wrote or would write, as text for the person who runs it. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

import msgspec

from contract.glossary import WORDS, word
from contract.home import HOME
from contract.said import Said
from registry.contacts.model import Contact
from registry.duty.model import Duty, Substitute
from registry.importing.diff import Change, Plan, T
from registry.importing.layout import BadCell, Layout
from registry.importing.rows import COLUMNS, Kind
from registry.model import DeclaredClosure, NamedDay
from registry.routes.model import Route
from registry.routes.steps import steps_text
from store.author import OPERATOR

_CHOICES: Final = frozenset({"lifecycle", "level", "metric", "day_class"})
"""Fields whose values are words of the glossary; in English a file has the machine word."""
SHOWN: Final = 50
"""Lines of a diff or of a list of errors that are shown; of the rest only the number."""
_OTHERS: Final = {"retired_at": Said("retired", "停用")}
"""Fields that change without a column of their own."""
_VALUE: Final = 60
_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00")


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one import."""

    #: Write nothing, and report what would be written.
    dry_run: bool = False
    #: Import the good rows of a file that has bad ones.
    skip_bad: bool = False
    #: Let an empty cell clear the stored value.
    clear_blank: bool = False
    #: Accept ids that look as if they had lost leading zeros.
    ids_as_written: bool = False
    #: Accept coordinates that are in doubt.
    places_as_written: bool = False
    #: The language of the report: zh-CN or en.
    language: str = "en"
    #: The account that imports.
    account: str = OPERATOR


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an import, in numbers of rows, and as `text` for a person."""

    kind: Kind
    dry_run: bool
    #: Whether the plan was written; never after a dry run.
    applied: bool
    #: Whether bad rows or cleared values stop the import, also that of a dry run; the command ends with status 2.
    refused: bool
    new: int
    changed: int
    unchanged: int
    #: Areas whose own row changes nothing, but whose path changes with that of a parent.
    moved: int
    #: Entries that rows say to remove.
    removed: int
    #: Stored values that an empty cell clears.
    cleared: int
    bad: list[BadCell]
    #: Coordinates that are left out of good rows.
    doubts: list[BadCell]
    text: str


class ImportOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What happens with a plan under the options of its import."""

    options: ImportOptions
    bad: bool
    cleared: int
    doubts: int

    @property
    def would_clear(self) -> bool:
        """Whether empty cells would clear stored values and no option allows that."""
        return self.cleared > 0 and not self.options.clear_blank

    @property
    def stopped(self) -> bool:
        """Whether nothing may be written: bad rows, or values that would be cleared."""
        return (self.bad and not self.options.skip_bad) or self.would_clear


def describe(
    plan: Plan[T],
    kind: Kind,
    options: ImportOptions,
    *,
    layout: Layout = Layout(),  # noqa: B008 - it is frozen
    blank: Mapping[str, frozenset[str]] | None = None,
    doubts: Sequence[BadCell] = (),
    notes: Sequence[Said] = (),
) -> ImportReport:
    """The report of a plan.

    `blank`: {key: the fields whose cell is empty}; `doubts`: cells that are left out of good rows; `notes`: what else
    the person should know.
    """
    cleared = [_cleared(change, (blank or {}).get(change.key, frozenset())) for change in plan.changes]
    outcome = ImportOutcome(
        options=options, bad=bool(plan.bad), cleared=sum(len(change.fields) for change in cleared), doubts=len(doubts)
    )
    words = _ReportText(options.language, kind)
    lines = [
        *(note.text(options.language) for note in layout.notes),
        *words.cells(plan.bad, layout, ""),
        *words.cells(doubts, layout, "? "),
        *(note.text(options.language) for note in notes),
        *words.diff(plan, cleared),
        words.summary(plan, kind, outcome),
        *words.verdict(plan, outcome),
    ]
    return ImportReport(
        kind=kind,
        dry_run=options.dry_run,
        applied=not options.dry_run and not outcome.stopped,
        refused=outcome.stopped,
        new=len(plan.new),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        moved=len(plan.moved),
        removed=len(plan.removed),
        cleared=outcome.cleared,
        bad=plan.bad,
        doubts=list(doubts),
        text="\n".join(lines),
    )


def _cleared(change: Change, blank: frozenset[str]) -> Change:
    """The part of a change that comes from empty cells. An empty level of an area clears nothing: it is derived."""
    fields = {name: values for name, values in change.fields.items() if name in blank and name != "level"}
    return Change(change.key, fields)


class _ReportText:
    """The lines of a report in one language."""

    def __init__(self, language: str, kind: Kind) -> None:
        self._language = language
        self._columns = {column.field: Said(column.name, column.called[0]) for column in COLUMNS[kind]} | _OTHERS

    def _say(self, en: str, zh: str) -> str:
        return Said(en, zh).text(self._language)

    def cells(self, cells: Sequence[BadCell], layout: Layout, mark: str) -> Iterator[str]:
        for cell in cells[:SHOWN]:
            yield mark + layout.shown(cell, self._language)
        if (more := len(cells) - SHOWN) > 0:
            yield self._say(f"… and {more} more problems", f"……另有 {more} 处问题")

    def diff(self, plan: Plan[T], cleared: Sequence[Change]) -> Iterator[str]:
        yield from islice(self._diff(plan, cleared), SHOWN)
        hidden = len(plan.removed) + len(plan.new) + sum(len(change.fields) for change in plan.changes) - SHOWN
        if hidden > 0:
            yield self._say(f"… and {hidden} more lines", f"……另有 {hidden} 行")

    def _diff(self, plan: Plan[T], cleared: Sequence[Change]) -> Iterator[str]:
        """The lines of a plan, what is removed and cleared values first: they are lost."""
        for entry in plan.removed:
            yield f"- {self._new(entry)}"
        for change in cleared:
            yield from self._change(change.key, change.fields, "-")
        for change, gone in zip(plan.changes, cleared, strict=True):
            yield from self._change(change.key, {n: v for n, v in change.fields.items() if n not in gone.fields}, "~")
        for entry in plan.new:
            yield f"+ {self._new(entry)}"

    def _new(self, entry: Any) -> str:
        if isinstance(entry, DeclaredClosure):
            begin, end = _local(entry.from_at), _local(entry.until_at)
            return self._say(
                f"{entry.station} {begin} until {end}: {entry.reason}",
                f"{entry.station} {begin} 至 {end}：{entry.reason}",
            )
        if isinstance(entry, Duty):
            return duty_text(entry)
        if isinstance(entry, Substitute):
            begin, end = _local(entry.from_at), _local(entry.until_at)
            return self._say(
                f"{entry.substitute} for {entry.contact} {begin} until {end}",
                f"{entry.substitute} 代 {entry.contact} {begin} 至 {end}",
            )
        if isinstance(entry, Contact):
            kinds = ",".join(channel.kind for channel in entry.channels)
            return " ".join(filter(None, (entry.id, entry.name, entry.role, entry.area or "-", kinds)))
        if isinstance(entry, Route):
            return f"{entry.id} {entry.name} {entry.area or '-'}: {steps_text(entry.steps)}"
        if isinstance(entry, NamedDay):
            return f"{entry.id} {self._shown('day_class', entry.day_class)}"
        return f"{getattr(entry, 'code', None) or entry.id} {entry.name}"

    def _change(self, key: str, fields: Mapping[str, tuple[Any, Any]], sign: str) -> Iterator[str]:
        for name, (old, new) in fields.items():
            column = self._columns.get(name, Said(name, name)).text(self._language)
            yield f"{sign} {_local_key(key)} {column}: {self._shown(name, old)} → {self._shown(name, new)}"

    def _shown(self, field: str, value: Any) -> str:
        if field in _CHOICES and value and self._language != "en":
            value = word(field, value, self._language)
        if value is None or value == ():
            return self._say("(empty)", "（空）")
        if isinstance(value, tuple):
            value = ";".join(map(str, value))
        text = _local(value) if isinstance(value, datetime) else str(value)
        return text if len(text) <= _VALUE else text[:_VALUE] + "…"

    def summary(self, plan: Plan[T], kind: Kind, outcome: ImportOutcome) -> str:
        rows = len({cell.line for cell in plan.bad})
        moved, gone, doubts = len(plan.moved), outcome.cleared, outcome.doubts
        en = f"{WORDS['file'][kind].en}: {len(plan.new)} new, {len(plan.changed)} changed, {plan.unchanged} unchanged"
        zh = f"{WORDS['file'][kind].zh}：新增 {len(plan.new)}，更改 {len(plan.changed)}，不变 {plan.unchanged}"
        en += f", {moved} moved with their parent" if moved else ""
        zh += f"，随上级移动 {moved}" if moved else ""
        en += f", {len(plan.removed)} removed" if plan.removed else ""
        zh += f"，删除 {len(plan.removed)}" if plan.removed else ""
        en += f", {gone} values cleared" if gone else ""
        zh += f"，清空 {gone} 项" if gone else ""
        en += f", {doubts} coordinates in doubt" if doubts else ""
        zh += f"，坐标存疑 {doubts}" if doubts else ""
        return self._say(f"{en}, {rows} bad rows", f"{zh}，错误行 {rows}")

    def verdict(self, plan: Plan[T], outcome: ImportOutcome) -> Iterator[str]:
        options = outcome.options
        if outcome.doubts:
            yield self._say(
                "Coordinates in doubt are left off the map: correct them, or confirm them with --places-as-written.",
                "存疑的坐标不会显示在地图上：请改正，或加 --places-as-written 确认。",
            )
        if plan.bad and not options.skip_bad:
            yield self._say(
                "Nothing is applied: mend the bad rows, or leave them out with --skip-bad.",
                "没有导入任何内容：请改正错误行，或加 --skip-bad 跳过它们。",
            )
        if outcome.would_clear:
            yield self._say(
                f"Nothing is applied: empty cells would clear {outcome.cleared} stored values (lines with -). Fill the "
                "cells or take out the column, or clear them with --clear-blank.",
                f"没有导入任何内容：空白单元格会清空已存的 {outcome.cleared} 项（以 - 开头的行）。"
                "请填写或删去该列，或加 --clear-blank 确认清空。",
            )
        if outcome.stopped:
            return
        if options.dry_run:
            yield self._say("Dry run: nothing is applied.", "试运行：没有导入任何内容。")
        elif plan.bad:
            yield self._say("Applied, without the bad rows.", "已导入，错误行除外。")
        else:
            yield self._say("Applied.", "已导入。")


def duty_text(duty: Duty) -> str:
    """A duty on one line, as its row of a file has it."""
    week = f"{duty.week}/{duty.weeks}" if duty.weeks > 1 else None
    days = f"{duty.valid_from or ''}…{duty.valid_to or ''}" if duty.valid_from or duty.valid_to else None
    return " ".join(filter(None, (duty.area or "-", duty.role, duty.contact, duty.times, week, days)))


def _local(at: datetime) -> str:
    """A time in China's zone, as people write it into files."""
    local = at.astimezone(HOME)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


def _local_key(key: str) -> str:
    """The key of an entry, with its times in China's zone."""
    return _UTC.sub(lambda found: _local(datetime.fromisoformat(found[0])), key)
