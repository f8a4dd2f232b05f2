"""Every request that changes something leaves exactly its entry in the ledger; one that is rolled back leaves none."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import msgspec
import pytest

from access.roles import Role
from access.store import disable_account
from api.http.permissions import NEEDS
from registry.closures.rules import NewClosure
from registry.closures.store import declare
from registry.removal_store import remove_station
from store.author import Author
from store.pool import Pool
from tests.integration.api_world import OWN_PAGE, World, config, other_account, serving
from tests.integration.audit.findings.finding_acts import FINDING_API, FINDING_PAGES, Act, Prepare
from tests.integration.duty_kit import add_contact, add_duty, add_route, add_substitute
from tests.pictures import of_a_phone

V1: Final = "/api/v1"


def on_incident(action: str) -> Prepare:
    async def prepare(world: World) -> str:
        return f"/incidents/{await world.incident('station_offline', station='s')}{action}"

    return prepare


def on_closure(action: str, declared_by: str = "operator") -> Prepare:
    async def prepare(world: World) -> str:
        await world.station("s", "offline")
        new = NewClosure(
            station="s", from_at=world.ago(60), until_at=world.ago(-3600), reason="装修", declared_by=declared_by
        )
        async with world.pool.acquire() as connection:
            made = await declare(connection, new)
        return f"/closures/{made.id}{action}"

    return prepare


def at(path: str) -> Prepare:
    async def prepare(world: World) -> str:
        return path

    return prepare


async def a_station(world: World) -> str:
    await world.station("s", "offline")
    return "/stations/s/remove"


async def an_untouched_station(world: World) -> str:
    await world.pool.execute("INSERT INTO station (id, name) VALUES ('s', 's')")
    return "/stations/s/remove"


def of_kept_days(path: str) -> Prepare:
    async def prepare(world: World) -> str:
        await world.pool.execute(
            "INSERT INTO day_state (cut, first_day, last_day) VALUES (0, '2026-11-01', '2026-11-30')"
        )
        return path

    return prepare


async def a_retired_station(world: World) -> str:
    await world.station("s", "offline")
    async with world.pool.acquire() as connection:
        await remove_station(connection, "s", by=Author("operator"), reason="x")
    return "/stations/s/restore"


async def a_suspected_shard(world: World) -> str:
    await world.clock()
    await world.suspicion(began=120, fell=24, counted=30)
    return "/pipeline/shards/main/trust"


def on_account(action: str = "", *, disabled: bool = False) -> Prepare:
    async def prepare(world: World) -> str:
        made = await other_account(world.pool, Role.TECHNICIAN, "wang")
        async with world.pool.acquire() as connection:
            if disabled:
                await disable_account(connection, made.account, by="operator")
        return f"/accounts/{made.account}{action}"

    return prepare


def on_token(action: str = "", under: str = "/tokens") -> Prepare:
    async def prepare(world: World) -> str:
        await other_account(world.pool, Role.TECHNICIAN, "wang")
        token = await world.pool.fetchval("SELECT id FROM api_token")
        return f"{under}/{token}{action}"

    return prepare


def on_silence(action: str, *, over: bool = False) -> Prepare:
    async def prepare(world: World) -> str:
        await world.station("s", "offline")
        return f"/silences/{await world.silence(-2, -1 if over else 1, station='s')}{action}"

    return prepare


async def a_changed_template(world: World) -> str:
    await world.pool.execute(
        "INSERT INTO message_template (name, language, text, edited_by) VALUES ('title', 'en', '! {title}', 'admin')"
    )
    return "/templates/title/en/reset"


async def a_loud_station(world: World) -> str:
    await world.station("s", "offline")
    return "/silences"


def on_route(path: str) -> Prepare:
    async def prepare(world: World) -> str:
        await add_route(world.pool, "r")
        return path

    return prepare


def on_duty(path: str) -> Prepare:
    async def prepare(world: World) -> str:
        for contact in ("li", "ma"):
            await add_contact(world.pool, contact)
        await add_duty(world.pool, "li")
        await add_substitute(world.pool, "li", "ma", world.now)
        return path

    return prepare


def on_contact(action: str = "") -> Prepare:
    async def prepare(world: World) -> str:
        return f"/contacts/{await world.contact('li', room=False)}{action}"

    return prepare


async def a_declarable_station(world: World) -> str:
    await world.station("s", "offline")
    return "/closures"


SOON = (datetime.now(UTC) + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
REMARK = {"by": "王"}
CONTACT = {"name": "王", "role": "lead", "quiet": "22:00-07:00", "channels": ["sms:13800138000"]}
INTERVAL = {"from": "2026-11-01T09:00", "until": "2026-11-02T09:00", "reason": "装修"}
REASON = {**REMARK, "reason": "打错了"}
RESTART = {**REASON, "minutes": 5}
ACCOUNT = {"login": "wang", "name": "王", "role": "supervisor", "whole": True}

ROUTE: Final = {"name": "王", "steps": "technician; lead after 30m"}
API_ACTS: Final[Mapping[str, Act]] = {
    "/incidents/{id}/ack": Act(on_incident("/ack"), REMARK, [("incident.acknowledged", "incident")]),
    "/incidents/{id}/assign": Act(on_incident("/assign"), {"assignee": "李"}, [("incident.assigned", "incident")]),
    "/incidents/{id}/note": Act(on_incident("/note"), {"text": "路断了"}, [("incident.note", "incident")]),
    "/incidents/{id}/resolve": Act(on_incident("/resolve"), {"text": "好了"}, [("incident.resolved", "incident")]),
    "/closures": Act(a_declarable_station, {**INTERVAL, "station": "s"}, [("closure.declared", "closure")], 201),
    "/closures/{id}/approve": Act(on_closure("/approve"), {"evidence": "文 12"}, [("closure.approved", "closure")]),
    "/closures/{id}/approve its own": Act(
        on_closure("/approve", "admin"), REMARK, [("closure.approval_refused", "closure")], 409
    ),
    "/closures/{id}/withdraw": Act(on_closure("/withdraw"), REMARK, [("closure.withdrawn", "closure")]),
    "/silences": Act(
        a_loud_station, {"station": "s", "until": f"{SOON}Z", "reason": "装修"}, [("silence.made", "silence")], 201
    ),
    "/silences/{id}/end": Act(on_silence("/end"), {}, [("silence.ended", "silence")]),
    "/silences/{id}/end when it is over": Act(on_silence("/end", over=True), {}, []),
    "/routes/{id}": Act(at("/routes/new"), ROUTE, [("route.made", "route")], method="PUT"),
    "/routes/{id} again": Act(on_route("/routes/r"), ROUTE, [("route.changed", "route")], method="PUT"),
    "/routes/{id} gone": Act(on_route("/routes/r"), {}, [("route.removed", "route")], method="DELETE"),
    "/duty": Act(on_duty("/duty"), {"role": "lead", "contact": "li"}, [("duty.given", "duty")], 201),
    "/duty/{id}": Act(on_duty("/duty/1"), {}, [("duty.removed", "duty")], method="DELETE"),
    "/substitutes": Act(
        on_duty("/substitutes"),
        {"contact": "ma", "substitute": "li", "from": f"{SOON}Z", "until": "2199-01-01T00:00Z", "reason": "培训"},
        [("substitute.given", "substitute")],
        201,
    ),
    "/substitutes/{id}": Act(on_duty("/substitutes/1"), {}, [("substitute.removed", "substitute")], method="DELETE"),
    "/contacts": Act(at("/contacts"), CONTACT, [("account.made", "account"), ("contact.made", "contact")], 201),
    "/contacts of a room": Act(at("/contacts"), {**CONTACT, "room": "yes"}, [("contact.made", "contact")], 201),
    "/contacts/{id}": Act(
        on_contact(),
        {**CONTACT, "channels": ["mail:wang@a.cn"]},
        [("account.made", "account"), ("contact.changed", "contact")],
        method="PATCH",
    ),
    "/contacts/{id}/retire": Act(on_contact("/retire"), {}, [("contact.retired", "contact")]),
    "/contacts/{id}/end-links": Act(on_contact("/end-links"), {}, [("links.ended", "contact")]),
    "/stations/{id}/remove": Act(a_station, REASON, [("station.retired", "station")]),
    "/stations/{id}/remove without history": Act(an_untouched_station, REASON, [("station.removed", "station")]),
    "/stations/{id}/restore": Act(a_retired_station, REASON, [("station.restored", "station")]),
    "/pipeline/shards/{shard}/trust": Act(a_suspected_shard, REMARK, [("shard.trusted", "shard")]),
    "/pipeline/restarts": Act(at("/pipeline/restarts"), RESTART, [("restart.announced", "restart")], 201),
    "/signin-links": Act(at("/signin-links"), {}, [("signin_link.made", "account")], 201),
    "/accounts": Act(at("/accounts"), ACCOUNT, [("account.made", "account")], 201),
    "/accounts/{id}": Act(on_account(), {"role": "auditor"}, [("account.rights", "account")], method="PATCH"),
    "/accounts/{id} name and scope": Act(
        on_account(),
        {"name": "李", "role": "auditor", "whole": True},
        [("account.renamed", "account"), ("account.rights", "account")],
        method="PATCH",
    ),
    "/accounts/{id} nothing new": Act(on_account(), {"role": "technician"}, [], method="PATCH"),
    "/accounts/{id}/disable": Act(on_account("/disable"), {}, [("account.disabled", "account")]),
    "/accounts/{id}/disable again": Act(on_account("/disable", disabled=True), {}, []),
    "/accounts/{id}/enable": Act(on_account("/enable", disabled=True), {}, [("account.enabled", "account")]),
    "/accounts/{id}/enable again": Act(on_account("/enable"), {}, []),
    "/accounts/{id}/link": Act(on_account("/link"), {}, [("signin_link.made", "account")], 201),
    "/accounts/{id}/link and no password": Act(
        on_account("/link"),
        {"forget_password": True},
        [("account.password", "account"), ("signin_link.made", "account")],
        201,
    ),
    "/tokens": Act(at("/tokens"), {"name": "王的令牌", "role": "auditor"}, [("token.made", "token")], 201),
    "/tokens/{id}/rotate": Act(
        on_token("/rotate"), {"overlap_hours": 1}, [("token.made", "token"), ("token.shortened", "token")], 201
    ),
    "/tokens/{id}/rotate at once": Act(
        on_token("/rotate"), {}, [("token.made", "token"), ("token.revoked", "token")], 201
    ),
    "/tokens/{id}": Act(on_token(), {}, [("token.revoked", "token")], method="DELETE"),
}
"""By route, with what is special about the case after a space."""
_FORM: Final = {**INTERVAL, "scope": "station", "name": "s", "kind": "closure"}
_SILENCE_FORM: Final = {"scope": "station", "name": "s", "until": SOON, "reason": "装修"}
_FORMS: Final[Mapping[str, Mapping[str, str]]] = {"/closures": _FORM, "/silences": _SILENCE_FORM}
PAGE_ACTS: Final[Mapping[str, Act]] = {
    route: msgspec.structs.replace(act, body=_FORMS.get(route, act.body), status=status)
    for route, act in API_ACTS.items()
    if route.startswith(("/incidents", "/closures", "/silences", "/contacts", "/stations"))
    for status in (409 if act.status == 409 else 303,)
}
DUTY_PAGES: Final[Mapping[str, Act]] = {
    "/duty": msgspec.structs.replace(API_ACTS["/duty"], status=303),
    "/substitutes": msgspec.structs.replace(
        API_ACTS["/substitutes"],
        body={"contact": "ma", "substitute": "li", "from": SOON, "until": "2199-01-01T00:00", "reason": "培训"},
        status=303,
    ),
    "/templates/{name}/{language}": Act(
        at("/templates/title/en"), {"text": "! {title}"}, [("template.changed", "template")], 303
    ),
    "/templates/{name}/{language}/reset": Act(a_changed_template, {}, [("template.reset", "template")], 303),
    "/routes": Act(at("/routes"), {**ROUTE, "id": "new"}, [("route.made", "route")], 303),
    "/routes/{id}": Act(on_route("/routes/r"), ROUTE, [("route.changed", "route")], 303),
    "/routes/{id}/remove": Act(on_route("/routes/r/remove"), {}, [("route.removed", "route")], 303),
    "/duty/{id}/remove": Act(on_duty("/duty/1/remove"), {}, [("duty.removed", "duty")], 303),
    "/substitutes/{id}/remove": Act(on_duty("/substitutes/1/remove"), {}, [("substitute.removed", "substitute")], 303),
}
PHOTO: Final = of_a_phone()
MENDED: Final = {"cause": "power", "text": "路断了", "fixed": True}
SAID: Final = [("repair.said", "repair")]
EVIDENCE: Final[Mapping[str, Act]] = {
    "/incidents/{id}/photos": Act(on_incident("/photos"), {}, [("photo.added", "incident")], 201, photo=PHOTO),
    "/closures/{id}/photos": Act(on_closure("/photos"), {}, [("photo.added", "closure")], 201, photo=PHOTO),
}
EVIDENCE_API: Final[Mapping[str, Act]] = {
    **EVIDENCE,
    "/assessments": Act(of_kept_days("/assessments"), {"period": "2026-11"}, [("assessment.made", "assessment")], 201),
    "/incidents/{id}/repairs": Act(on_incident("/repairs"), MENDED, SAID, 201),
}
EVIDENCE_PAGES: Final[Mapping[str, Act]] = {
    **{route: msgspec.structs.replace(act, status=303) for route, act in EVIDENCE.items()},
    "/incidents/{id}/repair": Act(on_incident("/repair"), {**MENDED, "fixed": "yes"}, SAID, 303),
}
OWN_TOKENS: Final = "/account/tokens"
PEOPLE_PAGES: Final[Mapping[str, Act]] = {
    "/accounts": Act(at("/accounts"), {**ACCOUNT, "scope": "whole"}, [("account.made", "account")], 303),
    "/accounts/{id}": Act(on_account(), {"role": "auditor"}, [("account.rights", "account")], 303),
    "/accounts/{id}/disable": Act(on_account("/disable"), {}, [("account.disabled", "account")], 303),
    "/accounts/{id}/enable": Act(on_account("/enable", disabled=True), {}, [("account.enabled", "account")], 303),
    "/accounts/{id}/link": Act(on_account("/link"), {}, [("signin_link.made", "account")], 201),
    "/accounts/{id}/forget": Act(
        on_account("/forget"), {}, [("account.password", "account"), ("signin_link.made", "account")], 201
    ),
    "/account/tokens": Act(at(OWN_TOKENS), {"name": "王的令牌", "role": "auditor"}, [("token.made", "token")], 201),
    "/account/tokens/{id}/rotate": Act(
        on_token("/rotate", OWN_TOKENS), {}, [("token.made", "token"), ("token.revoked", "token")], 201
    ),
    "/account/tokens/{id}/revoke": Act(on_token("/revoke", OWN_TOKENS), {}, [("token.revoked", "token")], 303),
}
NO_ACT: Final = {
    "/signin", "/signout", "/account/sessions/end", "/account/sessions/{id}/end", f"{V1}/account/sessions",
    f"{V1}/account/sessions/{{id}}",
}  # fmt: skip
"""A person begins or ends sessions of the own account."""
ELSEWHERE: Final = {f"{V1}/account/password", "/password", "/i/{token}"}
"""A password needs a session: see the test below. Links act for another account: integration/links/test_link_pages."""
CASES = [
    *((V1, route, act) for acts in (API_ACTS, EVIDENCE_API, FINDING_API) for route, act in acts.items()),
    *(
        ("", route, act)
        for pages in (PAGE_ACTS, EVIDENCE_PAGES, FINDING_PAGES, DUTY_PAGES, PEOPLE_PAGES)
        for route, act in pages.items()
    ),
]
IDS = [f"{prefix}{route}" for prefix, route, _ in CASES]
ENTRIES = "SELECT kind, subject, actor, at_ms, convert_from(body, 'UTF8') AS body FROM ledger_entry ORDER BY id"


def test_every_route_that_changes_something_is_here() -> None:
    changing = {path for method, path in NEEDS if method != "GET"}
    here = {f"{prefix}{route.partition(' ')[0]}" for prefix, route, _ in CASES}
    assert changing - NO_ACT - ELSEWHERE == here


async def send(client: httpx.AsyncClient, prefix: str, path: str, act: Act) -> httpx.Response:
    if prefix and act.photo is not None:
        return await client.post(prefix + path, content=act.photo, headers={"Content-Type": "image/jpeg"})
    if prefix:
        return await client.request(act.method, prefix + path, json=act.body)
    if act.photo is not None:
        return await client.post(path, files={"photo": ("x.jpg", act.photo)}, headers=OWN_PAGE)
    return await client.post(path, data=dict(act.body), headers=OWN_PAGE)


async def clear(pool: Pool) -> None:
    """Forget the entries of the preparation."""
    await pool.execute(
        "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_is_written_once; "
        "TRUNCATE ledger_pending, ledger_salt, ledger_entry; "
        "ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_is_written_once"
    )


@pytest.mark.parametrize(("prefix", "route", "act"), CASES, ids=IDS)
async def test_it_leaves_exactly_its_entry(
    pool: Pool, database: str, tmp_path: Path, prefix: str, route: str, act: Act
) -> None:
    path = await act.prepare(World(pool))
    await clear(pool)
    async with serving(config(database, tmp_path)) as (client, _):
        answer = await send(client, prefix, path, act)
    assert answer.status_code == act.status, answer.text
    # The facts of the registry are entries of their own, of whatever kind the act is.
    rows = [row for row in await pool.fetch(ENTRIES) if row["kind"] != "registry.facts"]
    assert [(row["kind"], row["subject"].partition("/")[0]) for row in rows] == act.entries
    assert {row["actor"] for row in rows} <= {"admin"}
    assert await pool.fetchval("SELECT count(*) FROM ledger_pending") == await pool.fetchval(
        "SELECT count(*) FROM ledger_entry"
    )
    said = "".join(row["body"] for row in rows)
    assert not [text for text in ("王", "装修", "路断了", "打错了", "文 12", "李", "wang") if text in said], (
        "hashes only"
    )


STATE: Final = (
    "incident", "incident_entry", "repair", "photo", "notification", "finding", "correction", "day_touch",
    "closure", "silence", "contact", "contact_channel", "duty", "route",
    "duty_substitute", "station", "station_lifecycle", "station_deleted",
    "shard_decision", "announced_restart", "signin_code", "account", "account_area", "api_token", "registry_fact",
    "ledger_entry", "ledger_pending", "ledger_salt",
)  # fmt: skip


async def state(pool: Pool) -> dict[str, list[str]]:
    """All rows of the tables that acts change."""
    return {
        table: [row[0] for row in await pool.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")]  # noqa: S608
        for table in STATE
    }


async def test_a_person_changes_the_own_password(pool: Pool, database: str, tmp_path: Path) -> None:
    async with serving(config(database, tmp_path)) as (admin, _):
        made = (await admin.post(f"{V1}/accounts", json=ACCOUNT)).json()
        link = (await admin.post(f"{V1}/accounts/{made['id']}/link")).json()["link"]
        admin.headers.pop("Authorization")
        await admin.post("/signin", data={"code": link.partition("code=")[2]}, headers=OWN_PAGE)
        await clear(pool)
        chosen = await admin.post(f"{V1}/account/password", json={"new": "correct horse"}, headers=OWN_PAGE)
    assert chosen.status_code == 200, chosen.text
    (row,) = await pool.fetch(ENTRIES)
    assert (row["kind"], row["actor"], row["body"]) == ("account.password", made["id"], '{"set":true}')
    assert row["subject"] == f"account/{made['id']}"


DOES = [case for case in zip(CASES, IDS, strict=True) if case[0][2].entries]


@pytest.mark.parametrize(("prefix", "route", "act"), [case for case, _ in DOES], ids=[name for _, name in DOES])
async def test_without_its_entry_nothing_is_done(
    pool: Pool, database: str, tmp_path: Path, prefix: str, route: str, act: Act
) -> None:
    """The database refuses the entry, as late as possible: when the transaction commits."""
    path = await act.prepare(World(pool))
    await pool.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no entry'; END $$; "
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    before = await state(pool)
    async with serving(config(database, tmp_path)) as (client, _):
        answer = await send(client, prefix, path, act)
    assert answer.status_code >= 500, answer.text
    assert await state(pool) == before
