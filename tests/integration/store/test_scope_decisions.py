"""Every table has a decision about the API: a policy, a view, nothing of a station in it, or no right."""

import re

import pytest

from access.rules import OPERATOR
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.migrate import migrate
from store.pool import Pool
from tests.integration.store.scope_world import EAST, STATIONS, TOWN, WEST, a_country, scoped
from tests.machine_words import ROOT

COMMON = {
    "announced_restart", "area_count_known", "calendar", "calendar_opening", "consumer_offset", "day_class",
    "day_state", "made_up_history", "month_frozen", "record_kept", "share_day",
    "ledger_checkpoint", "ledger_head", "ledger_run", "ledger_tile", "log_end", "message_template",
    "pipeline_gap", "programme", "schema_migration", "service_sign",
}  # fmt: skip
"""Nothing of a station, an area or a person's scope is in these."""
OF_THE_API = {"known_place", "link", "link_key", "link_post", "session", "signin_code"}
"""Found by the hash of a secret before anybody's scope is known."""
ADDED_TO = {"ledger_pending", "ledger_salt"}
"""Numbers and random bytes that the API may add and not read."""
CLOSED = {
    "area_day_sum", "area_month_sum", "area_succession",
    "attempt", "blind_spot_memory", "boot_anchor", "cause_memory", "channel_key", "channel_state",
    "command_reply",
    "dashboard_login", "day_seen", "day_share", "day_touch", "day_wake",
    "delivery", "escalation_wake", "event", "flapping_memory", "health_memory", "health_state",
    "incident_clock", "record_box", "rollup_touch", "schedule", "schedule_override",
    "send_limit",
    "station_deleted", "stream_cursor", "terminal_facts", "topic_layout",
    "usage_area_day", "usage_due", "usage_month",
}  # fmt: skip
"""Tables on which the API has no right, because it asks none of them."""
VIEWS = {"calendar_now"}
"""Views with the rights of their owner, over tables of COMMON."""


async def rights(pool: Pool, schema: str) -> dict[str, tuple[str, bool, bool]]:
    """{relation: (kind, whether it has policies, whether the API may do anything with it)}, of Milepost's own."""
    rows = await pool.fetch(
        "SELECT c.relname, c.relkind::text, c.relrowsecurity OR coalesce('security_barrier=true' = ANY (c.reloptions), "
        "false) OR coalesce('security_invoker=true' = ANY (c.reloptions), false) AS guarded, "
        "has_any_column_privilege('milepost_api', c.oid, 'SELECT, INSERT, UPDATE') "
        "OR has_table_privilege('milepost_api', c.oid, 'DELETE, TRUNCATE') AS held "
        "FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
        "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')",
        schema,
    )
    return {row["relname"]: (row["relkind"], row["guarded"], row["held"]) for row in rows}


async def test_every_table_has_a_decision(pool: Pool) -> None:
    tables = {name: held for name, (kind, _, held) in (await rights(pool, "public")).items() if kind in "rp"}
    views = set(await rights(pool, "scoped"))
    closed = {name for name, held in tables.items() if not held} - views
    assert closed == CLOSED, "a new table needs a line in store/grants.sql and store/scoped.sql, or here"


async def test_what_is_open_has_policies_or_nothing_of_a_station(pool: Pool) -> None:
    found = await rights(pool, "public")
    bare = {name for name, (_, guarded, held) in found.items() if held and not guarded}
    assert bare == COMMON | OF_THE_API | ADDED_TO | VIEWS


async def test_every_view_of_the_schema_scoped_is_guarded(pool: Pool) -> None:
    tables, views = await rights(pool, "public"), await rights(pool, "scoped")
    assert {name: guarded for name, (_, guarded, _) in views.items() if not guarded} == {}
    assert {name for name, (_, _, held) in views.items() if not held} == set()
    assert {name for name in views if name in tables and tables[name][2]} == set(), "the table below a view is closed"


async def test_every_table_with_policies_is_open_to_the_services(pool: Pool) -> None:
    rows = await pool.fetch(
        "SELECT relname, "
        "(SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'service') AS policies "
        "FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"
    )
    assert {row["relname"] for row in rows if row["policies"] != 1} == set()
    assert {"area", "station", "incident", "closure", "account", "target"} <= {row["relname"] for row in rows}


