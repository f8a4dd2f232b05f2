"""One-use links that sign a browser in, made by a client that is signed in."""

import time
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from access.roles import Permission
from api.actions.accounts import LinkRequest, new_account_link
from api.actions.people import acting
from api.context import Shared
from api.http.permissions import require
from api.http.problems import Problem
from api.read.schemas import NewSigninLink

router = APIRouter(tags=["signin"])


class SigninLinkRequest(BaseModel):
    """For whom the link is: the id of an account, else the account that asks."""

    account: str | None = Field(default=None, max_length=64)


@router.post("/signin-links", status_code=201)
async def new_signin_link(context: Shared, said: Annotated[SigninLinkRequest | None, Body()] = None) -> NewSigninLink:
    """Make a link that signs one browser in as the account that asks. Opening it changes nothing, the button on
    its page uses it up. 403 for an API token: its role and scope may be narrower than its account's. Who manages
    accounts may name another `account`, as with `POST accounts/{id}/link`."""
    actor, named = acting(context), None if said is None else said.account
    if named not in (None, actor.account):
        require(actor, Permission.MANAGE_ACCOUNTS)
        made = await new_account_link(context, named, LinkRequest())
        return NewSigninLink(link=made.link, until=made.until)
    if actor.token is not None:
        raise Problem(403, "an API token cannot make a sign-in link: sign in as a person, or send the admin token")
    code, until = await context.sessions.new_code(actor.account, time.time(), by=actor.account)
    return NewSigninLink(link=f"{context.config.url.rstrip('/')}/signin?code={code}", until=until)
