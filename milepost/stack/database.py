"""What a stack asks of its database before the services run."""

from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from contract.log import LIVE
from milepost import datadir
from milepost.settings import Secret
from store.accounts import API_LOGIN, AUDIT_LOGIN, SERVICES_LOGIN, put_logins
from store.offsets import kept_partitions


class DatabaseUrls(msgspec.Struct, frozen=True, kw_only=True):
    """The address of one database for each login."""

    owner: Secret
    services: Secret
    api: Secret
    audit: Secret

    def of(self, command: str, given: Secret | None) -> Secret | None:
        """The address for a command, which runs beside the stack or in it; `given`: the one that most have."""
        return {
            "migrate": self.owner,
            "history": self.owner,
            "grafana": self.owner,
            "audit": self.audit,
            "ledger": self.audit,
            **dict.fromkeys(OF_THE_API, self.api),
        }.get(command, given)


OF_THE_API: Final = ("api", "users", "tokens", "templates", "report", "assess")
"""The commands that need the login of the API: for accounts and sessions, for actions of an account, or for reading
within a scope. The logins of the services may not do this."""


async def make_logins(owner_url: str, directory: Path) -> DatabaseUrls:
    """Give the services, the API and the sealer logins of their own, with the passwords kept in the data directory."""
    names = ("services", "api", "audit")
    services, api, audit = (datadir.keep_secret(directory / f"{name}.password") for name in names)
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        await put_logins(connection, services=services, api=api, audit=audit)
    finally:
        await connection.close(timeout=5)
    return DatabaseUrls(
        owner=Secret(owner_url),
        services=Secret(SERVICES_LOGIN.url(owner_url, services)),
        api=Secret(API_LOGIN.url(owner_url, api)),
        audit=Secret(AUDIT_LOGIN.url(owner_url, audit)),
    )


async def read_partitions(url: str) -> int | None:
    """The number of Kafka partitions that the database was begun with; None when it is new."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await kept_partitions(connection, LIVE)
    finally:
        await connection.close(timeout=5)
