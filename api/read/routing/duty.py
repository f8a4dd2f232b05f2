"""Duties, substitutes, and who is on duty."""

from datetime import datetime
from typing import Any

import msgspec

from api.http.paging import MAX_ID, AfterDuty, AfterOnDuty, AfterSubstitute, Page
from api.http.problems import not_found
from api.read.found import FoundPage
from api.read.moment import load_now
from api.read.queries import QUERIES
from api.read.routing.schemas import (
    DutyDocument,
    HolderDocument,
    OnDutyDocument,
    PassedOverDocument,
    SubstituteDocument,
)
from api.read.schemas import Listing
from registry.duty.listing import DutyLine, duty_line, duty_places
from registry.duty.model import Duty, Substitute
from registry.duty.roster_store import LoadedRoster, load_roster
from store.pool import Connection


async def list_duties(
    connection: Connection, page: Page, *, area: list[str] | None, role: str | None, contact: str | None
) -> FoundPage[DutyDocument]:
    """Duties, the last made first. `area`: codes of which the whole subtrees are meant. Raises a Problem for a cursor
    that is not ours."""
    after = page.after(AfterDuty, AfterDuty(MAX_ID)).id
    rows = await connection.fetch(QUERIES.list_duties, after, area, role, contact, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterDuty(row["id"]))
    return FoundPage(
        rows=shown, next=following, document=lambda row: duty_document(Duty(**dict(row))), things=len(shown)
    )


async def list_substitutes(
    connection: Connection, page: Page, *, contact: str | None, past: bool
) -> FoundPage[SubstituteDocument]:
    """Substitutes, the last made first; those that are over only with `past`. Raises a Problem for a cursor that is not
    ours."""
    after = page.after(AfterSubstitute, AfterSubstitute(MAX_ID)).id
    rows = await connection.fetch(QUERIES.list_substitutes, after, contact, past, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterSubstitute(row["id"]))
    return FoundPage(
        rows=shown,
        next=following,
        document=lambda row: substitute_document(Substitute(**dict(row))),
        things=len(shown),
    )


class AskedDuty(msgspec.Struct, frozen=True):
    """What says who is on duty at a moment, and the (area, role) that are asked about, in order; '' is everywhere."""

    loaded: LoadedRoster
    places: list[tuple[str, str]]
    at: datetime

    @property
    def things(self) -> int:
        """How much there is to go through."""
        return len(self.loaded.duties) + len(self.loaded.contacts)

    def name(self, contact: str) -> str:
        """What a contact is called; one that is not seen by its id."""
        found = self.loaded.contacts.get(contact)
        return contact if found is None else found.name

    def listing(self, page: Page) -> Listing[OnDutyDocument]:
        """A page of who is on duty. Raises a Problem for a cursor that is not ours."""
        after = page.after(AfterOnDuty, AfterOnDuty("", ""))
        places = [place for place in self.places if place > (after.area, after.role)]
        shown, following = page.cut(places[: page.limit + 1], lambda place: AfterOnDuty(*place))
        lines = (duty_line(self.loaded.roster, place, self.at) for place in shown)
        return Listing(items=[_on_duty(line, self) for line in lines], next=following)


async def load_asked(connection: Connection, area: list[str] | None, at: datetime | None) -> AskedDuty:
    """What says who is on duty at a time (None: now) in subtrees (None: in the scope)."""
    moment = at or await load_now(connection)
    areas = None if area is None else {row["code"] for row in await connection.fetch(QUERIES.areas_in_subtrees, area)}
    loaded = await load_roster(connection, moment)
    return AskedDuty(loaded, duty_places(loaded.roster, areas), moment)


def duty_document(duty: Duty) -> DutyDocument:
    """A duty as the API shows it."""
    return DutyDocument(**_fields(duty))


def substitute_document(absence: Substitute) -> SubstituteDocument:
    """A substitute as the API shows it."""
    fields = _fields(absence)
    return SubstituteDocument(begin=fields.pop("from_at"), until=fields.pop("until_at"), **fields)


def require_removed(kind: str, number: int, gone: list[Any]) -> Any:
    """What was removed. Raises a Problem (404) when there was nothing."""
    if not gone:
        raise not_found(kind, number)
    return gone[0]


def _fields(entry: Duty | Substitute) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


def _on_duty(line: DutyLine, asked: AskedDuty) -> OnDutyDocument:
    return OnDutyDocument(
        area=line.area,
        role=line.role,
        on_duty=[
            HolderDocument(
                contact=holder.contact,
                name=asked.name(holder.contact),
                duty=holder.duty,
                instead_of=holder.instead_of,
            )
            for holder in line.outcome.found
        ],
        passed_over=[PassedOverDocument(contact=contact, why=why) for contact, why in line.outcome.passed_over],  # type: ignore[arg-type]
    )
