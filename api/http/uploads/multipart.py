"""Forms with files, as browsers send them (RFC 7578), read as they arrive. Pure.

python-multipart splits a body into parts; this module limits their number and size, and refuses forms that no browser
sends.
"""

import re
from typing import TYPE_CHECKING, Final

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_PARTS: Final = 20
_MOST_HEAD: Final = 2048
"""Bytes of the head of a part, and of the text before the first part."""
_MOST_FIELD: Final = 64 * 1024
"""Bytes of a field without a file."""
_MOST_BOUNDARY: Final = 70
_MOST_NAME: Final = 200
_OTHER_FILE: Final = re.compile(rb";\s*filename\*=", re.IGNORECASE)
"""Another way to name a file, which some programs use and the library ignores."""


class UnfitFormError(ValueError):
    """A body that is not a form of a browser, or did not arrive completely."""


class SentForm(msgspec.Struct, frozen=True):
    """A form. `files`: the contents by field, without their names; a field in which no file was chosen is left out."""

    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}


def boundary_of(content_type: str) -> bytes | None:
    """The boundary between the parts of a body of this Content-Type; None: the body is not such a form."""
    kind, options = parse_options_header(content_type.strip())
    boundary = options.get(b"boundary", b"")[:_MOST_BOUNDARY]
    return boundary if kind == b"multipart/form-data" and boundary else None


class FormReader:
    """Reads the form in a body piece by piece. `form` raises an earlier fault, because the server receives the rest of
    the body before it answers."""

    def __init__(self, boundary: bytes) -> None:
        self._parts = _Parts()
        self._parser = MultipartParser(boundary, self._parts.callbacks(), max_header_size=_MOST_HEAD)
        self._opening = b"\r\n--" + boundary
        self._beginning: bytearray | None = bytearray(b"\r\n")
        self._fault: UnfitFormError | None = None

    @property
    def leading(self) -> dict[str, str]:
        """The fields before the first file that were read so far."""
        return self._parts.leading

    def take(self, piece: bytes) -> None:
        """Read on."""
        if self._fault is not None or self._parts.is_done:
            return
        try:
            self._parser.write(self._from_first_boundary(piece))
        except (UnfitFormError, FormParserError) as exc:
            self._fault = exc if isinstance(exc, UnfitFormError) else UnfitFormError("the form is damaged")
            self._parts.drop_files()

    def drop_files(self) -> None:
        """Keep no file from now on: the body is too large."""
        self._parts.drop_files()

    def form(self) -> SentForm:
        """The fields and files; if several have the same name, the last one counts. Raises UnfitFormError, also when
        the last boundary is missing, because then the body did not arrive completely."""
        if self._fault is not None:
            raise self._fault
        if not self._parts.is_whole:
            raise UnfitFormError("the form did not arrive completely")
        return SentForm(self._parts.fields, self._parts.files)

    def _from_first_boundary(self, piece: bytes) -> bytes:
        """The piece without the text before the first boundary, which the parser does not expect."""
        if self._beginning is None:
            return piece
        self._beginning += piece
        most = _MOST_HEAD + len(self._opening)
        found = self._beginning.find(self._opening, 0, most)
        if found < 0 and len(self._beginning) < most:
            return b""
        if found < 0:
            raise UnfitFormError("the form does not begin with its boundary")
        rest, self._beginning = bytes(self._beginning[found + 2 :]), None
        return rest


class _Parts:
    """The parts that the parser finds, with bounds. The callbacks raise UnfitFormError."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.leading: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.is_whole = False
        self._count = 0
        self._head = _Head()
        self._content = bytearray()
        self._has_file = False
        self._keeps_files = True

    @property
    def is_done(self) -> bool:
        """Whether the rest of the body is ignored."""
        return self._has_file and not self._keeps_files

    def callbacks(self) -> "MultipartCallbacks":
        """The callbacks of the parser."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._head.add_name(data[start:end]),
            "on_header_value": lambda data, start, end: self._head.add_value(data[start:end]),
            "on_header_end": lambda: self._head.end_line(),
            "on_headers_finished": self._end_head,
            "on_part_data": self._add,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def drop_files(self) -> None:
        self._keeps_files = False
        self.files.clear()
        if self._head.is_file:
            self._content.clear()

    def _begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise UnfitFormError("the form has too many parts")
        self._head, self._content = _Head(), bytearray()

    def _end_head(self) -> None:
        self._head.finish()
        self._has_file |= self._head.is_file

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._head.is_file and not self._keeps_files:
            return
        self._content += memoryview(data)[start:end]
        if not self._head.is_file and len(self._content) > _MOST_FIELD:
            raise UnfitFormError("a field of the form is too long")

    def _end(self) -> None:
        if not self._head.is_file:
            self.fields[self._head.key] = self._content.decode("utf-8", "replace").replace("\r\n", "\n").strip()
            self.leading = self.leading if self._has_file else dict(self.fields)
        elif self._content:
            self.files[self._head.key] = bytes(self._content)
        self._content = bytearray()

    def _finish(self) -> None:
        self.is_whole = True


class _Head:
    """The head of a part: after `finish` its field (`key`) and whether it is a file."""

    def __init__(self) -> None:
        self.key = ""
        self.is_file = False
        self._name, self._value, self._size = bytearray(), bytearray(), 0
        self._dispositions: list[bytes] = []

    def add_name(self, some: bytes) -> None:
        self._grow(some)
        self._name += some

    def add_value(self, some: bytes) -> None:
        self._grow(some)
        self._value += some

    def end_line(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._dispositions.append(bytes(self._value))
        self._name, self._value = bytearray(), bytearray()

    def finish(self) -> None:
        """Parse the lines of the head. Raises UnfitFormError."""
        if len(self._dispositions) != 1:
            raise UnfitFormError("a part of the form has no content disposition, or more than one")
        kind, options = parse_options_header(self._dispositions[0])
        name = options.get(b"name")
        if kind != b"form-data" or name is None or len(name) > _MOST_NAME:
            raise UnfitFormError("a part of the form has no name")
        self.key = name.decode("utf-8", "replace")
        self.is_file = b"filename" in options or _OTHER_FILE.search(self._dispositions[0]) is not None

    def _grow(self, some: bytes) -> None:
        self._size += len(some)
        if self._size > _MOST_HEAD:
            raise UnfitFormError("the head of a part of the form is too long")
