"""One-use links that sign a browser in, made by a client that is signed in."""

import time

from fastapi import APIRouter

from access.rules import ADMIN
from api.context import Shared
from api.read.schemas import NewSigninLink

router = APIRouter(tags=["signin"])


@router.post("/signin-links", status_code=201)
async def new_signin_link(context: Shared) -> NewSigninLink:
    """Make a link that signs one browser in. Opening it changes nothing, the button on its page uses it up."""
    code, until = await context.sessions.new_code(ADMIN, time.time())
    return NewSigninLink(link=f"{context.config.url.rstrip('/')}/signin?code={code}", until=until)
