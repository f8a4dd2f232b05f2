"""Which contact is looked at next: the urgent ones first, each once."""

import asyncio
from itertools import count


class LookQueue:
    """Contacts that wait for a look. One that becomes urgent while it waits is moved to the urgent ones."""

    def __init__(self) -> None:
        self._queue: asyncio.PriorityQueue[tuple[bool, int, str, int]] = asyncio.PriorityQueue()
        self._turns = count()
        self._known: dict[str, bool] = {}

    def put(self, contact: str, newest: int, *, urgent: bool) -> None:
        """Add a contact; `newest`: the number of its newest page."""
        if contact not in self._known or (urgent and not self._known[contact]):
            self._known[contact] = urgent
            self._queue.put_nowait((not urgent, next(self._turns), contact, newest))

    async def get(self) -> tuple[str, int]:
        """The next contact, with the number of its newest page when it was added; `done` lets it be added again."""
        while True:
            calm, _, contact, newest = await self._queue.get()
            # An entry from before it became urgent is passed over; so is one of a contact that is looked at now.
            if self._known.get(contact) == (not calm):
                return contact, newest

    def done(self, contact: str) -> None:
        """The look is over."""
        self._known.pop(contact, None)
