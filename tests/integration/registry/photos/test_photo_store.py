"""Photos in the database: once each, by whom, seen where the incident, the closure or the finding is seen."""

import hashlib
from uuid import UUID

import asyncpg
import msgspec
import pytest

from registry.photos.picture import write_anew
from registry.photos.rules import MOST_PHOTOS, Photo, PhotoRefusal, PhotoRefusedError
from registry.photos.store import KeptPhoto, PhotoOf, add_photo, list_photos, load_jpeg, load_photo
from store.author import Author
from store.pool import Connection, Pool
from tests.integration.api_world import World
from tests.integration.matrix.country import add_finding
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, a_country, scoped
from tests.pictures import encoded, flag

LI = Author("operator", "via link")


def photo(width: int = 40) -> Photo:
    return write_anew(encoded(flag(width)))


async def kept(connection: Connection, of: PhotoOf, width: int = 40) -> KeptPhoto:
    found = await add_photo(connection, of, photo(width), LI)
    assert found is not None
    return found[0]


async def test_a_photo_is_kept_once_and_its_hash_is_in_the_ledger(pool: Pool) -> None:
    world = World(pool)
    await world.station("s")
    incident, closure = await world.incident("station_offline", station="s"), await world.closure(-1, 1, station="s")
    finding = await add_finding(pool, "s")
    sent = photo()
    for of in (PhotoOf(incident=incident), PhotoOf(closure=closure), PhotoOf(finding=finding)):
        async with pool.acquire() as connection, connection.transaction():
            made, is_new = await add_photo(connection, of, sent, LI) or pytest.fail("it is there")
            again, is_new_again = await add_photo(connection, of, sent, Author("admin")) or pytest.fail("it is there")
            assert (is_new, is_new_again, again) == (True, False, made)
            assert await list_photos(connection, of) == [made] == [await load_photo(connection, made.id)]
            assert await load_jpeg(connection, made.id) == sent.jpeg
        assert (made.incident, made.closure, made.finding) == (of.incident, of.closure, of.finding)
        assert (made.made_by, made.made_remark) == (LI.account, LI.remark)
        assert (made.width, made.height, made.bytes) == (40, 20, len(sent.jpeg))
        rows = await pool.fetch("SELECT kind, actor, body FROM ledger_entry WHERE subject = $1", of.subject)
        assert [(row["kind"], row["actor"]) for row in rows] == [("photo.added", "operator")]
        body = msgspec.json.decode(rows[0]["body"])
        assert set(body) == {"photo", "jpeg_sha256", "bytes", "remark_sha256"}
        assert (body["photo"], body["jpeg_sha256"]) == (str(made.id), hashlib.sha256(sent.jpeg).hexdigest())


async def test_an_incident_has_a_limited_number_of_photos(pool: Pool) -> None:
    of = PhotoOf(incident=await World(pool).incident("station_offline"))
    async with pool.acquire() as connection, connection.transaction():
        for number in range(MOST_PHOTOS):
            await kept(connection, of, 40 + number)
        await kept(connection, of, 40)  # one that is there already is no further one
        with pytest.raises(PhotoRefusedError) as refused:
            await kept(connection, of, 99)
    assert refused.value.refusal is PhotoRefusal.TOO_MANY_PHOTOS


async def test_what_is_over_takes_no_photo_and_what_is_not_there_gives_none(pool: Pool) -> None:
    world = World(pool)
    closure = await world.closure(-1, 1, station=await world.station("s") or "s")
    finding = await add_finding(pool, "s")
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE closure SET withdrawn_by = 'li', withdrawn_at = now() WHERE id = $1", closure)
        await connection.execute("UPDATE finding SET closed_by = 'li', closed_at = now(), closed_why = 'x'")
        for of, why in (
            (PhotoOf(closure=closure), PhotoRefusal.WITHDRAWN),
            (PhotoOf(finding=finding), PhotoRefusal.CLOSED),
        ):
            with pytest.raises(PhotoRefusedError) as refused:
                await add_photo(connection, of, photo(), LI)
            assert refused.value.refusal is why
        for of in (PhotoOf(incident=999), PhotoOf(closure=999), PhotoOf(finding=999)):
            assert await add_photo(connection, of, photo(), LI) is None
            assert await list_photos(connection, of) == []
        assert await load_photo(connection, UUID(int=1)) is None
        assert await load_jpeg(connection, UUID(int=1)) is None


