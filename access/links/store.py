"""Links in the database: made for messages, found by their tokens, ended; and the forms that were sent by them."""

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import msgspec

from access.links.rules import (
    FRESH,
    MOST_POSTS,
    POSTS_WITHIN,
    LinkRefusal,
    LinkStanding,
    expiry_of_link,
    refusal_of_link,
)
from access.links.token import KEY_BYTES, LinkClaim, is_genuine, link_token, number_in
from store.author import Author
from store.ledger import LedgerEntry, append_entries, ms_of
from store.ledger_kinds import LedgerKind
from store.pool import Connection
from store.sql import queries_beside

QUERIES: Final = queries_beside(__file__)
PHONE_LOST: Final = "phone_lost"
"""Why links were ended; stored."""


class FoundLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link whose token is genuine. `account`: of its contact; `refusal`: why it is not good."""

    number: int
    incident: int
    contact: str
    account: str
    language: str
    expires_at: datetime
    refusal: LinkRefusal | None = None


class TooManyPostsError(Exception):
    """A link has taken too many forms lately."""


async def give_links(connection: Connection, contact: str, incidents: Collection[int], now: datetime) -> dict[int, str]:
    """{incident: token} of links for a contact: those that are good for long enough, else new ones."""
    key = await _key(connection)
    wanted = list(dict.fromkeys(incidents))
    rows = list(await connection.fetch(QUERIES.fresh_links, contact, wanted, now + FRESH))
    missing = sorted(set(wanted) - {row["incident"] for row in rows})
    if missing:
        rows += await connection.fetch(QUERIES.add_links, contact, missing, now, expiry_of_link(now))
    return {row["incident"]: link_token(key, _claim(row)) for row in rows}


async def find_link(connection: Connection, token: str, now: datetime) -> FoundLink | None:
    """The link of a token, good or not; None: no link has it."""
    number, key = number_in(token), await connection.fetchval(QUERIES.link_key)
    row = None if number is None or key is None else await connection.fetchrow(QUERIES.find_link, number)
    if row is None or not is_genuine(key, _claim(row), token):
        return None
    standing = LinkStanding(expires_at=row["expires_at"], ended_at=row["ended_at"], may_act=row["may_act"])
    named = {name: row[name] for name in ("number", "incident", "contact", "language", "expires_at")}
    return FoundLink(**named, account=row["account"] or "", refusal=refusal_of_link(standing, now))


async def find_post(connection: Connection, link: int, once: str, now: datetime) -> Any:
    """The stored answer to a form with the key `once`; None: this form is new.

    Locks the link until the transaction ends, so forms of one link are handled one after another. Raises
    TooManyPostsError, and LookupError for a link that was ended."""
    if not await connection.fetchval(QUERIES.hold_link, link):
        raise LookupError(link)
    answer = await connection.fetchval(QUERIES.find_post, link, once)
    if answer is None and await connection.fetchval(QUERIES.count_posts, link, now - POSTS_WITHIN) >= MOST_POSTS:
        raise TooManyPostsError
    return answer


async def add_post(connection: Connection, link: int, once: str, answer: dict[str, Any], now: datetime) -> None:
    """Store a form that was sent by a link, and its answer, in the transaction that made the changes."""
    await connection.execute(QUERIES.add_post, link, once, now, answer)


async def count_good_links(connection: Connection, contact: str, now: datetime) -> int:
    """How many links of a contact are good."""
    return int(await connection.fetchval(QUERIES.count_good, contact, now))


async def end_links(connection: Connection, contact: str, now: datetime, *, by: Author) -> int:
    """End all links of a contact because its phone was lost, with an entry of the ledger. Returns how many ended."""
    async with connection.transaction():
        await connection.execute(QUERIES.hold_contact, contact)
        ended = int(await connection.fetchval(QUERIES.end_links, contact, now, PHONE_LOST))
        entry = LedgerEntry(
            kind=LedgerKind.LINKS_ENDED,
            subject=f"contact/{contact}",
            actor=by.account,
            at_ms=ms_of(now),
            body={"ended": ended, "why": PHONE_LOST},
        )
        await append_entries(connection, [entry])
    return ended


async def _key(connection: Connection) -> bytes:
    """The key that signs tokens; the first call creates it."""
    key = await connection.fetchval(QUERIES.link_key)
    if key is None:
        await connection.execute(QUERIES.add_link_key, secrets.token_bytes(KEY_BYTES))
        key = await connection.fetchval(QUERIES.link_key)
    return bytes(key)


def _claim(row: Any) -> LinkClaim:
    return LinkClaim(**{name: row[name] for name in LinkClaim.__struct_fields__})
