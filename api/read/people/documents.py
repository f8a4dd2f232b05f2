"""Accounts, tokens and sessions as documents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from access.administration import days_left, state_of, token_state
from access.listing import AreaName
from access.rules import Account
from access.scope import AreaScope
from access.store import StoredToken
from api.http.session_rules import Session, ends_at
from api.read.people.schemas import (
    AccountDocument,
    NewTokenDocument,
    ScopeArea,
    ScopeDocument,
    SessionDocument,
    TokenDocument,
)

_ID_LETTERS: Final = 16

Names = Mapping[str, AreaName]
"""The names of areas, by code."""


def scope_document(scope: AreaScope, names: Names) -> ScopeDocument:
    """A scope with the names of its areas; an area without a known name is shown by its code."""
    unknown = {code: AreaName(code, None) for code in scope.areas if code not in names}
    known = {**names, **unknown}
    areas = [ScopeArea(code=code, name=known[code].name, name_en=known[code].name_en) for code in sorted(scope.areas)]
    return ScopeDocument(whole=scope.whole, areas=areas)


def account_document(account: Account, names: Names) -> AccountDocument:
    """An account as the API and the pages show it."""
    return AccountDocument(
        id=account.id,
        login=account.login,
        name=account.name,
        role=account.role,
        scope=scope_document(account.scope, names),
        state=state_of(account).value,
        created_at=account.created_at,
        disabled_at=account.disabled_at,
    )


def token_document(token: StoredToken, names: Names, now: datetime) -> TokenDocument:
    """A token as the API and the pages show it."""
    return TokenDocument(**_token_fields(token, names, now))


def new_token_document(text: str, token: StoredToken, names: Names, now: datetime) -> NewTokenDocument:
    """A token that was just made, with its text."""
    return NewTokenDocument(token=text, **_token_fields(token, names, now))


def _token_fields(token: StoredToken, names: Names, now: datetime) -> dict[str, Any]:
    own = ("id", "account", "name", "role", "created_at", "created_by", "expires_at", "revoked_at", "used_at")
    return {
        **{name: getattr(token, name) for name in own},
        "scope": scope_document(token.scope, names),
        "state": token_state(token.expires_at, token.revoked_at, now).value,
        "days_left": days_left(token.expires_at, now),
    }


def session_name(session: Session) -> str:
    """The id of a session for lists: a part of the hash of its secret, by which nobody signs in."""
    return session.key.hex()[:_ID_LETTERS]


def session_document(session: Session, current: Session | None) -> SessionDocument:
    """A session as the API and the pages show it."""
    return SessionDocument(
        id=session_name(session),
        current=current is not None and current.key == session.key,
        wall=session.wall,
        created_at=datetime.fromtimestamp(session.created, UTC),
        used_at=datetime.fromtimestamp(session.used, UTC),
        ends_at=datetime.fromtimestamp(ends_at(session), UTC),
    )
