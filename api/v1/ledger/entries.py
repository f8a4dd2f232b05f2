"""The newest checkpoint, entries within the scope, and their proofs."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.context import Shared
from api.http.paging import MAX_ID, AfterEntry, PageOf, cursor_of
from api.http.parameters import EntryId
from api.http.problems import not_found
from api.http.times import Window
from api.http.work import WorkRoute
from api.read.found import FoundPage
from api.read.ledger.documents import CheckpointDocument, EntryDocument, EntryProofDocument
from api.read.ledger.entries import (
    EntryFilter,
    checkpoint_document,
    entry_document,
    load_entries,
    load_proof,
    load_signed_head,
)
from api.read.schemas import Listing

router = APIRouter(tags=["ledger"], route_class=WorkRoute)


@router.get("/ledger/checkpoint")
async def get_checkpoint(context: Shared) -> CheckpointDocument:
    """What Milepost signed last about all entries and histories, with the signatures of witnesses. 409 before the first
    one. Keep the `note` elsewhere: with it `milepost verify --older` shows that nothing before it changed since."""
    async with context.database.snapshot() as connection:
        return checkpoint_document(*await load_signed_head(connection))


@router.get("/ledger/entries")
async def list_entries(
    context: Shared,
    page: PageOf,
    asked: Window,
    subject: Annotated[str | None, Query(max_length=200, description="such as incident/17")] = None,
    kind: Annotated[str | None, Query(max_length=64, description="such as closure.approved")] = None,
) -> Listing[EntryDocument]:
    """Entries about things in the scope, the newest first. `from` and `to` are not set unless given. A page may have
    fewer items than `limit` and yet a `next`, when few of many entries fit."""
    wanted = EntryFilter(window=asked, subject=subject, kind=kind)
    before = page.after(AfterEntry, AfterEntry(MAX_ID)).id
    async with context.database.snapshot() as connection:
        rows, floor = await load_entries(connection, wanted, before, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterEntry(row["id"]))
    if following is None and floor:
        following = cursor_of(AfterEntry(floor))
    found = FoundPage(rows=shown, next=following, document=entry_document, things=len(shown))
    return await found.listing(context.work)


@router.get("/ledger/entries/{id}/proof")
async def get_entry_proof(context: Shared, id: EntryId) -> EntryProofDocument:  # noqa: A002 -- the path's own name
    """That an entry is in the log of the newest checkpoint (C2SP tlog-proof), which can be checked without Milepost.
    409 until a checkpoint covers it: some seconds."""
    async with context.database.snapshot() as connection:
        found = await load_proof(connection, id)
    if found is None:
        raise not_found("entry", str(id))
    return found
