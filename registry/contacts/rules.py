"""What a contact may be, and what the ledger says of it. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from unicodedata import category

import msgspec

from contract.errors import RemedyError
from contract.said import SaidError
from registry.contacts.addresses import require_different, require_few
from registry.contacts.model import Address, Channel, Contact
from registry.hours.opening_text import ScheduleError, parse_rules
from store.ledger_kinds import hashed

MOST_NAME: Final = 200
"""Characters of a name."""
ADMIN_ROLE: Final = "admin"
"""The role of accounts that may do everything in their scope."""
_ID: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}")
_ROLE: Final = re.compile(r"[0-9a-z_-]{1,32}")
_UNWANTED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


class ContactEdit(msgspec.Struct, frozen=True, kw_only=True):
    """A contact as somebody wants it. `contact.channels`, `retired_at` and `muted` are not read;
    `contact.account` is the id or login of an account (None: the one it has, or a new one of its own)."""

    contact: Contact
    #: All channels, in the order in which they are tried; None: those it has.
    addresses: tuple[Address, ...] | None = None


class KnownAccount(msgspec.Struct, frozen=True):
    """An account that the caller of the database sees."""

    id: str
    login: str
    role: str


def require_contact(edit: ContactEdit) -> None:
    """Raise SaidError for a contact that cannot be stored."""
    contact = edit.contact
    require_contact_id(contact.id)
    require_role(contact.role)
    if not contact.name.strip() or len(contact.name) > MOST_NAME or any(category(s) in _UNWANTED for s in contact.name):
        raise SaidError(
            f"the name {contact.name[:40]!r} does not fit: use 1 to {MOST_NAME} characters of one line",
            f"名称“{contact.name[:40]}”不合要求：请在一行内填写 1 至 {MOST_NAME} 个字",
        )
    if contact.room and contact.account is not None:
        raise SaidError(
            f"{contact.name} is a room and has no account: take out the account",
            f"{contact.name} 是群聊，不能有账户：请删去账户",
        )
    require_quiet(contact.quiet)
    require_few(edit.addresses or ())
    require_different(edit.addresses or ())


def require_contact_id(text: str) -> None:
    """Raise SaidError for a text that cannot be the id of a contact."""
    if not _ID.fullmatch(text):
        raise SaidError(
            f"{text[:40]!r} is not the id of a contact: use 1 to 64 of 0-9 A-Z a-z _ . -",
            f"“{text[:40]}”不是联系人编号：应为 1 至 64 位的数字、拉丁字母、_、. 或 -",
        )


def require_role(text: str) -> str:
    """The text. Raises SaidError if it cannot be a role of contacts, duties and routes."""
    if not _ROLE.fullmatch(text):
        raise SaidError(
            f"{text[:40]!r} is not a role: use small Latin letters, digits, _ and -, such as technician",
            f"“{text[:40]}”不是角色：请用小写拉丁字母、数字、_ 和 -，如 technician",
        )
    return text


def require_quiet(rules: str | None) -> None:
    """Raise SaidError for quiet hours that are no rules as those of opening hours."""
    if rules is None:
        return
    try:
        parse_rules(rules)
    except ScheduleError as exc:
        raise SaidError(f"the quiet hours: {exc.said.en}", f"免打扰时段：{exc.said.zh}") from exc


def require_accounts(
    edits: Iterable[tuple[Contact, Contact | None]], accounts: Mapping[str, KnownAccount], by: str
) -> None:
    """Raise RemedyError where an edit names an account that it may not, or changes where the messages of such an
    account go. `edits`: (as wanted, as stored) of contacts whose account or channels change. `accounts`: by id, as far
    as the author may see them.

    Messages of a person contain links that act as the account, so whoever may not administer an account may not choose
    where they go.
    """
    author = accounts.get(by)
    for wanted, stored in edits:
        for named in {wanted.account, stored.account if stored else None} - {None}:
            account = accounts.get(named or "")
            if account is None or account.id in ("admin", "operator", "system"):
                raise RemedyError(
                    f"{wanted.name}: there is no account {named!r} that a contact of yours may have: correct it",
                    f"{wanted.name}：没有可供您的联系人使用的账户 {named!r}：请更正",
                )
            if account.role == ADMIN_ROLE and not (author and author.role == ADMIN_ROLE):
                raise RemedyError(
                    f"{wanted.name}: the account {account.login!r} is of an administrator: only an administrator says "
                    "where its messages go",
                    f"{wanted.name}：账户 {account.login!r} 属于管理员：只有管理员能指定它的消息发往何处",
                )


def contact_body(contact: Contact, channels: Sequence[Channel]) -> dict[str, Any]:
    """What the ledger says of a contact: no name and no address."""
    return {
        "role": contact.role,
        "area": contact.area,
        "language": contact.language,
        "room": contact.room,
        "account": contact.account,
        "channels": [{"kind": channel.kind.value, "fingerprint": channel.fingerprint} for channel in channels],
        **hashed(name=contact.name, quiet=contact.quiet),
    }
