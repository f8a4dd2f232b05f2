"""Secrets: the admin token in its file, and the secrets of sessions and one-use links. No HTTP, no database.

A session's cookie is `{nonce}.{HMAC}` keyed by the admin token: made-up ones are known without asking the database, and
a new admin token ends all sessions. Rows hold hashes only, so the content of the database opens no session.
"""

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from contract.errors import RemedyError
from contract.said import Said

SESSION_COOKIE: Final = "session"
_SECRET_BYTES: Final = 32


class AdminToken:
    """The token in a file, read again whenever the file changes.

    Without a usable token the API does not start; if the token is removed later, the admin token and all sessions are
    refused, and API tokens still work.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._token = b""

    def require(self) -> None:
        """Raise RemedyError when there is no usable token at the start."""
        if not self.current():
            what = Said("no admin token file is named", "未指定管理令牌文件")
            if self._path is not None:
                what = Said(f"{self._path} has no admin token", f"{self._path} 中没有管理令牌")
            raise RemedyError(
                f"{what.en}: write a random token into a file (mode 600) and name it in MILEPOST_ADMIN_TOKEN_FILE",
                f"{what.zh}：请将随机令牌写入文件（权限 600），并在 MILEPOST_ADMIN_TOKEN_FILE 中指定该文件",
            )

    def current(self) -> bytes:
        """The token now; empty when there is no usable file."""
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
        """Whether this is the token, compared in constant time."""
        token = self.current()
        return bool(token) and hmac.compare_digest(given, token)

    def new_cookie(self, kind: str = SESSION_COOKIE) -> str:
        """The value of a new cookie of a session, or of another kind."""
        nonce = new_secret()
        return f"{nonce}.{self._sign(kind, nonce)}"

    def is_ours(self, cookie: str, kind: str = SESSION_COOKIE) -> bool:
        """Whether this server made the cookie, under the present token."""
        nonce, _, signature = cookie.rpartition(".")
        return bool(self.current()) and hmac.compare_digest(signature.encode(), self._sign(kind, nonce).encode())

    def digest(self, text: str) -> bytes:
        """A hash of a text, keyed by the token."""
        return hmac.new(self.current(), text.encode(), hashlib.sha256).digest()

    def _sign(self, kind: str, nonce: str) -> str:
        return self.digest(f"milepost {kind} {nonce}").hex()


def new_secret() -> str:
    """A random secret for a cookie or a link."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def key_of(secret: str) -> bytes:
    """The hash under which the database keeps a secret."""
    return hashlib.sha256(secret.encode()).digest()
