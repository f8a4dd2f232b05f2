"""What tests of figures share: the columns, a pass, and the same figures made by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from store.pool import Connection

MEASURED = ("cpu", "mem", "disk", "temp", "rtt_ms")
HEALTH = ["began_at", "station", "terminal", "samples"] + [
    f"{n}_{w}" for n in MEASURED for w in ("count", "sum", "max")
]
USAGE = ["began_at", "station", "terminal", "samples", "sessions", "minutes", "bytes"]
COLUMNS = {"health_hour": HEALTH, "health_day": HEALTH, "usage_hour": USAGE, "usage_day": USAGE}
ALL = '{"until": "2100-01-01"}'

TIMED = {"health": "time_source <> 'unknown'", "usage": "true"}

Figures = dict[tuple[datetime, str, str], dict[str, Any]]


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


async def roll_up(connection: Connection, config: str | None = ALL) -> None:
    """All passes; on plain PostgreSQL each pass makes a day."""
    before = None
    left = "SELECT (SELECT count(*) FROM rollup_touch) + (SELECT count(*) FROM usage_due)"
    while before != (number := await connection.fetchval(left)):
        before = number
        await connection.execute(f"CALL roll_up_records(0, {'NULL' if config is None else repr(config)})")


async def kept(connection: Connection, name: str) -> Figures:
    rows = await connection.fetch(f"SELECT {', '.join(COLUMNS[name])} FROM {name}")  # noqa: S608 -- our own names
    return {(row["began_at"], row["station"], row["terminal"]): dict(row) for row in rows}


async def recomputed(connection: Connection, name: str) -> Figures:
    """The same by hand. Real numbers go through text, so that 0.1 is 0.1."""
    kind, unit = name.split("_")
    fields = MEASURED if kind == "health" else ("sessions", "minutes", "bytes")
    rows = await connection.fetch(
        f"SELECT ts, station, terminal, {', '.join(f'{n}::text AS {n}' for n in fields)} FROM {kind} "  # noqa: S608
        f"WHERE {TIMED[kind]}"
    )
    groups: dict[tuple[datetime, str, str], list[Any]] = {}
    for row in rows:
        began = row["ts"].replace(minute=0, second=0, microsecond=0)
        key = (began.replace(hour=0) if unit == "day" else began, row["station"], row["terminal"])
        groups.setdefault(key, []).append(row)
    return {key: figures_of(key, group, kind) for key, group in groups.items()}


def figures_of(key: tuple[datetime, str, str], group: list[Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {"began_at": key[0], "station": key[1], "terminal": key[2], "samples": len(group)}
    for name in MEASURED if kind == "health" else ("sessions", "minutes", "bytes"):
        values = [Decimal(row[name]) for row in group if row[name] is not None]
        total = sum(values) if values else None
        if kind == "health":
            most = max(values, default=None)
            found |= {f"{name}_count": len(values), f"{name}_sum": total, f"{name}_max": most}
        else:
            found[name] = total
    return found


def rounded(figures: Figures) -> Figures:
    """A maximum is a real, of which six digits count."""
    return {
        key: {n: Decimal(f"{v:.6g}") if isinstance(v, float) else v for n, v in row.items()}
        for key, row in figures.items()
    }


async def require_equal(connection: Connection) -> int:
    rows = 0
    for name in COLUMNS:
        expected = await recomputed(connection, name)
        assert rounded(await kept(connection, name)) == expected, name
        rows += len(expected)
    await require_sums(connection)
    return rows


async def require_sums(connection: Connection) -> None:
    """The sums for dashboards are those of the kept days, by month of a station and by the present area."""
    days = await kept(connection, "usage_day")
    areas = {row["id"]: row["area"] or "" for row in await connection.fetch("SELECT id, area FROM station")}
    sessions: dict[tuple[date, str], dict[int, int]] = {}
    used: dict[tuple[date, str], list[Decimal]] = {}
    for (began, station, _), row in days.items():
        of_month = sessions.setdefault((began.date().replace(day=1), station), {})
        of_month[began.day] = of_month.get(began.day, 0) + int(row["sessions"] or 0)
        if station in areas:
            sums = used.setdefault((began.date(), areas[station]), [Decimal(0)] * 3)
            sums[:] = [a + (row[n] or 0) for a, n in zip(sums, ("sessions", "minutes", "bytes"), strict=True)]
    rows = await connection.fetch("SELECT day, area, sessions, minutes, bytes FROM usage_area_day")
    assert {(row[0], row[1]): list(row)[2:] for row in rows} == used
    months = await connection.fetch("SELECT month, station, days, sessions FROM usage_month WHERE days <> 0")
    assert {(row[0], row[1]): _days_of(row["days"], row["sessions"]) for row in months} == sessions
    assert await connection.fetchval("SELECT count(*) FROM usage_month WHERE cardinality(sessions) <> 31") == 0


def _days_of(days: int, until: list[int]) -> dict[int, int]:
    """{day: sessions} of the days that are set; `until` has the sums up to each."""
    each = [now - before for before, now in zip([0, *until], until, strict=False)]
    assert all(days >> place & 1 or not number for place, number in enumerate(each))
    return {place + 1: number for place, number in enumerate(each) if days >> place & 1}


async def is_timescale(connection: Connection) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"))


async def compress(connection: Connection) -> None:
    """All chunks of records and figures, as the policies do after days."""
    for name in ("health", "usage", *COLUMNS):
        await connection.execute("SELECT compress_chunk(c, true) FROM show_chunks($1::text::regclass) AS c", name)
