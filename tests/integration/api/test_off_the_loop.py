"""The thread of the event loop neither encodes large answers nor makes pages: worker threads do."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import httpx

from api.app import routes
from api.http.work import FEW
from store.pool import Pool
from tests.integration.api_world import World, config, serving

MANY = FEW + 20
ENCODE = "to_json"
"""The function of pydantic that encodes every document."""


class Call(NamedTuple):
    """A call of the encoder or of a template: what was called, and the name of the thread."""

    what: str
    thread: str


@contextmanager
def noting() -> Iterator[set[Call]]:
    """The calls of this thread and of all threads that start meanwhile."""
    found: set[Call] = set()

    def note(frame: FrameType, event: str, called: Any) -> None:
        file = frame.f_code.co_filename
        if event == "c_call" and called.__name__ == ENCODE:
            found.add(Call(ENCODE, threading.current_thread().name))
        elif event == "call" and file.endswith(".html"):
            found.add(Call(Path(file).name, threading.current_thread().name))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def here(found: set[Call]) -> set[str]:
    """What this thread called."""
    return {call.what for call in found if call.thread == threading.current_thread().name}


def elsewhere(found: set[Call], name: str) -> set[str]:
    """What the threads called whose names begin so."""
    return {call.what for call in found if call.thread.startswith(name)}


async def _many(pool: Pool) -> None:
    """A county with many stations, which are offline and have an incident each."""
    world = World(pool)
    await world.clock()
    await world.area("632122000000", "民和县")
    for number in range(MANY):
        await world.station(f"s{number:04}", "offline", area="632122000000")
        await world.incident("station_offline", station=f"s{number:04}")


async def test_large_answers_and_pages_are_made_by_worker_threads(pool: Pool, database: str, tmp_path: Path) -> None:
    await _many(pool)
    async with serving(config(database, tmp_path)) as (client, _):
        with noting() as found:
            await _look_at_documents(client, found)
            await _look_at_pages(client, found)


async def _look_at_documents(client: httpx.AsyncClient, found: set[Call]) -> None:
    few = await client.get(f"/api/v1/stations?limit={FEW // 2}")
    assert here(found) == {ENCODE}, "a short answer is written at once"
    assert not elsewhere(found, "api work")
    for path in ("stations", "incidents"):
        found.clear()
        many = await client.get(f"/api/v1/{path}?limit=1000")
        assert len(many.json()["items"]) == MANY
        assert not here(found), path
        assert elsewhere(found, "api work") == {ENCODE}, path
        assert many.headers["content-type"] == few.headers["content-type"] == "application/json"


async def _look_at_pages(client: httpx.AsyncClient, found: set[Call]) -> None:
    for path in (*_pages(), "/incidents/1", "/stations/s0001", "/areas/632122000000"):
        found.clear()
        shown = await client.get(path)
        if shown.status_code == 200 and "html" in shown.headers["content-type"]:
            assert shown.text.rstrip().endswith("</html>"), path
            assert not here(found) - {ENCODE}, path
            assert elsewhere(found, "asyncio" if path == "/" else "api page"), path


def _pages() -> list[str]:
    """The addresses of all pages that need no name of anything; /docs takes seconds while calls are noted."""
    paths = [path for method, path in routes() if method == "GET" and "{" not in path]
    found = [path for path in paths if not path.startswith("/api/") and path != "/docs"]
    assert len(found) > 20
    return found