@pytest.mark.parametrize("relation", ["station", "session", "scoped.transition"])
async def test_rights_of_the_api_are_repaired_by_the_next_migrate(pool: Pool, relation: str) -> None:
    async def held() -> str:
        found: str = await pool.fetchval(
            "SELECT string_agg(privilege_type, ' ' ORDER BY privilege_type) FROM pg_class, aclexplode(relacl) "
            "WHERE oid = $1::text::regclass AND grantee = 'milepost_api'::regrole",
            relation,
        )
        return found

    before = await held()
    async with pool.acquire() as connection:
        await connection.execute(
            f"REVOKE ALL ON {relation} FROM milepost_api; GRANT TRIGGER ON {relation} TO milepost_api"
        )
        assert await migrate(connection) == []
    assert await held() == before


OF_A_PLACE = {
    "account", "area_day", "area_month", "assessment", "closure", "contact", "correction", "duty", "finding",
    "incident", "repair", "route", "silence", "station", "substitute", "token",
}  # fmt: skip
"""Subjects of the ledger that a scope sees if it has their place; a scope sees `ledger` always."""
OF_THE_WHOLE = {"database", "history", "import", "registry", "restart", "shard", "template"}
"""Subjects that only the whole sees."""
ROWS = {
    "finding": "INSERT INTO finding (kind, station, from_at, until_at, text, made_by, made_at) "
    "VALUES ('finding', $1, now() - interval '1 hour', now(), 't', 'a', now()) RETURNING id",
    "correction": "INSERT INTO correction (station, from_at, until_at, counts_as, reason, proposed_by, proposed_at) "
    "VALUES ($1, now() - interval '1 hour', now(), 'up', 'r', 'a', now()) RETURNING id",
    "assessment": "INSERT INTO assessment (area, period, revision, made_at, made_by, method, rules_name, "
    "rules_version, outcome, places, rules, inputs, result) "
    "SELECT area, '2026-11', 1, now(), 'a', 1, 'r', 1, 'none', 0, 'r', 'i', 'r' "
    "FROM station WHERE id = $1 RETURNING id",
    "repair": "INSERT INTO repair (incident, at, made_by, cause) "
    "SELECT id, now(), 'a', 'power' FROM incident WHERE station = $1 RETURNING id",
    "substitute": "INSERT INTO duty_substitute (contact, substitute, from_at, until_at, edited_by) "
    "VALUES ($1, 'of-the-county', now(), now() + interval '1 hour', 'a') RETURNING id",
}
"""A row of a station, or of the contact with the id of the station."""


def test_every_subject_of_the_ledger_has_a_decision() -> None:
    kinds = (ROOT / "docs/ledger.md").read_text(encoding="utf-8").partition("## Kinds")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in kinds.splitlines() if line.startswith("| `")]
    subjects = {subject for row in rows for subject in re.findall(r"`([a-z_]+)", row[2])}
    assert subjects == OF_A_PLACE | OF_THE_WHOLE | {"ledger"}


async def test_a_scope_sees_the_entries_of_its_place(pool: Pool) -> None:
    """A substitute is seen by a scope that has both contacts."""
    world = await a_country(pool)
    await world.contact("of-the-county", area=EAST)
    subjects = {f"{kind}/x" for kind in OF_THE_WHOLE | {"finding"}}
    of = dict[str, set[str]]()
    for station in ("s-east", "s-town", "s-west"):
        await world.contact(station, area=STATIONS[station])
        of[station] = {f"{kind}/{await pool.fetchval(sql, station)}" for kind, sql in ROWS.items()}
        subjects |= of[station]
    async with pool.acquire() as connection, connection.transaction():
        await append_entries(
            connection,
            [LedgerEntry(kind=LedgerKind.FINDING_MADE, subject=one, actor=OPERATOR) for one in sorted(subjects)],
        )
    own = {station: {one for one in made if not one.startswith("substitute/")} for station, made in of.items()}
    expected = {EAST: of["s-east"] | of["s-town"], TOWN: own["s-town"], WEST: own["s-west"], "99": set(), "*": subjects}
    for scope, seen in expected.items():
        async with scoped(pool, scope) as connection:
            rows = await connection.fetch("SELECT subject FROM ledger_entry WHERE kind = 'finding.made'")
        assert {row["subject"] for row in rows} == seen, scope
