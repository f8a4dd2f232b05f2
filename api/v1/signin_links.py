"""One-use links that sign a browser in, made by a client that is signed in."""

import time

from fastapi import APIRouter, Request

from access.rules import Actor
from api.context import Shared
from api.http.middleware import ACTOR
from api.http.problems import Problem
from api.read.schemas import NewSigninLink

router = APIRouter(tags=["signin"])


@router.post("/signin-links", status_code=201)
async def new_signin_link(context: Shared, request: Request) -> NewSigninLink:
    """Make a link that signs one browser in as the account that asks. Opening it changes nothing, the button on
    its page uses it up. 403 for an API token: its role and scope may be narrower than its account's."""
    actor: Actor = request.scope[ACTOR]
    if actor.token is not None:
        raise Problem(403, "an API token makes no link: sign in as a person, or send the admin token")
    code, until = await context.sessions.new_code(actor.account, time.time(), by=actor.account)
    return NewSigninLink(link=f"{context.config.url.rstrip('/')}/signin?code={code}", until=until)
