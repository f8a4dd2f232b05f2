"""Asking our own API, without the proxies of the environment. For the one-machine stack and the demo."""

import asyncio
import http.client
from urllib.parse import urlsplit

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What a server said; status 0 means that it could not be reached, and `body` why."""

    status: int
    body: bytes


async def get(url: str, *, token: str | None = None, seconds: float = 5.0) -> Answer:
    """GET an http:// URL."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return await asyncio.to_thread(_get, url, headers, seconds)


def _get(url: str, headers: dict[str, str], timeout: float) -> Answer:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except (OSError, http.client.HTTPException) as exc:
        return Answer(0, str(exc).encode())
    finally:
        connection.close()
