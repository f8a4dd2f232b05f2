"""Photos in the database. The ledger has the hash of each, and never the picture."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from registry.photos.rules import MOST_PHOTOS, Photo, PhotoRefusal, PhotoRefusedError
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.pool import Connection
from store.sql import load_queries

QUERIES: Final = load_queries(Path(__file__).with_name("queries.sql"))


class PhotoOf(msgspec.Struct, frozen=True):
    """The subject of a photo: the number of exactly one incident, closure or finding. `repair`: the repair of the
    incident that the photo shows."""

    incident: int | None = None
    closure: int | None = None
    finding: int | None = None
    repair: int | None = None

    @property
    def subject(self) -> str:
        """The name of the subject in the ledger."""
        kind = next((one for one in ("closure", "finding") if getattr(self, one) is not None), "incident")
        return f"{kind}/{getattr(self, kind)}"

    @property
    def numbers(self) -> tuple[int | None, int | None, int | None]:
        """The arguments of the queries."""
        return self.incident, self.closure, self.finding


class KeptPhoto(msgspec.Struct, frozen=True, kw_only=True):
    """A photo of the database, without its bytes."""

    id: UUID
    sha256: bytes
    #: The size of the JPEG.
    bytes: int
    width: int
    height: int
    incident: int | None
    closure: int | None
    finding: int | None
    #: The repair that the photo shows.
    repair: int | None
    made_by: str
    made_remark: str | None
    made_at: datetime


async def add_photo(connection: Connection, of: PhotoOf, photo: Photo, by: Author) -> tuple[KeptPhoto, bool] | None:
    """Store a photo, with its entry in the ledger, in the caller's transaction. Returns the photo, and whether it is
    new: the same photo is stored once, and once for each repair that it shows. None: there is no such incident, closure
    or finding in the scope.

    Raises PhotoRefusedError if there are MOST_PHOTOS already, for a withdrawn closure and for a closed finding.
    """
    if not await _lock(connection, of):
        return None
    sha256 = hashlib.sha256(photo.jpeg).digest()
    found = await connection.fetchrow(QUERIES.find_photo, *of.numbers, sha256, of.repair)
    if found is not None:
        return _kept(found), False
    if await connection.fetchval(QUERIES.count_photos, *of.numbers) >= MOST_PHOTOS:
        raise PhotoRefusedError(PhotoRefusal.TOO_MANY_PHOTOS)
    made = (photo.jpeg, photo.width, photo.height, by.account, by.remark)
    row = await connection.fetchrow(QUERIES.insert_photo, *of.numbers, of.repair, sha256, *made)
    kept = _kept(row)
    await append_entries(connection, [_entry(of, kept, by)])
    return kept, True


async def _lock(connection: Connection, of: PhotoOf) -> bool:
    if of.finding is not None:
        over, refusal = await connection.fetchval(QUERIES.lock_finding, of.finding), PhotoRefusal.CLOSED
    elif of.closure is not None:
        over, refusal = await connection.fetchval(QUERIES.lock_closure, of.closure), PhotoRefusal.WITHDRAWN
    else:
        return bool(await connection.fetchval(QUERIES.lock_incident, of.incident))
    if over:
        raise PhotoRefusedError(refusal)
    return over is not None


def _entry(of: PhotoOf, kept: KeptPhoto, by: Author) -> LedgerEntry:
    body = {"photo": str(kept.id), "jpeg_sha256": kept.sha256.hex(), "bytes": kept.bytes, **by.remarked}
    if kept.repair is not None:
        body["repair"] = kept.repair
    return LedgerEntry(kind=LedgerKind.PHOTO_ADDED, subject=of.subject, actor=by.account, body=body)


async def load_photo(connection: Connection, photo: UUID) -> KeptPhoto | None:
    """A photo without its bytes; None: there is none in the scope."""
    row = await connection.fetchrow(QUERIES.load_photo, photo)
    return None if row is None else _kept(row)


async def load_jpeg(connection: Connection, photo: UUID) -> bytes | None:
    """The bytes of a photo; None: there is none in the scope."""
    jpeg: bytes | None = await connection.fetchval(QUERIES.load_jpeg, photo)
    return jpeg


async def list_photos(connection: Connection, of: PhotoOf) -> list[KeptPhoto]:
    """The photos of an incident, a closure or a finding in the order in which they were sent; MOST_PHOTOS at most."""
    return [_kept(row) for row in await connection.fetch(QUERIES.list_photos, *of.numbers)]


def _kept(row: asyncpg.Record | None) -> KeptPhoto:
    fields = dict(row or {})
    return KeptPhoto(**{**fields, "id": UUID(int=fields["id"].int)})
