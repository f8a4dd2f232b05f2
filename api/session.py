"""Who may ask: the admin token, the browser session derived from it, and the one-use code that opens one. No HTTP.

A session is `{expiry}.{nonce}.{HMAC}` keyed by the admin token: it outlives a restart of the server, and a new
admin token ends all of them.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from contract.errors import RemedyError

SESSION_SECONDS: Final = 7 * 86_400
_CODE_BYTES: Final = 32


def write_secret(path: Path) -> str:
    """Put a fresh random secret into a file that only its owner reads (whole or not at all), and return it."""
    secret = secrets.token_urlsafe(_CODE_BYTES)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    fresh.replace(path)
    return secret


def signin_link(signin_file: Path, public_url: str) -> str:
    """Make a new one-use code, which ends the one before, and return the link that signs a browser in with it."""
    return f"{public_url.rstrip('/')}/signin?code={write_secret(signin_file)}"


class AdminToken:
    """The token in a file, read again whenever the file changes. Nobody gets in while there is none."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._token = b""

    def require(self) -> None:
        """Raise RemedyError when there is no usable token at the start."""
        if not self.current():
            what = "no admin token file is named" if self._path is None else f"{self._path} has no admin token"
            raise RemedyError(
                f"{what}: write a random token into a file (mode 600) and name it in MILEPOST_ADMIN_TOKEN_FILE"
            )

    def current(self) -> bytes:
        if self._path is None:
            return b""
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp != self._stamp:
                self._token, self._stamp = self._path.read_bytes().strip(), stamp
        except OSError:
            self._token, self._stamp = b"", None
        return self._token

    def matches(self, given: bytes) -> bool:
        token = self.current()
        return bool(token) and hmac.compare_digest(given, token)

    # -- sessions ----------------------------------------------------------------------------------------------

    def new_session(self, now: float) -> str:
        """A cookie value that is good until `now` + SESSION_SECONDS (seconds since the epoch)."""
        body = f"{int(now) + SESSION_SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{body}.{self._sign(body)}"

    def is_session(self, cookie: str, now: float) -> bool:
        body, _, signature = cookie.rpartition(".")
        if not self.current() or not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            return False
        return int(body.partition(".")[0]) > now

    def _sign(self, body: str) -> str:
        return hmac.new(self.current(), b"milepost session " + body.encode(), hashlib.sha256).hexdigest()


def redeem(signin_file: Path | None, code: str) -> bool:
    """Whether `code` is the one in the file; it is then used up. Of two that come at once one gets in."""
    if signin_file is None:
        return False
    try:
        expected = signin_file.read_bytes().strip()
        if not expected or not hmac.compare_digest(code.encode(), expected):
            return False
        signin_file.unlink()
    except OSError:
        return False
    return True
