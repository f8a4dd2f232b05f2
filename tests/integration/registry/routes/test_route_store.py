"""Routes in the database: what is written, its entries in the ledger, and what a scope shows and may write."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from contract.errors import RemedyError
from contract.said import SaidError
from registry.duty.model import Duty, Substitute
from registry.duty.store import put_duties, put_substitutes
from registry.hours.day_classes import DayClass
from registry.hours.schedule_store import put_days
from registry.model import NamedDay
from registry.routes.explaining import explain
from registry.routes.model import Route
from registry.routes.routing import RouteSubject
from registry.routes.steps import parse_steps
from registry.routes.store import (
    has_stored_default,
    load_routes,
    load_routing,
    load_subject,
    put_routes,
    remove_routes,
)
from store.author import Author
from store.pool import Connection, Pool
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, a_country, is_refused, scoped
from tests.unit.registry.routes.routes_kit import told

AT = datetime(2026, 11, 25, 4, tzinfo=UTC)
BY = Author("operator")
STEPS = "technician; lead@county after 30m open; head@province after 2h most 3"
PEOPLE = [("li", "technician", TOWN), ("ma", "lead", EAST), ("wang", "technician", WEST), ("zhao", "head", PROVINCE)]


def route(name: str = "default", area: str | None = None, steps: str = STEPS, **more: Any) -> Route:
    return Route(id=name, name=name, area=area, steps=parse_steps(steps), **more)


async def add_people(connection: Connection) -> None:
    for name, role, area in PEOPLE:
        await connection.execute(
            "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, $1, $2, $3, 'operator')",
            name,
            role,
            area,
        )
        await connection.execute(
            "INSERT INTO contact_channel (contact, place, kind, address) VALUES ($1, 1, 'mail', $1 || '@x.cn')", name
        )


async def entries(connection: Connection) -> list[tuple[str, str, str, dict[str, Any]]]:
    """(kind, subject, actor, body) of the entries of routes, in their order."""
    rows = await connection.fetch(
        "SELECT kind, subject, actor, body FROM ledger_entry WHERE kind ~ '^route[.]' ORDER BY id"
    )
    return [(row["kind"], row["subject"], row["actor"], msgspec.json.decode(row["body"])) for row in rows]


async def test_routes_are_stored_changed_and_removed(pool: Pool) -> None:
    await a_country(pool)
    full = route(
        "east",
        EAST,
        kinds=("station_offline", "blind_spot"),
        severities=("critical", "info"),
        programme="p-east",
        station_kind="library",
        tell_past=False,
    )
    async with pool.acquire() as connection:
        assert not await has_stored_default(connection)
        assert sorted(await put_routes(connection, [full, route()], by=BY)) == ["default", "east"]
        assert await has_stored_default(connection)
        sorted_words = msgspec.structs.replace(
            full, kinds=("blind_spot", "station_offline"), severities=("info", "critical")
        )
        assert await load_routes(connection) == {"default": route(), "east": sorted_words}
        assert await put_routes(connection, [full, route()], by=BY) == [], "what changes nothing is not written"
        assert await put_routes(connection, [route(steps="head")], by=BY) == ["default"]
        assert await remove_routes(connection, ["east", "nobody"], by=BY) == ["east"]
        assert await load_routes(connection) == {"default": route(steps="head")}
        said = await entries(connection)
    assert [(kind, subject, actor) for kind, subject, actor, _ in said] == [
        ("route.made", "route/east", "operator"),
        ("route.made", "route/default", "operator"),
        ("route.changed", "route/default", "operator"),
        ("route.removed", "route/east", "operator"),
    ]
    body = said[0][3]
    assert body.pop("name_sha256")
    assert body == {
        "area": EAST,
        "kinds": ["blind_spot", "station_offline"],
        "severities": ["info", "critical"],
        "programme": "p-east",
        "station_kind": "library",
        "steps": STEPS,
        "tell_past": False,
    }


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (route("a b"), "'a b' is not the id of a route: use 1 to 64 of 0-9 A-Z a-z _ . -"),
        (route(kinds=("fire",)), "'fire' is not a kind of incidents: use station_offline, "),
        (route(severities=("loud",)), "'loud' is not a severity of incidents: use info, warning, critical"),
        (Route(id="x", name="", steps=parse_steps("head")), "the name of a route has 1 to 200 characters: correct it"),
        (Route(id="x", name="x", steps=()), "has no step: name at least one role"),
        (route(area="99"), "there is no area 99: correct it"),
    ],
)
async def test_what_cannot_be_is_refused_whole(pool: Pool, wrong: Route, problem: str) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        with pytest.raises((SaidError, RemedyError)) as caught:
            await put_routes(connection, [route("good"), wrong], by=BY)
        assert str(caught.value).startswith(problem)
        assert await load_routes(connection) == {}
        assert await entries(connection) == []


async def test_the_routing_is_everything_that_decides(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await add_people(connection)
        await put_routes(connection, [route()], by=BY)
        await put_duties(connection, [Duty(role="technician", contact="wang", area=TOWN)], by=BY)
        away = Substitute(contact="wang", substitute="li", from_at=AT, until_at=AT + timedelta(days=1))
        await put_substitutes(connection, [away], by=BY)
        await put_days(connection, [NamedDay(day=date(2026, 11, 25), day_class="holiday")])
        found = await load_routing(connection)
        late = await load_routing(connection, since=AT + timedelta(days=2))
    assert list(found.contacts) == ["li", "ma", "wang", "zhao"]
    assert [(duty.contact, duty.area) for duty in found.duties] == [("wang", TOWN)]
    assert [each.substitute for each in found.substitutes] == ["li"]
    assert (found.routes, found.days) == ((route(),), {date(2026, 11, 25): DayClass.HOLIDAY})
    assert found.scope is None
    assert late.substitutes == ()


async def test_the_routing_is_one_snapshot(pool: Pool) -> None:
    """A contact that goes while the routing is read is either in all of it or in nothing."""
    await a_country(pool)
    async with pool.acquire() as connection, pool.acquire() as other:
        await add_people(connection)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            before = await load_routing(connection)
            await put_routes(other, [route()], by=BY)
            assert await load_routing(connection) == before
        assert (await load_routing(connection)).routes == (route(),)


async def test_the_subject_of_a_question(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await pool.execute("UPDATE station SET kind = 'library' WHERE id = 's-town'")
        asked = {"kind": "station_offline", "severity": "critical"}
        assert await load_subject(connection, station="s-town", **asked) == RouteSubject(
            station="s-town",
            path=(PROVINCE, EAST, TOWN),
            levels={PROVINCE: "province", EAST: "county", TOWN: "town"},
            station_kind="library",
            programmes=frozenset({"p-east"}),
            **asked,
        )
        nowhere = await load_subject(connection, station="s-nowhere", **asked)
        assert nowhere is not None
        assert nowhere.path == ()
        of_area = await load_subject(connection, area=EAST, **asked)
        assert of_area is not None
        assert (of_area.station, of_area.path) == (None, (PROVINCE, EAST))
        assert await load_subject(connection, station="unknown", **asked) is None
        assert await load_subject(connection, area="99", **asked) is None
    async with scoped(pool, WEST) as connection:
        assert await load_subject(connection, station="s-town", **asked) is None
        assert await load_subject(connection, area=EAST, **asked) is None


async def test_a_scope_shows_the_routes_that_apply_in_it(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        places = {"all": None, "province": PROVINCE, "east": EAST, "town": TOWN, "west": WEST}
        await put_routes(connection, [route(name, area) for name, area in places.items()], by=BY)
    for setting, names in {
        TOWN: {"all", "province", "east", "town"},
        WEST: {"all", "province", "west"},
        "*": set(places),
    }.items():
        async with scoped(pool, setting) as connection:
            assert set(await load_routes(connection)) == names, setting


async def test_a_scope_writes_its_own_routes_only(pool: Pool) -> None:
    """The default route and those above the scope are read only; an id outside is answered as one that is taken."""
    await a_country(pool)
    async with pool.acquire() as connection:
        await put_routes(connection, [route(), route("province", PROVINCE), route("west", WEST)], by=BY)
    for wrong in (
        route(steps="head"),
        route("new"),
        route("province", PROVINCE, "head"),
        route("new", PROVINCE),
        route("new", WEST),
        route("west", EAST),
        route("default", EAST),
    ):
        async with scoped(pool, EAST) as connection:
            with pytest.raises(RemedyError):
                await put_routes(connection, [route("good", TOWN), wrong], by=BY)
            assert sorted(await load_routes(connection)) == ["default", "province"]
    async with scoped(pool, EAST) as connection:
        assert await put_routes(connection, [route("mine", TOWN)], by=BY) == ["mine"]
        assert await put_routes(connection, [route("mine", EAST)], by=BY) == ["mine"]
        assert await remove_routes(connection, ["default", "province", "west", "mine"], by=BY) == ["mine"]
        assert await is_refused(
            connection, "INSERT INTO route (id, name, steps, edited_by) VALUES ('x', 'x', '[{}]', 'x')"
        )
        assert await connection.fetch("UPDATE route SET name = 'x' RETURNING id") == []
        assert await connection.fetch("DELETE FROM route RETURNING id") == []


async def test_contacts_outside_a_scope_are_not_reported_as_nobody(pool: Pool) -> None:
    await a_country(pool)
    asked = {"station": "s-town", "kind": "station_offline", "severity": "critical"}
    steps: dict[str | None, list[str]] = {}
    async with pool.acquire() as connection:
        await add_people(connection)
        await put_routes(connection, [route()], by=BY)
    for setting in ("*", EAST, TOWN):
        async with scoped(pool, setting) as connection:
            subject = await load_subject(connection, **asked)
            found = explain(await load_routing(connection), subject, AT)  # type: ignore[arg-type]
            steps[setting] = [told(step) for step in found.steps]
    assert steps == {
        "*": ["li@630101", "ma@6301", "zhao@63"],
        EAST: ["li@630101", "ma@6301", "outside_scope"],
        TOWN: ["li@630101", "outside_scope", "outside_scope"],
    }


async def test_services_and_the_owner_see_everything(pool: Pool) -> None:
    await a_country(pool)
    async with pool.acquire() as connection:
        await add_people(connection)
    async with scoped(pool, None, "milepost_service") as connection:
        await connection.execute("SET LOCAL search_path = public")
        found = await load_routing(connection)
    assert (found.scope, len(found.contacts)) == (None, len(PEOPLE))
    async with scoped(pool, "") as connection:
        found = await load_routing(connection)
    assert (found.scope, found.contacts) == (frozenset(), {}), "an empty scope is not the whole"