SEEN = {"*": "petw", PROVINCE: "etwp", EAST: "et", TOWN: "t", WEST: "w", "99": "", None: ""}
"""By scope: whose photos are seen. p: of an incident of the province; e, t, w: of a station there."""
SEEN_OF_CLOSURES = {"*": "petw", PROVINCE: "petw", EAST: "pet", TOWN: "pt", WEST: "pw", "99": "", None: ""}
ADDED = {"*": "petw", PROVINCE: "petw", EAST: "et", TOWN: "t", WEST: "w", "99": "", None: ""}


async def test_a_photo_is_seen_and_added_within_the_scope(pool: Pool) -> None:
    world = await a_country(pool)
    places = {
        "p": {"area": PROVINCE},
        "e": {"station": "s-east"},
        "t": {"station": "s-town"},
        "w": {"station": "s-west"},
    }
    incidents = {name: await world.incident("area_outage", **place) for name, place in places.items()}
    closures = {name: await world.closure(-1, 1, **place) for name, place in places.items()}
    # A finding is always of a station.
    findings = {name: await add_finding(pool, place["station"]) for name, place in places.items() if "station" in place}
    every = {
        name: (
            PhotoOf(incident=incidents[name]),
            PhotoOf(closure=closures[name]),
            *([PhotoOf(finding=findings[name])] if name in findings else []),
        )
        for name in places
    }
    async with pool.acquire() as connection, connection.transaction():
        photos = {(await kept(connection, of)).id: (name, of) for name, both in every.items() for of in both}
    for scope, seen in SEEN.items():
        async with scoped(pool, scope) as connection:
            found = [photos[row["id"]] for row in await connection.fetch("SELECT id FROM photo")]
            assert {name for name, of in found if of.incident} == set(seen), scope
            assert {name for name, of in found if of.closure} == set(SEEN_OF_CLOSURES[scope]), scope
            assert {name for name, of in found if of.finding} == set(SEEN[scope]) - {"p"}, scope
            for number in (0, 1, 2):
                may = {
                    name
                    for name, all_of in every.items()
                    if all_of[number:] and await may_add(connection, all_of[number])
                }
                assert may == set(ADDED[scope]) - ({"p"} if number == 2 else set()), (scope, number)


async def may_add(connection: Connection, of: PhotoOf) -> bool:
    """Whether a photo can be added by way of the store, and by a statement of one's own: both say the same."""
    by_store = await add_photo(connection, of, photo(80), LI) is not None
    try:
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO photo (incident, closure, finding, sha256, jpeg, width, height, made_by) "
                "VALUES ($1, $2, $3, sha256('x'), 'x', 1, 1, 'admin')",
                *of.numbers,
            )
    except asyncpg.InsufficientPrivilegeError:
        by_sql = False
    else:
        by_sql = True
    assert by_sql == by_store, of
    return by_store


async def test_a_photo_shows_a_repair_of_its_own_incident_only(pool: Pool) -> None:
    world = World(pool)
    one, other = await world.incident("station_offline"), await world.incident("station_offline")
    repair = await pool.fetchval(
        "INSERT INTO repair (incident, at, made_by, cause) VALUES ($1, now(), 'admin', 'power') RETURNING id", one
    )
    async with pool.acquire() as connection, connection.transaction():
        made = await kept(connection, PhotoOf(incident=one, repair=repair))
        assert (made.incident, made.repair) == (one, repair)
    for wrong in (PhotoOf(incident=other, repair=repair), PhotoOf(incident=one, repair=repair + 1)):
        async with pool.acquire() as connection:
            with pytest.raises(asyncpg.ForeignKeyViolationError):
                async with connection.transaction():
                    await kept(connection, wrong, 80)


async def test_a_picture_that_was_sent_before_shows_later_repairs_too(pool: Pool) -> None:
    incident = await World(pool).incident("station_offline")
    rows = await pool.fetch(
        "INSERT INTO repair (incident, at, made_by, cause) SELECT $1, now(), 'admin', 'power' "
        "FROM generate_series(1, 2) RETURNING id",
        incident,
    )
    sent = [PhotoOf(incident=incident), *(PhotoOf(incident=incident, repair=row["id"]) for row in rows)]
    async with pool.acquire() as connection, connection.transaction():
        made = [await kept(connection, of) for of in sent]
        assert [one.repair for one in made] == [None, *(row["id"] for row in rows)]
        assert [(await kept(connection, of)).id for of in sent] == [one.id for one in made], "each is stored once"
        assert len(await list_photos(connection, sent[0])) == 3


@pytest.mark.parametrize("sql", ["UPDATE photo SET made_by = 'x'", "DELETE FROM photo"])
async def test_a_photo_is_written_once(sql: str, pool: Pool) -> None:
    for role in ("milepost_api", "milepost_service"):
        async with scoped(pool, "*", role) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(sql)
