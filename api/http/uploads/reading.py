"""Reads the body of a request that carries a file, once its permission is known."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.http.forms import fields_of
from api.http.middleware import require_may_act
from api.http.problems import Problem
from api.http.uploads.bounds import MAX_UPLOAD_BODY, MOST_DRAINED, UPLOAD_WITHIN, Uploads
from api.http.uploads.multipart import SentForm, UnfitFormError, boundary_of, leading_fields, parse_form
from registry.photos.rules import PhotoRefusal, PhotoRefusedError

FILE: Final = "photo"
"""The field of a form that has the file."""
_BEGINNING: Final = 64 * 1024
"""Bytes that are kept of a body that is too large: the fields before the file."""
_FIELDS: Final = "application/x-www-form-urlencoded"


class UploadTooLargeError(PhotoRefusedError):
    """A body that is too large. `fields`: those that came before the file."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(PhotoRefusal.TOO_LARGE)
        self.fields = fields


@asynccontextmanager
async def read_upload(request: Request, uploads: Uploads, account: str) -> AsyncIterator[SentForm]:
    """The form of a request, for as long as the block works with it: one with a file, one without, or a bare file as
    the field FILE. `account`: who sends it.

    Raises UploadTooLargeError; PhotoRefusedError for a body that did not come completely; a Problem for one that may
    not come now.
    """
    require_may_act(request.scope)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith(_FIELDS):
        yield SentForm(fields=await fields_of(request))
        return
    with uploads.hold(account):
        yield await _form(request, content_type)


async def _form(request: Request, content_type: str) -> SentForm:
    body, is_whole = await _body(request)
    boundary = boundary_of(content_type)
    if not is_whole:
        raise UploadTooLargeError({} if boundary is None else leading_fields(body, boundary))
    if boundary is None:
        return SentForm(files={FILE: body} if body else {})
    try:
        return parse_form(body, boundary)
    except UnfitFormError as exc:
        raise PhotoRefusedError(PhotoRefusal.BROKEN) from exc


async def _body(request: Request) -> tuple[bytes, bool]:
    """The body, and whether it is whole: of one that is too large only the beginning is kept, and the rest is read so
    that a browser shows the answer."""
    length = request.headers.get("content-length", "0")
    most = _BEGINNING if length.isdecimal() and int(length) > MAX_UPLOAD_BODY else MAX_UPLOAD_BODY
    body, read = bytearray(), 0
    try:
        async with asyncio.timeout(UPLOAD_WITHIN):
            async for chunk in request.stream():
                read += len(chunk)
                if read > MAX_UPLOAD_BODY:
                    most = _BEGINNING
                body += chunk[: max(0, most - len(body))]
                del body[most:]
                if read > MOST_DRAINED:
                    break
    except TimeoutError as exc:
        raise Problem(408, f"the photo did not come within {UPLOAD_WITHIN:.0f} s: send a smaller one") from exc
    except ClientDisconnect as exc:
        raise PhotoRefusedError(PhotoRefusal.BROKEN) from exc
    return bytes(body), read <= MAX_UPLOAD_BODY
