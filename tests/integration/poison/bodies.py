"""Texts, numbers, times, documents, forms and files at the edges of what a request may carry."""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from api.http.uploads.bounds import MULTIPART
from tests.integration.poison.doors import Field
from tests.pictures import encoded, flag, png_that_claims

HALF: Final = "\ud800"
"""Half of a character, which JSON may write as an escape."""
ODD: Final = "\x01\x1b[31m\x7f\u2028\u202egnitirw\u202c\u200b\ufeff<script>'\"{{x}}%s{0}\U0010ffff"
"""Control characters, other directions, markup, and a character beyond the plane."""
LONG: Final = "x" * 5000
TEXTS: Final = ("a\0b", ODD, LONG, HALF)
MOMENTS: Final = ("0001-01-01", "9999-12-31T23:59:59-14:00", "infinity")
NUMBERS: Final = (-1, 2**63, 10**400, "٣")
OTHERS: Final = (None, [1.5])
"""Values of other types."""
SHAPES: Final = (b"", b"null", b'{"by":' + b"[" * 5000, b"\xff\xfe")
NAMES: Final = ("a\0b", str(2**63), "٣" + HALF)
"""What a path may name."""
FORM: Final = "application/x-www-form-urlencoded"
_PHOTO: Final = b'name="photo"; filename="a.jpg"'
FILES: Final = (b"", b"\xff\xd8\xff", encoded(flag())[:300], png_that_claims(65_000, 65_000), png_that_claims(0, 1),
                b"RIFF\xff\xff\xff\xffWEBP", b"GIF89a", b"a\0b<script>" * 1000)  # fmt: skip
"""Files that are no photos."""
ODD_HEADS: Final = (
    b"",
    b"name=",
    b'name="' + LONG.encode() + b'"',
    b'name="\xff\xfe"',
    b"name=a; filename*=utf-16''%ff",
)
"""Names of a part that cannot be read."""


def values_of(field: Field) -> tuple[Any, ...]:
    """The edges of what a field takes."""
    return {"text": TEXTS, "time": TEXTS + MOMENTS, "number": TEXTS[:1] + NUMBERS}[field.takes]


def as_json(values: dict[str, Any]) -> bytes:
    """JSON as a stranger may write it: half characters as escapes."""
    parts = (f'"{name}":{_written(value)}' for name, value in values.items())
    return ("{" + ",".join(parts) + "}").encode()


def _written(value: Any) -> str:
    if isinstance(value, str):
        return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in value) + '"'
    return str(value) if isinstance(value, int) else msgspec.json.encode(value).decode()


def as_form(values: dict[str, Any]) -> bytes:
    """A form as a stranger may write it: half characters as bytes."""
    return urlencode({name: as_bytes(value) for name, value in values.items()}).encode()


def as_bytes(value: Any) -> bytes:
    """A value as a stranger may write it: half characters as bytes."""
    return str(value).encode(errors="surrogatepass")


def as_parts(values: dict[str, Any], content: bytes, head: bytes = _PHOTO) -> tuple[bytes, str]:
    """A form with a file as a stranger may write it, and its Content-Type. `head`: how the file is named."""
    parts = [(b'name="%s"' % name.encode(), as_bytes(value)) for name, value in values.items()]
    parts.append((head, content))
    lines = (b"--between\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % part for part in parts)
    return b"".join(lines) + b"--between--\r\n", f"{MULTIPART}; boundary=between"


def odd_parts(values: dict[str, Any]) -> Iterator[tuple[bytes, str]]:
    """Forms that no browser sends, with their Content-Type."""
    whole, kind = as_parts(values, b"x")
    yield whole[:-12], kind
    yield whole, MULTIPART
    yield whole, f"{MULTIPART}; boundary="
    yield whole, f"{MULTIPART}; boundary={'x' * 5000}"
    yield whole, f"{MULTIPART}; boundary=another"
    yield b"", kind
    yield b"--between--\r\n", kind
    yield b"--between\r\n\r\nx\r\n--between--\r\n", kind
    yield whole.replace(b"form-data", b"attachment"), kind
    for head in ODD_HEADS:
        yield as_parts(values, b"x", head)
    for name in ("a.jpg\0", "../../etc/passwd", "\u202egpj.exe", '"; name="text'):
        yield as_parts(values, FILES[2], b'name="photo"; filename="%s"' % name.encode())
    for value in TEXTS:
        yield as_parts(dict.fromkeys(values, value) | {"by": value, "text": value}, FILES[2])
    yield as_parts({f"field{number}": "x" for number in range(30)}, b"x")
