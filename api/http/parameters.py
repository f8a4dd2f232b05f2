"""Parameters that several pages and routes take: ids in their paths, and the filter by area."""

from typing import Annotated, Final, Literal

from fastapi import Depends, Path, Query

from api.http.paging import MAX_CURSOR, MAX_ID

StationId = Annotated[str, Path(max_length=64, description="the station's id")]
IncidentId = Annotated[int, Path(ge=0, le=MAX_ID, description="the incident's number")]
ClosureId = Annotated[int, Path(ge=0, le=MAX_ID, description="the closure's number")]
EntryId = Annotated[int, Path(ge=0, le=MAX_ID, description="the number of an entry of the ledger")]
FindingId = Annotated[int, Path(ge=0, le=MAX_ID, description="the number of the finding or dispute")]
CorrectionId = Annotated[int, Path(ge=0, le=MAX_ID, description="the correction's number")]
AssessmentId = Annotated[int, Path(ge=0, le=MAX_ID, description="the assessment's number")]
ContactId = Annotated[str, Path(max_length=64, description="the contact's id")]
RouteId = Annotated[str, Path(max_length=64, description="the route's id")]
SilenceId = Annotated[int, Path(ge=0, le=MAX_ID, description="the silence's number")]
DutyId = Annotated[int, Path(ge=0, le=MAX_ID, description="the duty's number")]
SubstituteId = Annotated[int, Path(ge=0, le=MAX_ID, description="the substitute's number")]

Text = Annotated[str, Query(max_length=64)]
"""A filter of a page, as people write it."""
Cursor = Annotated[str, Query(max_length=MAX_CURSOR)]
"""The cursor in the address of a page; empty: the first page."""

_DIGITS: Final = 12


def area_codes(code: str | None) -> list[str] | None:
    """The codes under which an area may be registered: as given, and a short GB/T 2260 code padded to 12 digits."""
    if code is None:
        return None
    if code.isdecimal() and len(code) < _DIGITS:
        return [code, code.ljust(_DIGITS, "0")]
    return [code]


def _area(
    area: Annotated[str | None, Query(max_length=32, description="its whole subtree; 63 means 630000000000")] = None,
) -> list[str] | None:
    return area_codes(area)


AreaFilter = Annotated[list[str] | None, Depends(_area)]
PeriodName = Annotated[
    str | None,
    Query(
        pattern=r"^(19|20|21)\d\d(-(0[1-9]|1[0-2]))?$",
        description="a month or a year: 2026-11, 2026; the month of the newest kept day",
    ),
]
FormatName = Annotated[Literal["pdf", "xlsx", "csv"], Query(description="the format of the file")]
ReportLanguage = Annotated[Literal["zh-CN", "en"], Query(description="the language of the report")]
