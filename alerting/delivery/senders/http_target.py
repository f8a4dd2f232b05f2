"""One bounded HTTP request. By httpx, as alerting/delivery/bot_target.py says."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import httpx

from alerting.delivery.bot_target import quiet_httpx
from alerting.delivery.bots import MAX_ANSWER
from alerting.delivery.senders.answers import SenderAnswer
from alerting.delivery.sending import SendOutcome, SendVerdict

HTTP_AT_ONCE: Final = 100
"""Connections at one time; more requests wait for a free one within their time limit."""


class HttpCaller:
    """Sends requests over connections that it keeps; `async with` closes them. `timeout`: seconds for one request."""

    def __init__(self, timeout: float) -> None:
        quiet_httpx()
        self._timeout = timeout
        # A connection that was not made in half the time is a certain failure; later nothing is certain.
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=timeout / 2, pool=timeout / 2),
            limits=httpx.Limits(max_connections=HTTP_AT_ONCE, max_keepalive_connections=20),
            follow_redirects=False,
            headers={"User-Agent": "Milepost", "Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def call(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        login: tuple[str, str] | None = None,
    ) -> SenderAnswer | SendOutcome:
        """The answer, or what came of the request without one. No text in it contains the address."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(method, url, body, headers or {}, login)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return _failed("cannot be reached")
        except httpx.PoolTimeout:
            return _failed("too many requests are under way")
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            return _failed("the address is not valid")
        except (TimeoutError, httpx.TimeoutException):
            return SendOutcome(verdict=SendVerdict.UNKNOWN, why=f"no answer within {self._timeout:g} s")
        except httpx.HTTPError as exc:
            # The text of the error may contain the address, so only its type is shown.
            return SendOutcome(verdict=SendVerdict.UNKNOWN, why=f"the connection failed ({type(exc).__name__})")

    async def _ask(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], login: tuple[str, str] | None
    ) -> SenderAnswer:
        async with self._client.stream(
            method, url, content=body or None, headers=dict(headers), auth=login or httpx.USE_CLIENT_DEFAULT
        ) as response:
            # What one receiver sets must not go to another of its domain.
            self._client.cookies.clear()
            read = b""
            async for part in response.aiter_raw():
                read += part
                if len(read) > MAX_ANSWER:
                    break
            return SenderAnswer(response.status_code, dict(response.headers), read[:MAX_ANSWER])


def _failed(why: str) -> SendOutcome:
    return SendOutcome(verdict=SendVerdict.FAILED, why=why)
