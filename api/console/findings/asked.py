"""The filter of findings in an address, and the initial values of the forms for findings and corrections."""

from datetime import datetime
from typing import Final

import msgspec

from api.http.times import as_beijing_time, as_form_time, parse_stored_time
from api.read.moment import load_now
from audit.findings.rules import FindingStatus
from audit.findings.store import load_finding, load_incident_times
from store.pool import Connection

_MOST_DIGITS: Final = 18
"""Digits of the number of an incident or a finding."""


class FindingFilter(msgspec.Struct, frozen=True, kw_only=True):
    """The filter of findings from the address; times are in Beijing time, without a zone."""

    status: str = ""
    station: str = ""
    incident: str = ""
    begin: str = ""
    until: str = ""
    cursor: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address, without the cursor."""
        return {
            "status": self.status,
            "station": self.station,
            "incident": self.incident,
            "from": self.begin,
            "until": self.until,
        }

    @property
    def wanted(self) -> FindingStatus | None:
        """The status; None: any status."""
        return next((one for one in FindingStatus if one == self.status), None)

    @property
    def number(self) -> int | None:
        """The number of the incident; None: any incident."""
        return number_in(self.incident)

    def at(self, name: str) -> datetime | None:
        """The time `from` or `until`; None: not given. Raises a Problem."""
        text = self.query[name].strip()
        return parse_stored_time(name, as_beijing_time(name, text)) if text else None


async def about_which(connection: Connection, asked: FindingFilter) -> dict[str, str]:
    """The initial values of the form for a new finding: station and times of the incident, else of the address."""
    given = {name: asked.query[name] for name in ("station", "incident", "from", "until")}
    found = None if asked.number is None else await load_incident_times(connection, asked.number)
    if found is None:
        return given
    station, began_at, ended_at = found
    until = ended_at or await load_now(connection)
    return {**given, "station": station, "from": as_form_time(began_at), "until": as_form_time(until)}


async def about_finding(connection: Connection, station: str, finding: str) -> dict[str, str]:
    """The initial values of the form to propose a correction: station and times of the finding in the address, if
    any."""
    given = {"station": station, "finding": finding}
    number = number_in(finding)
    found = None if number is None else await load_finding(connection, number)
    if found is None:
        return given
    times = {"from": as_form_time(found.from_at), "until": as_form_time(found.until_at)}
    return {**given, **times, "station": found.station}


def number_in(text: str) -> int | None:
    """The number of an incident or a finding in an address; None: there is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None
