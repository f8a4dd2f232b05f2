"""The owners of open incidents, and how fast people answered incidents in a period."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import msgspec

from api.http.work import Work
from api.read.moment import load_now
from api.read.response.figures import AnsweredIncident, areas_of, figures_by, figures_of
from api.read.response.opening_hours import hours_since, load_calendars_of
from api.read.response.queries import QUERIES
from api.read.response.schemas import Attention, FiguresDocument, NamedFigures, ResponseDocument
from api.read.response.work_list import FoundItems, load_items
from api.read.scope import asked_areas, subtree_codes
from registry.hours.calendar import Calendar
from store.pool import Connection

MOST: Final = 100_000
"""Maximum number of incidents in the figures."""
SHOWN: Final = 50
"""Maximum number of incidents in each list."""
_FEW: Final = 5000
"""Maximum number of incidents for a shared worker thread, which then takes some tens of milliseconds."""


class FoundNeed(msgspec.Struct, frozen=True):
    """Open incidents that need attention: their number, and the first of them as database rows."""

    count: int
    found: FoundItems

    def document(self) -> Attention:
        """As the API answers it."""
        return Attention(count=self.count, items=self.found.items())


class FoundReport(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the report. `asked`: the areas that the figures are grouped below; `paths`: the paths of areas."""

    now: datetime
    begin: datetime
    end: datetime
    asked: Sequence[str]
    needs: Mapping[str, FoundNeed]
    rows: Sequence[asyncpg.Record]
    complete: bool
    causes: Mapping[int, str]
    calendars: Mapping[int, Calendar]
    paths: Mapping[str, Sequence[str]]

    async def document(self, work: Work) -> ResponseDocument:
        """The report. Raises a Problem (503) when too many large answers are being made."""
        if len(self.rows) > _FEW:
            return await work.do_alone(self._document)
        return await work.do(len(self.rows) + len(self.calendars), self._document)

    @property
    def places(self) -> list[tuple[str | None, str | None]]:
        """(station, area) of everything that the report names."""
        groups = areas_of(self.paths, self.asked).values()
        return [place for need in self.needs.values() for place in need.found.places] + [(None, one) for one in groups]

    @property
    def accounts(self) -> list[str | None]:
        """The accounts that the report names."""
        return [one for need in self.needs.values() for one in need.found.accounts]

    def _document(self) -> ResponseDocument:
        incidents = self._incidents()
        return ResponseDocument(
            at=self.now,
            begin=self.begin,
            end=self.end,
            **{name: need.document() for name, need in self.needs.items()},
            complete=self.complete,
            figures=FiguresDocument.model_validate(figures_of(incidents)),
            by_kind=_named(incidents, "kind"),
            by_cause=_named([one for one in incidents if one.cause is not None], "cause"),
            by_area=_named(incidents, "area"),
        )

    def _incidents(self) -> list[AnsweredIncident]:
        until = max([self.now, *(row["ended_at"] for row in self.rows if row["ended_at"] is not None)])
        hours = hours_since(self.calendars, ((row["calendar"], row["began_at"]) for row in self.rows), until)
        groups = areas_of(self.paths, self.asked)
        return [
            AnsweredIncident(
                kind=row["kind"],
                cause=self.causes.get(row["id"]),
                area=groups.get(row["area"], row["area"]),
                hours=hours[row["calendar"]],
                began_at=row["began_at"],
                opened_at=row["opened_at"],
                acknowledged_at=row["acknowledged_at"],
                ended_at=row["ended_at"],
            )
            for row in self.rows
        ]


async def load_report(
    connection: Connection, begin: datetime, end: datetime, area: list[str] | None = None
) -> FoundReport:
    """The incidents in the scope that opened in [begin, end), and the incidents that need attention now. `area`: codes
    of areas; areas below them are included."""
    now, places = await load_now(connection), await _find_places(connection, area)
    rows = await connection.fetch(QUERIES.answered_incidents, places.codes, places.many, MOST + 1, begin, end)
    paths = await connection.fetch(QUERIES.paths_of_areas, list({row["area"] for row in rows if row["area"]}))
    return FoundReport(
        now=now,
        begin=begin,
        end=end,
        asked=places.asked,
        needs=await _load_needs(connection, places, now),
        rows=rows[:MOST],
        complete=len(rows) <= MOST,
        causes=await _load_causes(connection, [row["id"] for row in rows[:MOST]]),
        calendars=await load_calendars_of(connection, {row["calendar"] for row in rows}),
        paths={row["code"]: row["path"] for row in paths},
    )


async def _load_causes(connection: Connection, incidents: list[int]) -> dict[int, str]:
    """{incident: the reported cause}, without incidents that have no cause."""
    rows = await connection.fetch(QUERIES.causes_of_repairs, incidents)
    return {row["incident"]: row["cause"] for row in rows}


class _Places(msgspec.Struct, frozen=True, kw_only=True):
    """The areas of the incidents. `asked`: the existing areas of the filter, else of the scope. `codes`: all areas
    below them (None: everywhere); if there are too many, `many` has the areas above instead. `chosen`: by a filter."""

    asked: list[str]
    codes: list[str] | None
    many: list[str] | None
    chosen: bool


async def _find_places(connection: Connection, area: list[str] | None) -> _Places:
    asked = await asked_areas(connection, area)
    codes = None if asked is None else await subtree_codes(connection, asked)
    known = await connection.fetch(QUERIES.known_areas, asked or [])
    return _Places(
        asked=[row["code"] for row in known],
        codes=codes,
        many=asked if codes is None else None,
        chosen=area is not None,
    )


async def _load_needs(connection: Connection, places: _Places, now: datetime) -> dict[str, FoundNeed]:
    where = (places.codes, places.many, SHOWN, places.chosen)
    found = {
        "unowned": await connection.fetch(QUERIES.unowned_incidents, *where),
        "overdue": await connection.fetch(QUERIES.overdue_incidents, *where),
        "escalated": await connection.fetch(QUERIES.escalated_incidents, *where),
    }
    return {
        name: FoundNeed(rows[0]["many"] if rows else 0, await load_items(connection, [row["id"] for row in rows], now))
        for name, rows in found.items()
    }


def _named(incidents: Sequence[AnsweredIncident], field: str) -> list[NamedFigures]:
    return [
        NamedFigures(name=name, figures=FiguresDocument.model_validate(found))
        for name, found in figures_by(incidents, lambda one: getattr(one, field))
    ]
