"""Sends notifications to the group bots of WeCom, DingTalk and Feishu.

By httpx: it needs no thread, follows no redirect and checks certificates, and its dependencies h11 and anyio are those
of the API's server.
"""

import asyncio
import logging
import time

import httpx

from alerting.delivery.bots import KINDS, MAX_ANSWER, BotAnswer, BotRequest, BotVerdict, build_request, read_answer
from alerting.delivery.retry import target_of
from alerting.delivery.targets import Parcel, SendError
from registry.contacts.bot_address import Bot


def quiet_httpx() -> None:
    """Hide the log lines of httpx: they show addresses, which contain the tokens of bots."""
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


class BotTarget:
    """One bot. `url`: the address in the setting; `origin`: the provider's server. `timeout`: seconds for one
    message."""

    def __init__(self, bot: Bot, url: str, timeout: float, *, origin: str | None = None) -> None:
        self.name = target_of(url)
        self._bot = bot
        self._timeout = timeout
        self._origin = origin or KINDS[bot.kind].origin
        self._silent_until = 0.0
        self._why = ""
        quiet_httpx()

    async def send(self, parcel: Parcel) -> None:
        """Returns when the bot has taken the message. Nothing is sent while the bot asks for a pause.

        Raises SendError with the reason.
        """
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
            # The text of the error may contain the address, so only its type is shown.
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
