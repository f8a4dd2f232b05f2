"""Findings, disputes and corrections in the database; every step has an entry in the ledger."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from asyncpg import Record

from audit.findings.effects import CorrectedTime
from audit.findings.rules import (
    AuditFinding,
    Correction,
    CorrectionStatus,
    CountsAs,
    NewCorrection,
    NewFinding,
    require_answerable,
    require_closable,
    require_decidable,
    require_sound_times,
    require_text,
)
from contract.errors import RemedyError
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)


async def make_finding(connection: Connection, new: NewFinding, by: Author, now: datetime) -> AuditFinding:
    """Store a new finding or dispute. Raises RemedyError for an invalid text or invalid times, and for a station or an
    incident that does not exist or is outside the scope; both cases have the same answer."""
    text = require_text(new.text)
    async with connection.transaction():
        station, begin, end = await _times_of(connection, new, now)
        require_sound_times(begin, end, now)
        row = await connection.fetchrow(
            QUERIES.insert_finding,
            *(new.kind, station, new.incident, begin, end, text),
            *(by.account, by.remark, now),
        )
        made = finding_of(row)
        body = {
            "of": str(made.kind),
            "station": station,
            "incident": new.incident,
            "from_ms": ms_of(begin),
            "until_ms": ms_of(end),
        }
        await _write(connection, LedgerKind.FINDING_MADE, f"finding/{made.id}", by, now, body | hashed(text=text))
        return made


async def _times_of(connection: Connection, new: NewFinding, now: datetime) -> tuple[str, datetime, datetime]:
    if new.incident is None:
        if new.station is None or new.from_at is None or new.until_at is None:
            raise RemedyError(
                "name an incident, or a station with the times from and until", "请填写故障编号，或服务点及起止时间"
            )
        await _require_station(connection, new.station)
        return new.station, new.from_at, new.until_at
    found = await load_incident_times(connection, new.incident)
    if found is None or new.station not in (None, found[0]):
        raise RemedyError(
            f"there is no incident {new.incident} of a single station: correct the number",
            f"没有单个服务点的故障 {new.incident}：请改正编号",
        )
    station, began_at, ended_at = found
    return station, new.from_at or began_at, new.until_at or ended_at or now


async def load_incident_times(connection: Connection, incident: int) -> tuple[str, datetime, datetime | None] | None:
    """The station, the beginning and the end of an incident; None: the scope has no incident of a single station with
    this number."""
    row = await connection.fetchrow(QUERIES.load_incident_times, incident)
    return None if row is None or row["station"] is None else (row["station"], row["began_at"], row["ended_at"])


async def _require_station(connection: Connection, station: str) -> None:
    if not await connection.fetchval(QUERIES.station_exists, station):
        raise RemedyError(f"there is no station {station}: correct it", f"没有服务点 {station}：请改正")


async def answer_finding(
    connection: Connection, number: int, text: str, by: Author, now: datetime
) -> AuditFinding | None:
    """Answer a finding; None when there is no finding with this number. Raises RemedyError (`require_answerable`)."""
    said = require_text(text)
    async with connection.transaction():
        found = await _lock_finding(connection, number)
        if found is None:
            return None
        require_answerable(found, by.account)
        row = await connection.fetchrow(QUERIES.answer_finding, number, said, by.account, by.remark, now)
        await _write(connection, LedgerKind.FINDING_ANSWERED, f"finding/{number}", by, now, hashed(answer=said))
        return finding_of(row)


async def close_finding(
    connection: Connection, number: int, why: str, by: Author, now: datetime, *, is_auditor: bool
) -> AuditFinding | None:
    """Close a finding; None when there is no finding with this number. Raises RemedyError (`require_closable`)."""
    said = require_text(why)
    async with connection.transaction():
        found = await _lock_finding(connection, number)
        if found is None:
            return None
        require_closable(found, by.account, is_auditor=is_auditor)
        row = await connection.fetchrow(QUERIES.close_finding, number, said, by.account, by.remark, now)
        await _write(connection, LedgerKind.FINDING_CLOSED, f"finding/{number}", by, now, hashed(why=said))
        return finding_of(row)


async def load_finding(connection: Connection, number: int) -> AuditFinding | None:
    """One finding or dispute; None when there is no finding with this number."""
    row = await connection.fetchrow(QUERIES.load_finding, number)
    return None if row is None else finding_of(row)


async def propose_correction(connection: Connection, new: NewCorrection, by: Author, now: datetime) -> Correction:
    """Store a proposed correction. Raises RemedyError for an invalid text or invalid times, and for a station or a
    finding that does not exist or is outside the scope."""
    reason = require_text(new.reason)
    require_sound_times(new.from_at, new.until_at, now)
    async with connection.transaction():
        await _require_station(connection, new.station)
        await _require_finding(connection, new)
        row = await connection.fetchrow(
            QUERIES.insert_correction,
            *(new.station, new.finding, new.from_at, new.until_at, new.counts_as, reason),
            *(by.account, by.remark, now),
        )
        made = correction_of(row)
        body = {
            "station": made.station,
            "finding": made.finding,
            "from_ms": ms_of(made.from_at),
            "until_ms": ms_of(made.until_at),
            "counts_as": str(made.counts_as),
        }
        subject = f"correction/{made.id}"
        await _write(connection, LedgerKind.CORRECTION_PROPOSED, subject, by, now, body | hashed(reason=reason))
        return made


async def _require_finding(connection: Connection, new: NewCorrection) -> None:
    if new.finding is None:
        return
    found = await load_finding(connection, new.finding)
    if found is None or found.station != new.station:
        raise RemedyError(
            f"there is no finding {new.finding} about station {new.station}: correct the number",
            f"没有关于服务点 {new.station} 的审计意见 {new.finding}：请改正编号",
        )


async def decide_correction(
    connection: Connection, number: int, decision: CorrectionStatus, why: str | None, by: Author, now: datetime
) -> Correction | None:
    """Approve or refuse a correction; None when there is no correction with this number. An approval changes figures.

    Raises RemedyError if the correction is decided, NotYoursError for approval by the account that proposed it."""
    said = require_text(why) if why and why.strip() else None
    approves = decision is CorrectionStatus.APPROVED
    async with connection.transaction():
        row = await connection.fetchrow(QUERIES.lock_correction, number)
        if row is None:
            return None
        found = correction_of(row)
        require_decidable(found, by.account, approves=approves)
        row = await connection.fetchrow(QUERIES.decide_correction, number, decision, said, by.account, by.remark, now)
        kind = LedgerKind.CORRECTION_APPROVED if approves else LedgerKind.CORRECTION_REFUSED
        body = {"proposed_by": found.proposed_by, **hashed(why=said)}
        await _write(connection, kind, f"correction/{number}", by, now, body)
        return correction_of(row)


async def record_own_approval(connection: Connection, number: int, by: Author, now: datetime) -> None:
    """Record in the ledger, once, that an account tried to approve its own correction; the refusal itself rolled
    back."""
    kind, subject = LedgerKind.CORRECTION_APPROVAL_REFUSED, f"correction/{number}"
    async with connection.transaction():
        await connection.fetchrow(QUERIES.lock_correction, number)
        if not await connection.fetchval(QUERIES.has_entry, kind, subject, by.account):
            await _write(connection, kind, subject, by, now, {"proposed_by": by.account})


async def load_correction(connection: Connection, number: int) -> Correction | None:
    """One correction; None when there is no correction with this number."""
    row = await connection.fetchrow(QUERIES.load_correction, number)
    return None if row is None else correction_of(row)


async def load_corrections(
    connection: Connection, stations: Sequence[str], begin: datetime, end: datetime
) -> dict[str, list[CorrectedTime]]:
    """The approved corrections of stations that overlap a window, in the order of their approval."""
    found: dict[str, list[CorrectedTime]] = defaultdict(list)
    for row in await connection.fetch(QUERIES.corrections_of, list(stations), begin, end):
        corrected = CorrectedTime(row["from_at"], row["until_at"], CountsAs(row["counts_as"]))
        found[row["station"]].append(corrected)
    return found


async def _lock_finding(connection: Connection, number: int) -> AuditFinding | None:
    row = await connection.fetchrow(QUERIES.lock_finding, number)
    return None if row is None else finding_of(row)


def finding_of(row: Record | None) -> AuditFinding:
    """A row of the table."""
    return msgspec.convert(dict(row or {}), AuditFinding)


def correction_of(row: Record | None) -> Correction:
    """A row of the table."""
    return msgspec.convert(dict(row or {}), Correction)


async def _write(
    connection: Connection, kind: LedgerKind, subject: str, by: Author, now: datetime, body: dict[str, Any]
) -> None:
    entry = LedgerEntry(kind=kind, subject=subject, actor=by.account, at_ms=ms_of(now), body={**body, **by.remarked})
    await append_entries(connection, [entry])
