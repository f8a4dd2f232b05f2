"""Times in requests, and the window between `from` and `to`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
from fastapi import Depends, Query

from api.http.problems import bad_parameter
from contract.bounds import OutOfBoundsError, require_time
from contract.home import HOME

LONGEST: Final = timedelta(days=400)
"""The longest time that one answer is about: a year and a month."""
_DAY = timedelta(hours=24)
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$")
_WITHOUT_ZONE: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")


class WindowQuery(msgspec.Struct, frozen=True):
    """`from` and `to` as given; None: not given."""

    begin: datetime | None
    end: datetime | None

    def window(self, now: datetime, usual: timedelta = _DAY, longest: timedelta = LONGEST) -> tuple[datetime, datetime]:
        """[from, to), at most `longest`: the last `usual` up to now unless asked otherwise. Raises a Problem."""
        end = self.end or now
        begin = end - usual if self.begin is None else self.begin
        name = "from" if self.begin is not None else "to"
        if begin >= end:
            raise bad_parameter(
                name, f"the window would begin at {_said(begin)} and end at {_said(end)}: `from` must lie before `to`"
            )
        if end - begin > longest:
            raise bad_parameter(
                name,
                f"the window from {_said(begin)} to {_said(end)} is {(end - begin).days} days long and may be "
                f"{longest.days}: ask for less, one part after the other",
            )
        return begin, end


def _said(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def parse_time(name: str, text: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC. A `+` that the URL turned into a space is restored."""
    try:
        time = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", text.strip()))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as exc:
        raise bad_parameter(name, f"{text!r} is not a time; write it like 2026-11-01T08:00:00Z") from exc


def as_beijing_time(name: str, text: str) -> str:
    """A time as browsers send it from a form, without a zone, as one in Beijing. Raises a Problem."""
    stripped = text.strip()
    return parse_time(name, f"{stripped}+08:00" if _WITHOUT_ZONE.fullmatch(stripped) else text).isoformat()


def as_form_time(time: datetime) -> str:
    """A time as the value of a form field: Beijing time, without a zone, and without seconds if they are 0."""
    return time.astimezone(HOME).strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00")


def parse_stored_time(name: str, text: str) -> datetime:
    """A time that is to be kept or looked for: as `parse_time`, and within the bounds of `contract.bounds`."""
    try:
        return require_time(parse_time(name, text))
    except OutOfBoundsError as exc:
        raise bad_parameter(name, str(exc)) from exc


def _asked(
    begin: Annotated[
        str | None, Query(alias="from", max_length=64, description="ISO 8601; 24 h before `to`, at most 400 days")
    ] = None,
    end: Annotated[str | None, Query(alias="to", max_length=64, description="ISO 8601; now")] = None,
) -> WindowQuery:
    return WindowQuery(
        None if begin is None else parse_stored_time("from", begin),
        None if end is None else parse_stored_time("to", end),
    )


Window = Annotated[WindowQuery, Depends(_asked)]


def _period(
    begin: Annotated[
        str | None, Query(alias="from", max_length=64, description="ISO 8601; 7 days before `to`, at most 92 days")
    ] = None,
    end: Annotated[str | None, Query(alias="to", max_length=64, description="ISO 8601; now")] = None,
) -> WindowQuery:
    return _asked(begin, end)


Period = Annotated[WindowQuery, Depends(_period)]
"""A window for figures; its usual and its longest length are USUAL_PERIOD and LONGEST_PERIOD."""
USUAL_PERIOD: Final = timedelta(days=7)
LONGEST_PERIOD: Final = timedelta(days=92)
