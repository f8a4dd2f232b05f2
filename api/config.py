"""What the service is told at its start."""

from pathlib import Path

import msgspec


class ApiConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`public_url` is how browsers reach the server; None: http://{host}:{port}.
    `language`: zh-CN or en. `instance` names this process in its signs of life."""

    database_url: str
    admin_token_file: Path | None
    signin_file: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str | None = None
    language: str = "zh-CN"
    instance: str = "api"

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"
