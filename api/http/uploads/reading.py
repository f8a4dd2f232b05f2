"""Reads the body of a request that carries a file, after the permission was checked."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.http.forms import fields_of
from api.http.identity.actors import Identity
from api.http.middleware import ACTOR, require_may_act
from api.http.problems import Problem
from api.http.uploads.bounds import MAX_UPLOAD_BODY, MOST_DRAINED, UPLOAD_WITHIN, Uploads
from api.http.uploads.multipart import FormReader, SentForm, UnfitFormError, boundary_of
from registry.photos.rules import PhotoRefusal, PhotoRefusedError

FILE: Final = "photo"
"""The name of the form field with the file."""
_FIELDS: Final = "application/x-www-form-urlencoded"


class UploadTooLargeError(PhotoRefusedError):
    """A body that is too large. `fields`: the form fields before the file."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(PhotoRefusal.TOO_LARGE)
        self.fields = fields


def typed(refusal: Exception, said: Mapping[str, str]) -> Mapping[str, str]:
    """The typed values of a refused form. `said`: the fields that were read."""
    return refusal.fields if isinstance(refusal, UploadTooLargeError) else said


@asynccontextmanager
async def read_upload(request: Request, uploads: Uploads, account: str) -> AsyncIterator[SentForm]:
    """As `receive_upload`, for an account that is signed in. Raises also a Problem (401) if the sender signed out or
    got other rights while the body arrived, which may take minutes."""
    async with receive_upload(request, uploads, account) as sent:
        await _require_same_sender(request)
        yield sent


@asynccontextmanager
async def receive_upload(request: Request, uploads: Uploads, account: str) -> AsyncIterator[SentForm]:
    """The form of a request while the block runs: a form with or without a file, or a body that is itself the file, as
    the field FILE. `account`: the sender. The caller checks the rights of the sender again.

    Raises UploadTooLargeError; PhotoRefusedError for an incomplete body; a Problem when too many bodies are sent
    at the moment, and for a body that arrives too slowly.
    """
    require_may_act(request.scope)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith(_FIELDS):
        yield SentForm(fields=await fields_of(request))
        return
    with uploads.hold(account):
        yield await _form(request, content_type)


async def _require_same_sender(request: Request) -> None:
    identity: Identity = request.app.state.context.identity
    if (await identity.find(request.scope)).actor != request.scope[ACTOR]:
        raise Problem(
            401, "you were signed out, or your rights changed, while the file was sent: sign in and send it again"
        )


async def _form(request: Request, content_type: str) -> SentForm:
    boundary = boundary_of(content_type)
    reader = _FileReader() if boundary is None else FormReader(boundary)
    if not await _receive(request, reader):
        raise UploadTooLargeError(reader.leading)
    try:
        return reader.form()
    except UnfitFormError as exc:
        raise PhotoRefusedError(PhotoRefusal.BROKEN) from exc


class _FileReader:
    """Reads a body that is itself the file; it has the methods of FormReader."""

    def __init__(self) -> None:
        self.leading: dict[str, str] = {}
        self._content: bytearray | None = bytearray()

    def take(self, piece: bytes) -> None:
        if self._content is not None:
            self._content += piece

    def drop_files(self) -> None:
        self._content = None

    def form(self) -> SentForm:
        return SentForm(files={FILE: bytes(self._content)} if self._content else {})


async def _receive(request: Request, reader: FormReader | _FileReader) -> bool:
    """Read the body; False: the body is too large. Then no file is kept, but the rest is received, so that the browser
    shows the answer."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MAX_UPLOAD_BODY:
        reader.drop_files()
    read = 0
    try:
        async with asyncio.timeout(UPLOAD_WITHIN):
            async for chunk in request.stream():
                read += len(chunk)
                if read > MAX_UPLOAD_BODY:
                    reader.drop_files()
                reader.take(chunk)
                if read > MOST_DRAINED:
                    break
    except TimeoutError as exc:
        raise Problem(408, f"the photo did not come within {UPLOAD_WITHIN:.0f} s: send a smaller one") from exc
    except ClientDisconnect as exc:
        raise PhotoRefusedError(PhotoRefusal.BROKEN) from exc
    return read <= MAX_UPLOAD_BODY
