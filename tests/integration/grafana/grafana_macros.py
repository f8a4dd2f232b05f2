"""Grafana's PostgreSQL macros and variables, expanded as its documentation says, to run its queries here
(https://grafana.com/docs/grafana/latest/datasources/postgres/query-editor)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

ALL: Mapping[str, str] = dict.fromkeys(("area1", "area2", "area3", "area4", "area", "programme", "kind"), "*")


def expand(sql: str, *, begin: datetime, end: datetime, seconds: int, **variables: str) -> str:
    """`sql` as Grafana sends it for the window [begin, end], an interval and the values chosen."""
    since, until = (f"'{moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}'" for moment in (begin, end))
    sql = sql.replace("$__interval_ms", str(seconds * 1000))
    sql = re.sub(
        r"\$__timeGroupAlias\(([^,()]+), *\$__interval\)",
        rf'floor(extract(epoch from \1)/{seconds})*{seconds} AS "time"',
        sql,
    )
    sql = re.sub(r"\$__timeFilter\(([^()]+)\)", rf"\1 BETWEEN {since} AND {until}", sql)
    sql = sql.replace("$__timeFrom()", since).replace("$__timeTo()", until)
    known = re.compile(r"\$\{(" + "|".join(variables or ("-",)) + r"):sqlstring\}")
    if left := re.findall(r"\$[\w{][^\s,)]*", known.sub("", sql)):
        raise ValueError(f"not expanded: {left}")
    quoted = {name: value.replace("'", "''") for name, value in variables.items()}
    # In one pass: a value that looks like another variable stays a value.
    return known.sub(lambda found: f"'{quoted[found[1]]}'", sql)
