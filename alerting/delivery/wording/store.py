"""Templates in the database; each change has an entry in the ledger."""

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from alerting.delivery.texts import Language
from alerting.delivery.wording.digest import DigestCount
from alerting.delivery.wording.names import TemplateName
from alerting.delivery.wording.template import StoredTemplate
from alerting.delivery.wording.write import TemplateLines, Wording, compile_wording, template_lines
from store.author import Author
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind, hashed
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)

log = logging.getLogger(__name__)


async def load_templates(connection: Connection) -> list[StoredTemplate]:
    """All templates that an operator made."""
    return [StoredTemplate(**dict(row)) for row in await connection.fetch(QUERIES.load_templates)]


async def load_wording(connection: Connection) -> Wording:
    """The templates that can be used; the log names the others."""
    stored = await load_templates(connection)
    return Wording({key: lines for one in stored for key, lines in _usable(one.name, one.language, one.text).items()})


@lru_cache(maxsize=64)
def _usable(name: str, language: str, text: str) -> Mapping[tuple[TemplateName, Language], TemplateLines]:
    """A template if it can be used. The log names any other once, not for each message."""
    wording, broken = compile_wording({(name, language): text})
    for why in broken.values():
        log.warning("a template is not used: %s", why, extra={"template": name, "language": language})
    return wording.templates


async def set_template(
    connection: Connection, name: TemplateName, language: Language, text: str, *, by: Author
) -> bool:
    """Write a template; False if it was the same. Raises RemedyError for one that cannot be used."""
    template_lines(name, text)
    async with connection.transaction():
        if not await connection.fetchval(QUERIES.put_template, name, language, text, by.account):
            return False
        await append_entries(connection, [_entry(LedgerKind.TEMPLATE_CHANGED, name, language, by, text)])
    return True


async def reset_template(connection: Connection, name: str, language: str, *, by: Author) -> bool:
    """Remove a template, so that the text of Milepost is sent; False if there was none."""
    async with connection.transaction():
        if not await connection.fetchval(QUERIES.remove_template, name, language):
            return False
        await append_entries(connection, [_entry(LedgerKind.TEMPLATE_RESET, name, language, by)])
    return True


def _entry(kind: LedgerKind, name: str, language: str, by: Author, text: str | None = None) -> LedgerEntry:
    body = {**hashed(text=text), **by.remarked}
    return LedgerEntry(kind=kind, subject=f"template/{name}/{language}", actor=by.account, body=body)


async def count_pages(connection: Connection, pages: Sequence[int]) -> list[DigestCount]:
    """What pages are about, by their numbers."""
    return [DigestCount(**dict(row)) for row in await connection.fetch(QUERIES.count_pages, list(pages))]
