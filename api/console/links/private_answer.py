"""Answers by a link: kept by nobody, small on a slow line, and for the script of the page as JSON."""

import gzip
from typing import Final

from fastapi import Request, Response
from starlette.responses import JSONResponse

from api.http.accept import is_program

_LEVEL: Final = 6


def by_script(request: Request) -> bool:
    """Whether the script of the page sent the form: it shows the answer in the page, which is not loaded again."""
    return is_program(request.headers.get("accept", ""))


def said_to_script(status: int, **members: str) -> Response:
    """The answer to the script: `to`: the address of the page from now on, and `said`; or `refused`, and `seen`."""
    return private(JSONResponse(members, status))


def private(page: Response) -> Response:
    """Nobody keeps the page, and no search engine lists it."""
    page.headers["Cache-Control"] = "no-store, private"
    page.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return page


def small(request: Request, page: Response) -> Response:
    """The page compressed, if the browser takes that: over 20 kbit/s it saves three seconds.

    Pages of the console are not compressed: the length of a page that repeats what a stranger wrote betrays what else
    is in it (BREACH). Nothing here is secret from whoever can ask for the page: that takes the token.
    """
    if not _takes_gzip(request.headers.get("accept-encoding", "")):
        return page
    page.body = gzip.compress(page.body, _LEVEL, mtime=0)
    page.headers["Content-Encoding"] = "gzip"
    page.headers["Content-Length"] = str(len(page.body))
    page.headers["Vary"] = ", ".join(filter(None, (page.headers.get("Vary"), "Accept-Encoding")))
    return page


def _takes_gzip(accepted: str) -> bool:
    wishes = (wish.replace(" ", "").lower() for wish in accepted.split(","))
    return any(wish == "gzip" or (wish.startswith("gzip;q=") and wish[7:].strip("0.") != "") for wish in wishes)
