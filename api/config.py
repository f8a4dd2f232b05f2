"""The configuration of the service."""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from alerting.incidents.actions import Expected


class ApiConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`connections` may be open at a time. `public_url` is how browsers reach the server; None: http://{host}:{port}.
    `reopen_after`: seconds after which an incident that a person closed opens again. `acknowledge_for`: seconds for
    which an acknowledgement without an ETA counts. `repair_stable`: seconds for which nothing may be wrong after a
    repair. `language`: zh-CN or en.
    `instance` names this process in its signs of life. `trusted_proxies`: addresses and networks of reverse
    proxies, whose X-Forwarded-For names the client. `fonts`: the directory of the fonts of PDF reports; None: the
    fonts of this machine."""

    database_url: str
    admin_token_file: Path | None
    host: str = "127.0.0.1"
    port: int = 8000
    connections: int = 500
    public_url: str | None = None
    language: str = "zh-CN"
    reopen_after: float = 14_400.0
    acknowledge_for: float = 14_400.0
    repair_stable: float = 600.0
    instance: str = "api"
    trusted_proxies: tuple[str, ...] = ()
    fonts: str | None = None

    @property
    def reopening(self) -> timedelta:
        """After how long an incident that a person closed opens again."""
        return timedelta(seconds=self.reopen_after)

    def acknowledging(self, eta: datetime | None) -> Expected:
        """Until when an acknowledgement counts that names this ETA or none."""
        return Expected(eta, timedelta(seconds=self.acknowledge_for))

    @property
    def verifying(self) -> timedelta:
        """For how long nothing may be wrong after a repair."""
        return timedelta(seconds=self.repair_stable)

    @property
    def is_https(self) -> bool:
        """Whether browsers come by https, so that cookies may be kept from plain http."""
        return self.url.startswith("https:")

    @property
    def url(self) -> str:
        """The address under which browsers reach the server."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"
