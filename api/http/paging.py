"""Pages of a list: a limit, and a cursor that names the item before the next page."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import Depends, Query

from api.http.problems import bad_parameter
from contract.bounds import require_time
from contract.said import SaidError

MAX_ID: Final = 2**63 - 1
MAX_CURSOR: Final = 1024
"""Characters of a cursor: a box of 64 control characters, which JSON writes with six letters each, makes 660."""
Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_T = TypeVar("_T", bound=msgspec.Struct)
_Row = TypeVar("_Row")


class CursorUnknownError(SaidError):
    """A cursor is none that the list gave."""

    def __init__(self) -> None:
        super().__init__(
            "is none that this list gave: leave it away to begin anew",
            "不是这个列表给出的位置：请去掉它，从头开始",
        )


class Page(msgspec.Struct, frozen=True):
    """The number of items, and the cursor of the item before the first."""

    limit: int
    cursor: str | None

    def after(self, kind: type[_T], start: _T) -> _T:
        """The key of the item before this page; `start` for the first page. Raises a Problem (400) for a cursor that no
        list of this kind gave."""
        if self.cursor is None:
            return start
        try:
            return _require_fit(msgspec.json.decode(_unpack(self.cursor), type=kind))
        except (ValueError, binascii.Error, msgspec.DecodeError) as exc:
            unknown = CursorUnknownError()
            unknown.__cause__ = exc
            raise bad_parameter("cursor", str(unknown), status=400) from unknown

    def shorter(self, most: int) -> "Page":
        """The same page with at most so many items."""
        return Page(min(self.limit, max(most, 1)), self.cursor)

    def cut(self, rows: Sequence[_Row], key: Callable[[_Row], Any]) -> tuple[Sequence[_Row], str | None]:
        """This page of the rows, of which one more than `limit` was asked for, and the cursor of the next."""
        if len(rows) <= self.limit:
            return rows, None
        return rows[: self.limit], cursor_of(key(rows[self.limit - 1]))


def _require_fit(key: _T) -> _T:
    """Return the key whose times and texts the database can take. Raises ValueError for another."""
    for value in msgspec.structs.astuple(key):
        if isinstance(value, datetime):
            require_time(value)
        elif isinstance(value, str) and "\0" in value:
            raise ValueError("U+0000 is in no text")
    return key


def cursor_of(key: Any) -> str:
    """The cursor of the page after an item, by its key."""
    return _pack(msgspec.json.encode(key))


def _pack(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unpack(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def _page(
    limit: Annotated[int, Query(ge=1, le=1000, description="items of a page")] = 100,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="`next` of the page before")] = None,
) -> Page:
    return Page(limit, cursor)


PageOf = Annotated[Page, Depends(_page)]


class AfterStation(msgspec.Struct, tag="station"):
    """The cursor of stations: the id of the last one."""

    id: str


class AfterIncident(msgspec.Struct, tag="incident"):
    """The cursor of incidents and blind spots: the number of the last one."""

    id: Id


class AfterClosure(msgspec.Struct, tag="closure"):
    """The cursor of closures: the number of the last one."""

    id: Id


class AfterFinding(msgspec.Struct, tag="finding"):
    """The cursor of findings and disputes: the number of the last item."""

    id: Id


class AfterCorrection(msgspec.Struct, tag="correction"):
    """The cursor of corrections: the number of the last correction."""

    id: Id


class AfterAssessment(msgspec.Struct, tag="assessment"):
    """The cursor of assessments: the number of the last one."""

    id: Id


class AfterAssessed(msgspec.Struct, tag="assessed"):
    """The cursor of the places of an assessment: how many came before."""

    count: Id


class AfterSilence(msgspec.Struct, tag="silence"):
    """The cursor of silences: the number of the last one."""

    id: Id


class AfterDuty(msgspec.Struct, tag="duty"):
    """The cursor of duties: the number of the last one."""

    id: Id


class AfterSubstitute(msgspec.Struct, tag="substitute"):
    """The cursor of substitutes: the number of the last one."""

    id: Id


class AfterOnDuty(msgspec.Struct, tag="on_duty"):
    """The cursor of who is on duty: the area (empty: the whole) and the role of the last line."""

    area: str
    role: str


class AfterContact(msgspec.Struct, tag="contact"):
    """The cursor of contacts: the id of the last one."""

    id: str


class AfterRoute(msgspec.Struct, tag="route"):
    """The cursor of routes: the id of the last one."""

    id: str


class AfterDeadletter(msgspec.Struct, tag="deadletter"):
    """The cursor of refused messages: the number of the last one."""

    id: Id


class AfterEntry(msgspec.Struct, tag="entry"):
    """The cursor of entries of the ledger: the id of the last one."""

    id: Id


class AfterUnregistered(msgspec.Struct, tag="unregistered"):
    """The cursor of unregistered stations: when the last one was heard, and its id."""

    last_seen_at: Moment
    station: str


class AfterRecord(msgspec.Struct, tag="record"):
    """The cursor of health and usage: the key of the last record."""

    ts: Moment
    terminal: str
    box: str
    id: Id


class AfterAccount(msgspec.Struct, tag="account"):
    """The cursor of accounts: the login of the last one."""

    login: str


class AfterToken(msgspec.Struct, tag="token"):
    """The cursor of tokens: when the last one was made, and its id."""

    created_at: Moment
    id: str
