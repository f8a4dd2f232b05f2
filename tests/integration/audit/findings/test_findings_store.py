"""Findings and corrections in the database: each step once, with its entry in the ledger, and days follow."""

from datetime import timedelta

import pytest

from audit.findings.effects import CorrectedTime
from audit.findings.rules import CorrectionStatus, CountsAs, FindingKind, NewCorrection, NewFinding, NotYoursError
from audit.findings.store import (
    answer_finding,
    close_finding,
    decide_correction,
    load_corrections,
    load_finding,
    make_finding,
    propose_correction,
    record_own_approval,
)
from contract.errors import RemedyError
from store.author import Author
from store.pool import Pool
from tests.integration.audit.days.day_world import FIRST, HOUR_MS, DayWorld, at

AUDITOR, ONE, TWO = Author("a-audit", "审计组"), Author("a-one"), Author("a-two")
LEDGER = (
    "SELECT kind || ' ' || subject || ' ' || actor FROM ledger_entry WHERE kind ~ '^(finding|correction)' ORDER BY id"
)


@pytest.fixture
async def world(pool: Pool) -> DayWorld:
    """A station that was offline from 12 to 15 on the first day."""
    world = DayWorld(pool)
    for account in ("a-audit", "a-one", "a-two"):
        await pool.execute(
            "INSERT INTO account (id, login, name, role, whole, created_by) "
            "VALUES ($1, $1, $1, 'supervisor', true, 'operator')", account,
        )  # fmt: skip
    await world.register(["a", "b"])
    for station in ("a", "b"):
        await world.judge(station, 1, "online", usable=True)
    await world.judge("a", 12, "offline")
    await world.judge("a", 15, "online", usable=True)
    return world


def correcting(begin: float, end: float, counts_as: str, finding: int | None = None) -> NewCorrection:
    return NewCorrection(
        station="a", from_at=at(begin), until_at=at(end), counts_as=CountsAs(counts_as), reason="停电", finding=finding
    )


async def test_a_finding_is_made_answered_and_closed(world: DayWorld) -> None:
    now = at(40)
    new = NewFinding(kind=FindingKind.FINDING, text=" 当日离线原因？ ", station="a", from_at=at(0), until_at=at(24))
    async with world.pool.acquire() as connection:
        made = await make_finding(connection, new, AUDITOR, now)
        assert (made.text, made.status, made.made_remark) == ("当日离线原因？", "open", "审计组")
        with pytest.raises(NotYoursError):
            await answer_finding(connection, made.id, "x", AUDITOR, now)
        answered = await answer_finding(connection, made.id, "停电", ONE, now)
        assert answered is not None and answered.status == "answered"
        with pytest.raises(RemedyError, match="has an answer already"):
            await answer_finding(connection, made.id, "x", TWO, now)
        with pytest.raises(NotYoursError):
            await close_finding(connection, made.id, "x", ONE, now, is_auditor=False)
        closed = await close_finding(connection, made.id, "已核实", AUDITOR, now, is_auditor=True)
        assert closed is not None and closed == await load_finding(connection, made.id)
        assert (closed.status, closed.closed_why, closed.answer) == ("closed", "已核实", "停电")
        with pytest.raises(RemedyError, match="is closed"):
            await close_finding(connection, made.id, "x", AUDITOR, now, is_auditor=True)
        assert await answer_finding(connection, 999, "x", ONE, now) is None
        for nowhere in (
            NewFinding(kind=FindingKind.DISPUTE, text="t", station="nowhere", from_at=at(0), until_at=at(1)),
            NewFinding(kind=FindingKind.FINDING, text="t", incident=999),
            NewFinding(kind=FindingKind.FINDING, text="t", station="a"),
        ):
            with pytest.raises(RemedyError):
                await make_finding(connection, nowhere, AUDITOR, now)
    subject = f"finding/{made.id}"
    assert [row[0] for row in await world.pool.fetch(LEDGER)] == [
        f"finding.made {subject} a-audit", f"finding.answered {subject} a-one", f"finding.closed {subject} a-audit"
    ]  # fmt: skip


async def test_a_finding_about_an_incident_has_its_station_and_times(world: DayWorld) -> None:
    incident = await world.pool.fetchval(
        "INSERT INTO incident (kind, key, station, began_at, opened_at, status, ended_at, closed_at) "
        "VALUES ('station_offline', 'k', 'a', $1, $1, 'closed', $2, $2) RETURNING id", at(12), at(15),
    )  # fmt: skip
    async with world.pool.acquire() as connection:
        new = NewFinding(kind=FindingKind.FINDING, text="t", incident=incident)
        made = await make_finding(connection, new, AUDITOR, at(40))
        assert (made.station, made.from_at, made.until_at, made.incident) == ("a", at(12), at(15), incident)


async def test_figures_follow_a_correction_of_two_persons_and_nothing_else(world: DayWorld) -> None:
    await world.keep(28 + 24)
    now = at(24 * 3)

    async def figures() -> list[tuple[int, list[str], int]]:
        assert await world.wrong() == []
        rows = await world.pool.fetch(
            "SELECT revision, causes, online_ms FROM station_day_revision WHERE station = 'a' AND day = $1 "
            "ORDER BY revision", FIRST,
        )  # fmt: skip
        return [(row[0], row[1], row[2] // HOUR_MS) for row in rows]

    async with world.pool.acquire() as connection:
        up = await propose_correction(connection, correcting(12, 15, "up"), ONE, now)
        await world.keep()
        assert await figures() == [(1, [], 5)], "a proposal changes nothing"
        with pytest.raises(NotYoursError):
            await decide_correction(connection, up.id, CorrectionStatus.APPROVED, None, ONE, now)
        for _ in range(2):
            await record_own_approval(connection, up.id, ONE, now)
        await decide_correction(connection, up.id, CorrectionStatus.APPROVED, None, TWO, now)
        assert [each.revisions for each in await world.keep()] == [1]
        assert await figures() == [(1, [], 5), (2, ["correction"], 8)]
        with pytest.raises(RemedyError, match="is decided"):
            await decide_correction(connection, up.id, CorrectionStatus.REFUSED, None, TWO, now)

        no = await propose_correction(connection, correcting(9, 17, "down"), ONE, now)
        refused = await decide_correction(connection, no.id, CorrectionStatus.REFUSED, "无证据", ONE, now)
        assert refused is not None and (refused.status, refused.decided_why) == ("refused", "无证据")
        back = await propose_correction(connection, correcting(0, 24, "observed"), TWO, now)
        await decide_correction(connection, back.id, CorrectionStatus.APPROVED, None, ONE, now + timedelta(seconds=1))
        await world.keep()
        assert (await figures())[-1] == (3, ["correction"], 5)

        assert await load_corrections(connection, ["a", "b"], at(14), at(16)) == {
            "a": [CorrectedTime(at(12), at(15), CountsAs.UP), CorrectedTime(at(0), at(24), CountsAs.OBSERVED)]
        }
        assert await load_corrections(connection, ["a"], at(24), at(25)) == {}
        for wrong in (correcting(12, 24 * 9, "up"), correcting(1, 2, "up", finding=999)):
            with pytest.raises(RemedyError):
                await propose_correction(connection, wrong, ONE, now)
    assert [row[0].split()[0] for row in await world.pool.fetch(LEDGER)] == [
        "correction.proposed", "correction.approval_refused", "correction.approved",
        "correction.proposed", "correction.refused", "correction.proposed", "correction.approved",
    ]  # fmt: skip
