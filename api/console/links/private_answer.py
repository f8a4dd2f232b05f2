"""Answers to requests by a link: never cached, compressed for slow lines, and as JSON for the script of the page."""

import gzip
from typing import Final

from fastapi import Request, Response
from starlette.responses import JSONResponse

from api.http.accept import is_program

_LEVEL: Final = 6


def by_script(request: Request) -> bool:
    """Whether the script of the page sent the form: then the script shows the answer without loading the page again."""
    return is_program(request.headers.get("accept", ""))


def said_to_script(status: int, **members: str) -> Response:
    """The answer to the script: the new address of the page (`to`) and a text (`said`); or the reason of a refusal
    (`refused`) and the new value of the field `seen`."""
    return private(JSONResponse(members, status))


def private(page: Response) -> Response:
    """The page with headers that forbid caches to store it and search engines to list it."""
    page.headers["Cache-Control"] = "no-store, private"
    page.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return page


def small(request: Request, page: Response) -> Response:
    """The page, compressed if the browser accepts gzip: this saves three seconds over a line of 20 kbit/s.

    Pages of the console are not compressed: if a page repeats the text of an attacker, its compressed length leaks
    other contents of the page (BREACH). This page has no secrets from a client that has the token.
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
