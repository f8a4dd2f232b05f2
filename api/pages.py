"""What people open in a browser: status page, signing in, the API's description. Nothing comes from elsewhere."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import asyncpg
import msgspec
from fastapi import APIRouter, Query, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse

from alerting.verdict import Verdict
from api.context import QUERIES, Context, Shared, load_clocks
from api.counting import count_by_verdict, counts_document
from api.database import Database
from api.gate import ACTOR, COOKIE
from api.openapi import describe
from api.pipeline import shard_documents
from api.problems import DatabaseAwayError
from api.session import SESSION_SECONDS, redeem
from api.shapes import Counts, Shard, Station
from api.stations import complete
from api.texts import LANGUAGES, Words, choose

router = APIRouter(include_in_schema=False)

STATIC: Final = Path(__file__).with_name("static")
_SHOWN: Final = 50
# Always shown; the others when there are any.
_ALWAYS: Final = (Verdict.ONLINE, Verdict.OFFLINE, Verdict.UNKNOWN, Verdict.NEVER_SEEN)
_TEMPLATES: Final = Environment(
    loader=PackageLoader("api"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)

Language = Annotated[str | None, Query(max_length=16)]


def _words(request: Request, context: Context, lang: str | None) -> Words:
    return Words(choose(lang, request.headers.get("accept-language", ""), context.config.language))


def _page(template: str, status: int = 200, **values: Any) -> Response:
    return HTMLResponse(
        _TEMPLATES.get_template(template).render(values),
        status_code=status,
        headers={"Content-Language": values["words"].language, "Vary": "Accept-Language, Cookie"},
    )


@router.get("/")
async def status_page(request: Request, context: Shared, lang: Language = None) -> Response:
    """How things are now, for a person who is signed in."""
    words = _words(request, context, lang)
    if request.scope[ACTOR] is None:
        texts = ["signin_how", "signin_new"]
        return _page("message.html", 401, words=words, heading="signin_title", texts=texts, again=True, retry=False)
    try:
        seen: Seen = await request.app.state.seen()
    except (DatabaseAwayError, asyncpg.PostgresError):
        return _page("message.html", 503, words=words, heading="away_title", texts=["away"], again=False, retry=True)
    return _page("status.html", words=words, **_status(seen, words))


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the status page is made of, in no language yet. `fallen`: stations and their rows with more names."""

    now: datetime
    counts: Counts
    incidents: list[asyncpg.Record]
    fallen: list[tuple[Station, asyncpg.Record]]
    shards: list[Shard]
    deadletters: int


async def look(database: Database) -> Seen:
    """Read it all in one snapshot; however many watch the page, it is read about once a second."""
    async with database.snapshot() as connection:
        clocks = await load_clocks(connection)
        trusted = [*clocks.sound, *(clock.partition for clock in clocks.partly_sound)]
        rows = await connection.fetch(QUERIES.list_fallen, trusted, _SHOWN)
        return Seen(
            now=clocks.now,
            counts=counts_document(await count_by_verdict(connection, clocks)),
            incidents=await connection.fetch(QUERIES.list_open_incidents, _SHOWN + 1),
            fallen=list(zip(await complete(connection, rows, clocks), rows, strict=True)),
            shards=shard_documents(clocks, {}),
            deadletters=await connection.fetchval(QUERIES.newest_deadletter),
        )


def _status(seen: Seen, words: Words) -> dict[str, Any]:
    return {
        "now": seen.now,
        "counts": seen.counts,
        "verdicts": _verdicts(seen.counts),
        "incidents": [_incident(row, words) for row in seen.incidents[:_SHOWN]],
        "more_incidents": len(seen.incidents) > _SHOWN,
        "fallen": [
            _fallen(station, row, words, seen.now) for station, row in seen.fallen if station.verdict is Verdict.OFFLINE
        ],
        "shards": [_shard(shard, words) for shard in seen.shards],
        "deadletters": seen.deadletters,
        "other": next(language for language in LANGUAGES if language != words.language),
        **_headline(seen.counts, len(seen.incidents), seen.shards, words),
    }


def _fallen(station: Station, row: asyncpg.Record, words: Words, now: datetime) -> dict[str, Any]:
    return {
        "name": _name(words, station.name, row["name_en"]),
        "where": _where(_area_name(row, words), station.id),
        "since": station.since or now,
        "last_seen": station.last_seen,
    }


def _verdicts(counts: Counts) -> list[tuple[str, int]]:
    numbers = [(verdict, getattr(counts, verdict.value)) for verdict in Verdict]
    return [(verdict.value, number) for verdict, number in numbers if number or verdict in _ALWAYS]


def _headline(counts: Counts, incidents: int, shards: list[Shard], words: Words) -> dict[str, str]:
    """The one sentence on top, and its colour. Our own blindness comes first: it makes the rest doubtful."""
    if not shards or not all(shard.sound for shard in shards):
        return {"mood": "blind", "headline": words("blind" if shards else "no_pipeline")}
    if incidents:
        number = f"{_SHOWN}+" if incidents > _SHOWN else incidents
        return {"mood": "bad", "headline": words("some_wrong", n=number)}
    if counts.offline:
        return {"mood": "bad", "headline": f"{words.named('verdict', 'offline')}: {counts.offline}"}
    return {"mood": "good", "headline": words("all_well" if counts.online else "nothing_yet")}


def _name(words: Words, name: str, name_en: str | None) -> str:
    return name_en if words.language == "en" and name_en else name


def _area_name(row: asyncpg.Record, words: Words) -> str | None:
    return _name(words, row["area_name"], row["area_name_en"]) if row["area_name"] else row["area"]


def _where(*places: str | None) -> str:
    """What is known of a place, each thing once: a station that nobody named is named by its id."""
    return " · ".join(dict.fromkeys(place for place in places if place))


def _incident(row: asyncpg.Record, words: Words) -> dict[str, Any]:
    name = _name(words, row["name"] or "", row["name_en"])
    where = _where(_area_name(row, words), name, row["station"])
    return {
        "kind": row["kind"],
        "where": where or row["shard"] or "",
        "status": row["status"],
        "began_at": row["began_at"],
    }


def _shard(shard: Shard, words: Words) -> dict[str, Any]:
    lag = words.duration(timedelta(seconds=shard.lag_s))
    return {
        "name": shard.shard,
        "sound": shard.sound,
        "state": words("shard_sound" if shard.sound else "shard_blind", lag=lag),
        "partitions": len(shard.partitions),
    }


@router.get("/signin")
async def sign_in(
    request: Request, context: Shared, code: Annotated[str, Query(max_length=256)] = "", lang: Language = None
) -> Response:
    """Turn the one-use code into a session."""
    if not redeem(context.config.signin_file, code):
        words = _words(request, context, lang)
        texts = ["signin_used", "signin_new"]
        return _page(
            "message.html", 403, words=words, heading="signin_used_title", texts=texts, again=True, retry=False
        )
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        COOKIE,
        context.token.new_session(time.time()),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=context.config.url.startswith("https:"),
    )
    return answer


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The API's description, written from /openapi.json."""
    return _page("docs.html", words=Words("en"), **describe(request.app.openapi()))
