"""Closures and maintenance windows: a filtered list, and one."""

from api.http.paging import MAX_ID, AfterClosure, Page
from api.http.problems import not_found
from api.read.found import FoundPage
from api.read.queries import QUERIES
from api.read.schemas import ClosureDocument
from registry.closures import store as closure_store
from registry.closures.rules import Closure
from store.pool import Connection


async def list_closures(
    connection: Connection,
    page: Page,
    *,
    area: list[str] | None = None,
    station: str | None = None,
    status: str | None = None,
) -> FoundPage[ClosureDocument]:
    """Closures, the last declared first. `area`: codes of which the whole subtrees are meant; `station`: also those of
    its areas and programmes. Raises a Problem for a cursor that is not ours."""
    after = page.after(AfterClosure, AfterClosure(MAX_ID)).id
    rows = await connection.fetch(QUERIES.list_closures, after, area, station, status, page.limit + 1)
    shown, following = page.cut(rows, lambda row: AfterClosure(row["id"]))
    return FoundPage(
        rows=shown, next=following, document=lambda row: closure_document(Closure(**row)), things=len(shown)
    )


async def load_closure(connection: Connection, number: int) -> ClosureDocument:
    """One closure. Raises a Problem (404)."""
    return require_closure(number, await closure_store.load_closure(connection, number))


def require_closure(number: int, closure: Closure | None) -> ClosureDocument:
    """The document of a closure that was looked up by its number. Raises a Problem (404) when there is none."""
    if closure is None:
        raise not_found("closure", number)
    return closure_document(closure)


def closure_document(closure: Closure) -> ClosureDocument:
    """A closure as the API and the pages show it."""
    names = set(ClosureDocument.model_fields) - {"begin", "until", "status"}
    return ClosureDocument(
        begin=closure.from_at,
        until=closure.until_at,
        status=closure.status.value,
        **{name: getattr(closure, name) for name in names},
    )
