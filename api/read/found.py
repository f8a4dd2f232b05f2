"""One page of a list as it was read: rows first, documents after the snapshot has ended.

Documents of many rows are made by the worker threads. A request that waits for a thread must not hold one of the few
connections of the database meanwhile.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import asyncpg
import msgspec

from api.http.work import Work
from api.read.schemas import Listing

T = TypeVar("T")


class FoundPage(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Rows, and how a row becomes a document. `next`: the cursor of the next page, None on the last one; `things`: how
    many things the documents hold in all, by which a large page is given to a worker thread."""

    rows: Sequence[asyncpg.Record]
    next: str | None
    document: Callable[[asyncpg.Record], T]
    things: int

    async def documents(self, work: Work) -> list[T]:
        """The documents in the order of the rows. Raises a Problem (503) when too many large answers are being made."""
        return await work.do(self.things, lambda: [self.document(row) for row in self.rows])

    async def listing(self, work: Work) -> Listing[T]:
        """The page as the API answers it."""
        return Listing(items=await self.documents(work), next=self.next)
