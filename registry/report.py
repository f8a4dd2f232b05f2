"""What an import did or would do, as text for the person who runs it. Pure."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Final

import msgspec

from registry.diff import Change, Plan, T
from registry.rows import BadCell, Kind

SHOWN: Final = 50
"""Lines of a diff or of a list of errors that are shown; of the rest only the number."""
_VALUE: Final = 60


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an import.

    `refused`: bad rows stopped it, or would have (a dry run); the command ends with status 2. `applied` is false
    then and for any dry run.
    """

    kind: Kind
    dry_run: bool
    applied: bool
    refused: bool
    new: int
    changed: int
    unchanged: int
    # Areas whose own row says nothing new, but whose place in the tree follows a parent.
    moved: int
    bad: list[BadCell]
    text: str


def describe(plan: Plan[T], kind: Kind, *, dry_run: bool, skip_bad: bool) -> ImportReport:
    """The report of a plan, under the rule that bad rows stop everything unless they are skipped."""
    stopped = bool(plan.bad) and not skip_bad
    applied = not dry_run and not stopped
    text = "\n".join(
        [*_bad_lines(plan.bad), *_diff_lines(plan), _summary(plan, kind), _verdict(plan, dry_run, stopped)]
    )
    return ImportReport(
        kind=kind,
        dry_run=dry_run,
        applied=applied,
        refused=stopped,
        new=len(plan.new),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        moved=len(plan.moved),
        bad=plan.bad,
        text=text,
    )


def _bad_lines(bad: list[BadCell]) -> Iterator[str]:
    yield from map(str, bad[:SHOWN])
    if len(bad) > SHOWN:
        yield f"… and {len(bad) - SHOWN} more problems"


def _diff_lines(plan: Plan[T]) -> Iterator[str]:
    yield from islice(_all_diff_lines(plan), SHOWN)
    hidden = len(plan.new) + sum(len(change.fields) for change in plan.changes) - SHOWN
    if hidden > 0:
        yield f"… and {hidden} more lines"


def _all_diff_lines(plan: Plan[T]) -> Iterator[str]:
    for change in plan.changes:
        yield from _change_lines(change)
    for entry in plan.new:
        yield f"+ {_key(entry)} {entry.name}"


def _change_lines(change: Change) -> Iterator[str]:
    for name, (old, new) in change.fields.items():
        yield f"~ {change.key} {name}: {_shown(old)} → {_shown(new)}"


def _key(entry: Any) -> str:
    return str(getattr(entry, "code", None) or entry.id)


def _shown(value: Any) -> str:
    if value is None or value == ():
        return "(empty)"
    if isinstance(value, tuple):
        value = ";".join(value)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return text if len(text) <= _VALUE else text[:_VALUE] + "…"


def _summary(plan: Plan[T], kind: Kind) -> str:
    moved = f", {len(plan.moved)} moved with their parent" if plan.moved else ""
    rows = len({cell.line for cell in plan.bad})
    return (
        f"{kind}: {len(plan.new)} new, {len(plan.changed)} changed, {plan.unchanged} unchanged{moved}, {rows} bad rows"
    )


def _verdict(plan: Plan[T], dry_run: bool, stopped: bool) -> str:
    if stopped:
        return "Nothing is applied: mend the bad rows, or leave them out with --skip-bad."
    if dry_run:
        return "Dry run: nothing is applied."
    return "Applied, without the bad rows." if plan.bad else "Applied."
