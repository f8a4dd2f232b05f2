"""Contacts whose pages cannot be sent because something of them cannot be read: named in the table set_aside."""

from typing import Final

from alerting.escalation.store import SERVICE
from store.aside import name_aside
from store.pool import Pool
from store.troubles import said

_CONTACT: Final = "contact"


class NamedContacts:
    """Names contacts. `_fine`: the contacts that have no row in the table, as far as this process knows."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._fine: set[str] = set()

    async def note_look(self, contact: str, why: Exception | None) -> None:
        """Name a contact whose pages cannot be sent, because of `why`. Without `why`, take the name back, also if an
        earlier process named the contact."""
        if why is not None:
            self._fine.discard(contact)
            await self._write(contact, {contact: said(why)})
        elif contact not in self._fine:
            await self._write(contact, {})
            self._fine.add(contact)

    async def _write(self, contact: str, troubles: dict[str, str]) -> None:
        async with self._pool.acquire() as connection:
            await name_aside(connection, SERVICE, _CONTACT, troubles, processed=[contact])
