"""Requests that leave entries in the ledger, and those of findings, disputes and corrections."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec

from tests.integration.api_world import World
from tests.integration.matrix.country import add_correction, add_finding
from tests.pictures import of_a_phone

Prepare = Callable[[World], Awaitable[str]]
"""Makes what a request is about, and gives its path."""


class Act(msgspec.Struct, frozen=True):
    """A request of the admin token, and the entries that it leaves: (kind, type of the subject)."""

    prepare: Prepare
    body: Mapping[str, Any]
    entries: list[tuple[str, str]]
    status: int = 200
    method: str = "POST"
    #: A photo is sent instead: as the body of the request, by a page in the form.
    photo: bytes | None = None


def with_station(path: str) -> Prepare:
    async def prepare(world: World) -> str:
        await world.station("s", "offline")
        return path

    return prepare


def on_finding(action: str) -> Prepare:
    async def prepare(world: World) -> str:
        await world.station("s", "offline")
        return f"/findings/{await add_finding(world.pool, 's')}{action}"

    return prepare


def on_correction(action: str, proposed_by: str = "operator") -> Prepare:
    async def prepare(world: World) -> str:
        await world.station("s", "offline")
        made = await add_correction(world.pool, "s")
        await world.pool.execute("UPDATE correction SET proposed_by = $1", proposed_by)
        return f"/corrections/{made}{action}"

    return prepare


TIME: Final = {"station": "s", "from": "2026-01-05T09:00", "until": "2026-01-05T17:00"}
SAYS: Final = {"text": "路断了", "by": "王"}
PROPOSES: Final = {**TIME, "counts_as": "excused", "reason": "装修", "by": "王"}
FINDING_API: Final[Mapping[str, Act]] = {
    "/findings": Act(with_station("/findings"), {**TIME, **SAYS}, [("finding.made", "finding")], 201),
    "/disputes": Act(with_station("/disputes"), {**TIME, **SAYS}, [("finding.made", "finding")], 201),
    "/findings/{id}/answer": Act(on_finding("/answer"), SAYS, [("finding.answered", "finding")]),
    "/findings/{id}/close": Act(on_finding("/close"), SAYS, [("finding.closed", "finding")]),
    "/findings/{id}/photos": Act(on_finding("/photos"), {}, [("photo.added", "finding")], 201, photo=of_a_phone()),
    "/corrections": Act(with_station("/corrections"), PROPOSES, [("correction.proposed", "correction")], 201),
    "/corrections/{id}/approve": Act(
        on_correction("/approve"), {"why": "文 12"}, [("correction.approved", "correction")]
    ),
    "/corrections/{id}/approve its own": Act(
        on_correction("/approve", "admin"), {"by": "王"}, [("correction.approval_refused", "correction")], 409
    ),
    "/corrections/{id}/refuse": Act(on_correction("/refuse"), {"why": "文 12"}, [("correction.refused", "correction")]),
    "/corrections/{id}/refuse its own": Act(
        on_correction("/refuse", "admin"), {}, [("correction.refused", "correction")]
    ),
}
"""By route, with what is special about the case after a space."""
FINDING_PAGES: Final[Mapping[str, Act]] = {
    route: msgspec.structs.replace(act, status=409 if act.status == 409 else 303) for route, act in FINDING_API.items()
}
