"""Databases with a country in them, each a clone, and the app over one."""

import copy
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import httpx
from fastapi import FastAPI

from api.service import open_app
from store.pool import Pool, open_pool
from tests.integration.api_world import World, calling, config
from tests.integration.matrix.askers import Access
from tests.integration.matrix.country import MARK_PATTERN, Country, fixed_now
from tests.integration.matrix.subjects import Subjects

_NOW: Final = fixed_now()
_BUILT: Final[dict[bool, Country]] = {}
"""The countries of this process, by whether they have anything outside; their databases are templates."""

_NUMBERS: Final = itertools.count()


class Place:
    """A country, the app over it, and a client without any rights."""

    def __init__(self, country: Country, app: FastAPI, client: httpx.AsyncClient) -> None:
        self.country, self.app, self.client, self.pool = country, app, client, country.pool
        self.access = Access(app, country.pool)
        self.subjects = Subjects(country, self.access)

    async def far_rows(self) -> dict[str, str]:
        """A hash of all that lies outside the scope, by table."""
        tables = await self.pool.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
        )
        return {
            name: str(
                await self.pool.fetchval(
                    f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {name} t WHERE t::text ~* $1",  # noqa: S608
                    MARK_PATTERN,
                )
            )
            for (name,) in tables
        }


def _named(server: str, name: str) -> str:
    return server.rpartition("/")[0] + "/" + name


async def _create(server: str, name: str, template: str) -> None:
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    finally:
        await admin.close()


async def _template(server: str, empty: str, *, far: bool) -> str:
    """The name of a database with a country, which clones come from."""
    name = f"{empty}_{'far' if far else 'near'}"
    if far not in _BUILT:
        await _create(server, name, empty)
        async with open_pool(_named(server, name), name="test", size=1) as pool:
            _BUILT[far] = await Country(pool, _NOW, far=far).build()
    return name


@asynccontextmanager
async def cloned(server: str, empty: str, *, far: bool = True) -> AsyncIterator[tuple[str, Country]]:
    """The URL of a country of one's own, and its numbers. `empty`: the migrated database."""
    template = await _template(server, empty, far=far)
    name = f"{template}_{next(_NUMBERS)}"
    await _create(server, name, template)
    try:
        async with open_pool(_named(server, name), name="test", size=2) as pool:
            yield _named(server, name), _moved(_BUILT[far], pool)
    finally:
        admin = await asyncpg.connect(server)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


def _moved(country: Country, pool: Pool) -> Country:
    """The same numbers over another database."""
    found = copy.copy(country)
    found.pool, found.world = pool, World(pool)
    found.world.now = _NOW
    found.world._seq = 100_000  # behind all that is there
    return found


@asynccontextmanager
async def open_place(server: str, empty: str, folder: Path, *, far: bool = True) -> AsyncIterator[Place]:
    """The app over a country of one's own."""
    async with (
        cloned(server, empty, far=far) as (url, country),
        open_app(config(url, folder)) as (app, _),
        calling(app, None) as client,
    ):
        await country.world.clock()
        yield Place(country, app, client)


async def same_clocks(*places: Place) -> None:
    """Give places the pipeline clocks of the first one."""
    found = await places[0].pool.fetch("SELECT partition, shard, tick_at, judged_at FROM partition_clock")
    for place in places[1:]:
        for row in found:
            await place.pool.execute(
                "UPDATE partition_clock SET tick_at = $3, judged_at = $4 WHERE partition = $1 AND shard = $2", *row
            )
