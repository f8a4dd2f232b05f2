"""Assessments in the database: each is written once and has an entry in the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from audit.assessments.kept import AssessmentSummary, KeptAssessment, KeptBytes, MadeAssessment, result_of
from audit.assessments.measured import BeforePlace
from contract.errors import RemedyError
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
MOST_WHY: Final = 4000
"""Characters of the reason for a further revision."""
_MOST_ID: Final = 2**63
MOST_BYTES: Final = 256 * 1024 * 1024
"""Bytes of the inputs; those of a place have less than a kilobyte."""


class AssessmentExistsError(RemedyError):
    """The period of the area has an assessment, and no reason was given for a further revision."""


async def keep_assessment(
    connection: Connection, new: MadeAssessment, why: str | None, by: Author, now: datetime
) -> KeptAssessment:
    """Write an assessment and its entry in the ledger.

    Raises AssessmentExistsError if the period of the area has one and `why` gives no reason for a further revision."""
    inputs, rules, kept, whole = new.inputs, new.rules, new.kept, new.result.whole
    reason = _reason(why)
    if len(kept.inputs) > MOST_BYTES:
        raise RemedyError("the area has too many stations for an assessment: choose a smaller one",
                          "该区划的服务点过多，无法一次考核：请选择较小的区划")  # fmt: skip
    async with connection.transaction():
        row = await connection.fetchrow(
            QUERIES.insert_assessment,
            *(inputs.area, inputs.period, reason, by.account, by.remark, now),
            *(kept.method, rules.name, rules.version, whole.score, whole.result),
            *(len(new.result.places), kept.rules, kept.inputs, kept.result),
        )
        if row is None:
            raise AssessmentExistsError(
                f"{inputs.period} is assessed already, and an assessment is never overwritten: give a reason for a "
                "further revision",
                f"{inputs.period} 已有考核，考核不会被覆盖：如需新的版次，请填写原因",
            )
        made = await load_assessment(connection, row["id"])
        assert made is not None  # noqa: S101 -- written above
        body = {
            "area": inputs.area,
            "period": inputs.period,
            "revision": row["revision"],
            "method": kept.method,
            **kept.hashes,
            **hashed(why=made.summary.why),
            **by.remarked,
        }
        entry = LedgerEntry(
            kind=LedgerKind.ASSESSMENT_MADE,
            subject=f"assessment/{row['id']}",
            actor=by.account,
            at_ms=ms_of(now),
            body=body,
        )
        await append_entries(connection, [entry])
    return made


async def load_assessment(connection: Connection, number: int) -> KeptAssessment | None:
    """An assessment; None: there is none with this number in the scope."""
    return _kept(await connection.fetchrow(QUERIES.load_assessment, number))


async def require_assessment(connection: Connection, number: int) -> KeptAssessment:
    """As `load_assessment`. Raises RemedyError if there is none."""
    found = await load_assessment(connection, number) if 0 < number < _MOST_ID else None
    if found is None:
        raise RemedyError(
            f"there is no assessment {number}: `milepost assess list` shows the newest",
            f"没有编号为 {number} 的考核：`milepost assess list` 列出最近的考核",
        )
    return found


async def load_before(connection: Connection, area: str | None, period: str) -> tuple[BeforePlace, ...]:
    """The places of the newest assessment of an area and a period; empty if there is none."""
    found = _kept(await connection.fetchrow(QUERIES.load_newest, area, period))
    if found is None:
        return ()
    result = result_of(found.kept)
    return tuple(
        BeforePlace(level=one.level, id=one.id, score=one.score, rank=one.rank)
        for one in (result.whole, *result.places)
    )


async def list_assessments(
    connection: Connection, *, before: int, areas: Sequence[str] | None, period: str | None, limit: int
) -> Sequence[AssessmentSummary]:
    """Assessments with ids below `before`, the newest first, of areas with all below them (None: all), of a period."""
    return [_summary(row) for row in await connection.fetch(QUERIES.list_assessments, before, areas, period, limit)]


def _reason(why: str | None) -> str | None:
    text = None if why is None else why.strip() or None
    if text is not None and len(text) > MOST_WHY:
        raise RemedyError(f"the reason has {len(text)} characters, of at most {MOST_WHY}: shorten it",
                          f"原因有 {len(text)} 个字符，最多 {MOST_WHY}：请缩短")  # fmt: skip
    return text


def _kept(row: asyncpg.Record | None) -> KeptAssessment | None:
    if row is None:
        return None
    kept = KeptBytes(method=row["method"], rules=row["rules"], inputs=row["inputs"], result=row["result"])
    return KeptAssessment(summary=_summary(row), kept=kept)


def _summary(row: asyncpg.Record) -> AssessmentSummary:
    return msgspec.convert(dict(row), AssessmentSummary)
