"""The board: the state of everything, for a screen on a wall. Read about once a second for all browsers together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec
from fastapi import Request, Response

from access.roles import Permission
from alerting.stations.verdict import Verdict
from api.actions.people import acting
from api.console.first_steps import first_steps
from api.console.name_lookup import AccountNames, account_names, name_accounts
from api.console.names import name_of, topic_of, where
from api.console.pages import answer, frame, page_router, render, words_for
from api.console.queries import QUERIES
from api.console.station_map import ORDER, Place, Point, draw
from api.console.texts import Words
from api.context import Shared
from api.http.database import Database
from api.http.shared_query import ByScope, SharedQuery
from api.read.counting import Survey, counts_document, grounds, kept_totals
from api.read.moment import load_clocks, load_cover
from api.read.pipeline import load_doubts, load_steadiness, newest_deadletter
from api.read.schemas import ShardDocument, StationDocument, VerdictCounts
from api.read.scope import scope_codes
from api.read.shard_documents import shard_documents
from api.read.stations import complete_stations

router = page_router()

INCIDENTS: Final = 5
ROWS: Final = 8
"""Incidents and stations together, as many as a wall screen has room for."""
_MOST_PLACES: Final = 500
_PLACES_EVERY: Final = 60.0
# Always shown; the others when there are any.
_ALWAYS: Final = (Verdict.ONLINE, Verdict.OFFLINE, Verdict.UNUSABLE, Verdict.UNKNOWN, Verdict.NEVER_SEEN)

Row = asyncpg.Record


class BoardData(msgspec.Struct, frozen=True, kw_only=True):
    """What the board is made of, before a language is chosen. `fallen`: stations that are offline, and their rows with
    more names; `spots`: what is drawn on the map, each with its verdict; `people`: names of the accounts that
    incidents are assigned to, by id."""

    now: datetime
    counts: VerdictCounts
    incidents: list[Row]
    people: dict[str, str]
    fallen: list[tuple[StationDocument, Row]]
    spots: list[tuple[Verdict, Row]]
    places: list[Row]
    shards: list[ShardDocument]
    deadletters: int
    quiet_spots: int


class Board:
    """The latest data of one scope, and the page made of it once in each language and for each set of permissions.
    `url`: under which browsers reach the server."""

    def __init__(self, database: Database, survey: SharedQuery[Survey], url: str) -> None:
        places = SharedQuery(lambda: _places(database), _PLACES_EVERY)
        self._look = SharedQuery(lambda: load_board(database, places, survey))
        self.survey = survey
        self._url = url
        self._made: dict[tuple[str, frozenset[Permission]], tuple[BoardData, str]] = {}
        self._making = asyncio.Lock()

    async def page(self, words: Words, permissions: frozenset[Permission], values: Mapping[str, Any]) -> str:
        """The HTML of the board for a reader with these permissions. `values`: what every page is given."""
        seen = await self._look()
        key = (words.language, permissions)
        async with self._making:
            made = self._made.get(key)
            if made is None or made[0] is not seen:
                html = await asyncio.to_thread(
                    lambda: render("board.html", {**values, **_board(seen, words, self._url)})
                )
                made = self._made[key] = (seen, html)
            return made[1]

    def close(self) -> None:
        """Cancel the refresh of the survey in the background."""
        self.survey.close()


@router.get("/")
async def show_board(request: Request, context: Shared) -> Response:
    """How things are now."""
    words, actor = words_for(request), acting(context)
    boards: ByScope[Board] = request.app.state.boards
    values = frame(request, words) | {"other_link": f"/?lang={'en' if words.language == 'zh-CN' else 'zh-CN'}"}
    return answer(request, words, await boards.of(actor.scope).page(words, actor.permissions, values))


async def _places(database: Database) -> list[Row]:
    async with database.snapshot() as connection:
        return await connection.fetch(QUERIES.map_places, _MOST_PLACES, await scope_codes(connection))


async def load_board(
    database: Database, places: Callable[[], Awaitable[list[Row]]], survey: SharedQuery[Survey]
) -> BoardData:
    """Read everything in one snapshot. While the incident process keeps the counts, the map comes from an earlier
    survey of the stations, which may be some seconds older."""
    named = await places()
    async with database.snapshot() as connection:
        clocks, cover = await load_clocks(connection), await load_cover(connection)
        areas = await scope_codes(connection)
        rows = await connection.fetch(QUERIES.list_fallen, *grounds(clocks, cover), ROWS, areas)
        fallen = await complete_stations(connection, rows, clocks, cover)
        incidents = await connection.fetch(QUERIES.list_open_incidents, ROWS)
        people = await name_accounts(connection, [row["assignee"] for row in incidents])
        deadletters = await newest_deadletter(connection)
        doubts = await load_doubts(connection)
        steadiness = await load_steadiness(connection, clocks.now)
        quiet_spots = await connection.fetchval(QUERIES.count_quiet_spots)
        totals = await kept_totals(connection, clocks, cover)
    if totals is None:
        surveyed = await survey()
        totals, spots = surveyed.totals, surveyed.spots
    else:
        before = await survey.lately()
        spots = before.spots if before else []
    return BoardData(
        now=clocks.now,
        counts=counts_document(totals),
        incidents=incidents,
        people=people,
        fallen=list(zip(fallen, rows, strict=True)),
        spots=spots,
        places=named,
        shards=shard_documents(clocks, {}, doubts, steadiness),
        deadletters=deadletters,
        quiet_spots=quiet_spots,
    )


def _board(seen: BoardData, words: Words, url: str) -> dict[str, Any]:
    open_incidents = _all_of(seen.incidents)
    fallen = [(station, row) for station, row in seen.fallen if station.verdict is Verdict.OFFLINE]
    many, accounts = ROWS if not fallen else INCIDENTS, account_names(words, seen.people)
    incidents = seen.incidents[:many]
    others = fallen[: ROWS - len(incidents)]
    return {
        "now": seen.now,
        "counts": seen.counts,
        "verdicts": verdicts(seen.counts),
        "incidents": [_incident(row, words, seen.now, accounts) for row in incidents],
        "more_incidents": open_incidents - len(incidents),
        "fallen": [_fallen(station, row, words, seen.now) for station, row in others],
        "more_fallen": _all_of(seen.fallen, 1) - len(others) if fallen else 0,
        "atlas": _atlas(seen, words),
        "shards": [_shard(shard, words) for shard in seen.shards],
        "deadletters": seen.deadletters,
        "quiet_spots": seen.quiet_spots,
        "steps": [] if seen.incidents else first_steps(seen.counts, url, words.language),
        **_headline(seen.counts, open_incidents, seen.shards, words),
    }


def _all_of(rows: Sequence[Any], place: int | None = None) -> int:
    """How many rows there are in all; each row that was read says so."""
    if not rows:
        return 0
    row = rows[0] if place is None else rows[0][place]
    return int(row["all_of_them"])


def verdicts(counts: VerdictCounts) -> list[tuple[str, int]]:
    """The verdicts worth a number, the usual one first and then the gravest."""
    numbers = [(verdict, getattr(counts, verdict.value)) for verdict in (Verdict.ONLINE, *ORDER)]
    return [(verdict.value, number) for verdict, number in dict(numbers).items() if number or verdict in _ALWAYS]


def _atlas(seen: BoardData, words: Words) -> Any:
    points = [
        Point(
            lat=row["lat"],
            lon=row["lon"],
            verdict=verdict,
            stations=row["stations"],
            id=row["id"],
            name=words.pick(row["name"] or "", row["name_en"]),
        )
        for verdict, row in seen.spots
    ]
    names = [
        Place(
            level=row["level"],
            code=row["code"],
            name=words.pick(row["name"], row["name_en"]),
            lat=row["lat"],
            lon=row["lon"],
        )
        for row in seen.places
    ]
    return draw(points, names)


def _headline(counts: VerdictCounts, incidents: int, shards: list[ShardDocument], words: Words) -> dict[str, str]:
    """The sentence on top, and its colour. Doubt about the pipeline comes first, because it makes the rest doubtful."""
    if not shards or not all(shard.sound for shard in shards):
        return {"mood": "blind", "headline": words("cannot_see" if shards else "no_pipeline")}
    if incidents:
        return {"mood": "bad", "headline": words("some_wrong", n=incidents)}
    if counts.offline:
        return {"mood": "bad", "headline": f"{words.named('verdict', 'offline')}: {counts.offline}"}
    if counts.unusable:
        return {"mood": "impaired", "headline": f"{words.named('verdict', 'unusable')}: {counts.unusable}"}
    return {"mood": "good", "headline": words("all_well" if counts.online else "nothing_yet")}


def _area_name(row: Row, words: Words) -> str | None:
    return words.pick(row["area_name"], row["area_name_en"]) if row["area_name"] else row["area"]


def _fallen(station: StationDocument, row: Row, words: Words, now: datetime) -> dict[str, Any]:
    return {
        "id": station.id,
        "name": name_of(words, station.name, row["name_en"], row["name_bo"]),
        "where": where(_area_name(row, words), station.id),
        "since": station.since or now,
    }


def _incident(row: Row, words: Words, now: datetime, accounts: AccountNames) -> dict[str, Any]:
    name = words.pick(row["name"] or "", row["name_en"])
    return {
        "id": row["id"],
        "kind": row["kind"],
        "what": where(
            topic_of(words, row["kind"], row["detail"]),
            name or row["station"] or _area_name(row, words) or row["shard"],
        ),
        "where": where(*([_area_name(row, words), row["station"]] if row["station"] else [_share_name(row, words)])),
        "children": row["children"],
        "status": row["status"],
        "assignee": accounts.shown(row["assignee"]),
        "began_at": min(row["began_at"], now),
    }


def _share_name(row: Row, words: Words) -> str | None:
    return words.pick(row["share_name"], row["share_name_en"]) if row["share_name"] else row["share"]


def _shard(shard: ShardDocument, words: Words) -> dict[str, Any]:
    lag = words.duration(timedelta(seconds=shard.lag_s))
    return {
        "name": shard.shard,
        "sound": shard.sound,
        "state": words("shard_sound" if shard.sound else "shard_blind", lag=lag),
        "partitions": len(shard.partitions),
    }
