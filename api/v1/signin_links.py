"""One-use links that sign a browser in, for whoever is in already."""

import time

from fastapi import APIRouter

from api.context import Shared
from api.http.sessions import ADMIN
from api.read.schemas import SigninLink

router = APIRouter(tags=["signin"])


@router.post("/signin-links", status_code=201)
async def new_signin_link(context: Shared) -> SigninLink:
    """Make a link that signs one browser in. Opening it changes nothing, the button on its page uses it up."""
    code, until = await context.sessions.new_code(ADMIN, time.time())
    return SigninLink(link=f"{context.config.url.rstrip('/')}/signin?code={code}", until=until)
