"""Contacts whose pages cannot be sent because something of them cannot be read: named in the table set_aside."""

from typing import Final

from alerting.escalation.store import SERVICE
from store.aside import name_aside
from store.pool import Pool
from store.troubles import said

_CONTACT: Final = "contact"


class NamedContacts:
    """Names contacts. `_fine`: those that nothing has to be taken back of."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._fine: set[str] = set()

    async def name(self, contact: str, why: Exception) -> None:
        """The pages of a contact cannot be sent now."""
        self._fine.discard(contact)
        await self._write(contact, {contact: said(why)})

    async def take_back(self, contact: str) -> None:
        """The pages of a contact were looked at without an error; an earlier process may have named it."""
        if contact not in self._fine:
            await self._write(contact, {})
            self._fine.add(contact)

    async def _write(self, contact: str, troubles: dict[str, str]) -> None:
        async with self._pool.acquire() as connection:
            await name_aside(connection, SERVICE, _CONTACT, troubles, processed=[contact])
