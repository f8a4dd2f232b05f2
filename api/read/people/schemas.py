"""The documents of accounts, tokens and sessions. Times are UTC."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from access.roles import Permission, Role
from api.read.schemas import Document


class ScopeArea(Document):
    """An area of a scope; all areas below it belong to the scope too."""

    code: str
    name: str
    name_en: str | None


class ScopeDocument(Document):
    """Everything (`whole`), or some areas with all below them."""

    whole: bool
    areas: list[ScopeArea]


class AccountDocument(Document):
    """An account of a person or of a program. Histories name it by `id`, which never changes."""

    id: str
    login: str
    name: str
    role: Role
    scope: ScopeDocument
    state: Literal["enabled", "no_password", "disabled"]
    created_at: datetime
    disabled_at: datetime | None


class TokenDocument(Document):
    """An API token, without its text. It may do what both it and its account may."""

    id: str
    account: str = Field(description="the account that acts when it is used")
    name: str
    role: Role
    scope: ScopeDocument
    state: Literal["valid", "ending", "expired", "revoked"] = Field(description="ending: within 14 days")
    created_at: datetime
    created_by: str
    expires_at: datetime
    days_left: int
    used_at: datetime | None = Field(description="its last use, to about five minutes")
    revoked_at: datetime | None


class NewTokenDocument(TokenDocument):
    """A token that was just made, with its text (`token`), which is shown only now."""

    token: str


class AccountLink(Document):
    """A link that signs the person of an account in, once, until `until`."""

    link: str
    until: datetime


class SessionDocument(Document):
    """A browser that is signed in. `current`: this one; `wall`: it only looks; `ends_at`: unless it is used."""

    id: str
    current: bool
    wall: bool
    created_at: datetime
    used_at: datetime
    ends_at: datetime


class OwnSessions(Document):
    """The sessions of the account that asks, the last used first."""

    items: list[SessionDocument]


class EndedSessions(Document):
    """How many sessions were ended."""

    ended: int


class OwnAccount(Document):
    """Who asks. `permissions` and `scope` are those of the request: a token or a wall display may do less than its
    account. `session` and `token`: by what it asks; neither with the admin token."""

    account: AccountDocument
    permissions: list[Permission]
    scope: ScopeDocument
    session: SessionDocument | None
    token: TokenDocument | None
