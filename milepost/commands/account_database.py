"""What `milepost users` and `milepost tokens` have in common: the database, the account that acts, words."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from access.listing import find_account
from access.rules import OPERATOR, Account, Actor, actor_of
from access.scope import WHOLE, AreaScope
from contract.errors import RemedyError
from contract.glossary import word
from contract.said import Said
from milepost.language import columns_of, of_here, padded
from milepost.settings import Secret, require
from store.migrate import require_current
from store.pool import Connection, open_pool
from store.scoped import whole_url

_MOST_NAMED: Final = 3


@asynccontextmanager
async def open_accounts(database_url: Secret | None) -> AsyncIterator[tuple[Connection, Actor]]:
    """A connection, and the account `operator`, which acts by commands. Raises RemedyError."""
    url = required_url(database_url)
    async with open_pool(whole_url(url), name="accounts", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        yield connection, actor_of(await require_account(connection, OPERATOR))


def required_url(database_url: Secret | None) -> str:
    """The address of the database. Raises RemedyError without the setting."""
    return require(
        None if database_url is None else database_url.value,
        "MILEPOST_DATABASE_URL",
        "postgresql://user:password@host:port/name",
    )


async def require_account(connection: Connection, named: str) -> Account:
    """The account of a login or an id. Raises RemedyError."""
    found = await find_account(connection, named)
    if found is None:
        raise RemedyError(
            f"no account has the login {named!r}: `milepost users list` shows all",
            f"没有登录名为 {named!r} 的账户：`milepost users list` 列出所有账户",
        )
    return found


def has_admin_token(file: Path | None) -> bool:
    """Whether there is an admin token file with a token."""
    try:
        return file is not None and bool(file.read_bytes().strip())
    except OSError:
        return False


def scope_text(scope: AreaScope) -> Said:
    """A scope for people: its codes, a few of many."""
    if scope == WHOLE:
        return Said("everything", "全部")
    codes = sorted(scope.areas)
    some, more = " ".join(codes[:_MOST_NAMED]), len(codes) - _MOST_NAMED
    return Said(some, some) if more <= 0 else Said(f"{some} and {more} more", f"{some} 等 {len(codes)} 个")


def word_of(family: str, name: str) -> Said:
    """A word of the glossary in both languages."""
    return Said(word(family, name, "en"), word(family, name, "zh-CN"))


def table(rows: Sequence[Sequence[Said | str]]) -> str:
    """Rows as columns of a terminal, in the language of the locale."""
    texts = [[cell.text(of_here()) if isinstance(cell, Said) else cell for cell in row] for row in rows]
    widths = [max(columns_of(row[place]) for row in texts) for place in range(len(texts[0]))]
    return "\n".join(
        "  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in texts
    )
