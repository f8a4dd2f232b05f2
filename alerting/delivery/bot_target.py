"""Sends to the group bots of WeCom, DingTalk and Feishu.

With httpx: it waits without a thread, follows no redirect, checks certificates, and stands on h11 and anyio, which the
API's server brings anyway.
"""

import asyncio
import logging
import time

import httpx

from alerting.delivery.bots import KINDS, MAX_ANSWER, Bot, BotAnswer, BotRequest, BotVerdict, build_request, read_answer
from alerting.delivery.retry import target_of
from alerting.delivery.targets import Parcel, SendError


def quiet_httpx() -> None:
    """Its log lines show addresses, in which the tokens of bots stand."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


class BotTarget:
    """One bot; `url` is what a person gave, `origin` where its provider is. `timeout` in s for all of a message."""

    def __init__(self, bot: Bot, url: str, timeout: float, *, origin: str | None = None) -> None:
        self.name = target_of(url)
        self._bot = bot
        self._timeout = timeout
        self._origin = origin or KINDS[bot.kind].origin
        self._silent_until = 0.0
        self._why = ""
        quiet_httpx()

    async def send(self, parcel: Parcel) -> None:
        """Returns when the bot said that it took the message. While it wants silence nothing is sent to it."""
        wait = self._silent_until - time.monotonic()
        if wait > 0:
            raise SendError(f"silent for {wait:.0f} s more: {self._why}", wait=wait)
        answer = await self._post(build_request(self._bot, parcel.message, time.time()))
        if answer.verdict == BotVerdict.THROTTLED:
            self._silent_until, self._why = time.monotonic() + answer.silent, answer.why
        if answer.verdict != BotVerdict.TAKEN:
            raise SendError(answer.why, refused=answer.verdict == BotVerdict.REFUSED, wait=answer.silent)

    async def _post(self, request: BotRequest) -> BotAnswer:
        try:
            async with asyncio.timeout(self._timeout), httpx.AsyncClient(timeout=self._timeout) as client:
                return await self._ask(client, request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            raise SendError("cannot be reached") from exc
        except TimeoutError as exc:
            raise SendError(f"no answer within {self._timeout:g} s") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            # Its text may show the address; the kind of error is enough.
            raise SendError(f"the connection failed ({type(exc).__name__})") from None

    async def _ask(self, client: httpx.AsyncClient, request: BotRequest) -> BotAnswer:
        url = f"{self._origin}{request.path}"
        async with client.stream("POST", url, json=request.document, follow_redirects=False) as response:
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MAX_ANSWER:
                    break
            return read_answer(self._bot.kind, response.status_code, body)
