"""The escalations of an incident within the scope of the reader."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from alerting.escalation.model import EscalationEntry, EscalationPlan, EscalationState
from api.read.escalation_schemas import (
    EscalationDocument,
    EscalationLogDocument,
    EscalationStepDocument,
    OwedPageDocument,
    ShareEscalationDocument,
)
from api.read.queries import QUERIES
from store.pool import Connection

_MOST_PAGES: Final = 1000
_MOST_SHARES: Final = 20


async def load_escalation(connection: Connection, incident: int) -> EscalationDocument | None:
    """The escalation of an incident; None: it has none, or the incident reaches beyond the scope."""
    row = await connection.fetchrow(QUERIES.get_escalation, incident)
    return None if row is None else EscalationDocument(**await _fields(connection, incident, dict(row)))


class IncidentTold(NamedTuple):
    """The escalation of the whole incident (None: there is none, or the incident reaches beyond the scope), and the
    escalations of its shares in the scope."""

    whole: EscalationDocument | None
    shares: list[ShareEscalationDocument]

    @property
    def pages(self) -> list[OwedPageDocument]:
        """All pages; those of the whole include the pages of the shares."""
        return [page for share in self.shares for page in share.pages] if self.whole is None else self.whole.pages


async def load_told(connection: Connection, incident: int) -> IncidentTold:
    """The escalations of an incident within the scope."""
    return IncidentTold(await load_escalation(connection, incident), await _load_shares(connection, incident))


async def _load_shares(connection: Connection, incident: int) -> list[ShareEscalationDocument]:
    rows = await connection.fetch(QUERIES.share_escalations, incident, _MOST_SHARES)
    return [
        ShareEscalationDocument(share=row["share"], **await _fields(connection, incident, dict(row), row["share"]))
        for row in rows
    ]


async def _fields(
    connection: Connection, incident: int, row: Mapping[str, Any], share: str | None = None
) -> dict[str, Any]:
    """The fields of a document. `share`: only the pages of the share of this area; None: all pages."""
    plan = _converted(row["plan"], EscalationPlan)
    state = _converted(row["state"], EscalationState) or EscalationState()
    log = msgspec.convert(row["log"], list[EscalationEntry])
    pages = [dict(page) for page in await connection.fetch(QUERIES.list_pages, incident, _MOST_PAGES, share)]
    named = {name for entry in log for name in (*entry.contacts, *(contact for contact, _ in entry.passed_over))}
    named |= {page["instead_of"] for page in pages if page["instead_of"] is not None}
    named |= {page["recipient"] for page in pages if page["recipient"] is not None}
    seen = {found["id"]: found["name"] for found in await connection.fetch(QUERIES.seen_contacts, sorted(named))}
    return {
        "route": row["route"],
        "earlier_routes": [] if plan is None else list(plan.earlier),
        "steps": _steps(plan, state, row["wake_at"]),
        "round": state.round,
        "next_step": state.next_step,
        "wake_at": row["wake_at"],
        "log": [_line(entry, seen) for entry in reversed(log)],
        "names": seen,
        "pages": [OwedPageDocument(**{**page, **_seen_only(page, seen)}) for page in pages],
    }


def _converted(value: Any, kind: Any) -> Any:
    return None if value is None else msgspec.convert(value, kind)


def _steps(
    plan: EscalationPlan | None, state: EscalationState, wake_at: datetime | None
) -> list[EscalationStepDocument]:
    steps: Sequence[Any] = () if plan is None else plan.steps
    waits = state.paused is None and state.ended is None
    waits = waits and (state.acknowledged_at is None or state.acknowledged_at == state.lapsed_at)
    return [
        EscalationStepDocument(
            role=step.rule.role,
            level=step.rule.level,
            area=step.area,
            after_s=step.rule.after,
            clock=step.rule.clock.value,
            most=step.rule.most,
            due_at=wake_at if waits and number == state.next_step else None,
        )
        for number, step in enumerate(steps)
    ]


def _line(entry: EscalationEntry, seen: Collection[str]) -> EscalationLogDocument:
    return EscalationLogDocument(
        at=entry.at,
        what=entry.what.value,
        round=entry.round,
        step=entry.step,
        contacts=_only(entry.contacts, seen),
        why=entry.why,
        until=entry.until,
        passed_over=[(contact, why) for contact, why in entry.passed_over if contact in seen],
    )


def _only(contacts: Iterable[str], seen: Collection[str]) -> list[str]:
    return [contact for contact in contacts if contact in seen]


def _seen_only(page: Mapping[str, Any], seen: Collection[str]) -> dict[str, Any]:
    return {"instead_of": page["instead_of"] if page["instead_of"] in seen else None}
