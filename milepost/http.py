"""Requests to our own API, without the proxies of the environment."""

import asyncio
import http.client
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec


class HttpAnswer(msgspec.Struct, frozen=True):
    """The answer of a server; with status 0 it could not be reached, and `body` says why."""

    status: int
    body: bytes


async def get(url: str, *, token: str | None = None, seconds: float = 5.0) -> HttpAnswer:
    """GET an http:// or https:// URL."""
    return await asyncio.to_thread(_ask, "GET", url, token, seconds)


async def post(url: str, *, token: str, seconds: float = 5.0) -> HttpAnswer:
    """POST to an http:// or https:// URL, without a body."""
    return await asyncio.to_thread(_ask, "POST", url, token, seconds)


async def send_json(method: str, url: str, document: object, *, token: str, seconds: float = 5.0) -> HttpAnswer:
    """A request with a JSON document."""
    return await asyncio.to_thread(_ask, method, url, token, seconds, msgspec.json.encode(document))


async def send_form(url: str, fields: Mapping[str, str], *, seconds: float = 5.0) -> HttpAnswer:
    """POST the form of a page, as a browser on that page does."""
    return await asyncio.to_thread(_ask, "POST", url, None, seconds, urlencode(fields).encode(), _FORM)


_JSON: Final = {"Content-Type": "application/json"}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


def _ask(
    method: str,
    url: str,
    token: str | None,
    timeout: float,
    body: bytes | None = None,
    about: Mapping[str, str] = _JSON,
) -> HttpAnswer:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    headers |= {} if body is None else about
    try:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    except (ValueError, http.client.HTTPException) as exc:
        return HttpAnswer(0, str(exc).encode())
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        response = connection.getresponse()
        return HttpAnswer(response.status, response.read())
    except (OSError, OverflowError, ValueError, http.client.HTTPException) as exc:
        return HttpAnswer(0, str(exc).encode())
    finally:
        connection.close()
