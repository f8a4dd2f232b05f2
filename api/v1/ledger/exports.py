"""An export of the ledger as a tar archive, read in pieces: each in a transaction of its own within the scope.

The log only grows, so the pieces fit together. The manifest comes last: an archive that was cut off has none.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.context import Context, Shared
from api.http.parameters import AreaFilter
from api.http.problems import Problem
from api.read.ledger.entries import load_signed_head
from api.read.ledger.figures import FigureDays, FigureFiles, load_figures
from api.v1.ledger.tar_stream import END, member
from audit.ledger import export_format as form
from audit.ledger.export_format import ExportPart, Manifest, PartKind
from audit.ledger.export_store import LeafPiece, load_piece, part_bytes
from audit.ledger.store import QUERIES, LogHead

logger = logging.getLogger(__name__)
router = APIRouter(tags=["ledger"])

MOST: Final = 2
"""Exports at once: each may have two parts of a log in memory, some 50 MB."""
MEDIA: Final = "application/x-tar"
_PIECE: Final = 8192
"""Leaves of one transaction."""
_PATIENCE: Final = 60.0
_FOLDER: Final = "ledger"


class ExportSlots:
    """How many exports are under way in this process."""

    def __init__(self, most: int = MOST) -> None:
        self._free = most

    def take(self) -> None:
        """Begin an export. Raises a Problem (503) when too many are under way."""
        if not self._free:
            raise Problem(503, "others take an export of the ledger: try again later", headers={"Retry-After": "60"})
        self._free -= 1

    def give_back(self) -> None:
        """End an export."""
        self._free += 1


class ExportStream(StreamingResponse):
    """The archive of one export. It ends when the client takes nothing for a while."""

    media_type = MEDIA

    def __init__(self, slots: ExportSlots, pieces: AsyncIterator[bytes]) -> None:
        headers = {"Content-Disposition": 'attachment; filename="ledger.tar"', "Cache-Control": "no-store"}
        super().__init__(pieces, headers=headers)
        self._slots = slots

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._slots.give_back()

    async def stream_response(self, send: Send) -> None:
        """Send until the end, or until the client takes nothing for too long."""

        async def patiently(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        await super().stream_response(patiently)


@router.get(
    "/ledger/export",
    response_class=StreamingResponse,
    responses={
        200: {"description": "a tar archive", "content": {MEDIA: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def export_ledger(context: Shared, request: Request, days: FigureDays, area: AreaFilter = None) -> ExportStream:
    """Everything that is sealed, as files for `milepost verify`: `tar -xf ledger.tar`, then `milepost verify ledger`.
    Of what lies outside the scope it has the hashes, so that the proofs hold. 409 before the first checkpoint; 503
    while two exports are under way. An archive without `manifest.json` was cut off. With `from` and `to` it has also
    the figures of these days, at most 31, for `milepost verify` to compare with the ledger; this needs the scope of
    everything, and at most 100,000 days of stations: ask for an `area` then."""
    slots: ExportSlots = request.app.state.exports
    slots.take()
    try:
        async with context.database.snapshot() as connection:
            head, _ = await load_signed_head(connection)
            notes = [row["note"] for row in await connection.fetch(QUERIES.list_checkpoints, head.origin)]
            figures = await load_figures(connection, days, area, head.edge.size, is_whole=_is_whole(context))
    except BaseException:
        slots.give_back()
        raise
    return ExportStream(slots, _archive(context, request, head, notes, figures))


def _is_whole(context: Context) -> bool:
    return context.actor is not None and context.actor.scope.whole


async def _archive(
    context: Context, request: Request, head: LogHead, notes: list[str], figures: FigureFiles | None
) -> AsyncIterator[bytes]:
    at, parts = int(time.time()), list[ExportPart]()
    for number, begin in enumerate(range(0, head.edge.size, form.PART)):
        # An export may last longer than a session or a token.
        if (await context.identity.find(request.scope)).actor != context.actor:
            logger.warning("an export of the ledger was ended: its client has other rights now")
            return
        pieces = [piece async for piece in _pieces(context, head, begin)]
        for kind in PartKind:
            raw = await asyncio.to_thread(part_bytes, pieces, kind)
            name = form.part_name(kind, number)
            parts.append(ExportPart(name=name, kind=kind, sha256=await asyncio.to_thread(form.digest, raw)))
            yield member(_FOLDER, name, raw, at)
    for name, raw in () if figures is None else figures.files:
        yield member(_FOLDER, name, raw, at)
    actor = context.actor
    manifest = Manifest(
        format=form.FORMAT,
        origin=head.origin,
        size=head.edge.size,
        checkpoint=head.note or "",
        checkpoints=tuple(notes),
        parts=tuple(parts),
        scope=None if actor is None or actor.scope.whole else tuple(sorted(actor.scope.areas)),
        figures=None if figures is None else figures.exported,
    )
    yield member(_FOLDER, form.MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)), at) + END


async def _pieces(context: Context, head: LogHead, begin: int) -> AsyncIterator[LeafPiece]:
    hides = not _is_whole(context)
    end = min(begin + form.PART, head.edge.size)
    for first in range(begin, end, _PIECE):
        async with context.database.snapshot() as connection:
            yield await load_piece(connection, head, first, min(first + _PIECE, end), hides=hides)
