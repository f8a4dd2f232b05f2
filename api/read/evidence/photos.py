"""Photos of incidents, closures and findings: their documents and their bytes."""

from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import Response
from pydantic import Field

from api.http.problems import not_found
from api.read.schemas import Document, Listing
from registry.photos import store
from registry.photos.store import KeptPhoto, PhotoOf
from store.pool import Connection

_INERT: Final = {
    # Whatever a browser takes the bytes for, it runs nothing of them; its own page around a picture has a style.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PhotoDocument(Document):
    """A photo as evidence; exactly one of `incident`, `closure` and `finding` is given. The JPEG is at
    `/photos/{id}/jpeg`."""

    id: UUID
    incident: int | None
    closure: int | None
    finding: int | None = Field(description="a finding or dispute")
    repair: int | None = Field(description="the repair that the photo shows; null: none")
    sha256: str = Field(description="of the JPEG, in hex; the ledger has it too")
    size: int = Field(description="bytes of the JPEG")
    width: int
    height: int
    made_by: str = Field(description="the account that sent the photo")
    made_remark: str | None = Field(description="on whose behalf the account acted, as the client said")
    made_at: datetime


def photo_document(photo: KeptPhoto) -> PhotoDocument:
    """A photo as the API and the pages show it."""
    return PhotoDocument(
        id=photo.id,
        incident=photo.incident,
        closure=photo.closure,
        finding=photo.finding,
        repair=photo.repair,
        sha256=photo.sha256.hex(),
        size=photo.bytes,
        width=photo.width,
        height=photo.height,
        made_by=photo.made_by,
        made_remark=photo.made_remark,
        made_at=photo.made_at,
    )


async def list_photos(connection: Connection, of: PhotoOf) -> Listing[PhotoDocument]:
    """All photos of an incident, a closure or a finding, in the order in which they were sent."""
    return Listing(items=[photo_document(one) for one in await store.list_photos(connection, of)], next=None)


async def load_photo(connection: Connection, photo: UUID) -> PhotoDocument:
    """One photo. Raises a Problem (404)."""
    found = await store.load_photo(connection, photo)
    if found is None:
        raise not_found("photo", str(photo))
    return photo_document(found)


async def load_picture(connection: Connection, photo: UUID) -> Response:
    """The JPEG of a photo as an answer in which a browser runs nothing. Raises a Problem (404)."""
    jpeg = await store.load_jpeg(connection, photo)
    if jpeg is None:
        raise not_found("photo", str(photo))
    named = {"Content-Disposition": f'inline; filename="photo-{photo}.jpg"'}
    return Response(jpeg, media_type="image/jpeg", headers={**_INERT, **named})
