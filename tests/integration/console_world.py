"""A country for the console, with something of every kind to show."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from access.management import create_account, make_token
from access.roles import Role
from access.rules import ADMIN, OPERATOR, actor_of
from access.scope import WHOLE, AreaScope
from access.store import disable_account, load_account, set_password
from alerting.escalation.model import EscalationPlan, EscalationState, PagePhase, PlannedStep
from alerting.health.rule_fields import SOURCES
from contract.glossary import WORDS
from registry.routes.model import RouteStep, StepClock
from registry.routes.routing import RouteSubject
from store.pool import Pool
from tests.integration.api_world import World
from tests.integration.duty_kit import add_contact, add_duty, add_route, add_substitute
from tests.pictures import encoded, flag

PROVINCE, COUNTY, TOWN = "630000000000", "632122000000", "632122101000"


async def people_read(world: World, station: str, number: int, *, state: str = "online", **columns: Any) -> None:
    """A station with names and an address in Chinese; further columns of its row."""
    await world.station(station, state, area=TOWN, name=f"官亭镇第{number}阅览室", since=4000, seen=4100)
    # A terminal is never in the state that a station has which is set aside.
    await world.pool.execute("UPDATE terminal_state SET state = 'offline' WHERE state = 'set_aside'")
    await world.pool.execute(
        "UPDATE station SET lat = 36.3, lon = 102.8 + $2 * 0.01, address = '团结街 3 号' WHERE id = $1", station, number
    )
    for name, value in columns.items():
        await world.pool.execute(f"UPDATE station SET {name} = $2 WHERE id = $1", station, value)  # noqa: S608


async def every_station(world: World) -> list[str]:
    """Stations of every type, operator, lifecycle and state, with terminals of every type."""
    kinds, uplinks = list(WORDS["station_kind"]), list(WORDS["uplink"])
    states = ["online", "offline", "away", "never_seen", "unproven", "set_aside"]
    lifecycles = list(WORDS["lifecycle"])
    found = []
    for n in range(max(len(kinds), len(uplinks), len(states), len(lifecycles))):
        station = f"632122{n:04}"
        await people_read(
            world, station, n, state=states[n % len(states)], kind=kinds[n % len(kinds)], isp=uplinks[n % len(uplinks)],
            lifecycle=lifecycles[n] if n < len(lifecycles) else "commissioned",
        )  # fmt: skip
        found.append(station)
    first = found[1]
    for n, kind in enumerate(WORDS["terminal_type"], start=2):
        await world.pool.execute("INSERT INTO terminal (station, id, type) VALUES ($1, $2, $3)", first, f"{n:03}", kind)
    await world.transition(first, 90_000, "online", before="never_seen")
    await world.transition(first, 4000, "offline")
    await world.record("presence", first, 3000, 2, until=world.ago(2000), usable=True)
    await world.record("usage", first, 1, 1, sessions=3, minutes=45.0)
    await world.record(
        "health", first, 60, 1, cpu=0.25, mem=0.5, disk=0.93, temp=41.0, rtt_ms=620.0, wifi=False,
        services={"kds-01": False},
    )  # fmt: skip
    await world.hours(found[0], (1, 5))
    return found


FIGURES: dict[str, Any] = {
    "seen_at": "2026-11-23T08:00:00+00:00", "offline_since": "2026-11-23T08:00:00+00:00", "gaps": 3, "gaps_s": 75.5,
    "gaps_until": 1795409700000, "changes": 14, "share": 0.62, "children": 4, "expected": 12, "stations": 7,
    "lost": True,
    "partitions": [0, 3], "days": ["2026-11-22", "2026-11-23"], "terminal": "002", "boot": "b1", "quiet": False,
    "with": ["6321220001/002"], "targets": ["x"], "reopened": 1, "announced_by": "王", "announced_reason": "升级",
    "resolved_by": "扎西", "resolved_reason": "钥匙丢了", "waiting": 1, "never_seen": True,
}  # fmt: skip
VALUES = {"agent": ("0.0.9", "0.1.0"), "cpu": (0.97, 0.9), "memory": (0.97, 0.95), "disk": (0.9712, 0.95)}


async def every_account(world: World) -> list[str]:
    """Accounts of every state, with tokens of the states that pages show; the first is that of the admin token."""
    now, made = datetime.now(UTC), ["admin"]
    async with world.pool.acquire() as connection:
        found = await load_account(connection, OPERATOR)
        assert found is not None
        operator = actor_of(found)
        scopes = (AreaScope(areas=frozenset({COUNTY, TOWN})), AreaScope(areas=frozenset({PROVINCE})), WHOLE)
        for (login, name), role, scope in zip(
            (("li", "李"), ("wang", "王" * 64), ("x" * 64, "李")), Role, scopes, strict=False
        ):
            account = await create_account(connection, operator, login=login, name=name, role=role, scope=scope)
            made.append(account.id)
            for days in (5, 90):
                await make_token(connection, operator, account, name="王", role=role, scope=scope, days=days, now=now)
        admin = await load_account(connection, ADMIN)
        assert admin is not None
        for days in (5, 90):
            await make_token(connection, operator, admin, name="王", role=Role.AUDITOR, scope=WHOLE, days=days, now=now)
        await connection.execute("UPDATE api_token SET account = 'admin' WHERE account = 'operator'")
        await set_password(connection, made[1], "$argon2id$x", by=OPERATOR)
        await disable_account(connection, made[2], by=OPERATOR)
    return made


async def every_incident(world: World, station: str) -> list[int]:
    """Incidents of every kind, status, reason, spot, cause, rule and figure, with every entry in their history."""
    made: list[int] = []

    async def add(kind: str, detail: dict[str, Any], **more: Any) -> None:
        made.append(await world.incident(kind, detail=detail, **more))

    for n, kind in enumerate(WORDS["kind"]):
        detail = FIGURES | {"reason": "two_boots", "kind": "dark", "clears": "heartbeat", "rule": "hot"}
        await add(kind, detail, station=station, status=list(WORDS["status"])[n % 3])
    for family, kind, field in (
        ("reason", "station_offline", "reason"), ("spot", "blind_spot", "kind"), ("clears", "blind_spot", "clears"),
        ("stage", "blind_spot", "stage"), ("rule", "health", "rule"), ("severity", "health", "severity"),
        ("reason", "area_outage", "ended_by"), ("shelved_by", "station_offline", "shelved_by"),
    ):  # fmt: skip
        for name in WORDS[family]:
            await add(kind, {field: name}, station=station)
    for field in SOURCES:
        value, limit = VALUES.get(field, (1200.5, 900.0))
        await add("health", {"field": field, "value": value, "threshold": limit}, station=station)
    for cause in WORDS["cause"]:
        for name in {"uplink": list(WORDS["uplink"]), "area": [COUNTY], "agent": ["1.2.3"]}.get(cause, ["x"]):
            await add("area_outage", {"cause": cause, "name": name}, area=COUNTY)
    await add("pipeline_blind", {"causes": list(WORDS["reason"])[:6], "reasons": list(WORDS["gap"]), "gaps_s": 4.0})
    for shelved in ({"shelved_by": "person", "resolved_by": "admin"}, {"shelved_by": "excused"}):
        await add("station_offline", shelved, station=station, status="closed")
    await world.pool.execute(
        "UPDATE incident SET closed_at = now(), reopen_at = now() + interval '1 hour' "
        "WHERE status = 'closed' AND detail ? 'shelved_by'"
    )
    await every_entry(world, made[0])
    await every_page(world, made[0])
    return made


async def every_page(world: World, number: int) -> None:
    """An escalation with every line of a log, two shares, and pages of every phase, state, reason and channel."""
    await world.pool.execute(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ('zhang', '王', 'technician', $1, 'x')", TOWN
    )
    rules = [RouteStep(role="technician"), RouteStep(role="lead", level="county", after=1800, clock=StepClock.OPEN)]
    plan = EscalationPlan(
        subject=RouteSubject(kind="station_offline", severity="warning"), chosen_at=world.now, route="border",
        steps=tuple(PlannedStep(rule) for rule in (*rules, RouteStep(role="head", after=7200))), earlier=("border",),
    )  # fmt: skip
    log = [
        {"at": world.now, "what": what, "round": 1, "step": 0, "contacts": ["zhang"], "until": world.now,
         "why": list(WORDS["page_reason"])[n % len(WORDS["page_reason"])],
         "passed_over": [("zhang", list(WORDS["passed_over"])[n % len(WORDS["passed_over"])])]}
        for n, what in enumerate(WORDS["escalation"])
    ]  # fmt: skip
    await world.pool.execute(
        "INSERT INTO escalation (incident, route, plan, state, log, wake_at) VALUES ($1, 'border', $2, $3, $4, now())",
        number, msgspec.to_builtins(plan), msgspec.to_builtins(EscalationState(round=1, next_step=1)), log,
    )  # fmt: skip
    for area in (COUNTY, TOWN):
        await world.pool.execute(
            "INSERT INTO share_escalation (incident, share, route, plan, state, log) "
            "VALUES ($1, $2, 'border', $3, $4, $5)",
            number, area, msgspec.to_builtins(plan), msgspec.to_builtins(EscalationState(next_step=1)), log[:3],
        )  # fmt: skip
    phases, states = [phase.value for phase in PagePhase], list(WORDS["page_status"])
    for n, reason in enumerate(WORDS["page_reason"]):
        page = await world.pool.fetchval(
            "INSERT INTO page (incident, recipient, phase, step, severity, status, reason, why, not_before) "
            "VALUES ($1, 'zhang', $2, $3, 'warning', $4, $5, $6, now() + interval '1 hour') RETURNING id",
            number, phases[n % len(phases)], n, states[n % len(states)], reason,
            {"because": "opened", "role": "technician", "instead_of": "zhang"},
        )  # fmt: skip
        await world.pool.execute(
            "WITH made AS (INSERT INTO message (contact, kind, fingerprint, severity) "
            "VALUES ('zhang', $1, 'f', 'warning') RETURNING id) INSERT INTO message_page SELECT id, $2 FROM made",
            list(WORDS["channel"])[n % len(WORDS["channel"])], page,
        )  # fmt: skip


async def every_entry(world: World, number: int) -> None:
    said: list[tuple[str, str | None]] = [(action, None) for action in WORDS["action"]]
    for family in ("reason", "gap", "clears", "spot", "cause", "rule", "lifecycle", "verdict"):
        said += [("updated", name) for name in WORDS[family]]
    for phase in WORDS["phase"]:
        said += [("notified", f"{phase} → log"), ("undelivered", f"{phase} → apprise-1: refused: was not accepted")]
    for action, text in said:
        await world.pool.execute(
            "INSERT INTO incident_entry (incident, actor, action, text) VALUES ($1, 'milepost', $2, $3)",
            number, action, text,
        )  # fmt: skip


async def a_country(pool: Pool) -> World:
    """Two provinces, one of them with a county and a township."""
    world = World(pool)
    await world.clock()
    await world.area(PROVINCE, "青海省", level="province")
    await world.area("640000000000", "宁夏回族自治区", level="province")
    await world.area(COUNTY, "民和县", PROVINCE)
    await world.area(TOWN, "官亭镇", PROVINCE, COUNTY, level="township")
    return world


async def every_closure(world: World, station: str, *, wide: tuple[float, float] = (-1, 2)) -> list[int]:
    """Closures of every scope, approved and not, and one that was withdrawn: the last. `wide`: from when until when (h)
    those of the area and the programme are."""
    await world.pool.execute("INSERT INTO programme (id, name) VALUES ('border', '边疆万里')")
    closures = [
        await world.closure(*when, approved=approved, **scope)
        for approved in (True, False)
        for when, scope in (((-1, 2), {"station": station}), (wide, {"area": COUNTY}), (wide, {"programme": "border"}))
    ]
    await world.pool.execute("UPDATE closure SET withdrawn_by = '王', withdrawn_at = now() WHERE id = $1", closures[-1])
    return closures


async def every_photo(world: World, incident: int, closure: int) -> None:
    """Two photos of an incident, a wide and a high one, and one of a closure."""
    for number, (size, of) in enumerate({(400, 300): "incident", (300, 400): "incident", (40, 30): "closure"}.items()):
        await world.pool.execute(
            f"INSERT INTO photo ({of}, sha256, jpeg, width, height, made_by, made_remark) "  # noqa: S608
            "VALUES ($1, sha256($2), $2, $3, $4, 'admin', $5)",
            incident if of == "incident" else closure, encoded(flag(*size)), *size, "扎西" if number else None,
        )  # fmt: skip


async def every_contact(world: World) -> list[str]:
    """A person with every kind of channel, a retired one, one whose account is disabled, and a room."""
    contacts = [
        await world.contact(name, name=called, area=area, room=room)
        for name, called, area, room in (
            ("6321220001", "李明", COUNTY, False),
            ("6321220002", "马军", TOWN, False),
            ("6321220003", "王芳", None, False),
            ("6321220004", "民和运维群", COUNTY, True),
        )
    ]
    pool = world.pool
    await pool.execute(
        "INSERT INTO contact_channel (contact, place, kind, address) "
        "SELECT $1, n + 1, kind, kind FROM unnest($2::text[]) WITH ORDINALITY AS k (kind, n)",
        contacts[0], [kind for kind in WORDS["channel"] if kind != "wecom"],
    )  # fmt: skip
    await pool.execute("UPDATE contact SET quiet = '22:00-07:00', account = 'admin' WHERE id = $1", contacts[0])
    await pool.execute("UPDATE contact SET retired_at = now(), role = 'head' WHERE id = $1", contacts[1])
    await pool.execute("DELETE FROM contact_channel WHERE contact = $1", contacts[1])
    return contacts


async def every_duty(world: World) -> None:
    """Who is on duty and who is not, for every reason, and substitutes."""
    for contact in ("li", "wang"):
        await add_contact(world.pool, contact, COUNTY)
    await add_contact(world.pool, "x", role="lead")
    await add_duty(world.pool, "li", COUNTY, times="[Asia/Urumqi] Mo-Fr 08:00-18:00; HD off", week=53)
    await add_duty(world.pool, "wang", COUNTY, times="whenever")
    await add_duty(world.pool, "x", COUNTY, times="off")
    await add_duty(world.pool, "x", TOWN)
    await world.pool.execute("UPDATE duty SET weeks = 1, week = 1, valid_to = '2199-01-01' WHERE area = $1", TOWN)
    await add_substitute(world.pool, "x", "li", world.ago(3600), reason="x")
    await add_substitute(world.pool, "li", "wang", world.ago(-3600), reason="x")


async def every_route(world: World) -> None:
    """The default route and one of a county with steps of every form."""
    await add_route(world.pool, "default")
    await add_route(world.pool, "x", COUNTY, steps="technician; lead@county after 30m open; head@city after 2h most 3")
    await add_route(world.pool, "y", TOWN, steps="head")
    await world.pool.execute("UPDATE route SET name = 'x'")


async def every_silence(world: World, station: str) -> list[int]:
    """Silences of every scope and state, of all kinds and of one; the last was ended early."""
    silences = [
        await world.silence(station=station),
        await world.silence(area=COUNTY, reason="供电局更换变压器，全县停电"),
        await world.silence(1, 2),
        await world.silence(-3, -1, area=TOWN),
        await world.silence(station=station),
    ]
    await world.pool.execute("UPDATE silence SET kinds = '{health,flapping}' WHERE id = $1", silences[0])
    await world.pool.execute("UPDATE silence SET ended_by = 'admin', ended_at = now() WHERE id = $1", silences[-1])
    return silences


async def every_day(world: World, station: str) -> None:
    """Two days of a frozen month, of which one has an addendum with every cause."""
    pool, path = world.pool, [PROVINCE, COUNTY, TOWN]
    await pool.execute("INSERT INTO day_state (cut, first_day, last_day) VALUES (0, '2026-11-02', '2026-11-03')")
    await pool.execute(
        "INSERT INTO day_figure (station, day, revision, path, scheduled_ms, excused_ms, unknown_ms, online_ms, "
        "service_due_ms, usable_ms, causes, addendum, cut) "
        "VALUES ($1, '2026-11-02', 1, $2, 28800000, 3600000, 60000, 7200000, 7200000, 3600000, '{}', false, 0), "
        "($1, '2026-11-02', 2, $2, 28800000, 0, 0, 9000000, 9000000, 9000000, $3, true, 0), "
        "($1, '2026-11-03', 1, $2, 28800000, 0, 28000000, 0, 0, 0, '{}', false, 0)",
        station, path, list(WORDS["revision_cause"]),
    )  # fmt: skip
    await pool.execute("INSERT INTO month_frozen (month, frozen_at, cut) VALUES ('2026-11-01', '2026-12-11', 0)")
    for table, column, when in (("area_day", "day", "2026-11-02"), ("area_month", "month", "2026-11-01")):
        await pool.execute(
            f"INSERT INTO {table} ({column}, area, path, scheduled_ms, excused_ms, unknown_ms, online_ms, "  # noqa: S608
            f"service_due_ms, usable_ms) VALUES ('{when}', $1, $2, 28800000, 0, 0, 9000000, 9000000, 9000000)",
            TOWN, path,
        )  # fmt: skip
