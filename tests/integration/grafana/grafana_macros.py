"""Grafana's PostgreSQL macros and variables, expanded as its documentation says, to run its queries here."""

import re
from datetime import UTC, datetime


def expand(sql: str, *, begin: datetime, end: datetime, seconds: int, **variables: str) -> str:
    """`sql` as Grafana sends it for the window [begin, end], an interval and the values chosen."""
    since, until = (f"'{moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}'" for moment in (begin, end))
    for name, value in variables.items():
        quoted = value.replace("'", "''")
        sql = sql.replace("${" + name + ":sqlstring}", f"'{quoted}'")
    sql = sql.replace("$__interval_ms", str(seconds * 1000))
    sql = re.sub(
        r"\$__timeGroupAlias\(([^,()]+), *\$__interval\)",
        rf'floor(extract(epoch from \1)/{seconds})*{seconds} AS "time"',
        sql,
    )
    sql = re.sub(r"\$__timeFilter\(([^()]+)\)", rf"\1 BETWEEN {since} AND {until}", sql)
    sql = sql.replace("$__timeFrom()", since).replace("$__timeTo()", until)
    if left := re.findall(r"\$[\w{][^\s,)]*", sql):
        raise ValueError(f"not expanded: {left}")
    return sql
