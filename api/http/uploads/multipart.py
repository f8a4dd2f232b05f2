"""Forms with files, as browsers send them (RFC 7578). Pure.

A body is small enough to lie in memory. What a browser would not send is refused.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

MOST_PARTS: Final = 20
_MOST_HEAD: Final = 2048
"""Bytes of the head of a part, and of the text before the first one."""
_MOST_FIELD: Final = 64 * 1024
"""Bytes of a field that is no file."""
_BOUNDARY: Final = re.compile(r'multipart/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME: Final = re.compile(rb';\s*name="([^"]{0,200})"', re.IGNORECASE)
_FILE: Final = re.compile(rb";\s*filename\*?=", re.IGNORECASE)


class UnfitFormError(ValueError):
    """A body that is no form of a browser, or did not come completely."""


class SentForm(msgspec.Struct, frozen=True):
    """A form. `files`: the contents by field, without their names; a field in which no file was chosen is left out."""

    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}


def boundary_of(content_type: str) -> bytes | None:
    """What separates the parts of a body of this Content-Type; None: it is no such form."""
    found = _BOUNDARY.match(content_type.strip())
    return None if found is None else (found[1] or found[2]).encode("latin-1", "replace")


def parse_form(body: bytes, boundary: bytes) -> SentForm:
    """The fields and files of a body; of several with one name the last. Raises UnfitFormError."""
    fields, files = dict[str, str](), dict[str, bytes]()
    for head, begin, end in _parts(body, boundary):
        line = _disposition(head)
        name = _NAME.search(line)
        if name is None:
            raise UnfitFormError("a part of the form has no name")
        key = name[1].decode("utf-8", "replace")
        if _FILE.search(line) is None:
            fields[key] = _text(body[begin:end])
        elif end > begin:
            files[key] = body[begin:end]
    return SentForm(fields, files)


def leading_fields(body: bytes, boundary: bytes) -> dict[str, str]:
    """The fields before the first file, of a form of which only the beginning is there."""
    fields = dict[str, str]()
    try:
        for head, begin, end in _parts(body, boundary):
            line = _disposition(head)
            name = _NAME.search(line)
            if name is None or _FILE.search(line) is not None:
                break
            fields[name[1].decode("utf-8", "replace")] = _text(body[begin:end])
    except UnfitFormError:
        return fields
    return fields


def _text(content: bytes) -> str:
    if len(content) > _MOST_FIELD:
        raise UnfitFormError("a field of the form is too long")
    return content.decode("utf-8", "replace").replace("\r\n", "\n").strip()


def _disposition(head: bytes) -> bytes:
    lines = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-disposition:")]
    if len(lines) != 1 or not lines[0].partition(b":")[2].strip().lower().startswith(b"form-data"):
        raise UnfitFormError("a part of the form does not say what it is")
    return lines[0]


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(head, and where the content begins and ends) of each part. The last boundary must be there: without it the body
    did not come completely."""
    between = b"\r\n--" + boundary
    place = _first(body, b"--" + boundary)
    for _ in range(MOST_PARTS + 1):
        if body[place : place + 2] == b"--":
            return
        head_end = body.find(b"\r\n\r\n", place, place + _MOST_HEAD)
        end = -1 if head_end < 0 else body.find(between, head_end + 2)
        if body[place : place + 2] != b"\r\n" or end < 0:
            raise UnfitFormError("the form did not arrive completely")
        yield body[place + 2 : head_end], head_end + 4, max(end, head_end + 4)
        place = end + len(between)
    raise UnfitFormError("the form has too many parts")


def _first(body: bytes, opening: bytes) -> int:
    """The place behind the first boundary, which may have text before it."""
    if body.startswith(opening):
        return len(opening)
    found = body.find(b"\r\n" + opening, 0, _MOST_HEAD)
    if found < 0:
        raise UnfitFormError("the form did not arrive completely")
    return found + 2 + len(opening)
