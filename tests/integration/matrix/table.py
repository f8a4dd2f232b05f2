"""The table of docs/access.md: who gets which answer from each path. Test_matrix asks the app for each of its rows.

It is written by hand and does not look at api/http/permissions.py, so that a mistake there is found here.
"""

import re
from enum import StrEnum
from typing import Final

import msgspec

LETTERS: Final = {"A": "admin", "S": "supervisor", "T": "technician", "U": "auditor", "W": "wall display"}
"""The columns. A wall display is that of an admin: the one that could do most."""


class Beyond(StrEnum):
    """What becomes of what lies outside the scope."""

    OPEN = "open"
    UNKNOWN = "404"
    REFUSED = "422"
    LEFT_OUT = "left out"
    OWN = "own only"
    WHOLE = "whole only"
    NOTHING = "-"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One path. `who`: letters of LETTERS; `good`: the status for them; `by_token`: also with an API token."""

    part: str
    method: str
    path: str
    who: str
    good: int
    beyond: Beyond
    by_token: bool

    @property
    def is_page(self) -> bool:
        """Whether people look at the answer."""
        return not self.path.startswith("/api/")

    @property
    def is_open(self) -> bool:
        """Whether every client gets the answer."""
        return self.beyond is Beyond.OPEN

    @property
    def changes(self) -> bool:
        """Whether the request changes something."""
        return self.method != "GET"

    @property
    def route(self) -> tuple[str, str]:
        """As api/http/permissions.py names it."""
        return self.method, self.path


# method, path, who, status for these, and what becomes of things outside the scope; `in person`: not by an API token.
TABLE: Final = """
# Pages
GET    /                                     ASTUW 200 left out
GET    /stations                             ASTUW 200 left out
GET    /stations/{id}                        ASTUW 200 404
GET    /stations/{id}/remove                 AS    200 404
POST   /stations/{id}/remove                 AS    303 404
GET    /stations/{id}/restore                ASTUW 303 -
POST   /stations/{id}/restore                AS    303 404
GET    /areas                                ASTUW 200 left out
GET    /areas/{code}                         ASTUW 200 404
GET    /blind-spots                          ASTUW 200 left out
GET    /incidents                            ASTUW 200 left out
GET    /incidents/{id}                       ASTUW 200 404
GET    /incidents/{id}/{action}              ASTUW 303 -
POST   /incidents/{id}/ack                   AST   303 404
POST   /incidents/{id}/assign                AST   303 404
POST   /incidents/{id}/note                  AST   303 404
POST   /incidents/{id}/resolve               AS    303 404
GET    /work                                 ASTUW 200 left out
GET    /uptime                               ASTUW 200 left out
GET    /assessments                          ASTUW 200 left out
GET    /assessments/{id}                     ASTUW 200 404
GET    /effect                               ASTUW 200 left out
GET    /programmes                           ASTUW 200 left out
GET    /response                             ASUW  200 left out
POST   /incidents/{id}/repair                AST   303 404
POST   /incidents/{id}/photos                AST   303 404
GET    /photos/{id}                          ASTUW 200 404
GET    /findings                             ASTUW 200 left out
POST   /findings                             AU    303 422
GET    /findings/{id}                        ASTUW 200 404
POST   /findings/{id}/answer                 AS    303 404
POST   /findings/{id}/close                  ASTU  303 404
GET    /findings/{id}/photos                 ASTUW 303 -
POST   /findings/{id}/photos                 ASTU  303 404
POST   /disputes                             AST   303 422
GET    /corrections                          ASTUW 200 left out
POST   /corrections                          AS    303 422
GET    /corrections/{id}                     ASTUW 200 404
POST   /corrections/{id}/approve             AS    303 404
POST   /corrections/{id}/refuse              AS    303 404
GET    /closures                             ASTUW 200 left out
POST   /closures                             AST   303 422
GET    /closures/{id}                        ASTUW 200 404
GET    /closures/{id}/photos                 ASTUW 303 -
POST   /closures/{id}/photos                 AST   303 404
POST   /closures/{id}/approve                AS    303 404
POST   /closures/{id}/withdraw               AST   303 404
GET    /silences                             ASTUW 200 left out
POST   /silences                             AS    303 422
GET    /silences/{id}                        ASTUW 200 404
POST   /silences/{id}/end                    AS    303 404
GET    /contacts                             ASTUW 200 left out
POST   /contacts                             AS    303 422
GET    /contacts/{id}                        ASTUW 200 404
POST   /contacts/{id}                        AS    303 404
POST   /contacts/{id}/retire                 AS    303 404
POST   /contacts/{id}/end-links              AS    303 404
GET    /duty                                 ASTUW 200 left out
GET    /routes                               ASTUW 200 left out
POST   /routes                               AS    303 422
GET    /routes/{id}                          ASTUW 200 404
POST   /routes/{id}                          AS    303 404
POST   /routes/{id}/remove                   AS    303 404
GET    /who-is-told                          ASTUW 200 left out
GET    /gaps                                 ASTUW 200 left out
GET    /templates                            ASTUW 200 -
GET    /templates/{name}/{language}          ASTUW 200 -
POST   /templates/{name}/{language}          A     303 whole only
POST   /templates/{name}/{language}/reset    A     303 whole only
POST   /duty                                 AS    303 422
POST   /duty/{id}/remove                     AS    303 404
POST   /substitutes                          AS    303 422
POST   /substitutes/{id}/remove              AS    303 404
GET    /password                             ASTUW 200 own only in person
POST   /password                             ASTU  303 own only in person
GET    /account                              ASTUW 200 own only
POST   /account/sessions/end                 ASTU  303 own only in person
POST   /account/sessions/{id}/end            ASTU  303 404 in person
POST   /account/tokens                       ASTU  201 422
POST   /account/tokens/{id}/rotate           ASTU  201 404
POST   /account/tokens/{id}/revoke           ASTU  303 404
GET    /accounts                             A     200 left out
POST   /accounts                             A     303 422
GET    /accounts/{id}                        A     200 404
POST   /accounts/{id}                        A     303 404
POST   /accounts/{id}/link                   A     201 404
POST   /accounts/{id}/forget                 A     201 404
POST   /accounts/{id}/disable                A     303 404
POST   /accounts/{id}/enable                 A     303 404
# Stations and areas
GET    /api/v1/stations                      ASTUW 200 left out
GET    /api/v1/stations/{id}                 ASTUW 200 404
GET    /api/v1/stations/{id}/schedule        ASTUW 200 404
GET    /api/v1/stations/{id}/timeline        ASTUW 200 404
GET    /api/v1/stations/{id}/health          ASTUW 200 404
GET    /api/v1/stations/{id}/usage           ASTUW 200 404
GET    /api/v1/stations/{id}/health/figures  ASTUW 200 404
GET    /api/v1/stations/{id}/usage/figures   ASTUW 200 404
POST   /api/v1/stations/{id}/remove          AS    200 404
POST   /api/v1/stations/{id}/restore         AS    200 404
GET    /api/v1/areas/{code}                  ASTUW 200 404
GET    /api/v1/blind-spots                   ASTUW 200 left out
# Incidents and closures
GET    /api/v1/incidents                     ASTUW 200 left out
GET    /api/v1/incidents/{id}                ASTUW 200 404
POST   /api/v1/incidents/{id}/ack            AST   200 404
POST   /api/v1/incidents/{id}/assign         AST   200 404
POST   /api/v1/incidents/{id}/note           AST   200 404
POST   /api/v1/incidents/{id}/resolve        AS    200 404
GET    /api/v1/work                          ASTUW 200 left out
GET    /api/v1/uptime                        ASTUW 200 left out
GET    /api/v1/uptime/stations               ASTUW 200 left out
GET    /api/v1/reports/uptime                ASTUW 200 left out
GET    /api/v1/reports/effect                ASTUW 200 left out
GET    /api/v1/reports/programme             ASTUW 200 left out
GET    /api/v1/reports/stations/{id}         ASTUW 200 404
GET    /api/v1/reports/assessments/{id}      ASTUW 200 404
GET    /api/v1/assessments                   ASTUW 200 left out
POST   /api/v1/assessments                   AS    201 422
GET    /api/v1/assessments/{id}              ASTUW 200 404
GET    /api/v1/assessments/{id}/places       ASTUW 200 404
GET    /api/v1/response                      ASUW  200 left out
GET    /api/v1/incidents/{id}/repairs        ASTUW 200 404
POST   /api/v1/incidents/{id}/repairs        AST   201 404
GET    /api/v1/incidents/{id}/photos         ASTUW 200 404
POST   /api/v1/incidents/{id}/photos         AST   201 404
GET    /api/v1/closures/{id}/photos          ASTUW 200 404
POST   /api/v1/closures/{id}/photos          AST   201 404
GET    /api/v1/photos/{id}                   ASTUW 200 404
GET    /api/v1/photos/{id}/jpeg              ASTUW 200 404
GET    /api/v1/findings                      ASTUW 200 left out
POST   /api/v1/findings                      AU    201 422
GET    /api/v1/findings/{id}                 ASTUW 200 404
POST   /api/v1/findings/{id}/answer          AS    200 404
POST   /api/v1/findings/{id}/close           ASTU  200 404
GET    /api/v1/findings/{id}/photos          ASTUW 200 404
POST   /api/v1/findings/{id}/photos          ASTU  201 404
POST   /api/v1/disputes                      AST   201 422
GET    /api/v1/corrections                   ASTUW 200 left out
POST   /api/v1/corrections                   AS    201 422
GET    /api/v1/corrections/{id}              ASTUW 200 404
POST   /api/v1/corrections/{id}/approve      AS    200 404
POST   /api/v1/corrections/{id}/refuse       AS    200 404
GET    /api/v1/closures                      ASTUW 200 left out
POST   /api/v1/closures                      AST   201 422
GET    /api/v1/closures/{id}                 ASTUW 200 404
POST   /api/v1/closures/{id}/approve         AS    200 404
POST   /api/v1/closures/{id}/withdraw        AST   200 404
GET    /api/v1/silences                      ASTUW 200 left out
POST   /api/v1/silences                      AS    201 422
GET    /api/v1/silences/{id}                 ASTUW 200 404
POST   /api/v1/silences/{id}/end             AS    200 404
GET    /api/v1/contacts                      ASTUW 200 left out
POST   /api/v1/contacts                      AS    201 422
GET    /api/v1/contacts/{id}                 ASTUW 200 404
PATCH  /api/v1/contacts/{id}                 AS    200 404
POST   /api/v1/contacts/{id}/retire          AS    200 404
POST   /api/v1/contacts/{id}/end-links       AS    200 404
GET    /api/v1/stream                        ASTUW 200 left out
# Who is told
GET    /api/v1/routes                        ASTUW 200 left out
GET    /api/v1/gaps                          ASTUW 200 left out
GET    /api/v1/routes/{id}                   ASTUW 200 404
PUT    /api/v1/routes/{id}                   AS    200 422
DELETE /api/v1/routes/{id}                   AS    200 404
GET    /api/v1/stations/{id}/routing         ASTUW 200 404
GET    /api/v1/areas/{code}/routing          ASTUW 200 404
GET    /api/v1/duty                          ASTUW 200 left out
GET    /api/v1/duty/now                      ASTUW 200 left out
POST   /api/v1/duty                          AS    201 422
DELETE /api/v1/duty/{id}                     AS    200 404
GET    /api/v1/substitutes                   ASTUW 200 left out
POST   /api/v1/substitutes                   AS    201 422
DELETE /api/v1/substitutes/{id}              AS    200 404
# The platform
GET    /api/v1/pipeline                      ASUW  200 left out
POST   /api/v1/pipeline/shards/{shard}/trust A     200 whole only
POST   /api/v1/pipeline/restarts             A     201 whole only
GET    /api/v1/deadletters                   ASUW  200 left out
GET    /api/v1/unregistered                  ASUW  200 left out
# The ledger
GET    /api/v1/ledger/checkpoint             ASUW  200 -
GET    /api/v1/ledger/entries                ASUW  200 left out
GET    /api/v1/ledger/entries/{id}/proof     ASUW  200 404
GET    /api/v1/ledger/export                 ASU   200 left out
# Accounts and tokens
GET    /api/v1/account                       ASTUW 200 own only
POST   /api/v1/account/password              ASTU  200 own only in person
GET    /api/v1/account/sessions              ASTUW 200 own only
DELETE /api/v1/account/sessions              ASTU  200 own only in person
DELETE /api/v1/account/sessions/{id}         ASTU  200 404 in person
GET    /api/v1/tokens                        ASTUW 200 left out
POST   /api/v1/tokens                        ASTU  201 422
DELETE /api/v1/tokens/{id}                   ASTU  200 404
POST   /api/v1/tokens/{id}/rotate            ASTU  201 404
GET    /api/v1/accounts                      A     200 left out
POST   /api/v1/accounts                      A     201 422
GET    /api/v1/accounts/{id}                 A     200 404
PATCH  /api/v1/accounts/{id}                 A     200 404
POST   /api/v1/accounts/{id}/disable         A     200 404
POST   /api/v1/accounts/{id}/enable          A     200 404
POST   /api/v1/accounts/{id}/link            A     201 404
POST   /api/v1/signin-links                  ASTU  201 own only in person
# Open to everybody
GET    /i/{token}                            ASTUW 303 open
POST   /i/{token}                            ASTUW 404 open
GET    /signin                               ASTUW 200 open
POST   /signin                               ASTUW 403 open
POST   /signout                              ASTUW 303 open
GET    /healthz                              ASTUW 200 open
GET    /readyz                               ASTUW 200 open
GET    /metrics                              ASTUW 200 open
GET    /openapi.json                         ASTUW 200 open
GET    /docs                                 ASTUW 200 open
"""
_LINE: Final = re.compile(r"(\w+) +(\S+) +(\w+) +(\d{3}) +(.+?)( in person)?$")


def _rows() -> list[Row]:
    found, part = [], ""
    for line in TABLE.strip().splitlines():
        if line.startswith("# "):
            part = line[2:]
            continue
        fields = _LINE.match(line)
        assert fields is not None, line
        method, path, who, good, beyond, person = fields.groups()
        found.append(
            Row(
                part=part,
                method=method,
                path=path,
                who=who,
                good=int(good),
                beyond=Beyond(beyond),
                by_token=person is None,
            )
        )
    return found


ROWS: Final = _rows()
