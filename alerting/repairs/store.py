"""Repairs in the database: reports of people, repairs that are not verified yet, and outcomes."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import Incident
from alerting.incidents.severity import severity_of
from alerting.incidents.store import QUERIES as INCIDENT_QUERIES
from alerting.repairs.likely import LikelyCause, facts_of_row, likely_causes
from alerting.repairs.rules import (
    STABLE,
    RepairOutcome,
    RepairSaid,
    RepairVerdict,
    WaitingRepair,
    refusal_of_repair,
    stable_for,
)
from alerting.stations.store import load_promise
from store.author import SYSTEM, Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)
MOST_WAITING: Final = 1000
"""Repairs that one pass looks at."""


class StoredRepair(msgspec.Struct, frozen=True, kw_only=True):
    """A repair that is not verified yet, with the stored incident. `owner`: the assignee of the incident, else the
    account that acknowledged the incident, else the account that made the repair; `newer`: the id of a later incident
    with the same fault."""

    repair: WaitingRepair
    verify_at: datetime
    incident: Incident
    owner: str
    newer: int | None = None


async def say_repair(
    connection: Connection, incident: int, by: Author, said: RepairSaid, now: datetime, stable: timedelta = STABLE
) -> int:
    """Write down what was wrong, and verify from now on that it is repaired if `said.fixed`: nothing may be wrong for
    `stable`, or for three heartbeats of the station if they take longer. Returns the id of the repair. Raises
    ActionRefusedError."""
    async with connection.transaction():
        row = await connection.fetchrow(QUERIES.lock_incident, incident)
        status, station, newer = (None, None, False) if row is None else (row["status"], row["station"], row["newer"])
        why = refusal_of_repair(status, said, newer=newer)
        if why is not None:
            raise ActionRefusedError(why, incident)
        parts, text = said.parts.strip(), said.text.strip()
        if said.fixed:
            stable = stable_for(stable, await load_promise(connection, station))
            await connection.execute(QUERIES.overtake_repair, incident, now)
        repair: int = await connection.fetchval(
            QUERIES.insert_repair,
            incident,
            now,
            by.account,
            by.remark,
            said.cause,
            parts,
            text,
            stable if said.fixed else None,
        )
        if said.fixed:
            await connection.execute(QUERIES.mark_fixed, incident, by.account, now, by.remark, now + 2 * stable)
        await _record(connection, repair, incident, by, said, now)
        return repair


async def _record(
    connection: Connection, repair: int, incident: int, by: Author, said: RepairSaid, now: datetime
) -> None:
    action, parts, text = "fixed" if said.fixed else "cause", said.parts.strip(), said.text.strip()
    words = " · ".join(word for word in (said.cause, parts, text) if word)
    await connection.execute(INCIDENT_QUERIES.insert_entry, incident, now, by.account, action, words, by.remark)
    body = {"incident": incident, "cause": said.cause, "fixed": said.fixed}
    entry = LedgerEntry(
        kind=LedgerKind.REPAIR_SAID,
        subject=f"repair/{repair}",
        actor=by.account,
        at_ms=ms_of(now),
        body={**body, **hashed(parts=parts or None, text=text or None), **by.remarked},
    )
    await append_entries(connection, [entry])
    await connection.execute(INCIDENT_QUERIES.tell_incident)


async def load_waiting(connection: Connection, most: int = MOST_WAITING) -> list[StoredRepair]:
    """The repairs that are not verified yet, at most `most`: those that are due first."""
    rows = [dict(row) for row in await connection.fetch(QUERIES.load_waiting, most)]
    return [
        StoredRepair(
            repair=WaitingRepair(
                id=row["repair"], incident=row["id"], at=row["at"], made_by=row["made_by"], stable=row["stable"]
            ),
            verify_at=row["verify_at"],
            incident=Incident(**{name: row[name] for name in Incident.__struct_fields__}),
            owner=row["owner"],
            newer=row["newer"],
        )
        for row in rows
    ]


async def postpone_repair(connection: Connection, repair: int, until: datetime) -> None:
    """Note until when a repair is verified."""
    await connection.execute(QUERIES.postpone, repair, until)


async def settle_repair(connection: Connection, stored: StoredRepair, verdict: RepairVerdict, now: datetime) -> None:
    """Write down whether a repair held, hand a fault that came back to its owner, and tell the people."""
    repair, outcome = stored.repair, verdict.outcome
    await connection.execute(QUERIES.settle, repair.id, outcome, verdict.why, now, stored.newer)
    entry = LedgerEntry(
        kind=LedgerKind.REPAIR_VERIFIED,
        subject=f"repair/{repair.id}",
        actor=SYSTEM,
        at_ms=ms_of(now),
        body={"incident": repair.incident, "outcome": str(outcome), "why": str(verdict.why), "back_as": stored.newer},
    )
    await append_entries(connection, [entry])
    if outcome is RepairOutcome.OVERTAKEN:
        return
    held = outcome is RepairOutcome.HELD
    action = "held" if held else "not_held"
    await connection.execute(INCIDENT_QUERIES.insert_entry, repair.incident, now, "milepost", action, verdict.why, None)
    about = stored.newer or repair.incident
    if stored.newer is not None:
        await connection.execute(QUERIES.hand_over, stored.newer, stored.owner)
    told = {repair.made_by} if held else {repair.made_by, stored.owner}
    severity = severity_of(stored.incident.kind, stored.incident.detail)
    await connection.execute(QUERIES.tell_people, about, sorted(told), action, repair.id, severity)


async def load_likely_causes(connection: Connection, incident: int) -> tuple[LikelyCause, ...]:
    """The likely causes of an incident that the scope sees, the most likely first."""
    row = await connection.fetchrow(QUERIES.cause_facts, incident)
    return () if row is None else likely_causes(facts_of_row(dict(row)))
