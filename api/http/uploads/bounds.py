"""Which requests carry a file, and how many such requests the server accepts at a time."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from api.http.problems import Problem
from registry.photos.rules import MAX_UPLOAD

MAX_UPLOAD_BODY: Final = MAX_UPLOAD + 64 * 1024
"""Bytes of a body with a file, including the other fields of the form."""
MOST_DRAINED: Final = 3 * MAX_UPLOAD
"""Bytes of a body that is too large, which the server reads and discards so that the browser shows the answer."""
UPLOAD_WITHIN: Final = 300.0
"""Seconds in which a body with a file must arrive: phones in villages send 20 kbit/s."""
MOST_UPLOADS: Final = 16
"""Maximum number of bodies with files that a server holds or receives at a time."""
MOST_OF_ACCOUNT: Final = 3
"""The same maximum for one account."""
_PHOTOS: Final = re.compile(r"(/api/v1)?/(incidents|closures|findings)/\d+/photos|/i/[^/]+/photos?")
_FORMS: Final = re.compile(r"/closures|/findings|/disputes|/incidents/\d+/repair|/i/[^/]+(/closures?)?")
MULTIPART: Final = "multipart/form-data"


def carries_file(method: str, path: str, content_type: str) -> bool:
    """Whether the body of a request may have a file: its route reads the body itself, after the permission."""
    if method != "POST":
        return False
    is_form = content_type.lower().startswith(MULTIPART)
    return _PHOTOS.fullmatch(path) is not None or (is_form and _FORMS.fullmatch(path) is not None)


class Uploads:
    """The bodies with files that one server holds."""

    def __init__(self) -> None:
        self._held = Counter[str]()

    @contextmanager
    def hold(self, account: str) -> Iterator[None]:
        """Count one body while the block runs. Raises a Problem (503; 429 when the account has its maximum)."""
        if self._held[account] >= MOST_OF_ACCOUNT:
            raise Problem(
                429, "your account is sending other files: wait until they are sent", headers={"Retry-After": "5"}
            )
        if self._held.total() >= MOST_UPLOADS:
            raise Problem(503, "too many files are being sent: try again", headers={"Retry-After": "5"})
        self._held[account] += 1
        try:
            yield
        finally:
            self._held -= Counter((account,))
