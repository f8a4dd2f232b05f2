"""Probes for programs without a token: liveness of the process, readiness of the pipeline, metrics."""

import logging
from typing import Literal

import asyncpg
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.http.database import Database
from api.http.metrics import Metrics
from api.http.problems import DatabaseAwayError
from api.http.shared_query import SharedQuery
from api.live.event_hub import EventHub
from api.read.counting import Survey, kept_totals
from api.read.moment import load_clocks, load_cover
from api.read.pipeline import load_steadiness, newest_deadletter
from api.read.schemas import Readiness
from api.v1.queries import QUERIES
from api.v1.readiness import lacking, unsealed, unsteady, untold
from contract.errors import RemedyError
from registry.routes.store import has_stored_default
from store.migrate import pending, read_migrations
from store.pool import Connection

logger = logging.getLogger(__name__)
router = APIRouter(tags=["probes"])


class Probes:
    """The shared queries behind /readyz and /metrics."""

    def __init__(self, database: Database, hub: EventHub, metrics: Metrics, survey: SharedQuery[Survey]) -> None:
        self._database, self._hub, self._metrics, self._survey = database, hub, metrics, survey
        # The migrations of this process: an upgrade may replace the files while it runs.
        self._migrations = read_migrations()
        self.readiness = SharedQuery(self._readiness)
        self.figures = SharedQuery(self._figures)

    async def _readiness(self) -> Readiness:
        warnings: list[str] = []
        try:
            async with self._database.snapshot() as connection:
                missing = await self._unmigrated(connection)
                if not missing:
                    clocks = await load_clocks(connection)
                    missing, warnings = lacking(clocks), unsteady(await load_steadiness(connection, clocks.now))
                    warnings += untold(await has_stored_default(connection))
                    warnings += unsealed(await connection.fetchval(QUERIES.ledger_delay))
        except (DatabaseAwayError, RemedyError) as exc:
            missing = [str(exc)]
        except asyncpg.UndefinedTableError:
            missing = ["the database has no schema: run `milepost migrate`"]
        except asyncpg.PostgresError as exc:
            logger.error("the database refused a query: %s", exc)  # noqa: TRY400 -- its own words say enough
            missing = ["the database refused a query; the server's log says why"]
        return Readiness(ready=not missing, missing=missing, warnings=warnings)

    async def _unmigrated(self, connection: Connection) -> list[str]:
        rows = await connection.fetch(QUERIES.schema_versions)
        todo = pending(self._migrations, {row["version"]: row["sha256"] for row in rows})
        return [f"the database lacks {len(todo)} migrations: run `milepost migrate`"] if todo else []

    async def _figures(self) -> bytes:
        try:
            async with self._database.snapshot() as connection:
                clocks = await load_clocks(connection)
                stations = await kept_totals(connection, clocks, await load_cover(connection))
                incidents = await connection.fetch(QUERIES.count_open_incidents)
                deadletters = await newest_deadletter(connection)
                aside = await connection.fetch(QUERIES.count_set_aside)
                pages = await connection.fetchrow(QUERIES.count_waiting_pages)
            if stations is None:
                stations = (await self._survey()).totals
        except (DatabaseAwayError, asyncpg.PostgresError):
            self._metrics.show_database(False)
        else:
            self._metrics.show_database(True)
            self._metrics.show(
                stations=stations,
                incidents={(row["kind"], row["status"]): row["incidents"] for row in incidents},
                clocks=clocks,
                deadletters=deadletters,
                aside={row["service"]: row["things"] for row in aside},
            )
            self._metrics.show_pages(**dict(pages or {}))
        self._metrics.streams.set(self._hub.clients)
        return self._metrics.text()


@router.get("/healthz")
async def healthz() -> dict[Literal["alive"], bool]:
    """The process is alive and answers."""
    return {"alive": True}


@router.get("/readyz", response_model=Readiness, responses={503: {"description": "what is missing"}})
async def readyz(request: Request) -> Response:
    """The database is migrated and a tick was judged within 10 s."""
    found: Readiness = await request.app.state.probes.readiness()
    return Response(found.model_dump_json(), status_code=200 if found.ready else 503, media_type="application/json")


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """For Prometheus."""
    return Response(await request.app.state.probes.figures(), headers={"Content-Type": CONTENT_TYPE_LATEST})
