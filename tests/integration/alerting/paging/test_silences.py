"""Silences in the database: made, ended, loaded; who sees and changes which; their entries in the ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from alerting.silences.making import NewSilence
from alerting.silences.model import Silence, SilenceStatus
from alerting.silences.rules import silenced_until
from alerting.silences.store import end_silence, load_silence, load_silences, make_silence
from contract.errors import RemedyError
from registry.routes.routing import RouteSubject
from store.author import Author
from store.pool import Pool
from tests.integration.store.scope_world import EAST, PROVINCE, TOWN, WEST, a_country, is_refused, scoped

HOUR = timedelta(hours=1)
LI, WANG = Author("admin"), Author("operator")
SUBJECT = RouteSubject(kind="health", severity="warning", station="s-town", path=(PROVINCE, EAST, TOWN))


def new(**more: Any) -> NewSilence:
    scope = {} if {"area", "whole", "station"} & set(more) else {"station": "s-town"}
    made = {"until_at": datetime.now(UTC) + 2 * HOUR, "reason": "换交换机", "made_by": "admin"}
    return NewSilence(**{**scope, **made, **more})


async def make(pool: Pool, **more: Any) -> Silence:
    async with pool.acquire() as connection:
        return await make_silence(connection, new(**more), datetime.now(UTC))


async def until(pool: Pool, after: timedelta = timedelta(0)) -> datetime | None:
    now = datetime.now(UTC) + after
    async with pool.acquire() as connection:
        return silenced_until(await load_silences(connection, now), SUBJECT, now)


async def test_made_in_force_then_ended_early(pool: Pool) -> None:
    await a_country(pool)
    assert await until(pool) is None
    made = await make(pool, area=EAST, kinds=("health", "flapping"))
    assert (made.area, made.station, made.kinds) == (EAST, None, {"health", "flapping"})
    assert await until(pool) == made.until_at
    async with pool.acquire() as connection:
        ended = await end_silence(connection, made.id, by=WANG)
        assert ended is not None and (ended.ended_by, ended.status(datetime.now(UTC))) == ("operator", "over")
        assert await end_silence(connection, made.id, by=LI) == ended, "the first end stands"
        assert await load_silence(connection, made.id) == ended
        assert await end_silence(connection, 999, by=LI) is None
        assert await load_silence(connection, 999) is None
    assert await until(pool) is None


async def test_one_that_has_not_begun_is_ended_before_it_does(pool: Pool) -> None:
    await a_country(pool)
    made = await make(pool, from_at=datetime.now(UTC) + HOUR)
    assert made.status(datetime.now(UTC)) is SilenceStatus.PLANNED
    assert await until(pool) is None and await until(pool, HOUR * 1.5) == made.until_at
    async with pool.acquire() as connection:
        await end_silence(connection, made.id, by=LI)
    assert await until(pool, HOUR * 1.5) is None


async def test_one_that_is_over_is_not_ended_again(pool: Pool) -> None:
    await a_country(pool)
    over = await pool.fetchval(
        "INSERT INTO silence (station, from_at, until_at, reason, made_by) "
        "VALUES ('s-town', now() - interval '2 h', now() - interval '1 h', 'r', 'admin') RETURNING id"
    )
    async with pool.acquire() as connection:
        found = await end_silence(connection, over, by=LI)
    assert found is not None and found.ended_at is None
    assert await pool.fetchval("SELECT count(*) FROM ledger_entry WHERE kind = 'silence.ended'") == 0


async def test_each_change_has_an_entry_without_the_reason(pool: Pool) -> None:
    await a_country(pool)
    made = await make(pool, area=EAST, kinds=("health",))
    async with pool.acquire() as connection:
        await end_silence(connection, made.id, by=WANG)
        await end_silence(connection, made.id, by=WANG)
    rows = await pool.fetch(
        "SELECT kind, subject, actor, body FROM ledger_entry WHERE subject LIKE 'silence/%' ORDER BY id"
    )
    assert [(row["kind"], row["subject"], row["actor"]) for row in rows] == [
        ("silence.made", f"silence/{made.id}", "admin"),
        ("silence.ended", f"silence/{made.id}", "operator"),
    ]
    body = msgspec.json.decode(rows[0]["body"])
    assert (body["area"], body["kinds"], len(body["reason_sha256"])) == (EAST, ["health"], 64)
    assert "换交换机" not in str(body)


@pytest.mark.parametrize("place", [{"station": "s-none"}, {"area": "99"}])
async def test_of_what_is_not_there(pool: Pool, place: dict[str, str]) -> None:
    await a_country(pool)
    with pytest.raises(RemedyError, match="there is no station or area"):
        await make(pool, **place)
    assert await pool.fetchval("SELECT count(*) FROM ledger_entry WHERE kind = 'silence.made'") == 0


async def a_silence_of_each(pool: Pool) -> dict[str, int]:
    await a_country(pool)
    return {
        "everything": (await make(pool, whole=True)).id,
        "province": (await make(pool, area=PROVINCE)).id,
        "east": (await make(pool, area=EAST)).id,
        "west": (await make(pool, area=WEST)).id,
        "town": (await make(pool, area=TOWN)).id,
        "s-town": (await make(pool, station="s-town")).id,
        "s-west": (await make(pool, station="s-west")).id,
        "s-nowhere": (await make(pool, station="s-nowhere")).id,
    }


SEEN = {
    EAST: {"everything", "province", "east", "town", "s-town"},
    TOWN: {"everything", "province", "east", "town", "s-town"},
    f"{EAST},{WEST}": {"everything", "province", "east", "west", "town", "s-town", "s-west"},
    "*": {"everything", "province", "east", "west", "town", "s-town", "s-west", "s-nowhere"},
}
ENDED = {EAST: {"east", "town", "s-town"}, TOWN: {"town", "s-town"}, "*": SEEN["*"]}


async def test_silences_are_seen_as_far_as_they_touch_the_scope(pool: Pool) -> None:
    made = await a_silence_of_each(pool)
    for setting, names in SEEN.items():
        async with scoped(pool, setting) as connection:
            found = {row["id"] for row in await connection.fetch("SELECT id FROM silence")}
        assert found == {made[name] for name in names}, setting
    for setting in ("", None, "99"):
        async with scoped(pool, setting) as connection:
            assert await connection.fetchval("SELECT count(*) FROM silence") == 0


async def test_silences_are_ended_within_the_scope(pool: Pool) -> None:
    made = await a_silence_of_each(pool)
    for setting, names in ENDED.items():
        async with scoped(pool, setting) as connection:
            ended = {name for name, number in made.items() if await end_silence(connection, number, by=LI) is not None}
        assert ended == names, setting


PLACES: list[tuple[dict[str, Any], bool]] = [
    ({"station": "s-town"}, True),
    ({"station": "s-west"}, False),
    ({"station": "s-nowhere"}, False),
    ({"station": "s-none"}, False),
    ({"area": TOWN}, True),
    ({"area": PROVINCE}, False),
    ({"area": WEST}, False),
    ({"area": "99"}, False),
    ({"whole": True}, False),
]


@pytest.mark.parametrize(("place", "allowed"), PLACES)
async def test_silences_are_made_within_the_scope(pool: Pool, place: dict[str, Any], allowed: bool) -> None:
    """What is not there is refused as what lies outside is."""
    await a_country(pool)
    async with scoped(pool, EAST) as connection:
        try:
            await make_silence(connection, new(**place), datetime.now(UTC))
            made = True
        except RemedyError:
            made = False
    assert made is allowed


async def test_the_api_deletes_no_silence(pool: Pool) -> None:
    await a_silence_of_each(pool)
    async with scoped(pool, "*") as connection:
        assert await is_refused(connection, "DELETE FROM silence")


async def test_a_silence_ends_after_it_begins_also_by_sql(pool: Pool) -> None:
    await a_country(pool)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(
            "INSERT INTO silence (from_at, until_at, reason, made_by) VALUES (now(), now(), 'r', 'admin')"
        )
