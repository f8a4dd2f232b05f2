"""Add photos to incidents, closures and findings.

A file is written anew before the transaction begins, because that takes some tenths of a second.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import msgspec
from fastapi import Request

from alerting.incidents.actions import ActionRefusedError
from alerting.incidents.book import ActionRefusal
from alerting.incidents.store import QUERIES as INCIDENTS
from api.actions.actor import author_of
from api.actions.incidents import act_on_incident
from api.context import Context
from api.http.problems import Problem, not_found
from api.http.uploads.multipart import SentForm
from api.http.uploads.reading import FILE, read_upload
from api.read.evidence.photos import PhotoDocument, photo_document
from registry.photos.photo_process import write_apart
from registry.photos.rules import Photo, PhotoRefusal, PhotoRefusedError, kind_of
from registry.photos.store import PhotoOf, add_photo
from store.author import Author
from store.pool import Connection

_STATUS: Final = {
    PhotoRefusal.TOO_LARGE: 413,
    PhotoRefusal.TOO_MANY_PIXELS: 413,
    PhotoRefusal.HEIC: 415,
    PhotoRefusal.UNKNOWN_KIND: 415,
    PhotoRefusal.TOO_MANY_PHOTOS: 409,
    PhotoRefusal.WITHDRAWN: 409,
    PhotoRefusal.CLOSED: 409,
}


class AddedPhoto(msgspec.Struct, frozen=True):
    """A photo that was sent. `is_new`: the same photo was not stored before."""

    photo: PhotoDocument
    is_new: bool


AddPhoto = Callable[[Context, int, Author, bytes], Awaitable[AddedPhoto]]
"""Adds the picture in a file to the incident, closure or finding with a number."""


async def receive_photo(
    request: Request, context: Context, number: int, add: AddPhoto, remark: Callable[[dict[str, str]], str | None]
) -> AddedPhoto:
    """Read the file of a request and add its picture. `remark`: returns the remark (on whose behalf) from form fields.

    Raises what `read_upload` and `add` raise.
    """
    async with read_upload(request, context.uploads, context.account) as sent:
        return await add(context, number, author_of(request, remark(sent.fields)), sent.files.get(FILE, b""))


async def photo_of_form(context: Context, sent: SentForm) -> Photo | None:
    """The picture of a form with an optional file; None: no file. Raises as `write_photo`."""
    file = sent.files.get(FILE)
    return None if file is None else await write_photo(context, file)


async def add_incident_photo(context: Context, incident: int, by: Author, content: bytes) -> AddedPhoto:
    """Add the picture in a file to an incident, which may be closed, and to its history.

    Raises PhotoRefusedError; ActionRefusedError when the scope does not hold the incident.
    """
    photo = await write_photo(context, content)
    made = list[AddedPhoto]()

    async def add(connection: Connection, now: datetime) -> None:
        made.append(await put_incident_photo(connection, incident, by, photo, now))

    await act_on_incident(context, incident, add)
    return made[0]


async def write_photo(context: Context, content: bytes) -> Photo:
    """The picture in a file, written anew by another process. Raises PhotoRefusedError, or a Problem (503) when too
    many pictures wait."""
    kind_of(content)
    return await context.work.do_apart(lambda: write_apart(content))


async def put_incident_photo(
    connection: Connection, incident: int, by: Author, photo: Photo, now: datetime, repair: int | None = None
) -> AddedPhoto:
    """Store a photo of an incident, or of a `repair` of the incident, and the entry in the history, in the caller's
    transaction. Raises as `add_incident_photo`."""
    found = await add_photo(connection, PhotoOf(incident=incident, repair=repair), photo, by)
    if found is None:
        raise ActionRefusedError(ActionRefusal.NOT_FOUND, incident)
    kept, is_new = found
    if is_new:
        await connection.execute(INCIDENTS.insert_entry, incident, now, by.account, "photo", None, by.remark)
        await connection.execute(INCIDENTS.tell_incident)
    return AddedPhoto(photo_document(kept), is_new)


async def add_closure_photo(context: Context, closure: int, by: Author, content: bytes) -> AddedPhoto:
    """Add the picture in a file to a closure as its evidence.

    Raises PhotoRefusedError; a Problem (404) when the scope does not hold the closure.
    """
    photo = await write_photo(context, content)
    async with context.database.transaction() as connection:
        return await put_closure_photo(connection, closure, by, photo)


async def put_closure_photo(connection: Connection, closure: int, by: Author, photo: Photo) -> AddedPhoto:
    """Keep a photo of a closure, in the caller's transaction. Raises as `add_closure_photo`."""
    found = await add_photo(connection, PhotoOf(closure=closure), photo, by)
    if found is None:
        raise not_found("closure", closure)
    return AddedPhoto(photo_document(found[0]), found[1])


async def add_finding_photo(context: Context, finding: int, by: Author, content: bytes) -> AddedPhoto:
    """Add the picture in a file to a finding or dispute as its evidence.

    Raises PhotoRefusedError; a Problem (404) when the scope does not hold the finding.
    """
    photo = await write_photo(context, content)
    async with context.database.transaction() as connection:
        return await put_finding_photo(connection, finding, by, photo)


async def put_finding_photo(connection: Connection, finding: int, by: Author, photo: Photo) -> AddedPhoto:
    """Keep a photo of a finding, in the caller's transaction. Raises as `add_finding_photo`."""
    found = await add_photo(connection, PhotoOf(finding=finding), photo, by)
    if found is None:
        raise not_found("finding", finding)
    return AddedPhoto(photo_document(found[0]), found[1])


def refused_photo(exc: PhotoRefusedError) -> Problem:
    """The Problem of a file that does not become a photo; its member `refusal` is the reason as a word."""
    return Problem(_STATUS.get(exc.refusal, 422), str(exc), refusal=exc.refusal.value)
